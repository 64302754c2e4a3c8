"""Running sums and products along an axis, and what NumPy makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gate import Gate
from gategrad.gates.axes import axis_of, everywhere, only, refuse, shape_of
from gategrad.kinds import Example, Linear
from gategrad.recording import plain

__all__ = ["Cumprod", "Cumsum"]


class Cumsum(Linear):
    """z_i = x_0 + … + x_i along an axis. A distributor: each element receives all gradients from it onwards."""

    pattern, symbol = "distributor", "cumsum"

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        return np.cumsum(x, axis=self.axis)

    def backward(self, dz: Any) -> Any:
        return np.flip(np.cumsum(np.flip(dz, self.axis), axis=self.axis), self.axis)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Each axis of a box, and a row."""
        for axis in (0, 1, -1):
            yield cls(axis=axis), (rng.uniform(-1.0, 1.0, (2, 3, 4)),)
        yield cls(), (rng.uniform(-1.0, 1.0, 5),)


class Cumprod(Gate):
    """z_i = x_0 · … · x_i along an axis. A switcher: x_j receives Σ dz_i · (the product up to i, but for x_j), i ≥ j.

    Exact with zeros among the elements, and so are its own gradients: then there is no division.
    """

    pattern, symbol = "switcher", "cumprod"

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        self.x = x
        self.z = z = np.cumprod(x, axis=self.axis)
        return z

    def backward(self, dz: Any) -> Any:
        x, z, axis = self.x, self.z, self.axis
        whole = plain(z)
        if everywhere(np.isfinite(whole) & (whole != 0)):
            return np.flip(np.cumsum(np.flip(dz * z, axis), axis=axis), axis) / x
        before = (slice(None),) * (axis % len(shape_of(x)))
        ahead = np.concatenate([np.ones_like(x[(*before, slice(None, 1))]), z[(*before, slice(None, -1))]], axis)
        return ahead * _gathered(dz, x, before)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Each axis of a box, a row, and one or two zeros on the way."""
        for axis in (0, 1, -1):
            yield cls(axis=axis), (rng.uniform(0.5, 1.5, (2, 3, 4)),)
        row = rng.uniform(0.5, 1.5, 5)
        yield cls(), (row,)
        for zeros in ([2], [0, 3]):
            gap = row.copy()
            gap[zeros] = 0.0
            yield cls(), (gap,)


def _gathered(dz: Any, x: Any, before: tuple[slice, ...]) -> Any:
    """s_j = dz_j + x_{j+1} · s_{j+1}, what flows back into the running product up to j: a sum and a product in one.

    Steps are joined in pairs, then pairs of pairs …: log n rounds over the whole array, and no division.
    """
    n = x.shape[len(before)]
    total = dz
    factor = np.concatenate(
        [x[(*before, slice(1, None))], x[(*before, slice(None, 1))]], len(before)
    )  # the last counts for nothing
    step = 1
    while step < n:
        near, far = (*before, slice(None, n - step)), (*before, slice(step, None))
        rest = (*before, slice(n - step, None))
        total = np.concatenate([total[near] + factor[near] * total[far], total[rest]], len(before))
        factor = np.concatenate([factor[near] * factor[far], factor[rest]], len(before))
        step *= 2
    return total


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.cumsum)
def _cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    refuse("np.cumsum", out=out)
    return _along(Cumsum, only(a, True, 0.0, dtype), axis)


@implements(np.cumprod)
def _cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    refuse("np.cumprod", out=out)
    return _along(Cumprod, only(a, True, 1.0, dtype), axis)


def _along(gate: Any, x: Any, axis: Any) -> Any:
    if axis is None or not shape_of(x):
        x, axis = np.reshape(x, -1), 0
    return gate(axis_of(axis, len(shape_of(x))))(x)


@implements(np.nancumsum)
def _nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return _cumsum(np.where(np.isnan(plain(a)), 0.0, a), axis, dtype, out)


@implements(np.nancumprod)
def _nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return _cumprod(np.where(np.isnan(plain(a)), 1.0, a), axis, dtype, out)


@implements(np.cumulative_sum)
def _cumulative_sum(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:
    return _cumulative(_cumsum, 0.0, x, axis, dtype, out, include_initial)


@implements(np.cumulative_prod)
def _cumulative_prod(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:
    return _cumulative(_cumprod, 1.0, x, axis, dtype, out, include_initial)


def _cumulative(running: Any, first: float, x: Any, axis: Any, dtype: Any, out: Any, include_initial: bool) -> Any:
    ndim = len(shape_of(x))
    if axis is None and ndim > 1:
        raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
    axis = 0 if axis is None else axis_of(axis, ndim)
    z = running(x, axis, dtype, out)
    if not include_initial:
        return z
    start = tuple([1 if a == axis else n for a, n in enumerate(z.shape)])
    return np.concatenate([np.full(start, first, z.dtype), z], axis)
