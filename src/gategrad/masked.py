"""Masked: a gradient that is structurally zero in places, which no infinity can turn into NaN.

`np.where(x > 0, np.sqrt(x), 0)` never uses the square root of a negative number, so nothing may flow back there.
A numeric zero would not do: 0 · inf is NaN. `where`, `maximum`, `relu` and `max` hand down a Masked gradient
instead. It flows through elementwise gates like any array (their rules do not know) and becomes an ordinary array,
with zeros selected rather than multiplied, where it meets anything else.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.values import FLOAT64

__all__ = ["Masked", "broadcast", "masked_ufunc", "select"]


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

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if type(options.get("out", (None,))[0]) is Masked:
            del options["out"]  # dz *= 2: a new gradient, bound to the old name
        if method != "__call__" or options:
            return getattr(ufunc, method)(*map(_resolved, inputs), **options)
        return masked_ufunc(ufunc, inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return function(*_resolved(args), **_resolved(options))

    def __getitem__(self, index: Any) -> Any:
        return self.resolve()[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.resolve(), dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.resolve(), name)  # any other method of an array: a rule need not know of masks


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


def broadcast(dz: Any, shape: tuple[int, ...]) -> Any:
    """`dz` repeated to a larger shape, and masked where it was."""
    if type(dz) is Masked:
        return Masked(np.broadcast_to(dz.value, shape), np.broadcast_to(dz.mask, shape))
    return np.broadcast_to(dz, shape)


def _resolved(x: Any) -> Any:
    if type(x) is Masked:
        return x.resolve()
    if isinstance(x, (tuple, list)):
        return type(x)(map(_resolved, x))
    if isinstance(x, dict):
        return {key: _resolved(item) for key, item in x.items()}
    return x
