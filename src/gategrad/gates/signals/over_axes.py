"""Convolution along some axes and contraction over others: what layers of channels do. A composition of windows and a product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gategrad.gates.axes import as_input, axis_of, shape_of

__all__ = ["convolve_over"]

Pairs = tuple[Sequence[int], Sequence[int]]


def convolve_over(x: Any, y: Any, axes: Pairs | None, dot_axes: Pairs | None, mode: str) -> Any:
    """z = Σ x · y along pairs of axes: convolved in `axes`, summed over in `dot_axes`, all others of x and of y side by side.

    The axes of the result are the others of x, the others of y, and those convolved. Without `axes` they are what
    `dot_axes` leaves.
    """
    x, y = as_input(x), as_input(y)
    summed = _pairs("dot_axes", ((), ()) if dot_axes is None else dot_axes, x, y)
    if axes is None:
        left = [[n for n in range(len(shape_of(v))) if n not in s] for v, s in zip((x, y), summed, strict=True)]
        axes = (left[0], left[1])
    slid = _pairs("axes", axes, x, y)
    if any(set(a) & set(b) for a, b in zip(slid, summed, strict=True)):
        raise ValueError(f"convolve: an axis is named in axes={axes} and in dot_axes={dot_axes}")
    for n, m in zip(*summed, strict=True):
        if shape_of(x)[n] != shape_of(y)[m]:
            raise ValueError(f"convolve: dot_axes pairs axes of lengths {shape_of(x)[n]} and {shape_of(y)[m]}")
    if mode not in ("full", "valid"):
        raise ValueError(f"convolve: with axes= or dot_axes= the mode is 'full' or 'valid', not {mode!r}")
    reach = [shape_of(y)[m] for m in slid[1]]
    if mode == "full":
        widths = [(reach[slid[0].index(n)] - 1,) * 2 if n in slid[0] else (0, 0) for n in range(len(shape_of(x)))]
        x = np.pad(x, widths)
    elif any(shape_of(x)[n] < length for n, length in zip(slid[0], reach, strict=True)):
        raise ValueError(
            "convolve: mode 'valid' wants the second array to fit into the first along every axis in axes="
        )
    last = len(shape_of(x))
    windows = np.lib.stride_tricks.sliding_window_view(x, tuple(reach), tuple(slid[0])) if reach else x
    inside = range(last, last + len(reach))
    z = np.tensordot(windows, np.flip(y, tuple(slid[1])), ((*summed[0], *inside), (*summed[1], *slid[1])))
    # the axes of x come in their order, those convolved among them, then the others of y
    kept = [n for n in range(last) if n not in summed[0]]
    return np.moveaxis(z, [kept.index(n) for n in slid[0]], range(len(shape_of(z)) - len(reach), len(shape_of(z))))


def _pairs(name: str, pairs: Any, x: Any, y: Any) -> tuple[list[int], list[int]]:
    """Which axes of x and y belong together."""
    if len(pairs) != 2 or len(pairs[0]) != len(pairs[1]):
        raise ValueError(
            f"convolve: {name} is two sequences of as many axes, of the first array and of the second, not {pairs}"
        )
    of_x, of_y = [[axis_of(n, len(shape_of(v))) for n in group] for group, v in zip(pairs, (x, y), strict=True)]
    return of_x, of_y
