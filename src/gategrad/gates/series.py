"""Functions of NumPy's that are no ufuncs and whose derivatives are a family: sinc, and the Bessel function I0.

Each gate is a member of its family and says which derivative it is, so that its gradient is the next one: exact at any order, also
where the formula of the quotient rule would cancel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gate import on_meeting
from gategrad.kinds import Elementwise, Example

__all__ = ["I0", "Sinc"]


class Sinc(Elementwise):
    """z = sin(πx) / (πx), or that derivative of it. A scaler: x receives the next derivative times dz.

    Near 0, where the quotient cancels, as the mean of (πt)ᵏ cos(πxt + kπ/2) over t in [0, 1], by Gauss' rule; elsewhere by the
    recurrence x · s⁽ᵏ⁾ = πᵏ⁻¹ sin(πx + kπ/2) − k · s⁽ᵏ⁻¹⁾.
    """

    pattern, symbol = "scaler", "sinc"

    def __init__(self, derivative: int = 0) -> None:
        self.derivative = derivative

    def forward(self, x: Any) -> Any:
        self.x = x
        if type(x) in on_meeting:
            return Sinc(self.derivative)(x) if hasattr(x, "gate") else _sinc(x, self.derivative)
        return _sinc(np.asarray(x), self.derivative)[()]

    def backward(self, dz: Any) -> Any:
        return Sinc(self.derivative + 1)(self.x) * dz

    @classmethod
    def examples(cls, _: np.random.Generator) -> Iterator[Example]:
        """At 0, near it, far from it; and the derivative itself."""
        for order in (0, 1):
            yield cls(order), (0.0,)
            yield cls(order), (np.array([[-7.3, -0.9, -1e-3], [1e-4, 0.4, 2.6]]),)


def _sinc(x: Any, order: int) -> Any:
    far = np.abs(x) > 1.0 + order
    away = np.where(far, x, 1.0)
    z = np.sin(math.pi * away) / (math.pi * away)
    for k in range(1, order + 1):
        z = (math.pi ** (k - 1) * np.sin(math.pi * away + k * math.pi / 2) - k * z) / away
    return np.where(far, z, _near(x, far, order))


def _near(x: Any, far: Any, order: int) -> Any:
    nodes, weights = np.polynomial.legendre.leggauss(24 + 2 * order)
    t, weights = (math.pi * (nodes + 1.0) / 2.0).astype(x.dtype), weights / 2.0
    waves = _turned(order, np.where(far, 0.0, x)[..., None] * t)
    return np.sum(waves * (weights * t**order).astype(x.dtype), axis=-1)


def _turned(quarters: int, x: Any) -> Any:
    """cos(x + quarters · π/2), which is exactly 0 where it should be."""
    wave = np.sin(x) if quarters % 2 else np.cos(x)
    return -wave if quarters % 4 in (1, 2) else wave


class I0(Elementwise):
    """z = I₀(x), or that derivative of it. A scaler: x receives the next derivative times dz.

    The derivatives are means of cosᵏ θ · exp(x cos θ) over θ in [0, π]; as the integrand is periodic, equal steps are exact to
    rounding as soon as they are fine enough.
    """

    pattern, symbol = "scaler", "I₀"

    def __init__(self, derivative: int = 0) -> None:
        self.derivative = derivative

    def forward(self, x: Any) -> Any:
        self.x = x
        if type(x) in on_meeting and hasattr(x, "gate"):
            return I0(self.derivative)(x)
        if not self.derivative:
            return np.i0(x)[()].astype(getattr(x, "dtype", np.float64))
        return _mean_of_exponentials(np.asarray(x), self.derivative)[()]

    def backward(self, dz: Any) -> Any:
        return I0(self.derivative + 1)(self.x) * dz

    @classmethod
    def examples(cls, _: np.random.Generator) -> Iterator[Example]:
        """At 0 and on both sides; and the derivative itself."""
        for order in (0, 1):
            yield cls(order), (0.0,)
            yield cls(order), (np.array([[-3.0, -0.9], [0.4, 5.0]]),)


def _mean_of_exponentials(x: Any, order: int) -> Any:
    x = np.clip(x, -_INFINITE, _INFINITE)
    size = np.abs(x)
    steps = 32 + order + 8 * math.ceil(math.sqrt(float(np.fmax.reduce(size, axis=None, initial=0.0))))
    cosines = np.cos((np.arange(steps) + 0.5) * (math.pi / steps)).astype(x.dtype)
    parts = x[..., None] * cosines
    heights = np.abs(parts)
    # the odd or the even part of exp alone, since the other one has mean 0: nothing cancels where x is tiny
    folded = -np.sign(parts) * np.expm1(-2.0 * heights) if order % 2 else 1.0 + np.exp(-2.0 * heights)
    terms = np.exp(heights - size[..., None]) * folded * (cosines**order / (2 * steps))
    half = np.exp(size / 2)  # exp(size) would overflow a little before the product does
    return half * (half * np.sum(terms, axis=-1))


_INFINITE = 1000.0
"""Where I₀ and its derivatives have long been too large for a number."""


@implements(np.sinc)
def _sinc_function(x: Any) -> Any:
    return Sinc()(x)


@implements(np.i0)
def _i0(x: Any) -> Any:
    return I0()(x)
