"""Student's t, Cauchy, half-Cauchy; and von Mises, the normal distribution of a circle."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.distributions.family import Continuous

__all__ = ["cauchy", "halfcauchy", "t", "vonmises"]


class Student(Continuous):
    """log density = −(df + 1)/2 · log(1 + y²/df) − log(√df B(df/2, ½))."""

    name, shapes = "t", ("df",)

    def log_density(self, y: Any, df: Any) -> Any:
        constant = -0.5 * np.log(df) - special.betaln(0.5 * df, 0.5)
        return constant - 0.5 * (df + 1.0) * np.log1p(y * y / df)

    def below(self, y: Any, df: Any) -> Any:
        return special.stdtr(df, y)

    def above(self, y: Any, df: Any) -> Any:
        return special.stdtr(df, -y)

    def quantile(self, q: Any, df: Any) -> Any:
        return special.stdtrit(df, q)

    def upper_quantile(self, q: Any, df: Any) -> Any:
        return -special.stdtrit(df, q)


class Cauchy(Continuous):
    """log density = −log π − log(1 + y²)."""

    name = "cauchy"

    def log_density(self, y: Any) -> Any:
        return -math.log(math.pi) - np.log1p(y * y)

    def below(self, y: Any) -> Any:
        return np.arctan2(1.0, -y) / math.pi

    def above(self, y: Any) -> Any:
        return np.arctan2(1.0, y) / math.pi

    def quantile(self, q: Any) -> Any:
        return np.tan(math.pi * q - 0.5 * math.pi)


class HalfCauchy(Continuous):
    """log density = log(2/π) − log(1 + y²), for y ≥ 0."""

    name, start = "halfcauchy", 0.0

    def log_density(self, y: Any) -> Any:
        return math.log(2.0 / math.pi) - np.log1p(y * y)

    def below(self, y: Any) -> Any:
        return np.arctan(y) * (2.0 / math.pi)

    def above(self, y: Any) -> Any:
        return np.arctan2(1.0, y) * (2.0 / math.pi)

    def quantile(self, q: Any) -> Any:
        return np.tan(0.5 * math.pi * q)


class VonMises(Continuous):
    """log density = κ (cos y − 1) − log(2π I₀(κ) exp(−κ)); the distribution itself is not known here."""

    name, shapes = "vonmises", ("kappa",)

    def allowed(self, kappa: Any) -> Any:
        return kappa >= 0

    def log_density(self, y: Any, kappa: Any) -> Any:
        return kappa * special.cosm1(y) - math.log(2.0 * math.pi) - np.log(special.i0e(kappa))


t = Student()
cauchy = Cauchy()
halfcauchy = HalfCauchy()
vonmises = VonMises()
