"""Masked: a gradient that is structurally zero in places, which no infinity can turn into NaN.

`np.where(x > 0, np.sqrt(x), 0)` never uses the square root of a negative number, so nothing may flow back there.
A numeric zero would not do: 0 · inf is NaN. `where`, `maximum`, `relu` and `max` hand down a Masked
gradient instead. It flows like any array, and the rules do not know: through elementwise gates, whose products and
quotients keep its zeros; through gates that move, repeat or spread values, where value and mask take the same
way; and through those that mix elements (`gates/mixing.py`), where what is mixed of nothing but such zeros is one.

A mask that follows from another is computed when it counts: in a network of products and relus it never does. And the
walk back hands such gradients on as plain numbers as long as all that they meet is finite (`postponed.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.careful import doubted, is_looking
from gategrad.gate import Gate, on_meeting
from gategrad.kinds import Linear, Router
from gategrad.values import FLOAT64

__all__ = [
    "ALL",
    "CERTAIN",
    "OVERFLOWN",
    "STEEP",
    "STEEP_TANGENT",
    "Masked",
    "counting",
    "even",
    "masked_ufunc",
    "mixes",
    "numbers",
    "resolved",
    "select",
    "singular",
    "through_mask",
]

ALL: Any = ("all",)
"""Due is the whole mask: nothing of it has been applied to the value yet."""


CERTAIN, OVERFLOWN, STEEP, STEEP_TANGENT = 1, 2, 3, 4
"""What the infinities of a masked gradient are: those of an exponential, and those at a singular point, on either way.

Certain are those of lengths, which meet a zero without a doubt (see `gates/squares.py`).
"""


class Masked(np.lib.mixins.NDArrayOperatorsMixin):
    """An array `value` that counts only where `mask` is true and is zero elsewhere, whatever `value` says there.

    `mask` is an array, or what computes one when it is asked for. `due` is the part of it that has yet to be applied:
    None where `value` is zero already in all that does not count. `is_hard`: whether it says that a value was not used,
    rather than that a slope is 0 (see `gates/mixing.py`). `singularity`: what its infinities are, `STEEP` for slopes at a
    singular point, such as that of √ at 0, or `OVERFLOWN`: a factor of zero outweighs both, in both modes (see
    `gates/singular.py`), but the first leaves a doubt, unless `is_even`: an even function of what is 0 is flat there.
    """

    __slots__ = ("_mask", "due", "is_even", "is_hard", "singularity", "value")

    def __init__(self, value: Any, mask: Any, due: Any = ALL, *, is_hard: bool = False, singularity: int = 0) -> None:
        self.value = value
        self._mask = mask
        self.due = due
        self.is_hard = is_hard
        self.singularity = singularity
        self.is_even = False

    @property
    def mask(self) -> Any:
        """Where the gradient counts."""
        if callable(self._mask):
            self._mask = self._mask()
        return self._mask

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the gradient."""
        return getattr(self.value, "shape", ())

    @property
    def dtype(self) -> Any:
        """The dtype of the gradient."""
        return getattr(self.value, "dtype", FLOAT64)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def astype(self, dtype: Any) -> Masked:
        """The same gradient in another dtype."""
        return self.valued(dtype.type(self.value) if type(self.value) is float else np.astype(self.value, dtype))

    def valued(self, value: Any) -> Masked:
        """Other values that count in the same places, and are zero where those were."""
        return Masked(value, self._mask, self.due, is_hard=self.is_hard, singularity=self.singularity)

    def moved(self, move: Callable[[Any], Any]) -> Masked:
        """The same gradient after a function that puts each element somewhere else, or nowhere."""
        mask = (lambda: move(self.mask)) if callable(self._mask) else move(self._mask)
        due = self.due if self.due is ALL or self.due is None else move(self.due)
        return Masked(move(self.value), mask, due, is_hard=self.is_hard, singularity=self.singularity)

    def resolve(self) -> Any:
        """The gradient as an ordinary array: `value` where the mask is true, zero elsewhere."""
        if self.due is not None:  # once: products ask for it twice
            mask = self.mask if self.due is ALL else self.due
            self.value, self.due = _or_zero(mask, self.value), None
        return self.value

    def settled(self) -> Any:
        """A single number without its mask, if that is known: as it is, or None where it does not count."""
        if self.shape or self.singularity or not isinstance(self.mask, (bool, np.bool_, np.ndarray)):
            return self
        return self.value if self.mask else None

    def counts(self) -> Any:
        """The mask in numbers, 1 for true: where elements meet they add, and any that counts makes the sum count."""
        return np.astype(self.mask, FLOAT64)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if type(options.get("out", (None,))[0]) is Masked:
            del options["out"]  # dz *= 2: a new gradient, bound to the old name
        if method != "__call__" or options:
            return getattr(ufunc, method)(*map(resolved, inputs), **options)
        return masked_ufunc(ufunc, inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if function in _MOVES and type(args[0]) is Masked:
            return args[0].moved(lambda x: function(x, *args[1:], **options))
        if function in mixes and sum(type(x) is Masked for x in args) == 1:
            return mixes[function](*args, **options)
        if function is np.concatenate:
            return _joined(*args, **options)
        return function(*resolved(args), **resolved(options))

    def __getitem__(self, index: Any) -> Any:
        return self.moved(lambda x: x[index])

    def reshape(self, *shape: Any) -> Masked:
        """The same gradient in another shape."""
        return self.moved(lambda x: np.reshape(x, *shape))

    def transpose(self, *axes: Any) -> Masked:
        """The same gradient with its axes in another order."""
        return self.moved(lambda x: np.transpose(x, *axes))

    @property
    def T(self) -> Masked:
        """The same gradient with its axes the other way round."""
        return self.transpose()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.resolve(), dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.resolve(), name)  # any other method of an array: a rule need not know of masks


