"""Functions of rows: a function of one axis applied along it, or of several axes one after the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import axis_of, shape_of

__all__: list[str] = []


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
