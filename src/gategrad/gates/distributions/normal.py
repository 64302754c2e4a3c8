"""The normal distribution and its kin: lognormal, half-normal, truncated, skew."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.comparison import where
from gategrad.gates.distributions.family import Continuous
from gategrad.recording import plain

__all__ = ["halfnorm", "lognorm", "norm", "skewnorm", "truncnorm"]

_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


def _log_normal_density(y: Any) -> Any:
    return -0.5 * y * y - _LOG_ROOT_TWO_PI


class Normal(Continuous):
    """log density = −y²/2 − log √2π."""

    name = "norm"

    def log_density(self, y: Any) -> Any:
        return _log_normal_density(y)

    def below(self, y: Any) -> Any:
        return special.ndtr(y)

    def above(self, y: Any) -> Any:
        return special.ndtr(-y)

    def log_below(self, y: Any) -> Any:
        return special.log_ndtr(y)

    def log_above(self, y: Any) -> Any:
        return special.log_ndtr(-y)

    def quantile(self, q: Any) -> Any:
        return special.ndtri(q)

    def upper_quantile(self, q: Any) -> Any:
        return -special.ndtri(q)


class LogNormal(Continuous):
    """log density = −(log y / s)²/2 − log(s y √2π), for y > 0."""

    name, shapes = "lognorm", ("s",)
    start = 0.0

    def log_density(self, y: Any, s: Any) -> Any:
        log = log_positive(y)
        return where(plain(y) > 0, _log_normal_density(log / s) - np.log(s) - log, -np.inf)

    def below(self, y: Any, s: Any) -> Any:
        return where(plain(y) > 0, special.ndtr(log_positive(y) / s), 0.0)

    def above(self, y: Any, s: Any) -> Any:
        return where(plain(y) > 0, special.ndtr(-log_positive(y) / s), 1.0)

    def log_below(self, y: Any, s: Any) -> Any:
        return where(plain(y) > 0, special.log_ndtr(log_positive(y) / s), -np.inf)

    def log_above(self, y: Any, s: Any) -> Any:
        return where(plain(y) > 0, special.log_ndtr(-log_positive(y) / s), 0.0)

    def quantile(self, q: Any, s: Any) -> Any:
        return np.exp(s * special.ndtri(q))


def log_positive(y: Any) -> Any:
    """log y, and 0 at y = 0: what is made of it there is selected away."""
    return np.log(where(plain(y) > 0, y, 1.0))


class HalfNormal(Continuous):
    """log density = log √(2/π) − y²/2, for y ≥ 0."""

    name, start = "halfnorm", 0.0

    def log_density(self, y: Any) -> Any:
        return math.log(2.0) + _log_normal_density(y)

    def below(self, y: Any) -> Any:
        return special.erf(math.sqrt(0.5) * y)

    def above(self, y: Any) -> Any:
        return 2.0 * special.ndtr(-y)

    def log_above(self, y: Any) -> Any:
        return math.log(2.0) + special.log_ndtr(-y)

    def quantile(self, q: Any) -> Any:
        return special.ndtri(0.5 + 0.5 * q)

    def upper_quantile(self, q: Any) -> Any:
        return -special.ndtri(0.5 * q)


class TruncatedNormal(Continuous):
    """log density = log φ(y) − log(Φ(b) − Φ(a)), for a ≤ y ≤ b."""

    name, shapes = "truncnorm", ("a", "b")

    def allowed(self, a: Any, b: Any) -> Any:
        return a < b

    def support(self, a: Any, b: Any) -> tuple[Any, Any]:
        return a, b

    def _inner(self, start: Any, stop: Any) -> Any:
        low, high = np.maximum(start, np.minimum(stop, 0.0) - 1.0), np.minimum(stop, np.maximum(start, 0.0) + 1.0)
        return 0.5 * (low + high)

    def log_density(self, y: Any, a: Any, b: Any) -> Any:
        return _log_normal_density(y) - _log_between(a, b)

    def below(self, y: Any, a: Any, b: Any) -> Any:
        return np.exp(self.log_below(y, a, b))

    def above(self, y: Any, a: Any, b: Any) -> Any:
        return np.exp(self.log_above(y, a, b))

    def log_below(self, y: Any, a: Any, b: Any) -> Any:
        return _log_between(a, y) - _log_between(a, b)

    def log_above(self, y: Any, a: Any, b: Any) -> Any:
        return _log_between(y, b) - _log_between(a, b)


def _log_between(a: Any, b: Any) -> Any:
    """log(Φ(b) − Φ(a)), in the left tail, where Φ keeps its digits."""
    right = plain(a) > 0
    low, high = where(right, -b, a), where(right, -a, b)
    top = special.log_ndtr(high)
    with np.errstate(divide="ignore"):
        return top + np.log1p(-np.exp(special.log_ndtr(low) - top))


class SkewNormal(Continuous):
    """log density = log 2 + log φ(y) + log Φ(a y)."""

    name, shapes = "skewnorm", ("a",)

    def allowed(self, a: Any) -> Any:
        return np.isfinite(a)

    def log_density(self, y: Any, a: Any) -> Any:
        return math.log(2.0) + _log_normal_density(y) + special.log_ndtr(a * y)

    def below(self, y: Any, a: Any) -> Any:
        return special.ndtr(y) - 2.0 * special.owens_t(y, a)

    def above(self, y: Any, a: Any) -> Any:
        return special.ndtr(-y) + 2.0 * special.owens_t(y, a)


norm = Normal()
lognorm = LogNormal()
halfnorm = HalfNormal()
truncnorm = TruncatedNormal()
skewnorm = SkewNormal()
