"""SciPy's own exponentials, logarithms, roots and trigonometry in degrees; they are not NumPy's ufuncs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.comparison import Step
from gategrad.gates.special.kind import Special

__all__ = [
    "Agm",
    "Cbrt",
    "Cosdg",
    "Cosm1",
    "Cotdg",
    "Exp2",
    "Exp10",
    "Expm1",
    "Log1p",
    "Powm1",
    "Radian",
    "Round",
    "Sindg",
    "Tandg",
]

_DEGREE = math.pi / 180.0
_ANGLE = ((10.0, 80.0),)


class Expm1(Special):
    """z = exp(x) − 1. A scaler: x receives exp(x) · dz."""

    ufunc, symbol = special.expm1, "expm1"

    def slope_x(self, x: Any) -> Any:
        return np.exp(x)


class Log1p(Special):
    """z = log(1 + x). A scaler: x receives dz / (1 + x)."""

    ufunc, symbol, domain = special.log1p, "log1p", ((-0.5, 2.0),)

    def slope_x(self, x: Any) -> Any:
        return np.divide(1.0, 1.0 + x)


class Exp2(Special):
    """z = 2^x. A scaler: x receives log(2) · z · dz."""

    ufunc, symbol = special.exp2, "exp2"
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return math.log(2.0) * self.z


class Exp10(Special):
    """z = 10^x. A scaler: x receives log(10) · z · dz."""

    ufunc, symbol = special.exp10, "exp10"
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return math.log(10.0) * self.z


class Cbrt(Special):
    """z = ∛x. A scaler: x receives dz / (3 z²), infinite at 0."""

    ufunc, symbol, domain = special.cbrt, "∛", ((0.5, 2.0),)
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return np.divide(1.0, 3.0 * self.z * self.z)


class Cosm1(Special):
    """z = cos(x) − 1. A scaler: x receives −sin(x) · dz."""

    ufunc, symbol = special.cosm1, "cosm1"

    def slope_x(self, x: Any) -> Any:
        return -np.sin(x)


class Powm1(Special):
    """z = x^y − 1. A scaler: x receives y · x^(y−1) · dz, y receives x^y · log(x) · dz."""

    ufunc, symbol, domain = special.powm1, "powm1", ((0.5, 2.0), (-2.0, 2.0))

    def slope_x(self, x: Any, y: Any) -> Any:
        return y * np.power(x, y - 1.0)

    def slope_y(self, x: Any, y: Any) -> Any:
        return special.xlogy(np.power(x, y), x)


class Sindg(Special):
    """z = sin(x°). A scaler: x receives π/180 · cos(x°) · dz."""

    ufunc, symbol, domain = special.sindg, "sin°", _ANGLE

    def slope_x(self, x: Any) -> Any:
        return _DEGREE * special.cosdg(x)


class Cosdg(Special):
    """z = cos(x°). A scaler: x receives −π/180 · sin(x°) · dz."""

    ufunc, symbol, domain = special.cosdg, "cos°", _ANGLE

    def slope_x(self, x: Any) -> Any:
        return -_DEGREE * special.sindg(x)


class Tandg(Special):
    """z = tan(x°). A scaler: x receives π/180 · (1 + z²) · dz."""

    ufunc, symbol, domain = special.tandg, "tan°", _ANGLE
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return _DEGREE * (1.0 + self.z * self.z)


class Cotdg(Special):
    """z = 1 / tan(x°). A scaler: x receives −π/180 · (1 + z²) · dz."""

    ufunc, symbol, domain = special.cotdg, "cot°", _ANGLE
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return -_DEGREE * (1.0 + self.z * self.z)


class Radian(Special):
    """z = π/180 · (d + m/60 + s/3600), from degrees, minutes and seconds. A scaler: each by its factor."""

    ufunc, symbol, domain = special.radian, "rad", ((1.0, 2.0), (1.0, 50.0), (1.0, 50.0))

    def slope_d(self, d: Any, m: Any, s: Any) -> Any:
        return _DEGREE

    def slope_m(self, d: Any, m: Any, s: Any) -> Any:
        return _DEGREE / 60.0

    def slope_s(self, d: Any, m: Any, s: Any) -> Any:
        return _DEGREE / 3600.0


class Agm(Special):
    """z = the arithmetic-geometric mean of a and b, π/4 (a + b) / K(((a − b)/(a + b))²). A scaler: by K and R_D."""

    ufunc, symbol, domain = special.agm, "agm", ((0.5, 3.0), (0.5, 3.0))

    def slope_a(self, a: Any, b: Any) -> Any:
        return _agm_slope(a, b)

    def slope_b(self, a: Any, b: Any) -> Any:
        return _agm_slope(b, a)


def _agm_slope(a: Any, b: Any) -> Any:
    """By p = 4ab / (a + b)², which keeps its digits where one of a and b is all of a + b."""
    total = a + b
    share = b / total
    p = 4.0 * (a / total) * share
    k = special.ellipkm1(p)
    # R_D grows as 1 / p; its factor b / (a + b) is as small where a is small
    return 0.25 * math.pi / k * (1.0 + special.elliprd(0.0, 1.0, p) / (6.0 * k) * 4.0 * share * (share - a / total))


class Round(Step):
    """z = the integer nearest to x. A blocker: nothing flows."""

    ufunc, symbol = special.round, "round"

    def forward(self, x: Any) -> Any:
        return special.round(x)
