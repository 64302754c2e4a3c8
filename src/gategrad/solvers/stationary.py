"""Minima as they move: the points where a gradient is 0, but for what a bound holds back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize

from gategrad.pause import no_grad
from gategrad.recording import plain
from gategrad.solvers.implicit import as_it_moves, dense
from gategrad.transforms.grad import grad
from gategrad.transforms.hessian import hessian

__all__ = ["limits", "stationary"]


def stationary(objective: Callable[[Any], Any], x: Any, bounds: Any, what: str = "this minimum") -> Any:
    """A minimum of the objective, a vector, as a function of whatever variables the objective computes with."""
    held = None if bounds is None else _held(objective, x, *limits(bounds))

    def residual(y: Any) -> Any:
        slope = grad(objective)(y)
        return slope if held is None else np.where(held, y - x, slope)

    def curvature(y: Any) -> Any:
        z = hessian(objective)(y)
        return z if held is None else np.where(held[:, None], np.eye(len(held)), z)

    return as_it_moves(x, residual, dense(residual, what, curvature), what)


def _held(objective: Callable[[Any], Any], x: Any, low: Any, high: Any) -> Any:
    """Which unknowns a bound holds back, to judge by the minimum that each would go to alone."""
    with no_grad():
        slope, curvature = plain(grad(objective)(x)), np.abs(np.diagonal(plain(hessian(objective)(x))))
    with np.errstate(divide="ignore", invalid="ignore"):
        there = x - np.where(slope == 0, 0.0, slope / curvature)
    return ((there <= low) & (slope > 0)) | ((there >= high) & (slope < 0))


def limits(bounds: Any) -> tuple[Any, Any]:
    """The lower and the upper bounds, in any form in which SciPy takes them: pairs, Bounds, or two rows in a tuple."""
    if isinstance(bounds, scipy.optimize.Bounds):
        return bounds.lb, bounds.ub
    if isinstance(bounds, tuple) and len(bounds) == 2 and not isinstance(bounds[0], (tuple, list)):
        return np.asarray(bounds[0]), np.asarray(bounds[1])
    low, high = zip(*bounds, strict=True)
    return np.array([-np.inf if b is None else b for b in low]), np.array([np.inf if b is None else b for b in high])
