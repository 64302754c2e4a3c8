"""Covariance and correlation of variables in rows, and counts in bins that are weighted."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_input, shape_of
from gategrad.gates.indexing import Scatter
from gategrad.variable import Variable, implements, plain

__all__: list[str] = []


@implements(np.cov)
def _cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    x = _rows(m, rowvar)
    if y is not None:
        x = np.concatenate([x, _rows(y, rowvar)], 0)
    x = np.astype(x, np.promote_types(x.dtype, np.float64) if dtype is None else dtype)  # as NumPy does
    n = shape_of(x)[1]
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = _weights(fweights, aweights)
    if weights is None:
        deviation, degrees = x - np.mean(x, axis=1, keepdims=True), n - ddof
    else:
        total = np.sum(weights)
        deviation = x - np.sum(x * weights, axis=1, keepdims=True) / total
        degrees = total - ddof if aweights is None else total - ddof * np.sum(weights * as_input(aweights)) / total
    weighted = deviation if weights is None else deviation * weights
    return np.squeeze(weighted @ np.transpose(deviation) / degrees)


def _rows(m: Any, rowvar: bool) -> Any:
    m = as_input(m)
    if len(shape_of(m)) > 2:
        raise ValueError("m has more than 2 dimensions")
    x = np.atleast_2d(m)
    return np.transpose(x) if not rowvar and len(shape_of(m)) == 2 else x


def _weights(fweights: Any, aweights: Any) -> Any:
    given = [as_input(w) for w in (fweights, aweights) if w is not None]
    return None if not given else given[0] * 1.0 if len(given) == 1 else given[0] * given[1]


@implements(np.corrcoef)
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = np.cov(x, y, rowvar, dtype=dtype)
    if not shape_of(c):
        return c / c
    scale = np.sqrt(np.diagonal(c))
    return c / scale[:, None] / scale[None, :]


# --- counts: nothing flows into the places, which are integers; all that flows goes into the weights -------------


@implements(np.bincount)
def _bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    size = len(np.bincount(plain(x), minlength=minlength))
    if weights is None:
        return np.bincount(plain(x), minlength=minlength)
    weights = np.astype(as_input(weights), np.float64)
    if shape_of(weights) != np.shape(x):
        raise ValueError("The weights and list don't have the same length.")
    return Scatter(np.array(x, np.intp), (size,))(weights)


@implements(np.histogram)
def _histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    a, bins = plain(a), plain(bins)
    if not isinstance(weights, Variable):
        return np.histogram(a, bins, range, density, weights)
    edges = np.histogram_bin_edges(a, bins, range)
    values = np.ravel(a)
    inside = (values >= edges[0]) & (values <= edges[-1])
    places = np.minimum(np.searchsorted(edges, values[inside], side="right") - 1, len(edges) - 2)
    z = Scatter(places, (len(edges) - 1,))(np.reshape(weights, -1)[inside])
    return (z / np.diff(edges) / np.sum(z) if density else z), edges


@implements(np.histogram2d, np.histogramdd)
def _histogramdd(*args: Any, **options: Any) -> Any:
    if any(isinstance(w, Variable) for w in (options.get("weights"), *args[4:])):
        raise NoRuleError(
            "histograms of several dimensions take no variable as weights: number the bins with np.digitize and "
            "np.ravel_multi_index, and add up with np.bincount(places, weights)"
        )
    count: Any = np.histogram2d if len(args) > 1 and np.ndim(plain(args[1])) else np.histogramdd
    return count(*map(_plain, args), **options)


def _plain(x: Any) -> Any:
    return type(x)(map(_plain, x)) if type(x) in (list, tuple) else plain(x)
