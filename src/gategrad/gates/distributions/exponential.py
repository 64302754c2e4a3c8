"""Exponential, Laplace, logistic, Gumbel, Weibull, Pareto, uniform: distributions of elementary functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.comparison import where
from gategrad.gates.distributions.family import Continuous
from gategrad.recording import plain

__all__ = ["expon", "gumbel_l", "gumbel_r", "laplace", "logistic", "pareto", "uniform", "weibull_min"]


class Exponential(Continuous):
    """log density = −y, for y ≥ 0."""

    name, start = "expon", 0.0

    def log_density(self, y: Any) -> Any:
        return -y

    def below(self, y: Any) -> Any:
        return -np.expm1(-y)

    def above(self, y: Any) -> Any:
        return np.exp(-y)

    def log_above(self, y: Any) -> Any:
        return -y

    def quantile(self, q: Any) -> Any:
        return -np.log1p(-q)

    def upper_quantile(self, q: Any) -> Any:
        return -np.log(q)


class Laplace(Continuous):
    """log density = −|y| − log 2."""

    name = "laplace"

    def log_density(self, y: Any) -> Any:
        return -np.abs(y) - math.log(2.0)

    def below(self, y: Any) -> Any:
        tail = 0.5 * np.exp(-np.abs(y))
        return where(plain(y) < 0, tail, 1.0 - tail)

    def above(self, y: Any) -> Any:
        return self.below(-y)

    def log_below(self, y: Any) -> Any:
        tail = 0.5 * np.exp(-np.abs(y))
        return where(plain(y) < 0, -np.abs(y) - math.log(2.0), np.log1p(-tail))

    def log_above(self, y: Any) -> Any:
        return self.log_below(-y)

    def quantile(self, q: Any) -> Any:
        left = plain(q) < 0.5
        return where(left, np.log(2.0 * where(left, q, 0.5)), -np.log(2.0 - 2.0 * where(left, 0.5, q)))


class Logistic(Continuous):
    """log density = log σ(y) + log σ(−y)."""

    name = "logistic"

    def log_density(self, y: Any) -> Any:
        return special.log_expit(y) + special.log_expit(-y)

    def below(self, y: Any) -> Any:
        return special.expit(y)

    def above(self, y: Any) -> Any:
        return special.expit(-y)

    def log_below(self, y: Any) -> Any:
        return special.log_expit(y)

    def log_above(self, y: Any) -> Any:
        return special.log_expit(-y)

    def quantile(self, q: Any) -> Any:
        return special.logit(q)

    def upper_quantile(self, q: Any) -> Any:
        return -special.logit(q)


class GumbelRight(Continuous):
    """log density = −y − exp(−y)."""

    name = "gumbel_r"

    def log_density(self, y: Any) -> Any:
        return -y - np.exp(-y)

    def below(self, y: Any) -> Any:
        return np.exp(-np.exp(-y))

    def above(self, y: Any) -> Any:
        return -np.expm1(-np.exp(-y))

    def log_below(self, y: Any) -> Any:
        return -np.exp(-y)

    def quantile(self, q: Any) -> Any:
        return -np.log(-np.log(q))


class GumbelLeft(Continuous):
    """log density = y − exp(y), the mirror of `gumbel_r`."""

    name = "gumbel_l"

    def log_density(self, y: Any) -> Any:
        return y - np.exp(y)

    def below(self, y: Any) -> Any:
        return -np.expm1(-np.exp(y))

    def above(self, y: Any) -> Any:
        return np.exp(-np.exp(y))

    def log_above(self, y: Any) -> Any:
        return -np.exp(y)

    def quantile(self, q: Any) -> Any:
        return np.log(-np.log1p(-q))


class Weibull(Continuous):
    """log density = log c + (c − 1) log y − y^c, for y ≥ 0."""

    name, shapes, start = "weibull_min", ("c",), 0.0

    def log_density(self, y: Any, c: Any) -> Any:
        return np.log(c) + special.xlogy(c - 1.0, y) - np.power(y, c)

    def below(self, y: Any, c: Any) -> Any:
        return -np.expm1(-np.power(y, c))

    def above(self, y: Any, c: Any) -> Any:
        return np.exp(-np.power(y, c))

    def log_above(self, y: Any, c: Any) -> Any:
        return -np.power(y, c)

    def quantile(self, q: Any, c: Any) -> Any:
        return np.power(-np.log1p(-q), 1.0 / c)


class Pareto(Continuous):
    """log density = log b − (b + 1) log y, for y ≥ 1."""

    name, shapes, start = "pareto", ("b",), 1.0

    def log_density(self, y: Any, b: Any) -> Any:
        return np.log(b) - (b + 1.0) * np.log(y)

    def below(self, y: Any, b: Any) -> Any:
        return -np.expm1(-b * np.log(y))

    def above(self, y: Any, b: Any) -> Any:
        return np.exp(-b * np.log(y))

    def log_above(self, y: Any, b: Any) -> Any:
        return -b * np.log(y)

    def quantile(self, q: Any, b: Any) -> Any:
        return np.exp(-np.log1p(-q) / b)


class Uniform(Continuous):
    """log density = 0, for 0 ≤ y ≤ 1."""

    name, start, stop = "uniform", 0.0, 1.0

    def log_density(self, y: Any) -> Any:
        return 0.0 * plain(y)

    def below(self, y: Any) -> Any:
        return y

    def quantile(self, q: Any) -> Any:
        return q


expon = Exponential()
laplace = Laplace()
logistic = Logistic()
gumbel_r = GumbelRight()
gumbel_l = GumbelLeft()
weibull_min = Weibull()
pareto = Pareto()
uniform = Uniform()
