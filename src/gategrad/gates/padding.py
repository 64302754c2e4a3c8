"""Padding: an array with a margin. What stands in the margin is a copy of elements, a number, or computed from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_input, in_dtype_of, shape_of, stretch
from gategrad.gates.indexing import Scatter

__all__: list[str] = []

Widths = list[tuple[int, int]]
_COPIES = ("edge", "reflect", "symmetric", "wrap")


@implements(np.pad)
def _pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    x = as_input(array)
    widths = _pairs(pad_width, len(shape_of(x)), int, named=True)
    if any(n < 0 for pair in widths for n in pair):
        raise ValueError("index can't contain negative values")
    if callable(mode):
        raise NoRuleError("np.pad of a variable takes no function as mode: join the margin with np.concatenate")
    if mode not in (*_COPIES, *_MODES):
        raise ValueError(f"mode '{mode}' is not supported")
    allowed = {"reflect_type"} if mode in ("reflect", "symmetric") else _OPTIONS.get(mode, set())
    if options.keys() - allowed:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {options.keys() - allowed}")
    if mode in _COPIES and options.get("reflect_type", "even") == "even":
        return _copies(x, widths, mode)
    return (_odd if mode in _COPIES else _MODES[mode])(x, widths, mode, options)


_OPTIONS = {
    "constant": {"constant_values"}, "linear_ramp": {"end_values"},
    **{mode: {"stat_length"} for mode in ("maximum", "mean", "median", "minimum")},
}  # fmt: skip


def _pairs(given: Any, ndim: int, kind: Callable[[Any], Any], named: bool = False) -> list[tuple[Any, Any]]:
    """What NumPy takes for `(before, after)` of each axis: one number, one pair, a pair or a number for each axis."""
    if named and isinstance(given, dict):
        pairs = [(0, 0)] * ndim
        for axis, pair in given.items():
            pairs[axis] = _pairs(pair, 1, kind)[0]
        return pairs
    if not np.ndim(given):
        return [(kind(given), kind(given))] * ndim
    rows = [given] if not np.ndim(given[0]) and len(given) == 2 else list(given)
    rows = [(row[0], row[-1]) if np.ndim(row) else (row, row) for row in rows]
    if len(rows) not in (1, ndim):
        raise ValueError(f"operands could not be broadcast together: {len(rows)} pairs for {ndim} axes")
    return [(kind(before), kind(after)) for before, after in (rows * ndim if len(rows) == 1 else rows)]


def _copies(x: Any, widths: Widths, mode: str) -> Any:
    """Each place of the result is one of `x`: which, NumPy says of the places themselves."""
    for axis, pair in enumerate(widths):
        if any(pair):
            places = np.pad(np.arange(shape_of(x)[axis]), pair, mode)  # type: ignore[call-overload]
            x = np.take(x, places, axis=axis)
    return x


def _odd(x: Any, widths: Widths, mode: str, options: Any) -> Any:
    """Mirrored at the edge in both directions: twice the edge less the mirror image; again while it is too short."""
    if options["reflect_type"] != "odd":
        raise ValueError("reflect_type must be 'even' or 'odd'")
    skip = 1 if mode == "reflect" else 0
    for axis, (before, after) in enumerate(widths):
        if shape_of(x)[axis] == 1 and skip:
            x = _copies(x, [(0, 0)] * axis + [(before, after)], "edge")
            continue
        while before or after:
            n = shape_of(x)[axis]
            left, right = min(before, n - skip), min(after, n - skip)
            start = 2.0 * x[stretch(axis, 0, 1)] - np.flip(x[stretch(axis, skip, skip + left)], axis)
            end = 2.0 * x[stretch(axis, n - 1, n)] - np.flip(x[stretch(axis, n - skip - right, n - skip)], axis)
            x = np.concatenate([start, x, end], axis)
            before, after = before - left, after - right
    return x


# --- margins of numbers, and margins computed from the elements -------------------------------------------------


def _constant(x: Any, widths: Widths, mode: str, options: Any) -> Any:
    values = options.get("constant_values", 0)
    inner = tuple([slice(before, before + n) for (before, _), n in zip(widths, shape_of(x), strict=True)])
    if isinstance(values, (int, float)) and values == 0:
        return Scatter(inner, tuple([b + n + a for (b, a), n in zip(widths, shape_of(x), strict=True)]))(x)
    pairs = _pairs(values, len(widths), lambda value: in_dtype_of(x, value))
    return _joined(x, widths, lambda x, axis, side: pairs[axis][side])


def _empty(x: Any, widths: Widths, mode: str, options: Any) -> Any:
    return _constant(x, widths, mode, {})


def _statistic(x: Any, widths: Widths, mode: str, options: Any) -> Any:
    measure: Any = {"maximum": np.max, "mean": np.mean, "median": np.median, "minimum": np.min}[mode]
    length = options.get("stat_length")
    pairs: list[tuple[Any, Any]] = [(None, None)] * len(widths)
    if length is not None:
        pairs = _pairs(length, len(widths), int)

    def margin(x: Any, axis: int, side: int) -> Any:
        n = shape_of(x)[axis]
        count = n if pairs[axis][side] is None else min(pairs[axis][side], n)
        chosen = stretch(axis, 0, count) if side == 0 else stretch(axis, n - count, None)
        return measure(x[chosen], axis=axis, keepdims=True)

    return _joined(x, widths, margin)


def _linear_ramp(x: Any, widths: Widths, mode: str, options: Any) -> Any:
    pairs = _pairs(options.get("end_values", 0), len(widths), lambda value: in_dtype_of(x, value))

    def margin(x: Any, axis: int, side: int) -> Any:
        n, width = shape_of(x)[axis], widths[axis][side]
        edge, end = x[stretch(axis, 0, 1) if side == 0 else stretch(axis, n - 1, None)], pairs[axis][side]
        share = np.arange(float(width), dtype=x.dtype) / width
        share = np.reshape(share if side == 0 else np.flip(share), (-1, *[1] * (len(shape_of(x)) - axis - 1)))
        return end + (edge - end) * share

    return _joined(x, widths, margin)


def _joined(x: Any, widths: Widths, margin: Callable[[Any, int, int], Any]) -> Any:
    """Margins before and after along each axis in turn; each may be a number or anything that can be repeated."""
    for axis, pair in enumerate(widths):
        sides = []
        for side, width in enumerate(pair):
            shape = tuple([width if a == axis else n for a, n in enumerate(shape_of(x))])
            sides.append(
                np.broadcast_to(np.astype(np.asarray(0.0), x.dtype) + margin(x, axis, side), shape) if width else None
            )
        x = np.concatenate([part for part in (sides[0], x, sides[1]) if part is not None], axis)
    return x


_MODES: dict[str, Callable[[Any, Widths, str, Any], Any]] = {
    "constant": _constant, "empty": _empty, "linear_ramp": _linear_ramp,
    "maximum": _statistic, "mean": _statistic, "median": _statistic, "minimum": _statistic,
}  # fmt: skip
