"""The error function and its family, the normal distribution, Fresnel and Dawson integrals.

Far out, where a slope would be the difference of nearly equal numbers (erfcx, dawsn), it is an asymptotic series
instead, so that tails keep their digits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.special.kind import Special
from gategrad.recording import plain

__all__ = [
    "Dawsn",
    "Erf",
    "Erfc",
    "Erfcinv",
    "Erfcx",
    "Erfi",
    "Erfinv",
    "Fresnel",
    "LogNdtr",
    "Ndtr",
    "Ndtri",
    "NdtriExp",
    "OwensT",
    "Wofz",
]

_TWO_BY_ROOT_PI = 2.0 / math.sqrt(math.pi)
_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
_ROOT_HALF = math.sqrt(0.5)
_FAR = 8.0  # from here on twelve terms of the series are exact to an ulp, and the difference loses two digits
_TERMS = 12


def _inverse_powers(x: Any, sign: float) -> Any:
    """Σ sign^n (2n − 1)!! (2n + 1) / (2 x²)^n, for n below 12."""
    y = 0.5 / (x * x)
    total: Any = 0.0
    for n in reversed(range(_TERMS)):
        total = total * y + sign**n * math.prod(range(1, 2 * n, 2)) * (2 * n + 1)
    return total


class Erf(Special):
    """z = 2/√π ∫₀ˣ exp(−t²) dt. A scaler: x receives 2/√π · exp(−x²) · dz."""

    ufunc, symbol = special.erf, "erf"

    def slope_x(self, x: Any) -> Any:
        return _TWO_BY_ROOT_PI * np.exp(-x * x)


class Erfc(Special):
    """z = 1 − erf(x). A scaler: x receives −2/√π · exp(−x²) · dz."""

    ufunc, symbol = special.erfc, "erfc"

    def slope_x(self, x: Any) -> Any:
        return -_TWO_BY_ROOT_PI * np.exp(-x * x)


class Erfcx(Special):
    """z = exp(x²) · erfc(x). A scaler: x receives (2 x z − 2/√π) · dz, for large x by its asymptotic series."""

    ufunc, symbol = special.erfcx, "erfcx"
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        near = 2.0 * x * self.z - _TWO_BY_ROOT_PI
        if np.iscomplexobj(plain(x)):
            return near
        far = plain(x) > _FAR
        distant = np.where(far, x, _FAR)
        series = -0.5 * _TWO_BY_ROOT_PI * _inverse_powers(distant, -1.0) / (distant * distant)
        return np.where(far, series, near)


class Erfi(Special):
    """z = −i erf(ix). A scaler: x receives 2/√π · exp(x²) · dz."""

    ufunc, symbol = special.erfi, "erfi"

    def slope_x(self, x: Any) -> Any:
        return _TWO_BY_ROOT_PI * np.exp(x * x)


class Erfinv(Special):
    """z = erf⁻¹(x). A scaler: x receives √π/2 · exp(z²) · dz."""

    ufunc, symbol, domain = special.erfinv, "erf⁻¹", ((-0.9, 0.9),)
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return np.exp(self.z * self.z) / _TWO_BY_ROOT_PI


class Erfcinv(Special):
    """z = erfc⁻¹(x). A scaler: x receives −√π/2 · exp(z²) · dz."""

    ufunc, symbol, domain = special.erfcinv, "erfc⁻¹", ((0.1, 1.9),)
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return -np.exp(self.z * self.z) / _TWO_BY_ROOT_PI


class Dawsn(Special):
    """z = exp(−x²) ∫₀ˣ exp(t²) dt. A scaler: x receives (1 − 2 x z) · dz, for large x by its asymptotic series."""

    ufunc, symbol = special.dawsn, "dawsn"
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        near = 1.0 - 2.0 * x * self.z
        if np.iscomplexobj(plain(x)):
            return near
        far = np.abs(plain(x)) > _FAR
        distant = np.where(far, x, _FAR)
        return np.where(far, -0.5 * _inverse_powers(distant, 1.0) / (distant * distant), near)


class Wofz(Special):
    """z = exp(−x²) · erfc(−ix), Faddeeva's function, complex. A scaler: x receives (2i/√π − 2 x z) · dz."""

    ufunc, symbol = special.wofz, "w"
    complex_valued = True
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return 1j * _TWO_BY_ROOT_PI - 2.0 * x * self.z


class Fresnel(Special):
    """s, c = ∫₀ˣ sin(π t²/2) dt, ∫₀ˣ cos(π t²/2) dt. A scaler: x receives the integrands times dz, added."""

    ufunc, symbol = special.fresnel, "S, C"

    def slope_x(self, x: Any) -> Any:
        angle = 0.5 * math.pi * x * x
        return np.sin(angle), np.cos(angle)


# --- the normal distribution --------------------------------------------------------------------------------------------


def _normal_density(x: Any) -> Any:
    return np.exp(-0.5 * x * x) / _ROOT_TWO_PI


class Ndtr(Special):
    """z = Φ(x), the normal distribution. A scaler: x receives its density φ(x) times dz."""

    ufunc, symbol = special.ndtr, "Φ"

    def slope_x(self, x: Any) -> Any:
        return _normal_density(x)


class LogNdtr(Special):
    """z = log Φ(x). A scaler: x receives φ(x) / Φ(x) · dz, which is √(2/π) / erfcx(−x/√2), exact in the far left."""

    ufunc, symbol = special.log_ndtr, "log Φ"

    def slope_x(self, x: Any) -> Any:
        return math.sqrt(2.0 / math.pi) / special.erfcx(-_ROOT_HALF * x)


class Ndtri(Special):
    """z = Φ⁻¹(x). A scaler: x receives dz / φ(z)."""

    ufunc, symbol, domain = special.ndtri, "Φ⁻¹", ((0.1, 0.9),)
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return _ROOT_TWO_PI * np.exp(0.5 * self.z * self.z)


class NdtriExp(Special):
    """z = Φ⁻¹(exp x). A scaler: x receives Φ(z) / φ(z) · dz."""

    ufunc, symbol, domain = special.ndtri_exp, "Φ⁻¹ exp", ((-4.0, -0.2),)
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return math.sqrt(0.5 * math.pi) * special.erfcx(-_ROOT_HALF * self.z)


class OwensT(Special):
    """z = ∫₀ᵃ exp(−h²(1 + t²)/2) / (2π (1 + t²)) dt. A scaler: a receives the integrand, h −φ(h) erf(ah/√2)/2."""

    ufunc, symbol, domain = special.owens_t, "T", ((-2.0, 2.0), (-2.0, 2.0))

    def slope_h(self, h: Any, a: Any) -> Any:
        return -0.5 * _normal_density(h) * special.erf(_ROOT_HALF * a * h)

    def slope_a(self, h: Any, a: Any) -> Any:
        wide = 1.0 + a * a
        return np.exp(-0.5 * h * h * wide) / (2.0 * math.pi * wide)
