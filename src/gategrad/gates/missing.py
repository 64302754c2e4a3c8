"""Missing values: the reductions that leave out NaN. Each is the ordinary one with a `where`, so nothing flows into a NaN."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.singular import occurs
from gategrad.recording import plain

__all__ = ["warn_of"]


def warn_of(empty: Any, text: str) -> None:
    """NumPy's warning where nothing is left, if that is known already."""
    if isinstance(empty, (np.ndarray, np.bool_, bool)) and np.any(empty):
        warnings.warn(text, RuntimeWarning, stacklevel=4)


def _there(a: Any, where: Any) -> Any:
    """The places that count."""
    there = np.logical_not(np.isnan(plain(a)))
    return there if where is True or where is np._NoValue else there & where


@implements(np.nansum)
def _nansum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    return np.sum(a, axis, dtype, out, keepdims=keepdims, initial=initial, where=_there(a, where))


@implements(np.nanprod)
def _nanprod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    return np.prod(a, axis, dtype, out, keepdims=keepdims, initial=initial, where=_there(a, where))


@implements(np.nanmean)
def _nanmean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    there = _there(a, where)
    warn_of(np.logical_not(np.any(there, axis=axis)), "Mean of empty slice")
    with np.errstate(invalid="ignore"):
        return np.mean(a, axis, dtype, out, keepdims, where=there)


@implements(np.nanvar)
def _nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    return _spread(np.var, a, axis, dtype, out, ddof if correction is None else correction, keepdims, where, mean)


@implements(np.nanstd)
def _nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    return _spread(np.std, a, axis, dtype, out, ddof if correction is None else correction, keepdims, where, mean)


def _spread(
    measure: Any, a: Any, axis: Any, dtype: Any, out: Any, ddof: Any, keepdims: Any, where: Any, mean: Any
) -> Any:
    there = _there(a, where)
    warn_of(np.sum(there, axis=axis) <= ddof, "Degrees of freedom <= 0 for slice.")
    given = {} if mean is None else {"mean": mean}
    with np.errstate(invalid="ignore", divide="ignore"):
        return measure(a, axis, dtype, out, ddof, keepdims, where=there, **given)


@implements(np.nanmax)
def _nanmax(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    return _extremum(np.max, -np.inf, a, axis, out, keepdims, initial, where)


@implements(np.nanmin)
def _nanmin(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    return _extremum(np.min, np.inf, a, axis, out, keepdims, initial, where)


def _extremum(
    extremum: Any, neutral: float, a: Any, axis: Any, out: Any, keepdims: Any, initial: Any, where: Any
) -> Any:
    there = _there(a, where)
    first = neutral if initial is None else initial
    z = extremum(np.where(there, a, neutral), axis=axis, out=out, keepdims=keepdims, initial=first)
    if initial is not None:
        return z
    empty = np.logical_not(np.any(there, axis=axis, keepdims=keepdims))
    warn_of(empty, "All-NaN slice encountered")
    return np.where(empty, np.nan, z) if occurs(empty) else z
