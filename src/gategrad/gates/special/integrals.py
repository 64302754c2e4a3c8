"""Integrals of elementary functions and of Bessel functions, in their upper bound: the slope is the integrand."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from scipy import special

from gategrad.gates.singular import occurs
from gategrad.gates.special.kind import Special, hidden
from gategrad.recording import plain

__all__ = [
    "Exp1",
    "Expi",
    "Expn",
    "It2i0k0",
    "It2j0y0",
    "It2struve0",
    "Itairy",
    "Iti0k0",
    "Itj0y0",
    "Itmodstruve0",
    "Itstruve0",
    "Lambertw",
    "Modstruve",
    "Shichi",
    "Sici",
    "Spence",
    "Struve",
    "Wrightomega",
    "lambertw",
]

_POSITIVE = ((0.5, 3.0),)


class Expi(Special):
    """z = ∫ from −∞ to x of exp(t)/t dt. A scaler: x receives exp(x) / x · dz."""

    ufunc, symbol, domain = special.expi, "Ei", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return np.divide(np.exp(x), x)


class Exp1(Special):
    """z = ∫ from x to ∞ of exp(−t)/t dt. A scaler: x receives −exp(−x) / x · dz."""

    ufunc, symbol, domain = special.exp1, "E₁", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return -np.divide(np.exp(-x), x)


class Expn(Special):
    """z = ∫ from 1 to ∞ of exp(−xt)/t^n dt. A scaler: x receives −E_(n−1)(x) · dz."""

    ufunc, symbol, domain = special.expn, "E", ((1, 4), (0.5, 3.0))
    whole = ("n",)
    uses_output = True
    without_slope: ClassVar = {"n": "it is an integer; pass a plain int"}

    def slope_x(self, n: Any, x: Any) -> Any:
        below = n - 1 if isinstance(n, int) else np.maximum(n - 1, 0)
        lower = special.expn(max(below, 0) if isinstance(below, int) else below, x)
        of_zero = -self.z * (1.0 + 1.0 / x)  # E₀ = exp(−x) / x
        return np.where(np.equal(n, 0), of_zero, -lower)


class Shichi(Special):
    """shi, chi = ∫₀ˣ sinh(t)/t dt, γ + log x + ∫₀ˣ (cosh(t) − 1)/t dt. A scaler: x receives sinh(x)/x, cosh(x)/x."""

    ufunc, symbol, domain = special.shichi, "Shi Chi", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        zero = plain(x) == 0
        return np.where(zero, 1.0, np.sinh(x) / np.where(zero, 1.0, x)), np.divide(np.cosh(x), x)


class Sici(Special):
    """si, ci = ∫₀ˣ sin(t)/t dt, γ + log x + ∫₀ˣ (cos(t) − 1)/t dt. A scaler: x receives sin(x)/x, cos(x)/x."""

    ufunc, symbol, domain = special.sici, "Si Ci", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        zero = plain(x) == 0
        return np.where(zero, 1.0, np.sin(x) / np.where(zero, 1.0, x)), np.divide(np.cos(x), x)


_NEAR, _TERMS = 0.1, 16
_LOG_SERIES = [(-1.0) ** n / (n + 1) for n in range(_TERMS - 1, -1, -1)]


class Spence(Special):
    """z = −∫₁ˣ log(t)/(t − 1) dt, the dilogarithm of 1 − x. A scaler: x receives −log(x)/(x − 1) · dz, −1 at 1."""

    ufunc, symbol, domain = special.spence, "Li₂", ((0.3, 3.0),)

    def slope_x(self, x: Any) -> Any:
        u = x - 1.0
        near = np.abs(plain(u)) < _NEAR
        distant = np.where(near, 1.0, u)
        close = np.where(near, u, 0.0)
        series: Any = _LOG_SERIES[0]
        for c in _LOG_SERIES[1:]:
            series = series * close + c
        with np.errstate(divide="ignore"):
            return -np.where(near, series, np.log(np.where(near, 2.0, x)) / distant)


class Lambertw(Special):
    """z = the w with w exp(w) = x, complex, on branch k. A scaler: x receives exp(−w) / (1 + w) · dz."""

    ufunc, symbol, domain = hidden("_lambertw"), "W", ((0.5, 3.0), (0, 0), (1e-8, 1e-8))
    complex_valued = True
    whole = ("k",)
    uses_output = True

    def slope_x(self, x: Any, k: Any, tol: Any) -> Any:
        return np.exp(-self.z) / (1.0 + self.z)


def lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    """The complex solution w of w · exp(w) = z, on branch k; as `scipy.special.lambertw`.

    `z` real or complex of any shape, on variables too.

    >>> complex(lambertw(0.0))
    0j
    """
    return special.lambertw(z, k, tol)


class Wrightomega(Special):
    """z = the w with w + log(w) = x. A scaler: x receives z / (1 + z) · dz."""

    ufunc, symbol = special.wrightomega, "ω"
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return self.z / (1.0 + self.z)


# --- integrals of Bessel and Airy functions, and Struve functions ---------------------------------------------------------


class Itj0y0(Special):
    """ij, iy = ∫₀ˣ J₀, ∫₀ˣ Y₀. A scaler: x receives J₀(x), Y₀(x) times dz, added."""

    ufunc, symbol, domain = special.itj0y0, "∫J₀ ∫Y₀", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return special.j0(x), special.y0(x)


class Iti0k0(Special):
    """ii, ik = ∫₀ˣ I₀, ∫₀ˣ K₀. A scaler: x receives I₀(x), K₀(x) times dz, added."""

    ufunc, symbol, domain = special.iti0k0, "∫I₀ ∫K₀", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return special.i0(x), special.k0(x)


class It2j0y0(Special):
    """ij, iy = ∫₀ˣ (1 − J₀(t))/t dt, ∫ₓ^∞ Y₀(t)/t dt. A scaler: x receives the integrand, minus the integrand."""

    ufunc, symbol, domain = special.it2j0y0, "∫J₀/t ∫Y₀/t", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return _from_one(special.j0, x, -1.0), -special.y0(x) / x


def _from_one(function: Any, x: Any, sign: float) -> Any:
    """sign · (I₀(x) − 1) / x, or the same of J₀ with the other sign: near 0 the series, where the difference has no digits."""
    near = np.abs(plain(x)) < 1.0
    distant = np.where(near, 1.0, x)
    slope = sign * (function(distant) - 1.0) / distant
    if not occurs(near):
        return slope
    quarter = 0.25 * np.where(near, x, 0.0)
    square = sign * quarter * np.where(near, x, 0.0)
    total: Any = 0.0
    for k in range(8, 0, -1):  # Σ (±x²/4)^k / k!², divided by ±x
        total = (total * square + 1.0) / (k * k)
    return np.where(near, quarter * total, slope)


class It2i0k0(Special):
    """ii, ik = ∫₀ˣ (I₀(t) − 1)/t dt, ∫ₓ^∞ K₀(t)/t dt. A scaler: x receives the integrand, minus the integrand."""

    ufunc, symbol, domain = special.it2i0k0, "∫I₀/t ∫K₀/t", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return _from_one(special.i0, x, 1.0), -special.k0(x) / x


class Itairy(Special):
    """a, b, c, d = ∫₀ˣ Ai(t), Bi(t), Ai(−t), Bi(−t) dt. A scaler: x receives the integrands times dz, added.

    SciPy's values are good to 5 digits beyond x = 1; the integrands, which are the gradient, to all.
    """

    ufunc, symbol, domain = special.itairy, "∫Ai ∫Bi", ((0.2, 0.6),)

    def slope_x(self, x: Any) -> Any:
        ai, _, bi, _ = special.airy(x)
        mirrored_ai, _, mirrored_bi, _ = special.airy(-x)
        return ai, bi, mirrored_ai, mirrored_bi


def _struve_term(v: Any, x: Any) -> Any:
    """(x/2)^v / (√π Γ(v + 3/2))."""
    return np.power(0.5 * x, v) * special.rgamma(v + 1.5) / math.sqrt(math.pi)


_ORDER: dict[str, str] = {"v": "no formula in known functions exists for it; pass the order as a plain number"}


class Struve(Special):
    """z = H_v(x), Struve's function. A scaler: x receives (H_(v−1) − H_(v+1) + (x/2)^v / (√π Γ(v + 3/2))) / 2 · dz."""

    ufunc, symbol, domain = special.struve, "H", ((0.3, 2.7), (0.5, 4.0))
    without_slope = _ORDER

    def slope_x(self, v: Any, x: Any) -> Any:
        slope = 0.5 * (special.struve(v - 1, x) - special.struve(v + 1, x) + _struve_term(v, x))
        far = np.abs(plain(x)) > 10.0 + np.abs(plain(v))
        if not occurs(far):
            return slope  # what is subtracted below is 0/0 at 0
        distant = np.where(far, x, 1.0)
        # H_(v+1) and the last term grow as x^v, and cancel
        return np.where(far, special.struve(v - 1, distant) - v * special.struve(v, distant) / distant, slope)


