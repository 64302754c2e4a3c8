"""Orthogonal polynomials in their argument: the slope is a polynomial of degree n − 1 from the next family.

Degrees, and parameters of the families, take no gradient: pass plain numbers.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy import special

from gategrad.gates.special.kind import Special

__all__ = [
    "EvalChebyc",
    "EvalChebys",
    "EvalChebyt",
    "EvalChebyu",
    "EvalGegenbauer",
    "EvalGenlaguerre",
    "EvalHermite",
    "EvalHermitenorm",
    "EvalJacobi",
    "EvalLaguerre",
    "EvalLegendre",
    "EvalShChebyt",
    "EvalShChebyu",
    "EvalShJacobi",
    "EvalShLegendre",
    "Lpmv",
]

_DEGREE_AND_ARGUMENT = ((1, 4), (-0.9, 0.9))
_SHIFTED = ((1, 4), (0.1, 0.9))
_NO_GRADIENT = "it counts a degree or a family; pass a plain number"


class _Polynomial(Special):
    """A polynomial of degree n in x, with parameters between them."""

    domain: ClassVar[tuple[tuple[float, float], ...]] = _DEGREE_AND_ARGUMENT
    whole = ("n",)
    without_slope: ClassVar = {"n": _NO_GRADIENT}


def _lower(n: Any, family: Any, *arguments: Any) -> Any:
    """The family's member of degree n − 1, and 0 for degree 0, whose slope this is."""
    if isinstance(n, (int, np.integer)):
        return family(int(n) - 1, *arguments) if n else 0.0 * arguments[-1]
    constant = np.equal(n, 0)
    return np.where(constant, 0.0, family(np.where(constant, 1, n) - 1, *arguments))


class EvalLegendre(_Polynomial):
    """z = P_n(x), Legendre. A scaler: x receives (n + 1)/2 · P_(n−1)^(1,1)(x) · dz."""

    ufunc, symbol = special.eval_legendre, "P"

    def slope_x(self, n: Any, x: Any) -> Any:
        return 0.5 * (n + 1.0) * _lower(n, special.eval_jacobi, 1.0, 1.0, x)


class EvalShLegendre(_Polynomial):
    """z = P_n(2x − 1), shifted Legendre. A scaler: x receives (n + 1) · P_(n−1)^(1,1)(2x − 1) · dz."""

    ufunc, symbol, domain = special.eval_sh_legendre, "P*", _SHIFTED

    def slope_x(self, n: Any, x: Any) -> Any:
        return (n + 1.0) * _lower(n, special.eval_jacobi, 1.0, 1.0, 2.0 * x - 1.0)


class EvalChebyt(_Polynomial):
    """z = T_n(x), Chebyshev. A scaler: x receives n · U_(n−1)(x) · dz."""

    ufunc, symbol = special.eval_chebyt, "T"

    def slope_x(self, n: Any, x: Any) -> Any:
        return _factor(n) * _lower(n, special.eval_chebyu, x)


class EvalChebyu(_Polynomial):
    """z = U_n(x), Chebyshev of the second kind. A scaler: x receives 2 · C_(n−1)^(2)(x) · dz."""

    ufunc, symbol = special.eval_chebyu, "U"

    def slope_x(self, n: Any, x: Any) -> Any:
        return 2.0 * _lower(n, special.eval_gegenbauer, 2.0, x)


class EvalChebyc(_Polynomial):
    """z = C_n(x) = 2 T_n(x/2). A scaler: x receives n · U_(n−1)(x/2) · dz."""

    ufunc, symbol = special.eval_chebyc, "C"

    def slope_x(self, n: Any, x: Any) -> Any:
        return _factor(n) * _lower(n, special.eval_chebyu, 0.5 * x)


class EvalChebys(_Polynomial):
    """z = S_n(x) = U_n(x/2). A scaler: x receives C_(n−1)^(2)(x/2) · dz."""

    ufunc, symbol = special.eval_chebys, "S"

    def slope_x(self, n: Any, x: Any) -> Any:
        return _lower(n, special.eval_gegenbauer, 2.0, 0.5 * x)


class EvalShChebyt(_Polynomial):
    """z = T_n(2x − 1). A scaler: x receives 2n · U_(n−1)(2x − 1) · dz."""

    ufunc, symbol, domain = special.eval_sh_chebyt, "T*", _SHIFTED

    def slope_x(self, n: Any, x: Any) -> Any:
        return 2.0 * _factor(n) * _lower(n, special.eval_chebyu, 2.0 * x - 1.0)


class EvalShChebyu(_Polynomial):
    """z = U_n(2x − 1). A scaler: x receives 4 · C_(n−1)^(2)(2x − 1) · dz."""

    ufunc, symbol, domain = special.eval_sh_chebyu, "U*", _SHIFTED

    def slope_x(self, n: Any, x: Any) -> Any:
        return 4.0 * _lower(n, special.eval_gegenbauer, 2.0, 2.0 * x - 1.0)


