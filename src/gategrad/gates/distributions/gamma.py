"""Gamma, inverse gamma, χ², beta, F: distributions of incomplete gamma and beta functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.comparison import where
from gategrad.gates.distributions.family import Continuous
from gategrad.recording import plain

__all__ = ["beta", "chi2", "f", "gamma", "invgamma"]


class Gamma(Continuous):
    """log density = (a − 1) log y − y − log Γ(a), for y ≥ 0."""

    name, shapes, start = "gamma", ("a",), 0.0

    def log_density(self, y: Any, a: Any) -> Any:
        return special.xlogy(a - 1.0, y) - y - special.gammaln(a)

    def below(self, y: Any, a: Any) -> Any:
        return special.gammainc(a, y)

    def above(self, y: Any, a: Any) -> Any:
        return special.gammaincc(a, y)

    def quantile(self, q: Any, a: Any) -> Any:
        return special.gammaincinv(a, q)

    def upper_quantile(self, q: Any, a: Any) -> Any:
        return special.gammainccinv(a, q)


class InverseGamma(Continuous):
    """log density = −(a + 1) log y − 1/y − log Γ(a), for y > 0."""

    name, shapes, start = "invgamma", ("a",), 0.0

    def log_density(self, y: Any, a: Any) -> Any:
        y, some = _positive(y)
        return where(some, -(a + 1.0) * np.log(y) - 1.0 / y - special.gammaln(a), -np.inf)

    def below(self, y: Any, a: Any) -> Any:
        y, some = _positive(y)
        return where(some, special.gammaincc(a, 1.0 / y), 0.0)

    def above(self, y: Any, a: Any) -> Any:
        y, some = _positive(y)
        return where(some, special.gammainc(a, 1.0 / y), 1.0)

    def quantile(self, q: Any, a: Any) -> Any:
        return 1.0 / special.gammainccinv(a, q)


def _positive(y: Any) -> tuple[Any, Any]:
    """y, with 1 in place of 0, and where it is not 0."""
    some = plain(y) > 0
    return where(some, y, 1.0), some


class ChiSquared(Continuous):
    """log density = (df/2 − 1) log y − y/2 − log Γ(df/2) − df/2 · log 2, for y ≥ 0."""

    name, shapes, start = "chi2", ("df",), 0.0

    def log_density(self, y: Any, df: Any) -> Any:
        half = 0.5 * df
        return special.xlogy(half - 1.0, y) - 0.5 * y - special.gammaln(half) - half * math.log(2.0)

    def below(self, y: Any, df: Any) -> Any:
        return special.chdtr(df, y)

    def above(self, y: Any, df: Any) -> Any:
        return special.chdtrc(df, y)

    def quantile(self, q: Any, df: Any) -> Any:
        return 2.0 * special.gammaincinv(0.5 * df, q)

    def upper_quantile(self, q: Any, df: Any) -> Any:
        return special.chdtri(df, q)


class Beta(Continuous):
    """log density = (a − 1) log y + (b − 1) log(1 − y) − log B(a, b), for 0 ≤ y ≤ 1."""

    name, shapes, start, stop = "beta", ("a", "b"), 0.0, 1.0

    def log_density(self, y: Any, a: Any, b: Any) -> Any:
        return special.xlogy(a - 1.0, y) + special.xlog1py(b - 1.0, -y) - special.betaln(a, b)

    def below(self, y: Any, a: Any, b: Any) -> Any:
        return special.betainc(a, b, y)

    def above(self, y: Any, a: Any, b: Any) -> Any:
        return special.betaincc(a, b, y)

    def quantile(self, q: Any, a: Any, b: Any) -> Any:
        return special.betaincinv(a, b, q)


class F(Continuous):
    """log density = that of a ratio of two χ² per degree of freedom, for y ≥ 0."""

    name, shapes, start = "f", ("dfn", "dfd"), 0.0

    def log_density(self, y: Any, dfn: Any, dfd: Any) -> Any:
        n, m = 0.5 * dfn, 0.5 * dfd
        constant = n * np.log(dfn) + m * np.log(dfd) - special.betaln(n, m)
        return constant + special.xlogy(n - 1.0, y) - (n + m) * np.log(dfd + dfn * y)

    def below(self, y: Any, dfn: Any, dfd: Any) -> Any:
        return special.fdtr(dfn, dfd, y)

    def above(self, y: Any, dfn: Any, dfd: Any) -> Any:
        return special.fdtrc(dfn, dfd, y)

    def quantile(self, q: Any, dfn: Any, dfd: Any) -> Any:
        return special.fdtri(dfn, dfd, q)


gamma = Gamma()
invgamma = InverseGamma()
chi2 = ChiSquared()
beta = Beta()
f = F()
