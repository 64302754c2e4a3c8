"""Editing: what is left or comes out when elements are inserted, deleted or repeated; and arrays put together from blocks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gategrad.gates.axes import as_input, axis_of, shape_of
from gategrad.variable import implements

__all__: list[str] = []


@implements(np.delete)
def _delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    if axis is None:
        arr, axis = np.reshape(arr, -1), 0
    axis = axis_of(axis, len(shape_of(arr)))
    return np.take(arr, np.delete(np.arange(arr.shape[axis]), obj), axis=axis)


@implements(np.insert)
def _insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    arr, values = as_input(arr), as_input(values)
    if axis is None:
        arr, axis = np.reshape(arr, -1), 0
    shape = shape_of(arr)
    axis, n = axis_of(axis, len(shape)), shape[axis_of(axis, len(shape))]
    places = np.arange(n)[obj] if isinstance(obj, slice) else np.asarray(obj)
    places = np.flatnonzero(places) if places.dtype == bool else places
    values = np.reshape(values, (1,) * (len(shape) - len(shape_of(values))) + shape_of(values))
    if not np.ndim(places):
        values = np.moveaxis(values, 0, axis)  # one place: the first axis of the values counts what is inserted there
        places = np.full(shape_of(values)[axis], places)
    wanted = (*shape[:axis], len(places), *shape[axis + 1 :])
    whole = np.concatenate([arr, np.broadcast_to(np.astype(values, arr.dtype), wanted)], axis)
    order = np.insert(np.arange(n), places, np.arange(n, n + len(places)))
    return np.take(whole, order, axis=axis)


@implements(np.resize)
def _resize(a: Any, new_shape: Any) -> Any:
    shape = (int(new_shape),) if np.ndim(new_shape) == 0 else tuple(new_shape)
    size = math.prod(shape_of(a))
    if not size:
        return np.zeros_like(a, shape=shape)
    return np.reshape(a, -1)[np.resize(np.arange(size), shape)]


@implements(np.block)
def _block(arrays: Any) -> Any:
    depth = _depth(arrays)
    ndim = max(depth, *[len(shape_of(as_input(x))) for x in _leaves(arrays)])
    return _assembled(arrays, depth, ndim)


def _depth(arrays: Any) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _leaves(arrays: Any) -> list[Any]:
    return [leaf for part in arrays for leaf in _leaves(part)] if isinstance(arrays, list) else [arrays]


def _assembled(arrays: Any, depth: int, ndim: int) -> Any:
    """The innermost lists are joined along the last axis, those around them along the one before, and so on."""
    if isinstance(arrays, list):
        return np.concatenate([_assembled(part, depth - 1, ndim) for part in arrays], axis=-depth)
    if depth:
        raise ValueError("List depths are mismatched: np.block wants lists of the same depth")
    x = as_input(arrays)
    return np.reshape(x, (1,) * (ndim - len(shape_of(x))) + shape_of(x))


# --- grids and turns --------------------------------------------------------------------------------------------


@implements(np.meshgrid)
def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    ndim = len(xi)
    places = [1, 0, *range(2, ndim)] if indexing == "xy" and ndim > 1 else list(range(ndim))
    grids = [
        np.reshape(x, tuple([-1 if a == place else 1 for a in range(ndim)]))
        for x, place in zip(xi, places, strict=True)
    ]
    return tuple(grids) if sparse else np.broadcast_arrays(*grids)


@implements(np.rot90)
def _rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    first, second = np.lib.array_utils.normalize_axis_tuple(axes, len(shape_of(m)))
    turns = k % 4
    if turns == 0:
        return m
    if turns == 2:
        return np.flip(m, (first, second))
    if turns == 1:
        return np.swapaxes(np.flip(m, second), first, second)
    return np.flip(np.swapaxes(m, first, second), second)


@implements(np.cross)
def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(as_input(a), axisa, -1), np.moveaxis(as_input(b), axisb, -1)
    if shape_of(a)[-1:] != (3,) or shape_of(b)[-1:] != (3,):
        raise ValueError(
            f"both input arrays must be (arrays of) 3-dimensional vectors, but the axes have lengths "
            f"{shape_of(a)[-1]} and {shape_of(b)[-1]}"
        )
    turned = [1, 2, 0], [2, 0, 1]
    z = a[..., turned[0]] * b[..., turned[1]] - a[..., turned[1]] * b[..., turned[0]]
    return np.moveaxis(z, -1, axisc)


# --- functions of rows ------------------------------------------------------------------------------------------


@implements(np.apply_along_axis)
def _apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    axis = axis_of(axis, len(shape_of(arr)))
    rows = np.moveaxis(arr, axis, -1)
    outer = shape_of(rows)[:-1]
    if not math.prod(outer):
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    results = [func1d(rows[index], *args, **kwargs) for index in np.ndindex(outer)]
    results = [np.stack(z) if isinstance(z, (list, tuple)) else z for z in results]
    inner = shape_of(results[0])
    whole = np.reshape(np.stack(results), outer + inner)
    return np.moveaxis(whole, tuple(range(len(outer), len(outer) + len(inner))), tuple(range(axis, axis + len(inner))))


@implements(np.apply_over_axes)
def _apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    ndim = len(shape_of(a))
    for axis in (axes,) if np.ndim(axes) == 0 else axes:
        z = func(a, axis_of(axis, ndim))
        a = np.expand_dims(z, axis_of(axis, ndim)) if len(shape_of(z)) < ndim else z
    return a
