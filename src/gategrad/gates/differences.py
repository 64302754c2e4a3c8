"""Differences and what undoes them: diff, ediff1d, gradient, trapezoid, unwrap."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_input, axis_of, shape_of, stretch
from gategrad.recording import plain

__all__: list[str] = []


@implements(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n!r}")
    a, shape = as_input(a), shape_of(a)
    if not shape:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = axis_of(axis, len(shape))
    if n == 0:
        return a
    ends = [_end(x, shape, axis) for x in (prepend, append)]
    if any(end is not None for end in ends):
        a = np.concatenate([x for x in (ends[0], a, ends[1]) if x is not None], axis)
    between = np.not_equal if a.dtype == bool else np.subtract
    for _ in range(n):
        a = between(a[stretch(axis, 1, None)], a[stretch(axis, None, -1)])
    return a


def _end(x: Any, shape: tuple[int, ...], axis: int) -> Any:
    """What is joined at an end: a single number stands for one slice of it."""
    if x is None or x is np._NoValue or shape_of(as_input(x)):
        return None if x is np._NoValue else as_input(x)
    return np.broadcast_to(x, (*shape[:axis], 1, *shape[axis + 1 :]))


@implements(np.ediff1d)
def _ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    x = np.reshape(ary, -1)
    parts = (to_begin, x[1:] - x[:-1], to_end)
    return np.concatenate([np.reshape(part, -1) for part in parts if part is not None])


@implements(np.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y, x = as_input(y), as_input(x)
    axis = axis_of(axis, len(shape_of(y)))
    if x is not None:
        dx = np.diff(x) if len(shape_of(x)) == 1 else np.diff(x, axis=axis)
        if len(shape_of(dx)) == 1:
            dx = np.reshape(dx, (-1, *[1] * (len(shape_of(y)) - axis - 1)))
    return np.sum(dx * (y[stretch(axis, 1, None)] + y[stretch(axis, None, -1)]) / 2.0, axis=axis)


@implements(np.unwrap)
def _unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * np.pi) -> Any:
    if any(x is not plain(x) for x in (discont, period)):
        raise NoRuleError("np.unwrap: only p can have a gradient; pass discont.value and period.value")
    phases = plain(p)
    return p + (np.unwrap(phases, discont, axis, period=period) - phases)  # whole periods: they do not move with p


# --- gradient: the slope of a function that is known at points -------------------------------------------------


@implements(np.gradient)
def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f, ndim = as_input(f), len(shape_of(f))
    if f.dtype.kind in "iu":
        f = f.astype(np.float64)  # whose differences do not wrap around
    axes = tuple(range(ndim)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, ndim)
    if edge_order not in (1, 2):
        raise ValueError("'edge_order' greater than 2 not supported")
    for a in axes:
        if shape_of(f)[a] < edge_order + 1:
            raise ValueError(
                "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) elements are "
                "required."
            )
    slopes = [_slope(f, spacing, a, edge_order) for a, spacing in zip(axes, _spacings(f, varargs, axes), strict=True)]
    return slopes[0] if len(axes) == 1 else tuple(slopes)


def _spacings(f: Any, varargs: tuple[Any, ...], axes: tuple[int, ...]) -> list[Any]:
    """For each axis one distance, or the distances between neighbours."""
    if not varargs:
        return [1.0] * len(axes)
    given = [as_input(x) for x in (varargs * len(axes) if len(varargs) == 1 and not np.ndim(varargs[0]) else varargs)]
    if len(given) != len(axes):
        raise TypeError("invalid number of arguments")
    for place, (x, a) in enumerate(zip(given, axes, strict=True)):
        if len(shape_of(x)) > 1:
            raise ValueError("distances must be either scalars or 1d")
        if shape_of(x):
            if shape_of(x)[0] != shape_of(f)[a]:
                raise ValueError("when 1d, distances must match the length of the corresponding dimension")
            given[place] = np.diff(x)
    return given


def _slope(f: Any, h: Any, axis: int, edge_order: int) -> Any:
    """Differences to both sides within; to one side, or a parabola through three points, at the ends."""
    n = shape_of(f)[axis]
    at = [f[stretch(axis, i, i + 1)] for i in (0, 1, -2 % n)] + [f[stretch(axis, n - 1, None)]]
    left, right = (h[stretch(0, None, -1)], h[stretch(0, 1, None)]) if shape_of(h) else (h, h)
    if shape_of(h):
        left, right = (np.reshape(x, (-1, *[1] * (len(shape_of(f)) - axis - 1))) for x in (left, right))
    ends = (h[0], h[-1]) if shape_of(h) else (h, h)
    parts = [f[stretch(axis, None, -2)], f[stretch(axis, 1, -1)], f[stretch(axis, 2, None)]]
    within = (
        -right / (left * (left + right)) * parts[0]
        + (right - left) / (left * right) * parts[1]
        + left / (right * (left + right)) * parts[2]
    )
    if edge_order == 1:
        first, last = (at[1] - at[0]) / ends[0], (at[3] - at[2]) / ends[1]
    else:
        starts, stops = ((h[0], h[1]), (-h[-1], -h[-2])) if shape_of(h) else ((h, h), (-h, -h))
        first = _at_end([f[stretch(axis, i, i + 1)] for i in range(3)], *starts)
        last = _at_end([f[stretch(axis, n - i - 1, n - i)] for i in range(3)], *stops)
    return np.concatenate([first, within, last], axis)


def _at_end(points: list[Any], near: Any, far: Any) -> Any:
    """The slope at the first of three points, which follow each other at these distances, of the parabola through them."""
    x, y, z = points
    both = near + far
    return -(near + both) / (near * both) * x + both / (near * far) * y - near / (far * both) * z
