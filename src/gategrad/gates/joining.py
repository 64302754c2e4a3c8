"""Joining: several arrays into one, and one into several."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_input, refuse
from gategrad.kinds import Example, Linear, Router

__all__ = ["Concatenate", "Stack"]


class Concatenate(Router, Linear):
    """z = the inputs one behind the other along an axis. A router: each input receives its stretch of the gradient."""

    symbol = "concat"

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def forward(self, *xs: Any) -> Any:
        self.lengths = [x.shape[self.axis] if x.shape else 0 for x in xs]
        return np.concatenate(xs, self.axis)

    def backward(self, dz: Any) -> Any:
        before = (slice(None),) * (self.axis % dz.ndim)
        dxs, start = [], 0
        for length, need in zip(self.lengths, self.needs, strict=True):
            dxs.append(dz[(*before, slice(start, start + length))] if need else None)
            start += length
        return dxs

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Rows, columns, from the end, one input, one of them empty."""
        for axis, lengths in ((0, (2, 1)), (1, (1, 3, 2)), (-1, (2, 2)), (0, (3,)), (1, (2, 0))):
            shapes = [(3, n) if axis else (n, 3) for n in lengths]
            yield cls(axis=axis), tuple(rng.uniform(-1.0, 1.0, shape) for shape in shapes)


class Stack(Router, Linear):
    """z = the inputs side by side along a new axis. A router: each input receives its slice of the gradient."""

    symbol = "stack"

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def forward(self, *xs: Any) -> Any:
        return np.stack(xs, self.axis)

    def backward(self, dz: Any) -> Any:
        before = (slice(None),) * (self.axis % dz.ndim)
        return [dz[(*before, i)] if need else None for i, need in enumerate(self.needs)]

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Every place of the new axis; rows, boxes and single numbers."""
        for axis in (0, 1, -1):
            yield cls(axis=axis), tuple(rng.uniform(-1.0, 1.0, (3, 2, 3)))
        yield cls(), (0.5, -0.25, 2.0)
        yield cls(axis=1), tuple(rng.uniform(-1.0, 1.0, (2, 4)))


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.concatenate)
def _concatenate(arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = None) -> Any:
    refuse("np.concatenate", out=out, dtype=dtype, casting=casting)
    arrays = [as_input(x) for x in arrays]
    if axis is None:
        return Concatenate()(*[np.reshape(x, -1) for x in arrays])
    return Concatenate(axis)(*arrays)


@implements(np.stack)
def _stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: Any = None) -> Any:
    refuse("np.stack", out=out, dtype=dtype, casting=casting)
    return Stack(axis)(*[as_input(x) for x in arrays])


@implements(np.append)
def _append(arr: Any, values: Any, axis: Any = None) -> Any:
    return _concatenate((arr, values), axis)


@implements(np.vstack)
def _vstack(tup: Any, *, dtype: Any = None, casting: Any = None) -> Any:
    return _concatenate([np.atleast_2d(x) for x in tup], 0, dtype=dtype, casting=casting)


@implements(np.hstack)
def _hstack(tup: Any, *, dtype: Any = None, casting: Any = None) -> Any:
    arrays = [np.atleast_1d(x) for x in tup]
    return _concatenate(arrays, 0 if arrays and len(arrays[0].shape) == 1 else 1, dtype=dtype, casting=casting)


@implements(np.dstack)
def _dstack(tup: Any) -> Any:
    return _concatenate([np.atleast_3d(x) for x in tup], 2)


@implements(np.column_stack)
def _column_stack(tup: Any) -> Any:
    arrays = [as_input(x) for x in tup]
    return _concatenate([x if np.ndim(x) > 1 else np.reshape(x, (-1, 1)) for x in arrays], 1)


# --- splitting, by slices -----------------------------------------------------------------------------------------


@implements(np.array_split)
def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    length, before = ary.shape[axis], (slice(None),) * (axis % len(ary.shape))
    bounds = [part.indices(length)[:2] for part in _parts(indices_or_sections, length)]
    return [ary[(*before, slice(start, max(start, stop)))] for start, stop in bounds]


def _parts(indices_or_sections: Any, length: int) -> list[slice]:
    if np.ndim(indices_or_sections) == 0:
        sections = int(indices_or_sections)
        if sections <= 0:
            raise ValueError("number sections must be larger than 0.")
        shorter, longer_ones = divmod(length, sections)
        edges = [i * shorter + min(i, longer_ones) for i in range(sections + 1)]
    else:
        edges = [0, *(int(i) for i in indices_or_sections), length]
    return [slice(start, stop) for start, stop in itertools.pairwise(edges)]


@implements(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    if np.ndim(indices_or_sections) == 0 and ary.shape[axis] % indices_or_sections:
        raise ValueError(
            f"np.split: {ary.shape[axis]} elements along axis {axis} cannot be split into {indices_or_sections} equal "
            "parts; use np.array_split"
        )
    return _array_split(ary, indices_or_sections, axis)


@implements(np.hsplit)
def _hsplit(ary: Any, indices_or_sections: Any) -> Any:
    return _split(ary, indices_or_sections, 1 if len(ary.shape) > 1 else 0)


@implements(np.vsplit)
def _vsplit(ary: Any, indices_or_sections: Any) -> Any:
    return _split(ary, indices_or_sections, 0)


@implements(np.dsplit)
def _dsplit(ary: Any, indices_or_sections: Any) -> Any:
    return _split(ary, indices_or_sections, 2)


@implements(np.unstack)
def _unstack(x: Any, /, *, axis: int = 0) -> Any:
    before = (slice(None),) * (axis % len(x.shape))
    return tuple([x[(*before, i)] for i in range(x.shape[axis])])
