"""Elliptic integrals and functions, of the parameter m = k².

Where the classical formulas divide a difference by m, small |m| is left to a series or to Carlson's symmetric
integrals, which lose nothing there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.singular import occurs
from gategrad.gates.special.differences import by_differences
from gategrad.gates.special.kind import Special
from gategrad.gates.special.power_series import power_series
from gategrad.recording import plain

__all__ = [
    "Ellipe",
    "Ellipeinc",
    "Ellipj",
    "Ellipk",
    "Ellipkinc",
    "Ellipkm1",
    "Elliprc",
    "Elliprd",
    "Elliprf",
    "Elliprg",
    "Elliprj",
    "slope_of_ellipe",
    "slope_of_ellipk",
]

_SMALL, _TERMS = 0.1, 18
_SQUARES = [(math.comb(2 * n, n) / 4.0**n) ** 2 for n in range(_TERMS)]  # K(m) = π/2 Σ of these times m^n
_K_SERIES = [0.5 * math.pi * n * c for n, c in enumerate(_SQUARES)][:0:-1]
_E_SERIES = [-0.5 * math.pi * n * c / (2 * n - 1) for n, c in enumerate(_SQUARES)][:0:-1]


def _by_series(m: Any, series: list[float], formula: Any) -> Any:
    small = np.abs(plain(m)) < _SMALL
    with np.errstate(divide="ignore", invalid="ignore"):  # m = 1, where the slope is infinite
        distant = formula(np.where(small, 0.5, m))
    return np.where(small, power_series(np.where(small, m, 0.0), series), distant)


def slope_of_ellipk(m: Any) -> Any:
    """K′(m) = (E(m) / (1 − m) − K(m)) / 2m."""
    slope = _by_series(m, _K_SERIES, lambda m: (special.ellipe(m) / (1.0 - m) - special.ellipk(m)) / (2.0 * m))
    at_end = plain(m) == 1.0
    return np.where(at_end, np.inf, slope) if occurs(at_end) else slope


def slope_of_ellipe(m: Any) -> Any:
    """E′(m) = (E(m) − K(m)) / 2m."""
    return _by_series(m, _E_SERIES, lambda m: (special.ellipe(m) - special.ellipk(m)) / (2.0 * m))


class Ellipk(Special):
    """z = K(m) = ∫₀^(π/2) dt / √(1 − m sin² t). A scaler: m receives (E(m) / (1 − m) − K(m)) / 2m · dz."""

    ufunc, symbol, domain = special.ellipk, "K", ((-0.9, 0.9),)

    def slope_m(self, m: Any) -> Any:
        return slope_of_ellipk(m)


class Ellipkm1(Special):
    """z = K(1 − p), exact for small p. A scaler: p receives −K′(1 − p) · dz, which is −R_D(0, 1, p) / 6."""

    ufunc, symbol, domain = special.ellipkm1, "K", ((0.1, 0.9),)

    def slope_p(self, p: Any) -> Any:
        return -special.elliprd(0.0, 1.0, p) / 6.0


class Ellipe(Special):
    """z = E(m) = ∫₀^(π/2) √(1 − m sin² t) dt. A scaler: m receives (E(m) − K(m)) / 2m · dz."""

    ufunc, symbol, domain = special.ellipe, "E", ((-0.9, 0.9),)

    def slope_m(self, m: Any) -> Any:
        return slope_of_ellipe(m)


def _reduced(phi: Any) -> tuple[Any, Any]:
    """How many half turns are in φ, and the rest, within ±π/2."""
    turns = np.rint(plain(phi) / math.pi)
    return turns, phi - math.pi * turns


class Ellipkinc(Special):
    """z = F(φ, m) = ∫₀^φ dt / √(1 − m sin² t). A scaler: φ receives the integrand; m sin³φ R_D(cos²φ, 1, 1 − m sin²φ)/6.

    That holds for |φ| ≤ π/2; each half turn beyond adds 2 K′(m).
    """

    ufunc, symbol, domain = special.ellipkinc, "F", ((0.2, 2.5), (0.2, 0.8))

    def slope_phi(self, phi: Any, m: Any) -> Any:
        return 1.0 / np.sqrt(1.0 - m * np.sin(phi) ** 2)

    def slope_m(self, phi: Any, m: Any) -> Any:
        turns, rest = _reduced(phi)
        s, c = np.sin(rest), np.cos(rest)
        within = s**3 * special.elliprd(c * c, 1.0, 1.0 - m * s * s) / 6.0
        return within + 2.0 * turns * slope_of_ellipk(m) if occurs(turns) else within


class Ellipeinc(Special):
    """z = E(φ, m) = ∫₀^φ √(1 − m sin² t) dt. A scaler: φ receives the integrand; m −sin³φ R_D(cos²φ, 1 − m sin²φ, 1)/6.

    That holds for |φ| ≤ π/2; each half turn beyond adds 2 E′(m).
    """

    ufunc, symbol, domain = special.ellipeinc, "E", ((0.2, 2.5), (0.2, 0.8))

    def slope_phi(self, phi: Any, m: Any) -> Any:
        return np.sqrt(1.0 - m * np.sin(phi) ** 2)

    def slope_m(self, phi: Any, m: Any) -> Any:
        turns, rest = _reduced(phi)
        s, c = np.sin(rest), np.cos(rest)
        within = -(s**3) * special.elliprd(c * c, 1.0 - m * s * s, 1.0) / 6.0
        return within + 2.0 * turns * slope_of_ellipe(m) if occurs(turns) else within


class Ellipj(Special):
    """sn, cn, dn, ph = Jacobi's elliptic functions of u and m, and the amplitude. A scaler: by the slopes of ph.

    Of ph: dn in u, and in m −dn · ∂F(ph, m)/∂m, since F(ph, m) = u; sn, cn and dn are functions of ph.
    """

    ufunc, symbol, domain = special.ellipj, "sn cn dn", ((0.2, 2.0), (0.2, 0.8))
    uses_output = True

    def slope_u(self, u: Any, m: Any) -> Any:
        sn, cn, dn, _ = self.z
        return cn * dn, -sn * dn, -m * sn * cn, dn

    def slope_m(self, u: Any, m: Any) -> Any:
        sn, cn, dn, phi = self.z
        by_m = -dn * Ellipkinc().slope_m(phi, m)
        return cn * by_m, -sn * by_m, -(0.5 * sn * sn + m * sn * cn * by_m) / dn, by_m


# --- Carlson's symmetric integrals --------------------------------------------------------------------------------------

_TRIPLE = ((0.5, 1.0), (1.2, 2.0), (2.5, 3.5))


class Elliprf(Special):
    """z = R_F(x, y, z), Carlson's integral of the first kind. A scaler: each receives −R_D(the others, itself) / 6."""

    ufunc, symbol, domain = special.elliprf, "R_F", _TRIPLE

    def slope_x(self, x: Any, y: Any, z: Any) -> Any:
        return -special.elliprd(y, z, x) / 6.0

    def slope_y(self, x: Any, y: Any, z: Any) -> Any:
        return -special.elliprd(x, z, y) / 6.0

    def slope_z(self, x: Any, y: Any, z: Any) -> Any:
        return -special.elliprd(x, y, z) / 6.0


