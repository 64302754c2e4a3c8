"""Fitting: polynomials through points by least squares, and the roots of polynomials."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_double, as_input, shape_of
from gategrad.recording import plain
from gategrad.values import is_complex

__all__: list[str] = []


@implements(np.polyfit)
def _polyfit(x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False) -> Any:
    """Least squares with columns scaled to length 1, as NumPy has it."""
    x, y, order = _inexact(x), _inexact(y), int(deg) + 1
    if order < 1:
        raise ValueError("expected deg >= 0")
    if len(shape_of(x)) != 1 or len(shape_of(y)) not in (1, 2) or len(x) != len(y) or not len(x):
        raise TypeError(f"x is a row of numbers and y one (or columns) as long, but they are {x.shape} and {y.shape}")
    columns, target = np.vander(x, order), y
    if w is not None:
        w = _inexact(w)
        if shape_of(w) != shape_of(x):
            raise TypeError("expected w and y to have the same length")
        columns = columns * w[:, None]
        target = target * (w[:, None] if len(y.shape) == 2 else w)
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    scale = np.sqrt(np.sum(columns * columns, axis=0))
    c, residuals, rank, s = np.linalg.lstsq(columns / scale, target, rcond)
    c = c / (scale[:, None] if len(y.shape) == 2 else scale)
    if isinstance(plain(rank), (int, np.integer)) and plain(rank) != order and not full:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=2)
    if full:
        return c, residuals, rank, s, rcond
    return (c, _covariance(columns / scale, scale, residuals, y, len(x) - order, cov)) if cov else c


def _covariance(columns: Any, scale: Any, residuals: Any, y: Any, freedom: int, cov: Any) -> Any:
    base = np.linalg.inv(columns.T @ columns) / np.outer(scale, scale)
    if isinstance(cov, str) and cov == "unscaled":
        return base if len(y.shape) == 1 else base[:, :, None]
    if freedom <= 0:
        raise ValueError("the number of data points must exceed order to scale the covariance matrix")
    spread = residuals / freedom
    return base * spread if len(y.shape) == 1 else base[:, :, None] * spread


def _inexact(x: Any) -> Any:
    x = as_input(x)
    return x if is_complex(x) or getattr(x, "dtype", None) == np.float32 else as_double(x)


@implements(np.roots)
def _roots(p: Any) -> Any:
    """The eigenvalues of the companion matrix, and a 0 for each trailing coefficient that is 0."""
    p = np.atleast_1d(p)
    if len(p.shape) != 1:
        raise ValueError("Input must be a rank-1 array.")
    used = np.flatnonzero(plain(p))
    if not len(used):
        return np.array([])
    zeros = np.zeros(len(p) - 1 - int(used[-1]), p.dtype)
    p = p[int(used[0]) : int(used[-1]) + 1]
    n = len(p) - 1
    if not n:
        return zeros
    companion = np.concatenate([np.reshape(-p[1:] / p[0], (1, n)), np.eye(n - 1, n, dtype=p.dtype)])
    roots = np.linalg.eigvals(companion)
    return np.concatenate([roots, zeros]) if len(zeros) else roots
