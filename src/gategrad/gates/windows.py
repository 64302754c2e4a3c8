"""Windows: the stretches of an array that a window shows while it moves along axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.assignment import viewed
from gategrad.gates.axes import axes_of, shape_of
from gategrad.gates.indexing import Index

__all__: list[str] = []


@implements(np.lib.stride_tricks.sliding_window_view)
def _sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """Reading of each place as often as a window shows it: the gradients of all windows add."""
    shape = shape_of(x)
    lengths = (window_shape,) if isinstance(window_shape, (int, np.integer)) else tuple(window_shape)
    axes = axes_of(axis, len(shape))
    if len(axes) != len(lengths):
        raise ValueError(
            f"window_shape names {len(lengths)} lengths, and axis {len(axes)} axes: one for each is wanted"
        )
    ndim = len(shape) + len(lengths)

    def along(position: int, count: int) -> Any:
        return np.reshape(np.arange(count), [-1 if n == position else 1 for n in range(ndim)])

    places, left = [], list(shape)
    for a, length in zip(axes, lengths, strict=True):
        left[a] -= length - 1
        if length < 0 or left[a] < 1:
            raise ValueError("window shape cannot be negative, nor larger than the array")
    for a, count in enumerate(left):
        inside = [along(len(shape) + n, lengths[n]) for n, b in enumerate(axes) if b == a]
        places.append(sum(inside, along(a, count)))
    return viewed(x, Index(tuple(places)))
