"""Covariance and correlation of rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_input, shape_of

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
