"""Trigonometric and hyperbolic functions, and their inverses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gategrad.gate import ufuncs
from gategrad.gates.bends import Kinked, bent
from gategrad.gates.singular import OVERFLOW, fading, occurs, or_one, over, times
from gategrad.kinds import Elementwise
from gategrad.masked import select
from gategrad.recording import plain
from gategrad.values import is_complex
from gategrad.variable import Variable

__all__ = [
    "Arccos",
    "Arccosh",
    "Arcsin",
    "Arcsinh",
    "Arctan",
    "Arctan2",
    "Arctanh",
    "Cos",
    "Cosh",
    "Deg2rad",
    "Hypot",
    "Rad2deg",
    "Sin",
    "Sinh",
    "Tan",
    "Tanh",
]

_INSIDE = ((-0.8, 0.8),)
_ONE_DEGREE = math.pi / 180


class Sin(Elementwise):
    """z = sin(x). A scaler: x receives cos(x) · dz."""

    ufunc, pattern, symbol = np.sin, "scaler", "sin"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.sin(x)

    def backward(self, dz: Any) -> Any:
        return np.cos(self.x) * dz


class Cos(Elementwise):
    """z = cos(x). A scaler: x receives −sin(x) · dz."""

    ufunc, pattern, symbol = np.cos, "scaler", "cos"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.cos(x)

    def backward(self, dz: Any) -> Any:
        return -np.sin(self.x) * dz


class Tan(Elementwise):
    """z = tan(x). A scaler: x receives (1 + z²) · dz."""

    ufunc, pattern, symbol = np.tan, "scaler", "tan"
    domain = ((-1.2, 1.2),)
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.z = z = np.tan(x)
        return z

    def backward(self, dz: Any) -> Any:
        z = self.z
        return (1.0 + z * z) * dz


class Arcsin(Elementwise):
    """z = arcsin(x). A scaler: x receives dz / √(1 − x²)."""

    ufunc, pattern, symbol = np.arcsin, "scaler", "arcsin"
    domain = _INSIDE
    takes_complex = True
    kink = "∞, the slope there"

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.arcsin(x)

    def backward(self, dz: Any) -> Any:
        x = self.x
        return over(dz, _root_of_one_less_square(x))

    def kinks(self, x: Any) -> Any:
        return np.abs(x) == 1


class Arccos(Elementwise):
    """z = arccos(x). A scaler: x receives −dz / √(1 − x²)."""

    ufunc, pattern, symbol = np.arccos, "scaler", "arccos"
    domain = _INSIDE
    takes_complex = True
    kink = "−∞, the slope there"

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.arccos(x)

    def backward(self, dz: Any) -> Any:
        x = self.x
        return over(-dz, _root_of_one_less_square(x))

    def kinks(self, x: Any) -> Any:
        return np.abs(x) == 1


def _root_of_one_less_square(x: Any) -> Any:
    """√(1 − x²), exact near ±1, where 1 − x² cancels; of complex x on the side of the cut on which x is."""
    if is_complex(x):
        return np.sqrt(-(x - 1.0)) * np.sqrt(1.0 + x)  # 1 − x would lose the sign of a zero
    return np.sqrt((1.0 - x) * (1.0 + x))


class Arctan(Elementwise):
    """z = arctan(x). A scaler: x receives dz / (1 + x²)."""

    ufunc, pattern, symbol = np.arctan, "scaler", "arctan"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.arctan(x)

    def backward(self, dz: Any) -> Any:
        x = self.x
        return dz / (1.0 + x * x)


class Arctan2(Elementwise):
    """z = arctan2(x, y), the angle of (y, x). A scaler: x receives y · dz / r², y receives −x · dz / r², r² = x² + y².

    Singular: the angle of the origin is anybody's guess, and nothing flows there.
    """

    ufunc, pattern, symbol = np.arctan2, "scaler", "arctan2"
    domain = ((0.5, 2.0), (-2.0, 2.0))
    kink = "0: the origin has no angle"

    def forward(self, x: Any, y: Any) -> Any:
        self.x, self.y = x, y
        return np.arctan2(x, y)

    def backward(self, dz: Any) -> Any:
        x, y = self.x, self.y
        r = np.hypot(x, y)
        dz = _away_from(r, dz)
        if dz is None:
            return None, None
        need_x, need_y = self.needs
        r = or_one(r, plain(r) != 0)
        dr = dz / r
        return dr * (y / r) if need_x else None, -dr * (x / r) if need_y else None  # 1 / r² may underflow

    def kinks(self, x: Any, y: Any) -> Any:
        return (x == 0) & (y == 0)


class Hypot(Kinked, Elementwise):
    """z = √(x² + y²). A scaler: x receives x / z · dz, y receives y / z · dz.

    Kink: 0 at the origin, the middle of the unit disc.
    """

    ufunc, pattern, symbol = np.hypot, "scaler", "hypot"
    domain = ((0.5, 2.0), (-2.0, 2.0))
    kink = "0, the middle of the unit disc"

    def forward(self, x: Any, y: Any) -> Any:
        self.x, self.y = x, y
        self.z = z = np.hypot(x, y)
        return z

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        away = _away_from(self.z, dz)
        dr = None if away is None else away / self.z
        return self._along(self.x, dr, dz) if need_x else None, self._along(self.y, dr, dz) if need_y else None

    def _along(self, x: Any, dr: Any, dz: Any) -> Any:
        dx = None if dr is None else dr * x
        return bent(dx, dz, self.z, x, self.sits()) if type(self.z) is Variable else dx

    def sits(self) -> Any:
        return plain(self.z) == 0

    def kinks(self, x: Any, y: Any) -> Any:
        return (x == 0) & (y == 0)


def _away_from(r: Any, dz: Any) -> Any:
    """Let dz through where the radius r is not zero."""
    return select(r != 0, dz) if occurs(r == 0) else dz


class Sinh(Elementwise):
    """z = sinh(x). A scaler: x receives cosh(x) · dz."""

    ufunc, pattern, symbol = np.sinh, "scaler", "sinh"
    takes_complex = True
    kink = OVERFLOW
    overflows = is_steep = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.sinh(x)

    def backward(self, dz: Any) -> Any:
        return times(np.cosh(self.x), dz)

    def kinks(self, x: Any) -> Any:
        return np.isinf(np.sinh(x)) & np.isfinite(x)


class Cosh(Elementwise):
    """z = cosh(x). A scaler: x receives sinh(x) · dz."""

    ufunc, pattern, symbol = np.cosh, "scaler", "cosh"
    takes_complex = True
    kink = OVERFLOW
    overflows = is_steep = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.cosh(x)

    def backward(self, dz: Any) -> Any:
        return times(np.sinh(self.x), dz)

    def kinks(self, x: Any) -> Any:
        return np.isinf(np.cosh(x)) & np.isfinite(x)


class Tanh(Elementwise):
    """z = tanh(x). A scaler: x receives (1 − z²) · dz."""

    ufunc, pattern, symbol = np.tanh, "scaler", "tanh"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.z = z = np.tanh(x)
        return z

    def backward(self, dz: Any) -> Any:
        z = self.z
        return (1.0 - z * z) * dz  # rather than dz / cosh²(x): exact to an ulp of 1, and one product instead of a cosh


class Arcsinh(Elementwise):
    """z = arcsinh(x). A scaler: x receives dz / √(x² + 1)."""

    ufunc, pattern, symbol = np.arcsinh, "scaler", "arcsinh"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.arcsinh(x)

    def backward(self, dz: Any) -> Any:
        x = self.x
        if is_complex(x):
            return dz / (np.sqrt(1j * x + 1.0) * np.sqrt(1.0 - 1j * x))
        return fading(dz, x) / np.hypot(x, 1.0)  # rather than a square, which overflows


class Arccosh(Elementwise):
    """z = arccosh(x). A scaler: x receives dz / √(x² − 1)."""

    ufunc, pattern, symbol = np.arccosh, "scaler", "arccosh"
    domain = ((1.5, 3.0),)
    takes_complex = True
    kink = "∞, the slope there"

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.arccosh(x)

    def backward(self, dz: Any) -> Any:
        x = self.x
        return over(fading(dz, x), np.sqrt(x - 1.0) * np.sqrt(x + 1.0))

    def kinks(self, x: Any) -> Any:
        return x == 1


class Arctanh(Elementwise):
    """z = arctanh(x). A scaler: x receives dz / (1 − x²)."""

    ufunc, pattern, symbol = np.arctanh, "scaler", "arctanh"
    domain = _INSIDE
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.arctanh(x)

    def backward(self, dz: Any) -> Any:
        x = self.x
        return dz / ((1.0 - x) * (1.0 + x))


class Deg2rad(Elementwise):
    """z = x · π / 180. A scaler: x receives π / 180 · dz."""

    ufunc, pattern, symbol = np.deg2rad, "scaler", "deg2rad"
    remembers_inputs = False

    def forward(self, x: Any) -> Any:
        return np.deg2rad(x)

    def backward(self, dz: Any) -> Any:
        return _ONE_DEGREE * dz


class Rad2deg(Elementwise):
    """z = x · 180 / π. A scaler: x receives 180 / π · dz."""

    ufunc, pattern, symbol = np.rad2deg, "scaler", "rad2deg"
    remembers_inputs = False

    def forward(self, x: Any) -> Any:
        return np.rad2deg(x)

    def backward(self, dz: Any) -> Any:
        return dz / _ONE_DEGREE


ufuncs[np.radians] = Deg2rad
ufuncs[np.degrees] = Rad2deg
