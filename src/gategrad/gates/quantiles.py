"""Order statistics: partition, median, percentile and quantile, also of what is left when NaN is left out.

Sorting is indexing by the order of the plain values, and a quantile is a point between two neighbours of the sorted values. So
the gradient goes to those two, in the proportions of their distances.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_input, axis_of, kept, refuse, reshape, shape_of
from gategrad.gates.missing import warn_of
from gategrad.recording import plain

__all__: list[str] = []


@implements(np.partition)
def _partition(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Any:
    refuse("np.partition", order=order)
    if axis is None:
        a, axis = np.reshape(a, -1), -1
    return np.take_along_axis(a, np.argpartition(plain(a), kth, axis, kind), axis)


@implements(np.median)
def _median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    refuse("np.median", out=out)
    rows, shape = _sorted(a, axis, keepdims)
    n = rows.shape[0]
    z = np.mean(rows[(n - 1) // 2 : n // 2 + 1], axis=0)
    return reshape(_unless_nan(rows, z), shape)


@implements(np.nanmedian)
def _nanmedian(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    return _nanquantile(a, 0.5, axis, out, keepdims=keepdims)


@implements(np.quantile)
def _quantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    refuse("np.quantile", out=out)
    a, q = as_input(a), _checked(q, "Quantiles must be in the range [0, 1]")
    if weights is not None:
        return _weighted(np.quantile, a, q, axis, method, keepdims, weights)
    rows, shape = _sorted(a, axis, keepdims)
    n = rows.shape[0]
    position = _position(n, q, method)
    below = np.floor(plain(position))
    low, share = _index(below), _narrow(position - below, q, method, rows)
    if shape_of(share):
        share = np.reshape(share, shape_of(share) + (1,) * (len(rows.shape) - 1))
    z = _between(rows[low], rows[np.minimum(low + 1, n - 1)], share)
    return reshape(_unless_nan(rows, z), shape_of(q) + shape)


@implements(np.nanquantile)
def _nanquantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: Any = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    refuse("np.nanquantile", out=out)
    a, q = as_input(a), _checked(q, "Quantiles must be in the range [0, 1]")
    if weights is not None:
        return _weighted(np.nanquantile, a, q, axis, method, keepdims, weights)
    rows, shape = _sorted(a, axis, keepdims)
    n = np.sum(np.logical_not(np.isnan(plain(rows))), axis=0)
    warn_of(n == 0, "All-NaN slice encountered")
    most = np.maximum(n - 1, 0)
    position = _position(n, np.reshape(q, shape_of(q) + (1,) * np.ndim(n)), method)
    below = np.floor(plain(position))
    low, share = np.clip(_index(below), 0, most), _narrow(position - below, q, method, rows)
    z = _between(_read(rows, low), _read(rows, np.minimum(low + 1, most)), share)
    return reshape(z, shape_of(q) + shape)


@implements(np.percentile)
def _percentile(a: Any, q: Any, *args: Any, **options: Any) -> Any:
    return _quantile(a, _hundredth(q), *args, **options)


@implements(np.nanpercentile)
def _nanpercentile(a: Any, q: Any, *args: Any, **options: Any) -> Any:
    return _nanquantile(a, _hundredth(q), *args, **options)


# --- the steps ----------------------------------------------------------------------------------------------------


def _weighted(numpys: Any, a: Any, q: Any, axis: Any, method: str, keepdims: Any, weights: Any) -> Any:
    """One of the elements, chosen by NumPy: it is asked for the quantile of their ranks, and the element is read.

    The choice is a step in the weights and in q, so nothing flows into those.
    """
    weights, q = as_input(plain(weights)), plain(q)
    if isinstance(axis, (tuple, list)):
        raise NoRuleError(
            "np.quantile of a variable with weights= takes one axis: move the others beside it and reshape"
        )
    ndim = len(shape_of(a))
    if axis is None:
        weights = np.reshape(np.broadcast_to(weights, a.shape) if weights.ndim < ndim else weights, -1)
        a, axis = np.reshape(a, -1), 0
    axis = axis_of(axis, len(a.shape))
    values = plain(a)
    order = np.argsort(values, axis=axis, kind="stable")
    ranks = np.where(np.isnan(values), np.nan, np.argsort(order, axis=axis))
    chosen = numpys(ranks, np.ravel(q), axis=axis, method=method, weights=weights)
    chosen = np.moveaxis(np.where(np.isnan(chosen), a.shape[axis] - 1, chosen).astype(np.intp), 0, axis)
    z = np.moveaxis(np.take_along_axis(a, np.take_along_axis(order, chosen, axis), axis), axis, 0)
    if keepdims is True:
        z = np.expand_dims(z, axis + 1) if ndim == len(a.shape) else np.reshape(z, (-1, *[1] * ndim))
    return np.reshape(z, (*np.shape(q), *z.shape[1:]))


def _hundredth(q: Any) -> Any:
    return _checked(as_input(q) / 100, "Percentiles must be in the range [0, 100]")


def _checked(q: Any, complaint: str) -> Any:
    q = as_input(q)
    inside = (plain(q) >= 0) & (plain(q) <= 1)
    if isinstance(inside, (bool, np.bool_, np.ndarray)) and not np.all(inside):
        raise ValueError(complaint)
    return q


def _sorted(a: Any, axis: Any, keepdims: Any) -> tuple[Any, tuple[int, ...]]:
    """What is folded, as the sorted first axis, and the shape of the result."""
    shape, ndim = shape_of(a), len(shape_of(a))
    if isinstance(axis, list):
        axis = tuple(axis)
    axes = tuple(range(ndim)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, ndim)
    rest = tuple([n for place, n in enumerate(shape) if place not in axes])
    rows = np.reshape(np.moveaxis(a, axes, tuple(range(len(axes)))), (math.prod(shape[n] for n in axes), *rest))
    return np.sort(rows, axis=0), kept(shape, axes) if keepdims is True else rest


def _unless_nan(rows: Any, z: Any) -> Any:
    """`z`, and NaN where there is one among the values; it is sorted to the end."""
    if not rows.shape[0]:
        return z
    return np.where(np.isnan(plain(rows[-1])), rows[-1], z)


def _between(x: Any, y: Any, share: Any) -> Any:
    return x + (y - x) * share


def _index(position: Any) -> Any:
    return position.astype(np.intp) if hasattr(position, "astype") else int(position)


def _narrow(share: Any, q: Any, method: str, rows: Any) -> Any:
    """The share in the dtype of the values, where NumPy does not widen float32 by it: for a single q, and on steps."""
    if not isinstance(q, (float, int)) and method in _BETWEEN:
        return share
    return float(share) if isinstance(share, np.generic) else np.astype(share, rows.dtype)


def _read(rows: Any, index: Any) -> Any:
    """The elements of the first axis at `index`, whose last axes are those of the rest."""
    grid = np.ogrid[tuple([slice(n) for n in rows.shape[1:]])]
    return rows[(index, *grid)]


# --- where the quantile lies among the sorted values ------------------------------------------------------------


def _position(n: Any, q: Any, method: str) -> Any:
    """The place of the quantile q among n sorted values, counted from 0; between two of them if it is no integer."""
    most = max(n - 1.0, 0.0) if type(n) is int else np.maximum(n - 1.0, 0.0)
    if method in _BETWEEN:
        alpha, beta = _BETWEEN[method]
        return np.clip(n * q + (alpha + q * (1.0 - alpha - beta)) - 1.0, 0.0, most)
    if method not in _AT:
        raise ValueError(f"{method!r} is not a valid method. Use one of: {', '.join(sorted([*_BETWEEN, *_AT]))}")
    return np.clip(_AT[method](n, plain(q)), 0.0, most)


_BETWEEN = {
    "interpolated_inverted_cdf": (0.0, 1.0), "hazen": (0.5, 0.5), "weibull": (0.0, 0.0), "linear": (1.0, 1.0),
    "median_unbiased": (1 / 3, 1 / 3), "normal_unbiased": (3 / 8, 3 / 8),
}  # fmt: skip


def _averaged(n: Any, q: Any) -> Any:
    return np.where(np.equal(n * q, np.floor(n * q)), n * q - 0.5, np.ceil(n * q) - 1.0)


def _closest(n: Any, q: Any) -> Any:
    below = np.floor(n * q - 1.5)
    return np.where(np.equal(n * q - 1.5, below) & np.equal(np.remainder(below, 2), 0), below, below + 1.0)


_AT: dict[str, Callable[[Any, Any], Any]] = {
    "lower": lambda n, q: np.floor((n - 1) * q),
    "higher": lambda n, q: np.ceil((n - 1) * q),
    "midpoint": lambda n, q: 0.5 * (np.floor((n - 1) * q) + np.ceil((n - 1) * q)),
    "nearest": lambda n, q: np.rint((n - 1) * q),
    "inverted_cdf": lambda n, q: np.ceil(n * q) - 1.0,
    "averaged_inverted_cdf": _averaged,
    "closest_observation": _closest,
}
