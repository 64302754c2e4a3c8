"""The densities of the gamma and the beta distribution, with all their digits however large the shape parameters are.

x^a e^−x / Γ(a) as the exponential of a sum of logarithms loses as many digits as the logarithms have before the
point. With Stirling's formula the large parts cancel on paper instead: what is left is a·(log(x/a) − x/a + 1), which
`log1p(u) − u` gives to the last digit, and Stirling's remainder (C. Loader, Fast and Accurate Computation of Binomial
Probabilities, 2000).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.singular import occurs
from gategrad.gates.special.kind import Special, hidden
from gategrad.recording import plain

__all__ = ["Log1pmx", "beta_density", "gamma_density"]

_LARGE = 10.0
"""From here on five terms of Stirling's remainder have all digits."""

_STIRLING = (1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12)


class Log1pmx(Special):
    """z = log(1 + x) − x, exact for small x. A scaler: x receives −x / (1 + x) · dz."""

    ufunc, symbol, domain = hidden("_log1pmx"), "log1p − x", ((-0.5, 2.0),)

    def slope_x(self, x: Any) -> Any:
        return -x / (1.0 + x)


def gamma_density(a: Any, x: Any) -> Any:
    """x^(a−1) e^−x / Γ(a)."""
    large = (plain(a) >= _LARGE) & _near(plain(x) - plain(a), plain(a))
    plainly = np.exp(special.xlogy(a - 1.0, x) - x - special.gammaln(a))
    if not occurs(large):
        return plainly
    shape, at = np.where(large, a, _LARGE), np.where(large, x, _LARGE)
    exponent = shape * Log1pmx()((at - shape) / shape) - _remainder(shape)
    return np.where(large, np.sqrt(shape / (2.0 * math.pi)) / at * np.exp(exponent), plainly)


def beta_density(a: Any, b: Any, x: Any) -> Any:
    """x^(a−1) (1 − x)^(b−1) / B(a, b)."""
    smaller = np.minimum(plain(a), plain(b))
    large = (smaller >= _LARGE) & _near(plain(x) * plain(b) - (1.0 - plain(x)) * plain(a), smaller)
    if not occurs(large):
        return _plain_beta_density(a, b, x)
    plainly = _plain_beta_density(np.where(large, 1.0, a), np.where(large, 1.0, b), np.where(large, 0.5, x))
    a, b, x = (
        np.where(large, a, _LARGE),
        np.where(large, b, _LARGE),
        np.where(large, x, 0.5),
    )  # safe where not asked for
    off = x * b - (1.0 - x) * a
    exponent = a * Log1pmx()(off / a) + b * Log1pmx()(-off / b)
    exponent = exponent + _remainder(a + b) - _remainder(a) - _remainder(b)
    height = np.sqrt(a * (b / (a + b)) / (2.0 * math.pi))
    return np.where(large, height / (x * (1.0 - x)) * np.exp(exponent), plainly)


def _plain_beta_density(a: Any, b: Any, x: Any) -> Any:
    return np.exp(special.xlogy(a - 1.0, x) + special.xlog1py(b - 1.0, -x) - special.betaln(a, b))


def _near(off: Any, shape: Any) -> Any:
    """Whether x is so near the middle that log(1 + u) is no worse than u; in the tails the logarithms themselves are better."""
    return np.abs(off) < 0.5 * shape


def _remainder(a: Any) -> Any:
    """log Γ(a) less Stirling's formula (a − ½) log a − a + ½ log 2π, for a of 10 and more."""
    inverse = 1.0 / a
    square = inverse * inverse
    total: Any = 0.0
    for coefficient in _STIRLING:
        total = total * square + coefficient
    return total * inverse
