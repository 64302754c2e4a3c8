"""Grids, and quarter turns of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import shape_of

__all__: list[str] = []


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
    grids = grids if sparse else list(np.broadcast_arrays(*grids))
    return tuple([np.copy(grid) for grid in grids] if copy else grids)


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
