"""Counts in bins: nothing flows into the counts, which are integers; it flows into the weights, and through the edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_input, shape_of
from gategrad.gates.indexing import Scatter
from gategrad.gates.queries import all_plain
from gategrad.variable import Variable, implements, plain

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


@implements(np.histogram2d, np.histogramdd)
def _histogramdd(*args: Any, **options: Any) -> Any:
    if any(isinstance(w, Variable) for w in (options.get("weights"), *args[4:])):
        raise NoRuleError(
            "histograms of several dimensions take no variable as weights: number the bins with np.digitize and "
            "np.ravel_multi_index, and add up with np.bincount(places, weights)"
        )
    count: Any = np.histogram2d if len(args) > 1 and np.ndim(plain(args[1])) else np.histogramdd
    return count(*map(all_plain, args), **options)
