"""The F, beta, Student and Kolmogorov distributions under their SciPy names, and their inverses.

In the argument the slope is the density; in the parameters it is found by differences.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from gategrad.gates.singular import occurs
from gategrad.gates.special.densities import beta_density
from gategrad.gates.special.differences import by_differences
from gategrad.gates.special.incomplete import betainc_by
from gategrad.gates.special.kind import Special
from gategrad.recording import plain

__all__ = [
    "Btdtria",
    "Btdtrib",
    "Fdtr",
    "Fdtrc",
    "Fdtri",
    "Kolmogi",
    "Kolmogorov",
    "Stdtr",
    "Stdtridf",
    "Stdtrit",
    "student_density",
]


class _Snedecor:
    """The slopes of the F distribution: I_w(dfn/2, dfd/2) with w = dfn x / (dfn x + dfd), or 1 − I of 1 − w, which is smaller."""

    def __init__(self, dfn: Any, dfd: Any, x: Any) -> None:
        self.dfn, self.dfd, self.x = dfn, dfd, x
        self.total = dfn * x + dfd
        w, rest = dfn * x / self.total, dfd / self.total
        self.late = plain(w) > 0.5
        self.w = np.where(self.late, 0.5, w)
        self.rest = np.where(self.late, rest, 0.5)
        half, other = 0.5 * dfn, 0.5 * dfd
        density = np.where(self.late, beta_density(other, half, self.rest), beta_density(half, other, self.w))
        self.density = density / (self.total * self.total)

    def by_dfn(self) -> Any:
        return 0.5 * self._by(0) + self.density * self.x * self.dfd

    def by_dfd(self) -> Any:
        return 0.5 * self._by(1) - self.density * self.x * self.dfn

    def by_x(self) -> Any:
        return self.density * self.dfn * self.dfd

    def _by(self, place: int) -> Any:
        half, other = 0.5 * self.dfn, 0.5 * self.dfd
        early = betainc_by(place, half, other, self.w)
        return (
            np.where(self.late, -betainc_by(1 - place, other, half, self.rest), early) if occurs(self.late) else early
        )


_F = ((1.0, 5.0), (1.0, 5.0), (0.5, 3.0))


class Fdtr(Special):
    """z = the F distribution. A scaler: x receives its density times dz, dfn and dfd by differences."""

    ufunc, symbol, domain = special.fdtr, "F", _F

    def slope_dfn(self, dfn: Any, dfd: Any, x: Any) -> Any:
        return _Snedecor(dfn, dfd, x).by_dfn()

    def slope_dfd(self, dfn: Any, dfd: Any, x: Any) -> Any:
        return _Snedecor(dfn, dfd, x).by_dfd()

    def slope_x(self, dfn: Any, dfd: Any, x: Any) -> Any:
        return _Snedecor(dfn, dfd, x).by_x()


class Fdtrc(Special):
    """z = 1 − F distribution. A scaler: as `Fdtr`, negative."""

    ufunc, symbol, domain = special.fdtrc, "1 − F", _F

    def slope_dfn(self, dfn: Any, dfd: Any, x: Any) -> Any:
        return -_Snedecor(dfn, dfd, x).by_dfn()

    def slope_dfd(self, dfn: Any, dfd: Any, x: Any) -> Any:
        return -_Snedecor(dfn, dfd, x).by_dfd()

    def slope_x(self, dfn: Any, dfd: Any, x: Any) -> Any:
        return -_Snedecor(dfn, dfd, x).by_x()


class Fdtri(Special):
    """z = the x at which the F distribution is p. A scaler: the slopes of `Fdtr`, turned round."""

    ufunc, symbol, domain = special.fdtri, "F⁻¹", ((1.0, 5.0), (1.0, 5.0), (0.2, 0.8))
    uses_output = True

    def slope_dfn(self, dfn: Any, dfd: Any, p: Any) -> Any:
        f = _Snedecor(dfn, dfd, self.z)
        return -f.by_dfn() / f.by_x()

    def slope_dfd(self, dfn: Any, dfd: Any, p: Any) -> Any:
        f = _Snedecor(dfn, dfd, self.z)
        return -f.by_dfd() / f.by_x()

    def slope_p(self, dfn: Any, dfd: Any, p: Any) -> Any:
        return 1.0 / _Snedecor(dfn, dfd, self.z).by_x()


class Btdtria(Special):
    """z = the a at which I_x(a, b) = p. A scaler: the slopes of `Betainc`, turned round."""

    ufunc, symbol, domain = special.btdtria, "I⁻¹", ((0.2, 0.8), (0.5, 3.0), (0.2, 0.8))
    uses_output = True

    def slope_p(self, p: Any, b: Any, x: Any) -> Any:
        return 1.0 / betainc_by(0, self.z, b, x)

    def slope_b(self, p: Any, b: Any, x: Any) -> Any:
        return -betainc_by(1, self.z, b, x) / betainc_by(0, self.z, b, x)

    def slope_x(self, p: Any, b: Any, x: Any) -> Any:
        return -beta_density(self.z, b, x) / betainc_by(0, self.z, b, x)


class Btdtrib(Special):
    """z = the b at which I_x(a, b) = p. A scaler: the slopes of `Betainc`, turned round."""

    ufunc, symbol, domain = special.btdtrib, "I⁻¹", ((0.5, 3.0), (0.2, 0.8), (0.2, 0.8))
    uses_output = True

    def slope_a(self, a: Any, p: Any, x: Any) -> Any:
        return -betainc_by(0, a, self.z, x) / betainc_by(1, a, self.z, x)

    def slope_p(self, a: Any, p: Any, x: Any) -> Any:
        return 1.0 / betainc_by(1, a, self.z, x)

    def slope_x(self, a: Any, p: Any, x: Any) -> Any:
        return -beta_density(a, self.z, x) / betainc_by(1, a, self.z, x)


# --- Student --------------------------------------------------------------------------------------------------------------


def student_density(df: Any, t: Any) -> Any:
    """The density of Student's distribution: (1 + t²/df)^(−(df + 1)/2) / (√df B(df/2, ½))."""
    return np.exp(-0.5 * (df + 1.0) * np.log1p(t * t / df) - special.betaln(0.5 * df, 0.5)) / np.sqrt(df)


