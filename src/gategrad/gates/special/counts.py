"""Distributions of counts: binomial, negative binomial, Poisson, and their inverses in the probability or the rate.

Counts (k successes, n trials) take no gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.special.densities import beta_density, gamma_density
from gategrad.gates.special.kind import Special
from gategrad.recording import plain

__all__ = [
    "Bdtr",
    "Bdtrc",
    "Bdtri",
    "Nbdtr",
    "Nbdtrc",
    "Nbdtri",
    "Pdtr",
    "Pdtrc",
    "Pdtri",
]


class _Counts(Special):
    """A distribution of counts: the gradient is that of the probability or the rate alone."""

    whole = ("k", "n")


def _floor(k: Any) -> Any:
    return np.floor(plain(k)) + 0.0


def _binomial_density(k: Any, n: Any, p: Any) -> Any:
    """−∂ bdtr / ∂p; 0 where k = n, since the distribution is 1 there whatever p."""
    k, n = _floor(k), plain(n) + 0.0
    all_of_them = k >= n
    density = beta_density(k + 1.0, np.where(all_of_them, 1.0, n - k), p)
    return np.where(all_of_them, 0.0, density)


class Bdtr(_Counts):
    """z = the probability of at most k successes in n trials. A scaler: p receives minus a beta density times dz."""

    ufunc, symbol, domain = special.bdtr, "binom", ((1, 3), (4, 6), (0.2, 0.8))

    def slope_p(self, k: Any, n: Any, p: Any) -> Any:
        return -_binomial_density(k, n, p)


class Bdtrc(_Counts):
    """z = the probability of more than k successes in n trials. A scaler: p receives a beta density times dz."""

    ufunc, symbol, domain = special.bdtrc, "1 − binom", ((1, 3), (4, 6), (0.2, 0.8))

    def slope_p(self, k: Any, n: Any, p: Any) -> Any:
        return _binomial_density(k, n, p)


class Bdtri(_Counts):
    """z = the p at which bdtr(k, n, p) = y. A scaler: y receives −dz / density."""

    ufunc, symbol, domain = special.bdtri, "binom⁻¹", ((1, 3), (4, 6), (0.2, 0.8))
    uses_output = True

    def slope_y(self, k: Any, n: Any, y: Any) -> Any:
        return -1.0 / _binomial_density(k, n, self.z)


class Nbdtr(_Counts):
    """z = the probability of at most k failures before n successes. A scaler: p receives a beta density times dz."""

    ufunc, symbol, domain = special.nbdtr, "nbinom", ((1, 3), (2, 4), (0.2, 0.8))

    def slope_p(self, k: Any, n: Any, p: Any) -> Any:
        return beta_density(plain(n) + 0.0, _floor(k) + 1.0, p)


class Nbdtrc(_Counts):
    """z = the probability of more than k failures before n successes. A scaler: p receives minus a beta density · dz."""

    ufunc, symbol, domain = special.nbdtrc, "1 − nbinom", ((1, 3), (2, 4), (0.2, 0.8))

    def slope_p(self, k: Any, n: Any, p: Any) -> Any:
        return -beta_density(plain(n) + 0.0, _floor(k) + 1.0, p)


class Nbdtri(_Counts):
    """z = the p at which nbdtr(k, n, p) = y. A scaler: y receives dz / density."""

    ufunc, symbol, domain = special.nbdtri, "nbinom⁻¹", ((1, 3), (2, 4), (0.2, 0.8))
    uses_output = True

    def slope_y(self, k: Any, n: Any, y: Any) -> Any:
        return 1.0 / beta_density(plain(n) + 0.0, _floor(k) + 1.0, self.z)


class Pdtr(_Counts):
    """z = the probability of at most k events at rate m. A scaler: m receives minus the probability of k, times dz."""

    ufunc, symbol, domain = special.pdtr, "poisson", ((0, 3), (0.5, 4.0))

    def slope_m(self, k: Any, m: Any) -> Any:
        return -gamma_density(_floor(k) + 1.0, m)


class Pdtrc(_Counts):
    """z = the probability of more than k events at rate m. A scaler: m receives the probability of k, times dz."""

    ufunc, symbol, domain = special.pdtrc, "1 − poisson", ((0, 3), (0.5, 4.0))

    def slope_m(self, k: Any, m: Any) -> Any:
        return gamma_density(_floor(k) + 1.0, m)


class Pdtri(_Counts):
    """z = the rate m at which pdtr(k, m) = y. A scaler: y receives −dz over the probability of k."""

    ufunc, symbol, domain = special.pdtri, "poisson⁻¹", ((0, 3), (0.2, 0.8))
    uses_output = True

    def slope_y(self, k: Any, y: Any) -> Any:
        return -1.0 / gamma_density(_floor(k) + 1.0, self.z)
