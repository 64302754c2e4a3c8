"""Entropies and divergences, logistic functions, robust losses, and the Box-Cox transformation.

At 0 the limits hold that information theory uses: 0 · log 0 = 0. The slope of −x log x at 0 is +inf, and there is no
finite one; where a function is a constant infinity (outside its domain) nothing flows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.singular import occurs
from gategrad.gates.special.kind import Special
from gategrad.gates.special.power_series import power_series
from gategrad.recording import plain

__all__ = [
    "Boxcox",
    "Boxcox1p",
    "Entr",
    "Expit",
    "Exprel",
    "Huber",
    "InvBoxcox",
    "InvBoxcox1p",
    "KlDiv",
    "LogExpit",
    "Logit",
    "PseudoHuber",
    "RelEntr",
    "Xlog1py",
    "Xlogy",
]

_POSITIVE_PAIR = ((0.2, 2.0), (0.2, 2.0))


def _log_where(x: Any, inside: Any) -> Any:
    """log x where the mask is true, else 0; at 0 it is −inf, which is meant and warns of nothing."""
    with np.errstate(divide="ignore"):
        return np.where(inside, np.log(np.where(inside, x, 1.0)), 0.0)


def _ratio(x: Any, y: Any) -> Any:
    """x / y, where 0 / 0 is 0, as in 0 · log 0."""
    both = (plain(x) == 0) & (plain(y) == 0)
    with np.errstate(divide="ignore"):
        return np.divide(x, np.where(both, 1.0, y)) if occurs(both) else np.divide(x, y)


class Xlogy(Special):
    """z = x · log(y), and 0 where x is 0. A scaler: x receives log(y) · dz, y receives x / y · dz."""

    ufunc, symbol, domain = special.xlogy, "x log y", ((-2.0, 2.0), (0.2, 2.0))

    def slope_x(self, x: Any, y: Any) -> Any:
        with np.errstate(divide="ignore"):
            return np.log(y)

    def slope_y(self, x: Any, y: Any) -> Any:
        return _ratio(x, y)


class Xlog1py(Special):
    """z = x · log(1 + y), and 0 where x is 0. A scaler: x receives log(1 + y) · dz, y receives x / (1 + y) · dz."""

    ufunc, symbol, domain = special.xlog1py, "x log1p y", ((-2.0, 2.0), (-0.5, 2.0))

    def slope_x(self, x: Any, y: Any) -> Any:
        with np.errstate(divide="ignore"):
            return np.log1p(y)

    def slope_y(self, x: Any, y: Any) -> Any:
        return _ratio(x, 1.0 + y)


class Entr(Special):
    """z = −x · log(x), 0 at 0, −inf below. A scaler: x receives −(log(x) + 1) · dz, infinite at 0, nothing below."""

    ufunc, symbol, domain = special.entr, "entr", ((0.2, 2.0),)

    def slope_x(self, x: Any) -> Any:
        inside = plain(x) >= 0
        return np.where(inside, -1.0 - _log_where(x, inside), 0.0)


class RelEntr(Special):
    """z = x · log(x / y), 0 where x is 0. A scaler: x receives (log(x / y) + 1) · dz, y receives −x / y · dz."""

    ufunc, symbol, domain = special.rel_entr, "rel entr", _POSITIVE_PAIR

    def slope_x(self, x: Any, y: Any) -> Any:
        inside = (plain(x) >= 0) & (plain(y) > 0)
        return np.where(inside, 1.0 + _log_where(x, inside) - _log_where(y, inside), 0.0)

    def slope_y(self, x: Any, y: Any) -> Any:
        inside = (plain(x) >= 0) & (plain(y) > 0)
        return np.where(inside, -np.where(inside, x, 0.0) / np.where(inside, y, 1.0), 0.0)


class KlDiv(Special):
    """z = x · log(x / y) − x + y. A scaler: x receives log(x / y) · dz, y receives (1 − x / y) · dz."""

    ufunc, symbol, domain = special.kl_div, "kl", _POSITIVE_PAIR

    def slope_x(self, x: Any, y: Any) -> Any:
        inside = (plain(x) >= 0) & (plain(y) > 0)
        return np.where(inside, _log_where(x, inside) - _log_where(y, inside), 0.0)

    def slope_y(self, x: Any, y: Any) -> Any:
        x_inside, y_inside = plain(x) >= 0, plain(y) > 0
        inside = x_inside & y_inside
        quotient = np.where(inside, x, 0.0) / np.where(inside, y, 1.0)
        at_zero = (plain(x) == 0) & (plain(y) == 0)  # y − 0 from the right
        return np.where(inside, 1.0 - quotient, 1.0 * at_zero)


# --- logistic -----------------------------------------------------------------------------------------------------------


class Expit(Special):
    """z = 1 / (1 + exp(−x)). A scaler: x receives z · expit(−x) · dz, exact on both sides."""

    ufunc, symbol = special.expit, "σ"
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return self.z * special.expit(-x)


class Logit(Special):
    """z = log(x / (1 − x)). A scaler: x receives dz / (x (1 − x)), infinite at 0 and 1."""

    ufunc, symbol, domain = special.logit, "logit", ((0.1, 0.9),)

    def slope_x(self, x: Any) -> Any:
        return np.divide(1.0, x * (1.0 - x))


class LogExpit(Special):
    """z = −log(1 + exp(−x)). A scaler: x receives expit(−x) · dz."""

    ufunc, symbol = special.log_expit, "log σ"

    def slope_x(self, x: Any) -> Any:
        return special.expit(-x)


# --- robust losses ------------------------------------------------------------------------------------------------------


class Huber(Special):
    """z = r²/2 where |r| ≤ δ, else δ (|r| − δ/2). A scaler: r receives r, clipped at ±δ, times dz; δ max(|r| − δ, 0)."""

    ufunc, symbol, domain = special.huber, "huber", ((0.5, 1.0), (1.2, 3.0))

    def slope_delta(self, delta: Any, r: Any) -> Any:
        inside = plain(delta) >= 0
        return np.where(inside, np.maximum(np.abs(r) - delta, 0.0), 0.0)

    def slope_r(self, delta: Any, r: Any) -> Any:
        bound = np.maximum(delta, 0.0)
        return np.clip(r, -bound, bound)


class PseudoHuber(Special):
    """z = δ² (√(1 + (r/δ)²) − 1). A scaler: with u = r/δ and s = √(1 + u²), r receives r/s · dz, δ δ u⁴/(s (1 + s)²)."""

    ufunc, symbol, domain = special.pseudo_huber, "pseudo huber", ((0.5, 2.0), (-2.0, 2.0))

    def slope_delta(self, delta: Any, r: Any) -> Any:
        u = r / delta
        s = np.sqrt(1.0 + u * u)
        return delta * (u * u / (1.0 + s)) ** 2 / s

    def slope_r(self, delta: Any, r: Any) -> Any:
        u = r / delta
        return r / np.sqrt(1.0 + u * u)


# --- powers in a smooth parameter ---------------------------------------------------------------------------------------

_NEAR, _TERMS = 1.0, 20
_SERIES = [k / math.factorial(k + 1) for k in range(_TERMS, 0, -1)]


class Exprel(Special):
    """z = (exp(x) − 1) / x, and 1 at 0. A scaler: x receives (exp(x) − z) / x · dz, near 0 by its series."""

    ufunc, symbol = special.exprel, "exprel"
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        near = np.abs(plain(x)) < _NEAR
        distant = np.where(near, 1.0, x)
        return np.where(near, power_series(np.where(near, x, 0.0), _SERIES), (np.exp(x) - self.z) / distant)


def _exprel_slope(u: Any) -> Any:
    """The slope of exprel at u, of whatever flows."""
    near = np.abs(plain(u)) < _NEAR
    distant = np.where(near, 1.0, u)
    return np.where(near, power_series(np.where(near, u, 0.0), _SERIES), (np.exp(u) - special.exprel(u)) / distant)


class Boxcox(Special):
    """z = (x^λ − 1) / λ, log(x) for λ = 0. A scaler: x receives x^(λ−1) · dz, λ log²(x) · exprel′(λ log x) · dz."""

    ufunc, symbol, domain = special.boxcox, "boxcox", ((0.3, 3.0), (-1.5, 1.5))

    def slope_x(self, x: Any, lam: Any) -> Any:
        return np.power(x, lam - 1.0)

    def slope_lam(self, x: Any, lam: Any) -> Any:
        log = np.log(x)
        return log * log * _exprel_slope(lam * log)


class Boxcox1p(Special):
    """z = ((1 + x)^λ − 1) / λ. A scaler: as `Boxcox`, of 1 + x."""

    ufunc, symbol, domain = special.boxcox1p, "boxcox1p", ((-0.5, 2.0), (-1.5, 1.5))

    def slope_x(self, x: Any, lam: Any) -> Any:
        return np.exp((lam - 1.0) * np.log1p(x))

    def slope_lam(self, x: Any, lam: Any) -> Any:
        log = np.log1p(x)
        return log * log * _exprel_slope(lam * log)


class InvBoxcox(Special):
    """z = (λ y + 1)^(1/λ), exp(y) for λ = 0. A scaler: y receives z^(1−λ) · dz, λ what `Boxcox` says, turned round."""

    ufunc, symbol, domain = special.inv_boxcox, "boxcox⁻¹", ((-0.4, 0.5), (-1.5, 1.5))
    uses_output = True

    def slope_y(self, y: Any, lam: Any) -> Any:
        return np.power(self.z, 1.0 - lam)

    def slope_lam(self, y: Any, lam: Any) -> Any:
        log = np.log(self.z)
        return -log * log * _exprel_slope(lam * log) * np.power(self.z, 1.0 - lam)


class InvBoxcox1p(Special):
    """z = (λ y + 1)^(1/λ) − 1. A scaler: as `InvBoxcox`, of 1 + z."""

    ufunc, symbol, domain = special.inv_boxcox1p, "boxcox1p⁻¹", ((-0.4, 0.5), (-1.5, 1.5))
    uses_output = True

    def slope_y(self, y: Any, lam: Any) -> Any:
        return np.exp((1.0 - lam) * np.log1p(self.z))

    def slope_lam(self, y: Any, lam: Any) -> Any:
        log = np.log1p(self.z)
        return -log * log * _exprel_slope(lam * log) * np.exp((1.0 - lam) * log)
