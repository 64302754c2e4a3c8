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
    below = special.betainc(plain(a), plain(b), plain(x)) < 0.5
    lower = by_differences(special.betainc, (a, b, x), place, length)
    upper = by_differences(special.betaincc, (a, b, x), place, length)
    slope = np.where(below, lower, -upper)
    scaled = plain(shape) > _NORMAL
    return np.where(scaled, -beta_density(a, b, x) * _scaled_slope(place, a, b, x), slope) if occurs(scaled) else slope


def _scaled_slope(place: int, a: Any, b: Any, x: Any) -> Any:
    """∂x / ∂a or ∂x / ∂b for x = mean + q · deviation: a large shape does no more than move and scale the distribution."""
    total = a + b
    shape, mean = (a, b)[place], a / total
    of_mean = (b / total, -mean)[place] / total
    of_deviation = 0.5 * (1.0 / shape - 2.0 / total - 1.0 / (total + 1.0))
    return of_mean + (x - mean) * of_deviation


def betaincinv_by(place: int, a: Any, b: Any, x: Any) -> Any:
    """∂x / ∂a (place 0) or ∂x / ∂b (place 1) where I_x(a, b) stays what it is; ∂x / ∂I for place 2."""
    if place == 2:
        return 1.0 / beta_density(a, b, x)
    ends = (plain(x) == 0.0) | (plain(x) == 1.0)  # which stay where they are
    if not occurs(ends):
        return -betainc_by(place, a, b, x) / beta_density(a, b, x)
    x = np.where(ends, 0.5, x)
    return np.where(ends, 0.0, -betainc_by(place, a, b, x) / beta_density(a, b, x))


def _of_inverse(place: int, a: Any, b: Any, y: Any, z: Any, sign: float) -> Any:
    """A slope of x = I⁻¹(y), sign 1, or of (1 − I)⁻¹(y), sign −1, from whichever of x and 1 − x is smaller."""
    late = plain(z) > 0.5
    last = sign if place == 2 else 1.0
    if not occurs(late):
        return last * betaincinv_by(place, a, b, z)
    mirror = special.betainccinv if sign > 0 else special.betaincinv
    rest = np.where(late, mirror(b, a, y), 0.5)  # 1 − x, with all its digits
    of_rest = betaincinv_by((1, 0, 2)[place], np.where(late, b, 1.0), np.where(late, a, 1.0), rest)
    early = betaincinv_by(place, np.where(late, 1.0, a), np.where(late, 1.0, b), np.where(late, 0.5, z))
    return np.where(late, last * of_rest if place == 2 else -of_rest, last * early)


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
        return _of_inverse(0, a, b, y, self.z, 1.0)

    def slope_b(self, a: Any, b: Any, y: Any) -> Any:
        return _of_inverse(1, a, b, y, self.z, 1.0)

    def slope_y(self, a: Any, b: Any, y: Any) -> Any:
        return _of_inverse(2, a, b, y, self.z, 1.0)


class Betainccinv(Special):
    """z = the x at which 1 − I_x(a, b) = y. A scaler: y receives −dz / density; a and b by differences."""

    ufunc, symbol, domain = special.betainccinv, "(1 − I)⁻¹", _BETA
    uses_output = True

    def slope_a(self, a: Any, b: Any, y: Any) -> Any:
        return _of_inverse(0, a, b, y, self.z, -1.0)

    def slope_b(self, a: Any, b: Any, y: Any) -> Any:
        return _of_inverse(1, a, b, y, self.z, -1.0)

    def slope_y(self, a: Any, b: Any, y: Any) -> Any:
        return _of_inverse(2, a, b, y, self.z, -1.0)
