"""Incomplete gamma and beta functions and their inverses.

In the argument the slope is a density, a closed form. In the shape parameters it is found by differences (see
`differences`), always of the smaller of a function and its complement, so that tails keep their digits. The slopes of
an inverse are those of the function, turned round.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.singular import occurs
from gategrad.gates.special.densities import beta_density, gamma_density
from gategrad.gates.special.differences import by_differences, length_of_shape
from gategrad.gates.special.kind import Special
from gategrad.recording import plain

__all__ = [
    "Betainc",
    "Betaincc",
    "Betainccinv",
    "Betaincinv",
    "Gammainc",
    "Gammaincc",
    "Gammainccinv",
    "Gammaincinv",
    "betainc_by",
    "gammainc_by_a",
    "gammaincinv_by_a",
]

_GAMMA = ((0.5, 3.0), (0.5, 4.0))
_GAMMA_INVERSE = ((0.5, 3.0), (0.1, 0.9))
_BETA = ((0.5, 3.0), (0.5, 3.0), (0.1, 0.9))
_NORMAL = 1e12
"""From this shape on the gamma distribution is a normal one to all digits that differences would give."""


def gammainc_by_a(a: Any, x: Any) -> Any:
    """∂P(a, x) / ∂a."""
    below = plain(x) < plain(a)
    lower = by_differences(special.gammainc, (a, x), 0, _length(a, x))
    upper = by_differences(special.gammaincc, (a, x), 0, _length(a, x))
    slope = np.where(below, lower, -upper)
    normal = plain(a) > _NORMAL
    return np.where(normal, -gamma_density(a, x) * _normal_slope(a, x), slope) if occurs(normal) else slope


def gammaincinv_by_a(a: Any, x: Any) -> Any:
    """∂x / ∂a where P(a, x) stays what it is."""
    normal = plain(a) > _NORMAL
    density = np.where(normal, 1.0, gamma_density(a, x))
    return np.where(normal, _normal_slope(a, x), -gammainc_by_a(a, x) / density)


def _normal_slope(a: Any, x: Any) -> Any:
    """∂x / ∂a for x = a + q√a, a quantile of the normal distribution that the gamma distribution becomes."""
    return 1.0 + (x - a) / (2.0 * a)


def _length(a: Any, x: Any) -> Any:
    """Far from a, P and Q change like x^a: the length is 1 / |log(x / a)| where that is shorter."""
    a, x = plain(a), plain(x)
    with np.errstate(divide="ignore"):
        return 1.0 / (1.0 / length_of_shape(a) + np.minimum(np.abs(np.log(x / a)), 1e3))


class Gammainc(Special):
    """z = P(a, x) = ∫₀ˣ t^(a−1) e^−t dt / Γ(a). A scaler: x receives the gamma density times dz, a by differences."""

    ufunc, symbol, domain = special.gammainc, "P", _GAMMA

    def slope_a(self, a: Any, x: Any) -> Any:
        return gammainc_by_a(a, x)

    def slope_x(self, a: Any, x: Any) -> Any:
        return gamma_density(a, x)


class Gammaincc(Special):
    """z = Q(a, x) = 1 − P(a, x). A scaler: x receives minus the gamma density times dz, a by differences."""

    ufunc, symbol, domain = special.gammaincc, "Q", _GAMMA

    def slope_a(self, a: Any, x: Any) -> Any:
        return -gammainc_by_a(a, x)

    def slope_x(self, a: Any, x: Any) -> Any:
        return -gamma_density(a, x)


class Gammaincinv(Special):
    """z = the x at which P(a, x) = y. A scaler: y receives dz / density, a minus ∂P/∂a / density times dz."""

    ufunc, symbol, domain = special.gammaincinv, "P⁻¹", _GAMMA_INVERSE
    uses_output = True

    def slope_a(self, a: Any, y: Any) -> Any:
        return gammaincinv_by_a(a, self.z)

    def slope_y(self, a: Any, y: Any) -> Any:
        return 1.0 / gamma_density(a, self.z)


class Gammainccinv(Special):
    """z = the x at which Q(a, x) = y. A scaler: y receives −dz / density, a minus ∂P/∂a / density times dz."""

    ufunc, symbol, domain = special.gammainccinv, "Q⁻¹", _GAMMA_INVERSE
    uses_output = True

    def slope_a(self, a: Any, y: Any) -> Any:
        return gammaincinv_by_a(a, self.z)

    def slope_y(self, a: Any, y: Any) -> Any:
        return -1.0 / gamma_density(a, self.z)


def betainc_by(place: int, a: Any, b: Any, x: Any) -> Any:
    """∂I_x(a, b) / ∂a (place 0) or ∂b (place 1)."""
    shape = (a, b)[place]
    one = (x, 1.0 - x)[place]
    with np.errstate(divide="ignore"):
        reach = np.minimum(np.abs(np.log(plain(one) * (plain(a) + plain(b)) / plain(shape))), 1e3)
    length = 1.0 / (1.0 / length_of_shape(shape) + reach)
    below = plain(x) * (plain(a) + plain(b)) < plain(a)
    lower = by_differences(special.betainc, (a, b, x), place, length)
    upper = by_differences(special.betaincc, (a, b, x), place, length)
    return np.where(below, lower, -upper)


class Betainc(Special):
    """z = I_x(a, b) = ∫₀ˣ t^(a−1) (1−t)^(b−1) dt / B(a, b). A scaler: x receives the beta density times dz.

    The shape parameters a and b by differences.
    """

    ufunc, symbol, domain = special.betainc, "I", _BETA

    def slope_a(self, a: Any, b: Any, x: Any) -> Any:
        return betainc_by(0, a, b, x)

    def slope_b(self, a: Any, b: Any, x: Any) -> Any:
        return betainc_by(1, a, b, x)

    def slope_x(self, a: Any, b: Any, x: Any) -> Any:
        return beta_density(a, b, x)


class Betaincc(Special):
    """z = 1 − I_x(a, b). A scaler: x receives minus the beta density times dz; a and b by differences."""

    ufunc, symbol, domain = special.betaincc, "1 − I", _BETA

    def slope_a(self, a: Any, b: Any, x: Any) -> Any:
        return -betainc_by(0, a, b, x)

    def slope_b(self, a: Any, b: Any, x: Any) -> Any:
        return -betainc_by(1, a, b, x)

    def slope_x(self, a: Any, b: Any, x: Any) -> Any:
        return -beta_density(a, b, x)


class Betaincinv(Special):
    """z = the x at which I_x(a, b) = y. A scaler: y receives dz / density; a and b by differences."""

    ufunc, symbol, domain = special.betaincinv, "I⁻¹", _BETA
    uses_output = True

    def slope_a(self, a: Any, b: Any, y: Any) -> Any:
        return -betainc_by(0, a, b, self.z) / beta_density(a, b, self.z)

    def slope_b(self, a: Any, b: Any, y: Any) -> Any:
        return -betainc_by(1, a, b, self.z) / beta_density(a, b, self.z)

    def slope_y(self, a: Any, b: Any, y: Any) -> Any:
        return 1.0 / beta_density(a, b, self.z)


class Betainccinv(Special):
    """z = the x at which 1 − I_x(a, b) = y. A scaler: y receives −dz / density; a and b by differences."""

    ufunc, symbol, domain = special.betainccinv, "(1 − I)⁻¹", _BETA
    uses_output = True

    def slope_a(self, a: Any, b: Any, y: Any) -> Any:
        return -betainc_by(0, a, b, self.z) / beta_density(a, b, self.z)

    def slope_b(self, a: Any, b: Any, y: Any) -> Any:
        return -betainc_by(1, a, b, self.z) / beta_density(a, b, self.z)

    def slope_y(self, a: Any, b: Any, y: Any) -> Any:
        return -1.0 / beta_density(a, b, self.z)
