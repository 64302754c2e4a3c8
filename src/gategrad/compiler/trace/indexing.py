"""Indexing of symbols, and its transpose: every index of NumPy's is a slice, then a gather along some axes.

`Reading` takes an index apart once. Reading x[index] goes through it forwards (slice, new axes, gather), writing
into z[index] backwards (scatter, away with the new axes, embed).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import getitem
from gategrad.compiler.trace.symbol import Symbol, as_value, broadcast_values, builder_of, emit, in_rows, lowers, traces
from gategrad.errors import NotTraceableError
from gategrad.gates.chosen import Chosen, alike, chooses
from gategrad.gates.indexing import Assign, Scatter

__all__ = ["Reading"]

Shape = tuple[int, ...]


class Reading:
    """An index for arrays of a certain shape, taken apart.

    `parts` is the range read along each axis, `sliced` the shape then, `viewed` the same with new axes in and those
    of single numbers out. `indices` gather along the axes of `viewed` that `order` names first; `back` is where their
    axes go in the result.
    """

    def __init__(self, index: Any, shape: Shape) -> None:
        keys = _expanded(index if isinstance(index, tuple) else (index,), len(shape))
        indexed = [n for n, k in enumerate(keys) if _is_array(k)]
        if indexed:  # beside arrays, a single number is an array too
            indexed = [n for n, k in enumerate(keys) if _is_array(k) or _is_number(k)]
        self.parts: list[tuple[int, int, int]] = []
        self.viewed: list[int] = []
        for n, k in enumerate(keys):
            if k is None:
                self.viewed.append(1)
                continue
            axis = len(self.parts)
            self.parts.append(_part(slice(None) if n in indexed else k, shape[axis], axis))
            if not _is_number(k) or n in indexed:
                self.viewed.append(len(range(*self.parts[-1])))
        self.sliced = tuple([len(range(*part)) for part in self.parts])
        self.indices = _together([keys[n] for n in indexed])
        rank = len(self.viewed)
        self.order = [*indexed, *[n for n in range(rank) if n not in indexed]]
        gathered = len(np.shape(self.indices[0])) if indexed else 0
        adjacent = bool(indexed) and indexed == list(range(indexed[0], indexed[0] + len(indexed)))
        first = indexed[0] if adjacent else 0
        total = gathered + rank - len(indexed)
        self.back = [*range(gathered, gathered + first), *range(gathered), *range(gathered + first, total)]

    def read(self, x: Any) -> Any:
        """x[index]."""
        z = np.reshape(x if self._whole(x.shape) else emit("slice", x, parts=tuple(self.parts)), tuple(self.viewed))
        if not self.indices:
            return z
        return np.transpose(_gather(np.transpose(z, self.order), self.indices), self.back)

    def write(self, x: Any, shape: Shape) -> Any:
        """Zeros of this shape, with x added in at [index]."""
        if self.indices:
            moved = tuple([self.viewed[n] for n in self.order])
            gathered = np.shape(self.indices[0]) + moved[len(self.indices) :]
            x = np.broadcast_to(x, tuple([gathered[n] for n in self.back]))
            x = np.transpose(x, np.argsort(self.back).tolist())
            x = emit("scatter_add", x, *_as_symbols(self.indices, x), shape=moved)
            x = np.transpose(x, np.argsort(self.order).tolist())
        else:
            x = np.broadcast_to(x, tuple(self.viewed))
        x = np.reshape(x, self.sliced)
        return x if self._whole(shape) else emit("embed", x, parts=tuple(self.parts), shape=shape)

    def _whole(self, shape: Shape) -> bool:
        return all(part == (0, n, 1) for part, n in zip(self.parts, shape, strict=True))


def _gather(x: Any, indices: list[Any]) -> Any:
    first = next(k for k in (x, *indices) if type(k) is Symbol)
    return emit("gather", x, *_as_symbols(indices, first))


def _as_symbols(indices: list[Any], beside: Symbol) -> list[Any]:
    """Indices as values of the program, all of the one type that addresses are."""
    made = [k if type(k) is Symbol else Symbol(beside.builder.constant(k), beside.builder) for k in indices]
    return [k.astype(np.intp) for k in made]


def _together(indices: list[Any]) -> list[Any]:
    """Indices broadcast against each other."""
    if not any(type(k) is Symbol for k in indices):
        return [np.array(k, np.intp) for k in np.broadcast_arrays(*indices)]
    builder = builder_of(indices)
    values = broadcast_values(
        [as_value(np.asarray(k) if type(k) is int else k, builder) for k in indices], builder, "indexing"
    )
    return [Symbol(v, builder) for v in values]


def _is_array(k: Any) -> bool:
    return type(k) is Symbol or isinstance(k, np.ndarray)


def _is_number(k: Any) -> bool:
    return isinstance(k, (int, np.integer))


def _expanded(keys: tuple[Any, ...], rank: int) -> list[Any]:
    """The index with its ellipsis written out, missing axes added, and boolean arrays as integer arrays."""
    full: list[Any] = []
    for k in keys:
        if type(k) is Symbol and k.dtype.kind == "b":
            raise NotTraceableError(
                "x[mask] in a compiled function: the number of elements depends on the values, but a program knows "
                "its shapes beforehand. Use np.where(mask, x, 0), or a mask that is no argument"
            )
        if isinstance(k, (bool, np.bool_)) or (type(k) is Symbol and k.dtype.kind not in "iu"):
            raise NotTraceableError(f"x[{k!r}] has no operation in programs: indices are integers, slices and arrays")
        if isinstance(k, list):
            k = np.asarray(k, None if k else np.intp)
        if isinstance(k, np.ndarray) and k.dtype == bool:
            full.extend(np.nonzero(k))
        else:
            full.append(k)
    used = sum([k is not None and k is not Ellipsis for k in full])
    if used > rank:
        raise IndexError(f"too many indices for array: array is {rank}-dimensional, but {used} were indexed")
    fill = [slice(None)] * (rank - used)
    places = [n for n, k in enumerate(full) if k is Ellipsis]
    return full[: places[0]] + fill + full[places[0] + 1 :] if places else full + fill


def _part(k: Any, length: int, axis: int) -> tuple[int, int, int]:
    """The range that a slice or a single number reads along an axis."""
    if isinstance(k, slice):
        start, stop, step = k.indices(length)
        count = len(range(start, stop, step))
        return (start, stop, step) if count else (0, 0, 1)
    if not -length <= k < length:
        raise IndexError(f"index {k} is out of bounds for axis {axis} with size {length}")
    position = int(k) % length
    return position, position + 1, 1


@traces(getitem)
def _getitem(x: Any, index: Any) -> Any:
    return Chosen(x, index) if chooses(index, x.shape) else Reading(index, x.shape).read(x)


alike[Symbol] = lambda mask, other: mask.value is other.value  # what is computed twice is one value


@lowers(Scatter)
def _scatter(gate: Any, x: Any) -> Any:
    return Reading(gate.index, gate.shape).write(x, gate.shape)


@lowers(Assign)
def _assign(gate: Any, x: Any, v: Any) -> Any:
    """Every place of z gets an element of x or, at [index], the last one of v that goes there."""
    shape, index = x.shape, gate.index
    written = np.zeros(shape, bool)
    written[index] = True
    if np.shape(v):
        target = written[index].shape
        source = np.zeros(shape, np.intp)
        source[index] = np.arange(written[index].size).reshape(target)
        v = np.reshape(np.broadcast_to(v, target), (-1,))[source]
    z = np.where(written, v, x).astype(x.dtype)
    z.in_rows = in_rows((x,))  # as the array that is written into
    return z


@traces(np.take)
def _take(a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise") -> Any:
    if axis is None:
        a, axis = np.reshape(a, -1), 0
    if mode != "raise":
        n = a.shape[axis]
        indices = np.remainder(indices, n) if mode == "wrap" else np.clip(indices, 0, n - 1)
    return a[(slice(None),) * (axis % len(a.shape)) + (indices if type(indices) is Symbol else np.asarray(indices),)]
