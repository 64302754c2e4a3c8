"""Hypergeometric functions: the slope in the argument is the same function with each parameter one higher.

In the parameters it is found by differences (see `differences`), of length 1 away from the poles.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.special.differences import by_differences
from gategrad.gates.special.kind import Special
from gategrad.recording import plain

__all__ = ["Hyp0f1", "Hyp1f1", "Hyp2f1", "Hyperu", "LogWrightBessel", "WrightBessel"]


def _from_poles(b: Any) -> Any:
    """How far b is from 0, −1, −2 …, at most 1."""
    b = plain(b)
    return np.clip(np.where(b > 0, b, np.abs(b - np.rint(b))), 0.0, 1.0)


class Hyp0f1(Special):
    """z = ₀F₁(v; x). A scaler: x receives ₀F₁(v + 1; x) / v · dz, v by differences."""

    ufunc, symbol, domain = special.hyp0f1, "₀F₁", ((0.5, 3.0), (-2.0, 2.0))

    def slope_v(self, v: Any, x: Any) -> Any:
        return by_differences(special.hyp0f1, (v, x), 0, _from_poles(v))

    def slope_x(self, v: Any, x: Any) -> Any:
        return special.hyp0f1(v + 1.0, x) / v


class Hyp1f1(Special):
    """z = ₁F₁(a; b; x). A scaler: x receives a/b · ₁F₁(a + 1; b + 1; x) · dz, a and b by differences."""

    ufunc, symbol, domain = special.hyp1f1, "₁F₁", ((0.5, 2.0), (0.5, 3.0), (-2.0, 2.0))

    def slope_a(self, a: Any, b: Any, x: Any) -> Any:
        return by_differences(special.hyp1f1, (a, b, x), 0, 1.0)

    def slope_b(self, a: Any, b: Any, x: Any) -> Any:
        return by_differences(special.hyp1f1, (a, b, x), 1, _from_poles(b))

    def slope_x(self, a: Any, b: Any, x: Any) -> Any:
        return a / b * special.hyp1f1(a + 1.0, b + 1.0, x)


class Hyp2f1(Special):
    """z = ₂F₁(a, b; c; x). A scaler: x receives ab/c · ₂F₁(a + 1, b + 1; c + 1; x) · dz, a, b and c by differences."""

    ufunc, symbol, domain = special.hyp2f1, "₂F₁", ((0.5, 2.0), (0.5, 2.0), (0.6, 3.0), (-0.8, 0.6))

    def slope_a(self, a: Any, b: Any, c: Any, x: Any) -> Any:
        return by_differences(special.hyp2f1, (a, b, c, x), 0, 1.0)

    def slope_b(self, a: Any, b: Any, c: Any, x: Any) -> Any:
        return by_differences(special.hyp2f1, (a, b, c, x), 1, 1.0)

    def slope_c(self, a: Any, b: Any, c: Any, x: Any) -> Any:
        return by_differences(special.hyp2f1, (a, b, c, x), 2, _from_poles(c))

    def slope_x(self, a: Any, b: Any, c: Any, x: Any) -> Any:
        return a * b / c * special.hyp2f1(a + 1.0, b + 1.0, c + 1.0, x)


class Hyperu(Special):
    """z = U(a, b, x), Tricomi's function. A scaler: x receives −a · U(a + 1, b + 1, x) · dz, a and b by differences."""

    ufunc, symbol, domain = special.hyperu, "U", ((0.5, 2.0), (0.5, 2.5), (0.5, 3.0))

    def slope_a(self, a: Any, b: Any, x: Any) -> Any:
        return by_differences(special.hyperu, (a, b, x), 0, 1.0)

    def slope_b(self, a: Any, b: Any, x: Any) -> Any:
        return by_differences(special.hyperu, (a, b, x), 1, 1.0)

    def slope_x(self, a: Any, b: Any, x: Any) -> Any:
        return -a * special.hyperu(a + 1.0, b + 1.0, x)


class WrightBessel(Special):
    """z = Σ x^k / (k! Γ(ak + b)). A scaler: x receives z(a, b + a, x) · dz, a and b by differences."""

    ufunc, symbol, domain = special.wright_bessel, "Φ", ((0.5, 1.5), (0.5, 1.5), (0.5, 2.0))

    def slope_a(self, a: Any, b: Any, x: Any) -> Any:
        return by_differences(special.wright_bessel, (a, b, x), 0, np.minimum(plain(a), 1.0))

    def slope_b(self, a: Any, b: Any, x: Any) -> Any:
        return by_differences(special.wright_bessel, (a, b, x), 1, np.minimum(plain(b), 1.0))

    def slope_x(self, a: Any, b: Any, x: Any) -> Any:
        return special.wright_bessel(a, b + a, x)


class LogWrightBessel(Special):
    """z = log of `WrightBessel`. A scaler: x receives exp(z(a, b + a, x) − z) · dz, a and b by differences."""

    ufunc, symbol = getattr(special, "log_wright_bessel", None), "log Φ"
    domain = ((0.5, 1.5), (0.5, 1.5), (0.5, 2.0))
    uses_output = True

    def slope_a(self, a: Any, b: Any, x: Any) -> Any:
        return by_differences(special.log_wright_bessel, (a, b, x), 0, np.minimum(plain(a), 1.0))

    def slope_b(self, a: Any, b: Any, x: Any) -> Any:
        return by_differences(special.log_wright_bessel, (a, b, x), 1, np.minimum(plain(b), 1.0))

    def slope_x(self, a: Any, b: Any, x: Any) -> Any:
        return np.exp(special.log_wright_bessel(a, b + a, x) - self.z)
