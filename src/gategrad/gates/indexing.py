"""Indexing: `x[index]` in all of NumPy's forms, its transpose, and the functions that are made of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import getitem, implements
from gategrad.assignment import viewed
from gategrad.gate import on_meeting
from gategrad.gates.axes import as_input, axis_of, refuse, shape_of
from gategrad.gates.chosen import Chosen, chooses
from gategrad.gates.indices import BASIC, is_basic, last_writers, own_index, reads_once
from gategrad.kinds import Example, Linear, Router
from gategrad.masked import select
from gategrad.recording import plain

__all__ = ["Assign", "Index", "Scatter"]

_FLOAT64 = np.dtype(np.float64)


class Index(Router, Linear):
    """z = x[index]. A router: the gradient goes back to the places that were read, and adds where one was read twice."""

    symbol = "[ ]"

    def __init__(self, index: Any) -> None:
        self.index = index

    def forward(self, x: Any) -> Any:
        self.shape = shape_of(x)
        if type(x) is float:
            x = np.array(x)  # a number can be indexed too, by () and None and ...
        return x[self.index]

    def backward(self, dz: Any) -> Any:
        return Scatter(self.index, self.shape)(dz)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Basic, integer-array, boolean and mixed indices, also with places read twice or not at all."""
        for index in _example_indices(rng):
            yield cls(index), (rng.uniform(-1.0, 1.0, (3, 4, 2)),)
        yield cls(1), (rng.uniform(-1.0, 1.0, 3),)


class Scatter(Router, Linear):
    """z = zeros of a shape, with x added in at z[index]. A router: each element receives the gradient of its place.

    The transpose of `Index`.
    """

    symbol = "scatter"

    def __init__(self, index: Any, shape: tuple[int, ...]) -> None:
        self.index = index
        self.shape = shape

    def forward(self, x: Any) -> Any:
        if type(x) in on_meeting:
            return self.fresh()(x)  # a value on a lower tape is scattered there
        dtype = getattr(x, "dtype", _FLOAT64)
        if reads_once(self.index) or dtype.kind == "c" or dtype.itemsize > _FLOAT64.itemsize:
            z = np.zeros(self.shape, dtype)
            if reads_once(self.index):
                z[self.index] = x
            else:
                np.add.at(z, self.index, x)
            return z if self.shape else z[()]
        # For each element of x the place in the flattened z; bincount adds up at hundreds of millions a second.
        size = math.prod(self.shape)
        places = np.arange(size).reshape(self.shape)[self.index]
        sums = np.bincount(places.ravel(), np.broadcast_to(x, places.shape).ravel(), size)
        return sums.reshape(self.shape).astype(dtype, copy=False)

    def backward(self, dz: Any) -> Any:
        return Index(self.index)(dz)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """The indices of `Index`, the other way."""
        for index in _example_indices(rng):
            x = np.zeros((3, 4, 2))[index]
            yield cls(index, (3, 4, 2)), (rng.uniform(-1.0, 1.0, np.shape(x)),)


class Assign(Router, Linear):
    """z = x, but v at [index]. A router: v receives the gradient of the places it went to, x that of the others.

    Where one place is written twice the last one stays, as in NumPy, and the first gets nothing.
    """

    symbol = "[ ] ="
    sums_broadcasts = True

    def __init__(self, index: Any) -> None:
        self.index = index

    def forward(self, x: Any, v: Any) -> Any:
        if type(x) in on_meeting or type(v) in on_meeting:
            return self.fresh()(x, v)
        z = np.array(x)
        z[self.index] = v
        self.shape = z.shape
        return z

    def backward(self, dz: Any) -> Any:
        need_x, need_v = self.needs
        shape, index = dz.shape, self.index
        kept = np.ones(shape, bool)
        kept[index] = False
        dx = select(kept, dz, is_hard=True) if need_x else None
        if not need_v:
            return dx, None
        dv = dz[index]
        return dx, dv if reads_once(index) else select(last_writers(index, shape), dv, is_hard=True)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """The indices of `Index`, with values of the full shape and single numbers."""
        for index in _example_indices(rng):
            x = rng.uniform(-1.0, 1.0, (3, 4, 2))
            yield cls(index), (x, rng.uniform(-1.0, 1.0, np.shape(x[index])))
        yield cls(1), (rng.uniform(-1.0, 1.0, 3), 0.5)
        yield cls(slice(1, None)), (rng.uniform(-1.0, 1.0, (3, 2)), rng.uniform(-1.0, 1.0, 2))


def _example_indices(rng: np.random.Generator) -> Iterator[Any]:
    rows, columns = np.array([2, 0, 2]), np.array([[1], [3]])
    yield from (1, -1, slice(1, None), (slice(None, None, -2), 1), (..., 0), (1, 2, 1), (None, ..., slice(0, 0)))
    yield from (rows, (slice(None), rows), (rows, columns), (rows, slice(None), np.array([0, 1, 1])), (..., rows % 2))
    yield from (rng.uniform(size=(3, 4)) > 0.5, (slice(None), np.array([True, False, False, True])))


@implements(getitem)
def _getitem(x: Any, index: Any) -> Any:
    if isinstance(index, BASIC):
        return viewed(x, Index(index))
    mask = plain(index)
    if chooses(mask, shape_of(x)):
        return Chosen(x, mask)
    index = own_index(index)
    return viewed(x, Index(index)) if is_basic(index) else Index(index)(x)


# --- made of it -------------------------------------------------------------------------------------------------


@implements(np.take)
def _take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    refuse("np.take", out=out)
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got {mode!r})")
    a, indices = as_input(a), as_input(plain(indices))
    if axis is None:
        a, axis = np.reshape(a, -1), 0
    axis = axis_of(axis, max(len(shape_of(a)), 1))
    if mode != "raise":
        n = shape_of(a)[axis]
        indices = np.remainder(indices, n) if mode == "wrap" else np.clip(indices, 0, n - 1)
    return a[(slice(None),) * axis + (indices,)]


@implements(np.take_along_axis)
def _take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    indices = as_input(indices)
    if axis is None:
        return np.reshape(arr, -1)[indices]
    axis = axis_of(axis, indices.ndim)
    if indices.ndim != len(arr.shape):
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    grid = list(np.ogrid[tuple(slice(n) for n in arr.shape)])
    grid[axis] = indices  # the other axes of both are broadcast against each other
    return arr[tuple(grid)]


@implements(np.sort)
def _sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    refuse("np.sort", order=order)
    if axis is None:
        a, axis = np.reshape(a, -1), -1
    axis = axis_of(axis, len(shape_of(a)))
    return _take_along_axis(a, np.argsort(plain(a), axis=axis, kind=kind, stable=stable), axis)