_MOVES: set[Callable[..., Any]] = {
    np.broadcast_to, np.diagonal, np.expand_dims, np.flip, np.moveaxis, np.real, np.repeat, np.reshape, np.roll,
    np.squeeze, np.swapaxes, np.take, np.take_along_axis, np.tile, np.transpose, np.tril, np.triu,
}  # fmt: skip
"""Functions that put each element somewhere else, or nowhere, and never two together: the mask goes along."""

mixes: dict[Callable[..., Any], Callable[..., Any]] = {}
"""What functions that mix elements make of a masked gradient among their arguments; `mixing.py` joins."""


def _joined(parts: Any, axis: Any = 0) -> Masked:
    masks = [x.mask if type(x) is Masked else np.ones(np.shape(x), bool) for x in parts]
    value = np.concatenate(resolved(parts), axis=axis)
    hard = any(type(x) is Masked and x.is_hard for x in parts)
    return Masked(value, np.concatenate(masks, axis=axis), None, is_hard=hard, singularity=_any_singular(parts))


def _or_zero(mask: Any, x: Any) -> Any:
    """x where the mask is true, 0 elsewhere.

    Of many numbers the bits are multiplied: `np.where` takes a branch for each, and half of those are mispredicted.
    """
    if type(x) is type(mask) is np.ndarray and x.size >= _MANY and x.shape == mask.shape and mask.dtype.kind == "b":
        bits = _BITS.get(x.dtype)
        if bits is not None:
            return np.multiply(x.view(bits), mask).view(x.dtype)
    return np.where(mask, x, np.zeros((), getattr(x, "dtype", FLOAT64)))


_MANY = 4096
_BITS = {np.dtype(np.float64): np.int64, np.dtype(np.float32): np.int32}


def numbers(x: Any) -> Any:
    """The plain numbers of a value, whatever tapes it is on; symbols, too, are as plain as they get."""
    while hasattr(x, "raw"):
        x = x.raw
    return x


def through_mask(gate: Gate, inputs: tuple[Any, ...]) -> Any:
    """Apply a gate to masked gradients: the mask stays outside, and what is inside is computed or recorded."""
    if gate.ufunc is not None:
        return masked_ufunc(gate.ufunc, inputs)
    values = resolved(inputs)
    if isinstance(gate, Router) and isinstance(gate, Linear):
        counts = [x.counts() if type(x) is Masked else np.ones(np.shape(x)) for x in inputs]
        hard = any(type(x) is Masked and x.is_hard for x in inputs)
        singularity = _any_singular(inputs)
        return Masked(gate.fresh()(*values), gate.fresh()(*counts) > 0, is_hard=hard, singularity=singularity)
    return singular(gate(*values), _any_singular(inputs))


on_meeting[Masked] = through_mask


