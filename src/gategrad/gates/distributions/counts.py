"""Distributions of counts: Poisson, binomial, negative binomial, Bernoulli, geometric."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.distributions.family import Discrete
from gategrad.recording import plain

__all__ = ["bernoulli", "binom", "geom", "nbinom", "poisson"]


class Poisson(Discrete):
    """log mass = k log μ − μ − log k!."""

    name, shapes = "poisson", ("mu",)

    def allowed(self, mu: Any) -> Any:
        return mu >= 0

    def log_mass(self, k: Any, mu: Any) -> Any:
        return special.xlogy(k, mu) - mu - special.gammaln(k + 1.0)

    def below(self, k: Any, mu: Any) -> Any:
        return special.pdtr(k, mu)

    def above(self, k: Any, mu: Any) -> Any:
        return special.pdtrc(k, mu)


class Binomial(Discrete):
    """log mass = log binom(n, k) + k log p + (n − k) log(1 − p), for k ≤ n; n takes no gradient."""

    name, shapes = "binom", ("n", "p")

    def allowed(self, n: Any, p: Any) -> Any:
        return (n >= 0) & (np.floor(n) == n) & (p >= 0) & (p <= 1)

    def last(self, n: Any, p: Any) -> Any:
        return n

    def log_mass(self, k: Any, n: Any, p: Any) -> Any:
        n = np.maximum(plain(n), k)  # elsewhere the answer is −inf
        ways = special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
        return ways + special.xlogy(k, p) + special.xlog1py(n - k, -p)

    def below(self, k: Any, n: Any, p: Any) -> Any:
        return special.betaincc(k + 1.0, self._left(k, n), p)

    def above(self, k: Any, n: Any, p: Any) -> Any:
        return special.betainc(k + 1.0, self._left(k, n), p)

    @staticmethod
    def _left(k: Any, n: Any) -> Any:
        return np.maximum(plain(n) - k, 0.5) + 0.0  # at k = n the answer is 1


class NegativeBinomial(Discrete):
    """log mass = log Γ(k + n) − log k! − log Γ(n) + n log p + k log(1 − p)."""

    name, shapes = "nbinom", ("n", "p")

    def allowed(self, n: Any, p: Any) -> Any:
        return (n > 0) & (p > 0) & (p <= 1)

    def log_mass(self, k: Any, n: Any, p: Any) -> Any:
        ways = special.gammaln(k + n) - special.gammaln(k + 1.0) - special.gammaln(n)
        return ways + n * np.log(p) + special.xlog1py(k, -p)

    def below(self, k: Any, n: Any, p: Any) -> Any:
        return special.betainc(n, k + 1.0, p)

    def above(self, k: Any, n: Any, p: Any) -> Any:
        return special.betaincc(n, k + 1.0, p)


class Bernoulli(Discrete):
    """log mass = log p for 1, log(1 − p) for 0."""

    name, shapes = "bernoulli", ("p",)

    def allowed(self, p: Any) -> Any:
        return (p >= 0) & (p <= 1)

    def last(self, p: Any) -> Any:
        return 1

    def log_mass(self, k: Any, p: Any) -> Any:
        return special.xlogy(k, p) + special.xlog1py(1.0 - k, -p)

    def below(self, k: Any, p: Any) -> Any:
        return 1.0 - p  # k = 0: beyond, it is 1

    def above(self, k: Any, p: Any) -> Any:
        return p


class Geometric(Discrete):
    """log mass = (k − 1) log(1 − p) + log p, for k ≥ 1."""

    name, shapes, start = "geom", ("p",), 1

    def allowed(self, p: Any) -> Any:
        return (p > 0) & (p <= 1)

    def log_mass(self, k: Any, p: Any) -> Any:
        return special.xlog1py(k - 1.0, -p) + np.log(p)

    def below(self, k: Any, p: Any) -> Any:
        return -np.expm1(special.xlog1py(k, -p))

    def above(self, k: Any, p: Any) -> Any:
        return np.exp(special.xlog1py(k, -p))


poisson = Poisson()
binom = Binomial()
nbinom = NegativeBinomial()
bernoulli = Bernoulli()
geom = Geometric()
