"""Counts in bins: nothing flows into the places, which are integers; all that flows goes into the weights."""

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
    return count(*map(all_plain, args), **options)