class Elliprc(Special):
    """z = R_C(x, y) = R_F(x, y, y). A scaler: x receives −R_D(y, y, x) / 6 · dz, y receives −R_D(x, y, y) / 3 · dz."""

    ufunc, symbol, domain = special.elliprc, "R_C", ((0.5, 1.0), (1.2, 2.0))

    def slope_x(self, x: Any, y: Any) -> Any:
        return -special.elliprd(y, y, x) / 6.0

    def slope_y(self, x: Any, y: Any) -> Any:
        return -special.elliprd(x, y, y) / 3.0


def _by_own_size(function: Any, inputs: tuple[Any, ...], place: int) -> Any:
    """By differences: the function is smooth for positive arguments, with its singularity at 0."""
    return by_differences(function, inputs, place, np.abs(plain(inputs[place])))


class Elliprd(Special):
    """z = R_D(x, y, z), Carlson's integral of the second kind. A scaler: each argument by differences."""

    ufunc, symbol, domain = special.elliprd, "R_D", _TRIPLE

    def slope_x(self, x: Any, y: Any, z: Any) -> Any:
        return _by_own_size(special.elliprd, (x, y, z), 0)

    def slope_y(self, x: Any, y: Any, z: Any) -> Any:
        return _by_own_size(special.elliprd, (x, y, z), 1)

    def slope_z(self, x: Any, y: Any, z: Any) -> Any:
        return _by_own_size(special.elliprd, (x, y, z), 2)


class Elliprg(Special):
    """z = R_G(x, y, z), Carlson's completely symmetric integral. A scaler: each argument by differences."""

    ufunc, symbol, domain = special.elliprg, "R_G", _TRIPLE

    def slope_x(self, x: Any, y: Any, z: Any) -> Any:
        return _by_own_size(special.elliprg, (x, y, z), 0)

    def slope_y(self, x: Any, y: Any, z: Any) -> Any:
        return _by_own_size(special.elliprg, (x, y, z), 1)

    def slope_z(self, x: Any, y: Any, z: Any) -> Any:
        return _by_own_size(special.elliprg, (x, y, z), 2)


class Elliprj(Special):
    """z = R_J(x, y, z, p), Carlson's integral of the third kind. A scaler: each argument by differences."""

    ufunc, symbol, domain = special.elliprj, "R_J", (*_TRIPLE, (1.0, 2.0))

    def slope_x(self, x: Any, y: Any, z: Any, p: Any) -> Any:
        return _by_own_size(special.elliprj, (x, y, z, p), 0)

    def slope_y(self, x: Any, y: Any, z: Any, p: Any) -> Any:
        return _by_own_size(special.elliprj, (x, y, z, p), 1)

    def slope_z(self, x: Any, y: Any, z: Any, p: Any) -> Any:
        return _by_own_size(special.elliprj, (x, y, z, p), 2)

    def slope_p(self, x: Any, y: Any, z: Any, p: Any) -> Any:
        return _by_own_size(special.elliprj, (x, y, z, p), 3)
