"""Reductions: sum, mean, max, min and prod."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import (
    add_reduce,
    axes_of,
    broadcast,
    count,
    everywhere,
    how_many,
    in_dtype_of,
    kept,
    maximum_reduce,
    minimum_reduce,
    multiply_reduce,
    only,
    refuse,
    reshape,
    shape_of,
    spread,
)
from gategrad.gates.bends import Kinked, bent
from gategrad.gates.conjugation import refuse_complex
from gategrad.kinds import Linear, Reduction
from gategrad.masked import select
from gategrad.recording import plain
from gategrad.variable import Variable

__all__ = ["Max", "Mean", "Min", "Prod", "Sum"]


class Sum(Reduction, Linear):
    """z = Σ x. A distributor: every element receives the gradient of the sum it went into, as it is."""

    pattern, symbol = "distributor", "Σ"

    def forward(self, x: Any) -> Any:
        self.shape = shape_of(x)
        return add_reduce(x, axis=self.axis, keepdims=self.keepdims)

    def backward(self, dz: Any) -> Any:
        return spread(dz, self.axis, self.keepdims, self.shape)


class Mean(Reduction, Linear):
    """z = Σ x / n. A distributor: every element receives the n-th part of the gradient."""

    pattern, symbol = "distributor", "mean"

    def forward(self, x: Any) -> Any:
        self.shape = shape_of(x)
        if getattr(x, "dtype", None) == np.float16:
            return np.mean(x, axis=self.axis, keepdims=self.keepdims)  # sums in float32, lest it overflow
        return add_reduce(x, axis=self.axis, keepdims=self.keepdims) / count(self.shape, self.axis)

    def backward(self, dz: Any) -> Any:
        n = count(self.shape, self.axis)
        return spread(dz / n if n else dz, self.axis, self.keepdims, self.shape)


class Extremum(Kinked, Reduction):
    """What max and min have in common: the gradient goes back to where the value came from.

    Kink: elements that tie for the extremum share the gradient equally; to all others nothing flows, which is
    more than zero. If there is a NaN, the value came from there.
    """

    pattern = "router"
    kink = "equal shares to all that tie"
    x: Any
    z: Any

    def backward(self, dz: Any) -> Any:
        refuse_complex(dz, self)
        x, z = plain(self.x), plain(self.z)
        shape = shape_of(x)
        folded = kept(shape, self.axis)
        chosen = (x == reshape(z, folded)) | np.isnan(x)
        ties = add_reduce(chosen, axis=self.axis, keepdims=True, dtype=getattr(z, "dtype", None))
        dx = select(chosen, broadcast(reshape(dz, folded) / ties, shape))
        if type(self.x) is not Variable:
            return dx

        def offset() -> Any:  # of those that tie, each from their mean
            mean = add_reduce(np.where(chosen, self.x, 0.0), axis=self.axis, keepdims=True) / ties
            return (self.x - mean) * (chosen / ties)

        back = lambda v: broadcast(reshape(v, folded), shape)
        ties_of_z = reshape(ties, shape_of(z))
        return bent(dx, dz, self.z, self.x, ties_of_z > 1, 1.0, back, offset, crowd=ties_of_z > 2)

    def sits(self) -> Any:
        x, z = plain(self.x), plain(self.z)
        return reshape(add_reduce(x == reshape(z, kept(shape_of(x), self.axis)), axis=self.axis), shape_of(z)) > 1

    def kinks(self, x: Any) -> Any:
        chosen = x == np.reshape(type(self)(self.axis).forward(x), kept(shape_of(x), self.axis))
        return chosen & (np.sum(chosen, axis=self.axis, keepdims=True) > 1)


class Max(Extremum):
    """z = max x. A router: the gradient goes to the largest element; elements that tie share it equally."""

    symbol = "max"

    def forward(self, x: Any) -> Any:
        self.x = x
        self.z = z = maximum_reduce(x, axis=self.axis, keepdims=self.keepdims)
        return z


class Min(Extremum):
    """z = min x. A router: the gradient goes to the smallest element; elements that tie share it equally."""

    symbol = "min"

    def forward(self, x: Any) -> Any:
        self.x = x
        self.z = z = minimum_reduce(x, axis=self.axis, keepdims=self.keepdims)
        return z


class Prod(Reduction):
    """z = Π x. A switcher: each element receives the gradient scaled by the product of all the others."""

    pattern, symbol = "switcher", "Π"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        self.z = z = multiply_reduce(x, axis=self.axis, keepdims=self.keepdims)
        return z

    def backward(self, dz: Any) -> Any:
        x, z = self.x, self.z
        shape, whole = shape_of(x), plain(z)
        if everywhere(np.isfinite(whole) & (whole != 0)):
            return spread(dz * z, self.axis, self.keepdims, shape) / x
        # z / x is 0/0 at a zero, and wrong where z has over- or underflowed
        return spread(dz, self.axis, self.keepdims, shape) * _products_of_others(x, self.axis)


def _products_of_others(x: Any, axis: Any) -> Any:
    """For each element the product of all others along `axis`, without division."""
    shape = shape_of(x)
    axes = axes_of(axis, len(shape))
    if not axes:
        return 1.0
    rest = tuple([a for a in range(len(shape)) if a not in axes])
    order = rest + axes
    moved = np.transpose(x, order)
    others = _tournament(np.reshape(moved, (*[shape[a] for a in rest], count(shape, axis))))
    return np.transpose(np.reshape(others, moved.shape), np.argsort(order))


def _tournament(x: Any) -> Any:
    """Products of others along the last axis: multiply halves in pairs, solve for the pairs, and come back down."""
    n = x.shape[-1]
    if n < 2:
        return np.ones_like(x)
    half = n // 2
    left, right, odd = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    others = _tournament(np.concatenate([left * right, odd], axis=-1))
    paired = others[..., :half]
    return np.concatenate([right * paired, left * paired, others[..., half:]], axis=-1)


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.sum)
def _sum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    if out is not None:
        refuse("np.sum", out=out)
    z = Sum(axis, keepdims)(only(a, where, 0.0, dtype))
    return z if initial is None else z + in_dtype_of(z, initial)


@implements(np.mean)
def _mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    if out is not None:
        refuse("np.mean", out=out)
    if where is True:
        return Mean(axis, keepdims)(only(a, where, 0.0, dtype))
    return np.sum(a, axis, dtype, keepdims=keepdims, where=where) / how_many(where, a, axis, keepdims)


@implements(np.prod)
def _prod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    if out is not None:
        refuse("np.prod", out=out)
    z = Prod(axis, keepdims)(only(a, where, 1.0, dtype))
    return z if initial is None else z * in_dtype_of(z, initial)


@implements(np.max, np.amax)
def _max(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    if out is not None:
        refuse("np.max", out=out)
    _ask_for_initial(initial, where, "maximum")
    z = Max(axis, keepdims)(only(a, where, -np.inf))
    return z if initial is None else np.maximum(z, in_dtype_of(z, initial))


@implements(np.min, np.amin)
def _min(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    if out is not None:
        refuse("np.min", out=out)
    _ask_for_initial(initial, where, "minimum")
    z = Min(axis, keepdims)(only(a, where, np.inf))
    return z if initial is None else np.minimum(z, in_dtype_of(z, initial))


def _ask_for_initial(initial: Any, where: Any, name: str) -> None:
    if initial is None and where is not True:
        raise ValueError(
            f"reduction operation '{name}' does not have an identity, so to use a where mask one has to specify "
            "'initial'"
        )


@implements(np.ptp)
def _ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    refuse("np.ptp", out=out)
    return Max(axis, keepdims)(a) - Min(axis, keepdims)(a)
