"""Editing: what is left or comes out when elements are inserted, deleted or repeated; and arrays put together from blocks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_input, axis_of, shape_of

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
    places = np.flatnonzero(places) if places.dtype == bool else places if places.size else places.astype(np.intp)
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
    z = _assembled(arrays, depth, ndim)
    return z if depth else np.copy(z)


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