class EvalGegenbauer(_Polynomial):
    """z = C_n^(α)(x), Gegenbauer. A scaler: x receives 2α · C_(n−1)^(α+1)(x) · dz."""

    ufunc, symbol, domain = special.eval_gegenbauer, "C", ((1, 4), (0.5, 2.0), (-0.9, 0.9))
    without_slope: ClassVar = dict.fromkeys(("n", "alpha"), _NO_GRADIENT)

    def slope_x(self, n: Any, alpha: Any, x: Any) -> Any:
        return 2.0 * alpha * _lower(n, special.eval_gegenbauer, alpha + 1.0, x)


class EvalJacobi(_Polynomial):
    """z = P_n^(α,β)(x), Jacobi. A scaler: x receives (n + α + β + 1)/2 · P_(n−1)^(α+1,β+1)(x) · dz."""

    ufunc, symbol, domain = special.eval_jacobi, "P", ((1, 4), (0.5, 2.0), (0.5, 2.0), (-0.9, 0.9))
    without_slope: ClassVar = dict.fromkeys(("n", "alpha", "beta"), _NO_GRADIENT)

    def slope_x(self, n: Any, alpha: Any, beta: Any, x: Any) -> Any:
        return 0.5 * (n + alpha + beta + 1.0) * _lower(n, special.eval_jacobi, alpha + 1.0, beta + 1.0, x)


class EvalShJacobi(_Polynomial):
    """z = G_n^(p,q)(x), shifted Jacobi, of leading coefficient 1. A scaler: x receives n · G_(n−1)^(p+2,q+1)(x) · dz."""

    ufunc, symbol, domain = special.eval_sh_jacobi, "G", ((1, 4), (2.5, 3.0), (0.5, 2.0), (0.1, 0.9))
    without_slope: ClassVar = dict.fromkeys(("n", "p", "q"), _NO_GRADIENT)

    def slope_x(self, n: Any, p: Any, q: Any, x: Any) -> Any:
        return _factor(n) * _lower(n, special.eval_sh_jacobi, p + 2.0, q + 1.0, x)


class EvalHermite(_Polynomial):
    """z = H_n(x), the physicists' Hermite. A scaler: x receives 2n · H_(n−1)(x) · dz."""

    ufunc, symbol = special.eval_hermite, "H"

    def slope_x(self, n: Any, x: Any) -> Any:
        return 2.0 * _factor(n) * _lower(n, special.eval_hermite, x)


class EvalHermitenorm(_Polynomial):
    """z = He_n(x), the probabilists' Hermite. A scaler: x receives n · He_(n−1)(x) · dz."""

    ufunc, symbol = special.eval_hermitenorm, "He"

    def slope_x(self, n: Any, x: Any) -> Any:
        return _factor(n) * _lower(n, special.eval_hermitenorm, x)


class EvalLaguerre(_Polynomial):
    """z = L_n(x), Laguerre. A scaler: x receives −L_(n−1)^(1)(x) · dz."""

    ufunc, symbol = special.eval_laguerre, "L"

    def slope_x(self, n: Any, x: Any) -> Any:
        return -_lower(n, special.eval_genlaguerre, 1.0, x)


class EvalGenlaguerre(_Polynomial):
    """z = L_n^(α)(x), generalised Laguerre. A scaler: x receives −L_(n−1)^(α+1)(x) · dz."""

    ufunc, symbol, domain = special.eval_genlaguerre, "L", ((1, 4), (0.5, 2.0), (-0.9, 0.9))
    without_slope: ClassVar = dict.fromkeys(("n", "alpha"), _NO_GRADIENT)

    def slope_x(self, n: Any, alpha: Any, x: Any) -> Any:
        return -_lower(n, special.eval_genlaguerre, alpha + 1.0, x)


class Lpmv(Special):
    """z = P_v^m(x), associated Legendre. A scaler: x receives (v x z − (v + m) P_(v−1)^m(x)) / (x² − 1) · dz."""

    ufunc, symbol, domain = special.lpmv, "P", ((0, 2), (2.2, 3.0), (-0.8, 0.8))
    whole = ("m",)
    uses_output = True
    without_slope: ClassVar = dict.fromkeys(("m", "v"), _NO_GRADIENT)

    def slope_x(self, m: Any, v: Any, x: Any) -> Any:
        return (v * x * self.z - (v + m) * special.lpmv(m, v - 1.0, x)) / (x * x - 1.0)


def _factor(n: Any) -> Any:
    """A degree as a factor: floats are quicker than ints to multiply arrays with, and keep float32."""
    return float(n) if isinstance(n, (int, np.integer)) else n