def _student_by_df(df: Any, t: Any) -> Any:
    """By differences in the left tail, which keeps its digits: the right one is its mirror."""
    sign = np.sign(plain(t))
    length = 1.0 / (1.0 / plain(df) + 0.5 * np.log1p(plain(t) * plain(t) / plain(df)))
    return by_differences(special.stdtr, (df, -sign * t), 0, length) * -sign


class Stdtr(Special):
    """z = Student's distribution. A scaler: t receives its density times dz, df by differences."""

    ufunc, symbol, domain = special.stdtr, "t", ((1.0, 5.0), (-3.0, -0.2))

    def slope_df(self, df: Any, t: Any) -> Any:
        return _student_by_df(df, t)

    def slope_t(self, df: Any, t: Any) -> Any:
        return student_density(df, t)


class Stdtrit(Special):
    """z = the t at which Student's distribution is p. A scaler: p receives dz / density, df by differences."""

    ufunc, symbol, domain = special.stdtrit, "t⁻¹", ((1.0, 5.0), (0.1, 0.4))
    uses_output = True

    def slope_df(self, df: Any, p: Any) -> Any:
        return -_student_by_df(df, self.z) / student_density(df, self.z)

    def slope_p(self, df: Any, p: Any) -> Any:
        return 1.0 / student_density(df, self.z)


class Stdtridf(Special):
    """z = the df at which Student's distribution of t is p. A scaler: the slopes of `Stdtr`, turned round."""

    ufunc, symbol, domain = special.stdtridf, "t⁻¹", ((0.03, 0.06), (-3.2, -2.8))
    uses_output = True

    def slope_p(self, p: Any, t: Any) -> Any:
        return 1.0 / _student_by_df(self.z, t)

    def slope_t(self, p: Any, t: Any) -> Any:
        return -student_density(self.z, t) / _student_by_df(self.z, t)


# --- Kolmogorov -----------------------------------------------------------------------------------------------------------


def _kolmogorov_slope(x: Any) -> Any:
    return by_differences(special.kolmogorov, (x,), 0, 0.5 * np.abs(plain(x)))


class Kolmogorov(Special):
    """z = 2 Σ (−1)^(k−1) exp(−2 k² x²), k ≥ 1. A scaler: x by differences."""

    ufunc, symbol, domain = special.kolmogorov, "K", ((0.5, 1.5),)

    def slope_x(self, x: Any) -> Any:
        return _kolmogorov_slope(x)


class Kolmogi(Special):
    """z = the x at which kolmogorov(x) = p. A scaler: p receives dz over the slope of that, by differences."""

    ufunc, symbol, domain = special.kolmogi, "K⁻¹", ((0.2, 0.8),)
    uses_output = True

    def slope_p(self, p: Any) -> Any:
        return 1.0 / _kolmogorov_slope(self.z)
