"""Solutions of linear differential equations of second order: Airy, Kelvin, parabolic cylinder, Mathieu.

Each comes with its derivative; the slope of that is what the differential equation says.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from scipy import special

from gategrad.gates.special.kind import Special

__all__ = [
    "Airy",
    "Airye",
    "Bei",
    "Beip",
    "Ber",
    "Berp",
    "Kei",
    "Keip",
    "Ker",
    "Kerp",
    "MathieuCem",
    "MathieuSem",
    "Pbdv",
    "Pbvv",
    "Pbwa",
]

_POSITIVE = ((0.5, 3.0),)


class Airy(Special):
    """ai, aip, bi, bip = Ai(x), Ai′(x), Bi(x), Bi′(x). A scaler: f″ = x f."""

    ufunc, symbol = special.airy, "Ai Bi"
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        ai, aip, bi, bip = self.z
        return aip, x * ai, bip, x * bi


class Airye(Special):
    """ai, aip, bi, bip = the Airy functions for x ≥ 0 times exp(±⅔ x^(3/2)). A scaler: f″ = x f, and the factor's slope."""

    ufunc, symbol, domain = special.airye, "Ai Bi exp", _POSITIVE
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        ai, aip, bi, bip = self.z
        root = np.sqrt(x)
        return aip + root * ai, x * ai + root * aip, bip - root * bi, x * bi - root * bip


# --- Kelvin -------------------------------------------------------------------------------------------------------------


class Ber(Special):
    """z = ber(x), the real part of J₀(x exp(3πi/4)). A scaler: x receives ber′(x) · dz."""

    ufunc, symbol, domain = special.ber, "ber", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return special.berp(x)


class Berp(Special):
    """z = ber′(x). A scaler: x receives −(bei(x) + z / x) · dz."""

    ufunc, symbol, domain = special.berp, "ber′", _POSITIVE
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return -special.bei(x) - self.z / x


class Bei(Special):
    """z = bei(x), the imaginary part of J₀(x exp(3πi/4)). A scaler: x receives bei′(x) · dz."""

    ufunc, symbol, domain = special.bei, "bei", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return special.beip(x)


class Beip(Special):
    """z = bei′(x). A scaler: x receives (ber(x) − z / x) · dz."""

    ufunc, symbol, domain = special.beip, "bei′", _POSITIVE
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return special.ber(x) - self.z / x


class Ker(Special):
    """z = ker(x), the real part of K₀(x exp(πi/4)). A scaler: x receives ker′(x) · dz."""

    ufunc, symbol, domain = special.ker, "ker", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return special.kerp(x)


class Kerp(Special):
    """z = ker′(x). A scaler: x receives −(kei(x) + z / x) · dz."""

    ufunc, symbol, domain = special.kerp, "ker′", _POSITIVE
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return -special.kei(x) - self.z / x


class Kei(Special):
    """z = kei(x), the imaginary part of K₀(x exp(πi/4)). A scaler: x receives kei′(x) · dz."""

    ufunc, symbol, domain = special.kei, "kei", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return special.keip(x)


class Keip(Special):
    """z = kei′(x). A scaler: x receives (ker(x) − z / x) · dz."""

    ufunc, symbol, domain = special.keip, "kei′", _POSITIVE
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return special.ker(x) - self.z / x


# --- parabolic cylinder -------------------------------------------------------------------------------------------------

_ORDER_AND_ARGUMENT = ((0.3, 1.7), (0.5, 2.0))
_ORDER: dict[str, str] = {"v": "no formula in known functions exists for it; pass the order as a plain number"}


class Pbdv(Special):
    """d, dp = D_v(x), D_v′(x), parabolic cylinder functions. A scaler: f″ = (x²/4 − v − ½) f."""

    ufunc, symbol, domain = special.pbdv, "D", _ORDER_AND_ARGUMENT
    uses_output, without_slope = True, _ORDER

    def slope_x(self, v: Any, x: Any) -> Any:
        d, dp = self.z
        return dp, (0.25 * x * x - v - 0.5) * d


class Pbvv(Special):
    """v, vp = V_v(x), V_v′(x), parabolic cylinder functions. A scaler: f″ = (x²/4 − v − ½) f."""

    ufunc, symbol, domain = special.pbvv, "V", _ORDER_AND_ARGUMENT
    uses_output, without_slope = True, _ORDER

    def slope_x(self, v: Any, x: Any) -> Any:
        d, dp = self.z
        return dp, (0.25 * x * x - v - 0.5) * d


class Pbwa(Special):
    """w, wp = W(a, x), W′(a, x), parabolic cylinder functions. A scaler: f″ = (a − x²/4) f."""

    ufunc, symbol, domain = special.pbwa, "W", _ORDER_AND_ARGUMENT
    uses_output = True
    without_slope: ClassVar = {"a": _ORDER["v"]}

    def slope_x(self, a: Any, x: Any) -> Any:
        w, wp = self.z
        return wp, (a - 0.25 * x * x) * w


# --- Mathieu ------------------------------------------------------------------------------------------------------------

_DEGREE = math.pi / 180.0
_MATHIEU = ((1, 3), (0.5, 2.0), (10.0, 80.0))


class _OfMathieu(Special):
    """A Mathieu function of order m, parameter q and x in degrees, with its derivative by the angle in radians."""

    domain = _MATHIEU
    whole = ("m",)
    uses_output = True
    without_slope: ClassVar = {
        "m": "orders are integers; pass a plain int",
        "q": "no formula in known functions exists for it; pass q as a plain number",
    }


class MathieuCem(_OfMathieu):
    """y, yp = ce_m(x, q), ce_m′, even Mathieu functions of x in degrees. A scaler: f″ = (2q cos 2x − a) f."""

    ufunc, symbol = special.mathieu_cem, "ce"

    def slope_x(self, m: Any, q: Any, x: Any) -> Any:
        y, yp = self.z
        return _DEGREE * yp, _DEGREE * (2.0 * q * np.cos(2.0 * _DEGREE * x) - special.mathieu_a(m, q)) * y


class MathieuSem(_OfMathieu):
    """y, yp = se_m(x, q), se_m′, odd Mathieu functions of x in degrees. A scaler: f″ = (2q cos 2x − b) f."""

    ufunc, symbol = special.mathieu_sem, "se"

    def slope_x(self, m: Any, q: Any, x: Any) -> Any:
        y, yp = self.z
        return _DEGREE * yp, _DEGREE * (2.0 * q * np.cos(2.0 * _DEGREE * x) - special.mathieu_b(m, q)) * y
