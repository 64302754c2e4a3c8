"""Masked: a gradient that is structurally zero in places, which no infinity can turn into NaN.

`np.where(x > 0, np.sqrt(x), 0)` never uses the square root of a negative number, so nothing may flow back there.
A numeric zero would not do: 0 · inf is NaN. `where`, `maximum`, `relu` and `max` hand down a Masked
gradient instead. It flows like any array, and the rules do not know: through elementwise gates, whose products and
quotients keep its zeros, and through gates that move, repeat or spread values, where value and mask take the same
way. It becomes an ordinary array, with zeros selected rather than multiplied, where it meets anything else: a
matrix product mixes elements, and zeros are all that is left of those that count for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.gate import Gate, on_meeting
from gategrad.kinds import Linear, Router
from gategrad.values import FLOAT64

__all__ = ["Masked", "masked_ufunc", "select", "through_mask"]


class Masked(np.lib.mixins.NDArrayOperatorsMixin):
    """An array `value` that counts only where `mask` is true and is zero elsewhere, whatever `value` says there."""

    __slots__ = ("mask", "value")

    def __init__(self, value: Any, mask: Any) -> None:
        self.value = value
        self.mask = mask

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
        return Masked(np.astype(self.value, dtype), self.mask)

    def resolve(self) -> Any:
        """The gradient as an ordinary array: `value` where the mask is true, zero elsewhere."""
        return np.where(self.mask, self.value, np.zeros((), self.dtype))

    def counts(self) -> Any:
        """The mask in numbers, 1 for true: where elements meet they add, and any that counts makes the sum count."""
        return np.astype(self.mask, FLOAT64)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if type(options.get("out", (None,))[0]) is Masked:
            del options["out"]  # dz *= 2: a new gradient, bound to the old name
        if method != "__call__" or options:
            return getattr(ufunc, method)(*map(_resolved, inputs), **options)
        return masked_ufunc(ufunc, inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if function in _MOVES and type(args[0]) is Masked:
            return Masked(function(args[0].value, *args[1:], **options), function(args[0].mask, *args[1:], **options))
        if function is np.cumsum and args and type(args[0]) is Masked:
            return Masked(
                function(args[0].resolve(), *args[1:], **options), function(args[0].counts(), *args[1:], **options) > 0
            )
        return function(*_resolved(args), **_resolved(options))

    def __getitem__(self, index: Any) -> Any:
        return Masked(self.value[index], self.mask[index])

    def reshape(self, *shape: Any) -> Masked:
        """The same gradient in another shape."""
        return Masked(np.reshape(self.value, *shape), np.reshape(self.mask, *shape))

    def transpose(self, *axes: Any) -> Masked:
        """The same gradient with its axes in another order."""
        return Masked(np.transpose(self.value, *axes), np.transpose(self.mask, *axes))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.resolve(), dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.resolve(), name)  # any other method of an array: a rule need not know of masks


_MOVES: set[Callable[..., Any]] = {
    np.broadcast_to, np.diagonal, np.expand_dims, np.flip, np.moveaxis, np.repeat, np.reshape, np.roll, np.squeeze,
    np.swapaxes, np.take, np.take_along_axis, np.tile, np.transpose, np.tril, np.triu,
}  # fmt: skip
"""Functions that put each element somewhere else, or nowhere, and never two together: the mask goes along."""


def through_mask(gate: Gate, inputs: tuple[Any, ...]) -> Any:
    """Apply a gate to masked gradients: the mask stays outside, and what is inside is computed or recorded."""
    if gate.ufunc is not None:
        return masked_ufunc(gate.ufunc, inputs)
    values = _resolved(inputs)
    if not (isinstance(gate, Router) and isinstance(gate, Linear)):
        return gate(*values)
    counts = [x.counts() if type(x) is Masked else np.ones(np.shape(x)) for x in inputs]
    return Masked(gate.fresh()(*values), gate.fresh()(*counts) > 0)


on_meeting[Masked] = through_mask


def masked_ufunc(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Any:
    """Apply a ufunc to inputs of which some are masked; the mask goes on if zeros go in where zeros come out."""
    if ufunc is np.add and all(type(x) is Masked for x in inputs):
        x, y = inputs  # branches meet: what is zero in both stays so
        return Masked(x.resolve() + y.resolve(), np.logical_or(x.mask, y.mask))
    first_alone = type(inputs[0]) is Masked and not any(type(x) is Masked for x in inputs[1:])
    keeps_zero = ufunc in (np.negative, np.conjugate, np.multiply) or (ufunc is np.divide and first_alone)
    if not keeps_zero:
        return ufunc(*map(_resolved, inputs))
    with np.errstate(all="ignore"):  # what happens in the masked places is nobody's concern
        value = ufunc(*[x.value if type(x) is Masked else x for x in inputs])
    masks = [x.mask for x in inputs if type(x) is Masked]
    mask = masks[0] if len(masks) == 1 else np.logical_and(*masks)
    shape = getattr(value, "shape", ())
    return Masked(value, mask if mask.shape == shape else np.broadcast_to(mask, shape))


def select(mask: Any, dz: Any) -> Any:
    """Let `dz` through where `mask` is true; elsewhere nothing flows, which is more than zero.

    For single numbers the answer is `dz` or None; for arrays a `Masked` gradient.
    """
    if isinstance(mask, (bool, np.bool_)):
        return dz if mask else None
    if type(dz) is Masked:
        return Masked(dz.value, np.logical_and(dz.mask, mask))
    shape = getattr(dz, "shape", ())
    return Masked(dz, mask if mask.shape == shape else np.broadcast_to(mask, shape))


def _resolved(x: Any) -> Any:
    if type(x) is Masked:
        return x.resolve()
    if isinstance(x, (tuple, list)):
        return type(x)(map(_resolved, x))
    if isinstance(x, dict):
        return {key: _resolved(item) for key, item in x.items()}
    return x
