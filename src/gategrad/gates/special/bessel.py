"""Bessel functions in their argument: the slope is a difference or a sum of the neighbouring orders.

With respect to the order there is no elementary formula: asking for that gradient raises, pass a plain number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from scipy import special

from gategrad.gates.singular import occurs
from gategrad.gates.special.kind import Special
from gategrad.recording import plain

__all__ = [
    "Hankel1",
    "Hankel1e",
    "Hankel2",
    "Hankel2e",
    "I0",
    "I0e",
    "I1",
    "I1e",
    "Iv",
    "Ive",
    "J0",
    "J1",
    "Jv",
    "Jve",
    "K0",
    "K0e",
    "K1",
    "K1e",
    "Kn",
    "Kv",
    "Kve",
    "Y0",
    "Y1",
    "Yn",
    "Yv",
    "Yve",
]

_ARGUMENT = ((0.5, 4.0),)
_ORDER_AND_ARGUMENT = ((0.3, 2.7), (0.5, 4.0))
_WHOLE_ORDER_AND_ARGUMENT = ((0, 3), (0.5, 4.0))


class OfOrder(Special):
    """A function of an order, which takes no gradient, and an argument."""

    domain = _ORDER_AND_ARGUMENT
    without_slope: ClassVar = {
        "v": "no formula in known functions exists for it; pass the order as a plain number (v.value), "
        "or use gg.Gate with differences of your own"
    }


class WholeOrder(Special):
    """A function of an integer order and an argument."""

    domain = _WHOLE_ORDER_AND_ARGUMENT
    whole = ("n",)
    without_slope: ClassVar = {"n": "orders are integers; pass a plain int"}


_FAR = 1e5
"""From here on two terms of the asymptotic series have as many digits as a difference of neighbours has."""


def _far_out(slope: Any, z: Any, v: Any, x: Any, sign: float) -> Any:
    """The slope of I_v(x) exp(−|x|) (sign −1) or K_v(x) exp(x) (sign 1), by its asymptotic series where x is large.

    z ~ (1 ± (4v² − 1) / 8|x| …) / √|x|, so that its logarithm changes by −1/2x (1 ± (4v² − 1) / 4|x|).
    """
    far = np.abs(plain(x)) > _FAR * (1.0 + plain(v) * plain(v))
    if not occurs(far):
        return slope
    distant = np.where(far, x, _FAR)
    series = -0.5 / distant * (1.0 + sign * (v * v - 0.25) / np.abs(distant)) * z
    return np.where(far, series, slope)


def _neighbours(function: Callable[..., Any], v: Any, x: Any, lower: float, upper: float) -> Any:
    """lower · f(v − 1, x) + upper · f(v + 1, x)."""
    return lower * function(v - 1, x) + upper * function(v + 1, x)


class Jv(OfOrder):
    """z = J_v(x). A scaler: x receives (J_(v−1)(x) − J_(v+1)(x)) / 2 · dz."""

    ufunc, symbol = special.jv, "J"

    def slope_x(self, v: Any, x: Any) -> Any:
        return _neighbours(special.jv, v, x, 0.5, -0.5)


class Yv(OfOrder):
    """z = Y_v(x). A scaler: x receives (Y_(v−1)(x) − Y_(v+1)(x)) / 2 · dz."""

    ufunc, symbol = special.yv, "Y"

    def slope_x(self, v: Any, x: Any) -> Any:
        return _neighbours(special.yv, v, x, 0.5, -0.5)


class Iv(OfOrder):
    """z = I_v(x). A scaler: x receives (I_(v−1)(x) + I_(v+1)(x)) / 2 · dz."""

    ufunc, symbol = special.iv, "I"

    def slope_x(self, v: Any, x: Any) -> Any:
        return _neighbours(special.iv, v, x, 0.5, 0.5)


class Kv(OfOrder):
    """z = K_v(x). A scaler: x receives −(K_(v−1)(x) + K_(v+1)(x)) / 2 · dz."""

    ufunc, symbol = special.kv, "K"

    def slope_x(self, v: Any, x: Any) -> Any:
        return _neighbours(special.kv, v, x, -0.5, -0.5)


class Jve(OfOrder):
    """z = J_v(x) · exp(−|Im x|), for real x as J. A scaler: x receives (z_(v−1) − z_(v+1)) / 2 · dz."""

    ufunc, symbol = special.jve, "J exp"

    def slope_x(self, v: Any, x: Any) -> Any:
        return _neighbours(special.jve, v, x, 0.5, -0.5)


class Yve(OfOrder):
    """z = Y_v(x) · exp(−|Im x|), for real x as Y. A scaler: x receives (z_(v−1) − z_(v+1)) / 2 · dz."""

    ufunc, symbol = special.yve, "Y exp"

    def slope_x(self, v: Any, x: Any) -> Any:
        return _neighbours(special.yve, v, x, 0.5, -0.5)


class Ive(OfOrder):
    """z = I_v(x) · exp(−|x|). A scaler: x receives ((z_(v−1) + z_(v+1)) / 2 − sign(x) z) · dz.

    The difference loses log10 x digits, and from 10⁵ on is written as its asymptotic series.
    """

    ufunc, symbol = special.ive, "I exp"
    uses_output = True

    def slope_x(self, v: Any, x: Any) -> Any:
        slope = _neighbours(special.ive, v, x, 0.5, 0.5) - np.sign(plain(x)) * self.z
        return _far_out(slope, self.z, v, x, -1.0)


class Kve(OfOrder):
    """z = K_v(x) · exp(x). A scaler: x receives (z − (z_(v−1) + z_(v+1)) / 2) · dz.

    The difference loses log10 x digits, and from 10⁵ on is written as its asymptotic series.
    """

    ufunc, symbol = special.kve, "K exp"
    uses_output = True

    def slope_x(self, v: Any, x: Any) -> Any:
        return _far_out(self.z + _neighbours(special.kve, v, x, -0.5, -0.5), self.z, v, x, 1.0)


class Hankel1(OfOrder):
    """z = J_v(x) + i Y_v(x), complex. A scaler: x receives (z_(v−1) − z_(v+1)) / 2 · dz."""

    ufunc, symbol = special.hankel1, "H¹"
    complex_valued = True

    def slope_x(self, v: Any, x: Any) -> Any:
        return _neighbours(special.hankel1, v, x, 0.5, -0.5)


class Hankel2(OfOrder):
    """z = J_v(x) − i Y_v(x), complex. A scaler: x receives (z_(v−1) − z_(v+1)) / 2 · dz."""

    ufunc, symbol = special.hankel2, "H²"
    complex_valued = True

    def slope_x(self, v: Any, x: Any) -> Any:
        return _neighbours(special.hankel2, v, x, 0.5, -0.5)


class Hankel1e(OfOrder):
    """z = H¹_v(x) · exp(−ix), complex. A scaler: x receives ((z_(v−1) − z_(v+1)) / 2 − i z) · dz."""

    ufunc, symbol = special.hankel1e, "H¹ exp"
    complex_valued = True
    uses_output = True

    def slope_x(self, v: Any, x: Any) -> Any:
        return _neighbours(special.hankel1e, v, x, 0.5, -0.5) - 1j * self.z


class Hankel2e(OfOrder):
    """z = H²_v(x) · exp(ix), complex. A scaler: x receives ((z_(v−1) − z_(v+1)) / 2 + i z) · dz."""

    ufunc, symbol = special.hankel2e, "H² exp"
    complex_valued = True
    uses_output = True

    def slope_x(self, v: Any, x: Any) -> Any:
        return _neighbours(special.hankel2e, v, x, 0.5, -0.5) + 1j * self.z


# --- orders 0 and 1, and integer orders ---------------------------------------------------------------------------------


class J0(Special):
    """z = J₀(x). A scaler: x receives −J₁(x) · dz."""

    ufunc, symbol = special.j0, "J₀"

    def slope_x(self, x: Any) -> Any:
        return -special.j1(x)


class J1(Special):
    """z = J₁(x). A scaler: x receives (J₀(x) − J₂(x)) / 2 · dz."""

    ufunc, symbol = special.j1, "J₁"

    def slope_x(self, x: Any) -> Any:
        return 0.5 * (special.j0(x) - special.jv(2, x))


class Y0(Special):
    """z = Y₀(x). A scaler: x receives −Y₁(x) · dz."""

    ufunc, symbol, domain = special.y0, "Y₀", _ARGUMENT

    def slope_x(self, x: Any) -> Any:
        return -special.y1(x)


class Y1(Special):
    """z = Y₁(x). A scaler: x receives (Y₀(x) − Y₁(x) / x) · dz."""

    ufunc, symbol, domain = special.y1, "Y₁", _ARGUMENT
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return special.y0(x) - self.z / x


class Yn(WholeOrder):
    """z = Y_n(x). A scaler: x receives (Y_(n−1)(x) − Y_(n+1)(x)) / 2 · dz."""

    ufunc, symbol = special.yn, "Y"

    def slope_x(self, n: Any, x: Any) -> Any:
        return _neighbours(special.yn, n, x, 0.5, -0.5)


class I0(Special):
    """z = I₀(x). A scaler: x receives I₁(x) · dz."""

    ufunc, symbol = special.i0, "I₀"

    def slope_x(self, x: Any) -> Any:
        return special.i1(x)


class I1(Special):
    """z = I₁(x). A scaler: x receives (I₀(x) + I₂(x)) / 2 · dz."""

    ufunc, symbol = special.i1, "I₁"

    def slope_x(self, x: Any) -> Any:
        return 0.5 * (special.i0(x) + special.iv(2, x))


class I0e(Special):
    """z = I₀(x) · exp(−|x|). A scaler: x receives (z₁ − sign(x) z) · dz; a difference, as in `Ive`."""

    ufunc, symbol, domain = special.i0e, "I₀ exp", _ARGUMENT
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return _far_out(special.i1e(x) - np.sign(plain(x)) * self.z, self.z, 0, x, -1.0)


class I1e(Special):
    """z = I₁(x) · exp(−|x|). A scaler: x receives ((z₀ + z₂) / 2 − sign(x) z) · dz; a difference, as in `Ive`."""

    ufunc, symbol, domain = special.i1e, "I₁ exp", _ARGUMENT
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        slope = 0.5 * (special.i0e(x) + special.ive(2, x)) - np.sign(plain(x)) * self.z
        return _far_out(slope, self.z, 1, x, -1.0)


class K0(Special):
    """z = K₀(x). A scaler: x receives −K₁(x) · dz."""

    ufunc, symbol, domain = special.k0, "K₀", _ARGUMENT

    def slope_x(self, x: Any) -> Any:
        return -special.k1(x)


class K1(Special):
    """z = K₁(x). A scaler: x receives −(K₀(x) + K₁(x) / x) · dz."""

    ufunc, symbol, domain = special.k1, "K₁", _ARGUMENT
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return -(special.k0(x) + self.z / x)


class K0e(Special):
    """z = K₀(x) · exp(x). A scaler: x receives (z − z₁) · dz; a difference, as in `Kve`."""

    ufunc, symbol, domain = special.k0e, "K₀ exp", _ARGUMENT
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return _far_out(self.z - special.k1e(x), self.z, 0, x, 1.0)


class K1e(Special):
    """z = K₁(x) · exp(x). A scaler: x receives (z − z₀ − z / x) · dz; a difference, as in `Kve`."""

    ufunc, symbol, domain = special.k1e, "K₁ exp", _ARGUMENT
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return _far_out(self.z - special.k0e(x) - self.z / x, self.z, 1, x, 1.0)


class Kn(WholeOrder):
    """z = K_n(x). A scaler: x receives −(K_(n−1)(x) + K_(n+1)(x)) / 2 · dz."""

    ufunc, symbol = special.kn, "K"

    def slope_x(self, n: Any, x: Any) -> Any:
        return -0.5 * (special.kn(abs(n - 1), x) + special.kn(n + 1, x))  # K of order −1 is that of order 1