def masked_ufunc(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Any:
    """Apply a ufunc to inputs of which some are masked; the mask goes on if zeros go in where zeros come out."""
    masked = [x for x in inputs if type(x) is Masked]
    if len(masked) == len(inputs) == 1 and ufunc in (np.negative, np.conjugate):
        return masked[0].valued(ufunc(masked[0].value))
    if ufunc in mixes and len(masked) == 1:
        return mixes[ufunc](*inputs)
    if ufunc is np.multiply or (ufunc is np.divide and len(masked) == 1 and type(inputs[0]) is Masked):
        return _scaled(ufunc, inputs, masked)
    if ufunc is not np.add:
        return ufunc(*map(resolved, inputs))
    z = np.add(*map(resolved, inputs))
    if len(masked) == 2:  # branches meet: what is zero in both stays so
        x, y = masked
        mask = lambda: np.logical_or(x.mask, y.mask)
        return Masked(z, mask, None, is_hard=x.is_hard or y.is_hard, singularity=_any_singular(masked))
    return singular(z, masked[0].singularity)


def _scaled(ufunc: np.ufunc, inputs: tuple[Any, ...], masked: list[Masked]) -> Any:
    """A product, or a quotient by what is not masked. What happens in the masked places is nobody's concern."""
    values = [x.value if type(x) is Masked else x for x in inputs]
    masks = [x.mask for x in masked]
    with np.errstate(all="ignore"):
        value = ufunc(*values)
    shape = getattr(value, "shape", ())
    for x, others in zip(inputs, reversed(values), strict=True):
        if type(x) is Masked and x.singularity:
            blocks = np.equal(numbers(others), 0) if ufunc is np.multiply else np.isinf(numbers(others))
            blocked = np.isinf(numbers(x.value)) & blocks
            if (x.singularity >= STEEP and not (x.is_even and numbers(value) is value)) or (
                x.singularity == OVERFLOWN and isinstance(blocked, (bool, np.bool_, np.ndarray)) and not is_looking()
            ):
                doubted(blocked & x.mask)
            masks.append(np.logical_not(blocked))
    mask = masks[0]
    for other in masks[1:]:
        mask = np.logical_and(mask, other)
    if len(masks) == 1 and masked[0].due is None and isinstance(mask, np.ndarray) and mask.all():
        return ufunc(*values)  # a mask that followed from another, and lets everything through
    mask = mask if mask.shape == shape else np.broadcast_to(mask, shape)
    return Masked(value, mask, is_hard=any(x.is_hard for x in masked), singularity=_any_singular(masked))


def select(mask: Any, dz: Any, *, is_hard: bool = False) -> Any:
    """Let `dz` through where `mask` is true; elsewhere nothing flows, which is more than zero.

    For single numbers the answer is `dz` or None; for arrays a `Masked` gradient.
    """
    if isinstance(mask, (bool, np.bool_)):
        return dz if mask else None
    shape = getattr(dz, "shape", ())
    mask = mask if mask.shape == shape else np.broadcast_to(mask, shape)
    if type(dz) is not Masked:
        return Masked(dz, mask, is_hard=is_hard)
    both = (lambda: np.logical_and(dz.mask, mask)) if callable(dz._mask) else np.logical_and(dz.mask, mask)
    due = dz.due if dz.due is ALL else mask if dz.due is None else np.logical_and(dz.due, mask)
    return Masked(dz.value, both, due, is_hard=is_hard or dz.is_hard, singularity=dz.singularity)


def singular(dz: Any, singularity: int = STEEP) -> Any:
    """A gradient whose infinities are slopes at a singular point, which a factor of zero outweighs."""
    if dz is None or not singularity:
        return dz
    if type(dz) is Masked:
        return Masked(dz.value, dz._mask, dz.due, is_hard=dz.is_hard, singularity=max(singularity, dz.singularity))
    shape = getattr(dz, "shape", ())
    return Masked(dz, np.ones(shape, bool)[()], None, is_hard=False, singularity=singularity)


def counting(mask: Any, dz: Any) -> Any:
    """Where the mask is true of what counts."""
    return mask & dz.mask if type(dz) is Masked else mask


def even(dz: Any) -> Any:
    """A gradient on its way back into an even function: where that is flat, 0 is the middle of whatever slopes there are."""
    if type(dz) is Masked and 0 < dz.singularity < STEEP_TANGENT:
        dz = dz.valued(dz.value)
        dz.is_even = True
    return dz


def _any_singular(inputs: Any) -> int:
    return max([x.singularity for x in inputs if type(x) is Masked], default=0)


def resolved(x: Any) -> Any:
    """An ordinary array in place of a masked gradient, in containers too; everything else as it is."""
    if type(x) is Masked:
        return x.resolve()
    if isinstance(x, (tuple, list)):
        return type(x)(map(resolved, x))
    if isinstance(x, dict):
        return {key: resolved(item) for key, item in x.items()}
    return x
