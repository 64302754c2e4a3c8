"""Slopes measured by small steps: the one home of difference quotients, for checks and for gates that ask for them.

A central difference, (g(x + h) − g(x − h)) / 2h, is off by what h² cuts away and by what rounding leaves of a
difference, ε/h; the third root of ε balances the two. Two of them, of which one has half the step of the other, cancel
the h² between them (Richardson), and may take wider steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gategrad.values import FLOAT64

__all__ = ["Quotients", "extrapolated", "moved", "one_sided", "quotients", "step_at"]

_EPSILON = float(np.finfo(np.float64).eps)
_WIDE_STEP = _EPSILON ** (1 / 5)  # balances rounding against truncation for an extrapolated central difference
_SMALL_STEP = 1e-7  # for the slopes on either side of a kink

Line = Callable[[float], float]


class Quotients(NamedTuple):
    """The slopes to the left, across, and to the right of a point."""

    left: float
    central: float
    right: float


def step_at(x: Any, dtype: Any = FLOAT64, relative: float | None = None) -> float:
    """The step of a central difference at a number x: relative to the larger of |x| and 1."""
    return (float(np.finfo(dtype).eps ** (1 / 3)) if relative is None else relative) * max(1.0, float(abs(x)))


def moved(x: Any, index: tuple[int, ...], step: Any) -> Any:
    """A copy of x, a number or an array, with one element moved by `step`."""
    z = np.array(x)
    z[index] += step
    return z if z.ndim else z.item() if np.isrealobj(z) and z.dtype == FLOAT64 else z[()]


def quotients(g: Line, h: float, centre: float) -> Quotients:
    """The slopes of g at 0, where it is `centre`, by steps of h."""
    above, below = g(h), g(-h)
    return Quotients((centre - below) / h, (above - below) / (2 * h), (above - centre) / h)


def extrapolated(g: Line, x: float) -> tuple[float, float]:
    """The slope of g at x from central differences of two widths, extrapolated, and how far it may be off."""
    h = _WIDE_STEP * max(1.0, abs(x))
    wide, narrow = _between(g, x - h, x + h), _between(g, x - h / 2, x + h / 2)
    if not np.isfinite(wide + narrow):  # close to the end of what it is defined for
        left, right = one_sided(g, x)
        return (left + right) / 2, abs(right - left)
    rounding = 10 * _EPSILON * max(abs(g(x - h)), abs(g(x + h))) / h
    return narrow + (narrow - wide) / 3, abs(narrow - wide) / 3 + rounding


def one_sided(g: Line, x: float) -> tuple[float, float]:
    """The slopes of g to the left and to the right of x."""
    h = _SMALL_STEP * max(1.0, abs(x))
    return _between(g, x - h, x), _between(g, x, x + h)


def _between(g: Line, low: float, high: float) -> float:
    return float(np.float64(g(high) - g(low)) / (high - low))