class Modstruve(Special):
    """z = L_v(x), the modified function. A scaler: x receives (L_(v−1) + L_(v+1) + (x/2)^v / (√π Γ(v + 3/2))) / 2 · dz."""

    ufunc, symbol, domain = special.modstruve, "L", ((0.3, 2.7), (0.5, 4.0))
    without_slope = _ORDER

    def slope_x(self, v: Any, x: Any) -> Any:
        return 0.5 * (special.modstruve(v - 1, x) + special.modstruve(v + 1, x) + _struve_term(v, x))


class Itstruve0(Special):
    """z = ∫₀ˣ H₀(t) dt. A scaler: x receives H₀(x) · dz."""

    ufunc, symbol, domain = special.itstruve0, "∫H₀", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return special.struve(0, x)


class It2struve0(Special):
    """z = ∫ₓ^∞ H₀(t)/t dt. A scaler: x receives −H₀(x) / x · dz."""

    ufunc, symbol, domain = special.it2struve0, "∫H₀/t", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return -special.struve(0, x) / x


class Itmodstruve0(Special):
    """z = ∫₀ˣ L₀(t) dt. A scaler: x receives L₀(x) · dz."""

    ufunc, symbol, domain = special.itmodstruve0, "∫L₀", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return special.modstruve(0, x)
