"""Voigt's profile: a normal distribution of width σ convolved with a Cauchy distribution of width γ."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.special.kind import Special
from gategrad.variable import Variable

__all__ = ["Faddeeva", "VoigtProfile"]

_DOMAIN = ((-2.0, 2.0), (0.5, 2.0), (0.2, 2.0))


class _Profile(Special):
    """V and its conjugate L are W = V + iL = w((x + iγ) / σ√2) / σ√2π, and ∂W/∂x = (i/π − (x + iγ) W) / σ²."""

    domain = _DOMAIN

    def parts(self, x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
        """V and L."""
        raise NotImplementedError

    def by_x(self, x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
        """The slopes of V and L; those in γ are i times as much, since W is a function of x + iγ."""
        v, other = self.parts(x, sigma, gamma)
        square = sigma * sigma
        return (gamma * other - x * v) / square, (1.0 / math.pi - gamma * v - x * other) / square

    def by_sigma(self, x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
        """W is homogeneous of degree −1 in (x, σ, γ)."""
        v, other = self.parts(x, sigma, gamma)
        v_x, other_x = self.by_x(x, sigma, gamma)
        return -(v + x * v_x - gamma * other_x) / sigma, -(other + x * other_x + gamma * v_x) / sigma


class Faddeeva(_Profile):
    """v, l = the real and the imaginary part of w((x + iγ) / σ√2) / σ√2π. A scaler: by w′ = 2i/√π − 2xw."""

    symbol = "w"
    uses_output = True

    def forward(self, x: Any, sigma: Any, gamma: Any) -> Any:
        self.xs = x, sigma, gamma
        if any(type(value) is Variable for value in self.xs):
            self.z = Faddeeva()(x, sigma, gamma)
        else:
            x, sigma, gamma = map(np.asarray, self.xs)  # a symbol is none: then the gate runs on the host
            w = special.wofz((x + 1j * gamma) / (math.sqrt(2.0) * sigma)) / (math.sqrt(2.0 * math.pi) * sigma)
            dtype = np.result_type(x, sigma, gamma)
            self.z = tuple([np.asarray(part, dtype if dtype.kind == "f" else None)[()] for part in (w.real, w.imag)])
        return self.z

    def parts(self, x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
        v, other = self.z
        return v, other

    def slope_x(self, x: Any, sigma: Any, gamma: Any) -> Any:
        return self.by_x(x, sigma, gamma)

    def slope_sigma(self, x: Any, sigma: Any, gamma: Any) -> Any:
        return self.by_sigma(x, sigma, gamma)

    def slope_gamma(self, x: Any, sigma: Any, gamma: Any) -> Any:
        v_x, other_x = self.by_x(x, sigma, gamma)
        return -other_x, v_x


class VoigtProfile(_Profile):
    """z = Re w((x + iγ) / σ√2) / σ√2π, for σ > 0. A scaler: by the real and the imaginary part of w."""

    ufunc, symbol = special.voigt_profile, "voigt"

    def parts(self, x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
        v, other = Faddeeva()(x, sigma, gamma)
        return v, other

    def slope_x(self, x: Any, sigma: Any, gamma: Any) -> Any:
        return self.by_x(x, sigma, gamma)[0]

    def slope_sigma(self, x: Any, sigma: Any, gamma: Any) -> Any:
        return self.by_sigma(x, sigma, gamma)[0]

    def slope_gamma(self, x: Any, sigma: Any, gamma: Any) -> Any:
        return -self.by_x(x, sigma, gamma)[1]
