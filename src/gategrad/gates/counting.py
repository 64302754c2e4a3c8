"""Counts in bins: nothing flows into the counts, which are integers; it flows into the weights, and through the edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_double, as_input, shape_of
from gategrad.gates.indexing import Scatter
from gategrad.gates.queries import all_plain
from gategrad.recording import plain
from gategrad.variable import Variable

__all__: list[str] = []


@implements(np.bincount)
def _bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    counts = np.bincount(plain(x), minlength=minlength)
    if weights is None:
        return counts
    weights = np.astype(as_input(weights), np.float64)
    if shape_of(weights) != np.shape(x):
        raise ValueError("The weights and list don't have the same length.")
    return Scatter(np.array(x, np.intp), counts.shape)(weights)


@implements(np.histogram_bin_edges)
def _histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    edges = np.histogram_bin_edges(plain(a), plain(bins), range)
    if range is not None or np.ndim(bins) or not isinstance(a, Variable) or not a.size:
        return bins if isinstance(bins, Variable) else edges
    low, high = np.min(a), np.max(a)
    if plain(low) == plain(high):
        low, high = low - 0.5, high + 0.5  # NumPy's bins around one value
    return np.linspace(low, high, len(edges))


@implements(np.histogram)
def _histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    edges_out = _histogram_bin_edges(a, bins, range)
    a, bins, edges = plain(a), plain(bins), plain(edges_out)
    if not isinstance(weights, Variable):
        counts = np.histogram(a, bins, range, None, weights)[0]
        return (counts / np.diff(edges_out) / counts.sum() if density else counts), edges_out
    values = np.ravel(a)
    inside = (values >= edges[0]) & (values <= edges[-1])
    places = np.minimum(np.searchsorted(edges, values[inside], side="right") - 1, len(edges) - 2)
    z = Scatter(places, (len(edges) - 1,))(np.reshape(weights, -1)[inside])
    return (z / np.diff(edges_out) / np.sum(z) if density else z), edges_out


@implements(np.histogramdd)
def _histogramdd(sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    sample, bins = all_plain(sample), all_plain(bins)
    if not isinstance(weights, Variable):
        return np.histogramdd(sample, bins, range, density, weights)
    points = np.atleast_2d(np.asarray(sample).T).T if isinstance(sample, np.ndarray) else np.stack(sample, axis=-1)
    counts, edges = np.histogramdd(points, bins, range)
    inside, places = np.ones(len(points), bool), []
    for values, edge in zip(points.T, edges, strict=True):
        inside &= (values >= edge[0]) & (values <= edge[-1])
        places.append(np.minimum(np.searchsorted(edge, values, side="right") - 1, len(edge) - 2))
    z = Scatter(tuple([place[inside] for place in places]), counts.shape)(as_double(np.reshape(weights, -1)[inside]))
    if density:
        z = z / np.sum(z)
        for axis, edge in enumerate(edges):
            z = z / np.reshape(np.diff(edge), [-1 if n == axis else 1 for n in np.arange(len(edges))])
    return z, edges


@implements(np.histogram2d)
def _histogram2d(x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    bins = all_plain(bins)
    if np.ndim(bins) == 1 and len(bins) > 2:
        bins = [bins, bins]  # the edges of both axes
    z, (xs, ys) = _histogramdd((plain(x), plain(y)), bins, range, density, weights)
    return z, xs, ys
