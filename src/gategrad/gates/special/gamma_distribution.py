"""The χ² and gamma distributions under their SciPy names, and their inverses.

In the argument and the rate the slope is the density; in the shape it is found by differences, as for the incomplete
gamma function that they are.
"""

from __future__ import annotations

from typing import Any

from scipy import special

from gategrad.gates.special.densities import gamma_density
from gategrad.gates.special.differences import by_differences, length_of_shape
from gategrad.gates.special.incomplete import gammainc_by_a, gammaincinv_by_a
from gategrad.gates.special.kind import Special

__all__ = [
    "Chdtr",
    "Chdtrc",
    "Chdtri",
    "Chdtriv",
    "Chndtr",
    "Gdtr",
    "Gdtrc",
    "Gdtria",
    "Gdtrib",
    "Gdtrix",
]


class Chdtr(Special):
    """z = P(v/2, x/2), the χ² distribution. A scaler: x receives its density times dz, v by differences."""

    ufunc, symbol, domain = special.chdtr, "χ²", ((1.0, 5.0), (0.5, 6.0))

    def slope_v(self, v: Any, x: Any) -> Any:
        return 0.5 * gammainc_by_a(0.5 * v, 0.5 * x)

    def slope_x(self, v: Any, x: Any) -> Any:
        return 0.5 * gamma_density(0.5 * v, 0.5 * x)


class Chdtrc(Special):
    """z = 1 − χ² distribution. A scaler: x receives minus the density times dz, v by differences."""

    ufunc, symbol, domain = special.chdtrc, "1 − χ²", ((1.0, 5.0), (0.5, 6.0))

    def slope_v(self, v: Any, x: Any) -> Any:
        return -0.5 * gammainc_by_a(0.5 * v, 0.5 * x)

    def slope_x(self, v: Any, x: Any) -> Any:
        return -0.5 * gamma_density(0.5 * v, 0.5 * x)


class Chdtri(Special):
    """z = the x at which 1 − χ²(v, x) = p. A scaler: p receives −dz / density, v by differences."""

    ufunc, symbol, domain = special.chdtri, "χ²⁻¹", ((1.0, 5.0), (0.1, 0.9))
    uses_output = True

    def slope_v(self, v: Any, p: Any) -> Any:
        return gammaincinv_by_a(0.5 * v, 0.5 * self.z)

    def slope_p(self, v: Any, p: Any) -> Any:
        return -2.0 / gamma_density(0.5 * v, 0.5 * self.z)


class Chdtriv(Special):
    """z = the v at which χ²(v, x) = p. A scaler: the slopes of χ², turned round."""

    ufunc, symbol, domain = special.chdtriv, "χ²⁻¹", ((0.2, 0.8), (1.0, 5.0))
    uses_output = True

    def slope_p(self, p: Any, x: Any) -> Any:
        return 2.0 / gammainc_by_a(0.5 * self.z, 0.5 * x)

    def slope_x(self, p: Any, x: Any) -> Any:
        return 1.0 / gammaincinv_by_a(0.5 * self.z, 0.5 * x)


class Chndtr(Special):
    """z = the noncentral χ² distribution. A scaler: nc receives (z(df + 2) − z(df)) / 2 · dz, x and df by differences."""

    ufunc, symbol, domain = special.chndtr, "χ² nc", ((1.0, 5.0), (1.5, 5.0), (0.5, 3.0))
    uses_output = True

    def slope_x(self, x: Any, df: Any, nc: Any) -> Any:
        return by_differences(special.chndtr, (x, df, nc), 0, length_of_shape(x))

    def slope_df(self, x: Any, df: Any, nc: Any) -> Any:
        return by_differences(special.chndtr, (x, df, nc), 1, length_of_shape(df))

    def slope_nc(self, x: Any, df: Any, nc: Any) -> Any:
        return 0.5 * (special.chndtr(x, df + 2.0, nc) - self.z)


class Gdtr(Special):
    """z = P(b, ax), the gamma distribution of rate a. A scaler: a and x through ax by the density, b by differences."""

    ufunc, symbol, domain = special.gdtr, "gamma", ((0.5, 2.0), (0.5, 3.0), (0.5, 3.0))

    def slope_a(self, a: Any, b: Any, x: Any) -> Any:
        return x * gamma_density(b, a * x)

    def slope_b(self, a: Any, b: Any, x: Any) -> Any:
        return gammainc_by_a(b, a * x)

    def slope_x(self, a: Any, b: Any, x: Any) -> Any:
        return a * gamma_density(b, a * x)


class Gdtrc(Special):
    """z = Q(b, ax) = 1 − P(b, ax). A scaler: as `Gdtr`, negative."""

    ufunc, symbol, domain = special.gdtrc, "1 − gamma", ((0.5, 2.0), (0.5, 3.0), (0.5, 3.0))

    def slope_a(self, a: Any, b: Any, x: Any) -> Any:
        return -x * gamma_density(b, a * x)

    def slope_b(self, a: Any, b: Any, x: Any) -> Any:
        return -gammainc_by_a(b, a * x)

    def slope_x(self, a: Any, b: Any, x: Any) -> Any:
        return -a * gamma_density(b, a * x)


class Gdtrix(Special):
    """z = the x at which P(b, ax) = p. A scaler: the slopes of `Gdtr`, turned round."""

    ufunc, symbol, domain = special.gdtrix, "gamma⁻¹", ((0.5, 2.0), (0.5, 3.0), (0.1, 0.9))
    uses_output = True

    def slope_a(self, a: Any, b: Any, p: Any) -> Any:
        return -self.z / a

    def slope_b(self, a: Any, b: Any, p: Any) -> Any:
        return gammaincinv_by_a(b, a * self.z) / a

    def slope_p(self, a: Any, b: Any, p: Any) -> Any:
        return 1.0 / (a * gamma_density(b, a * self.z))


class Gdtria(Special):
    """z = the a at which P(b, ax) = p. A scaler: the slopes of `Gdtr`, turned round."""

    ufunc, symbol, domain = special.gdtria, "gamma⁻¹", ((0.1, 0.9), (0.5, 3.0), (0.5, 3.0))
    uses_output = True

    def slope_p(self, p: Any, b: Any, x: Any) -> Any:
        return 1.0 / (x * gamma_density(b, self.z * x))

    def slope_b(self, p: Any, b: Any, x: Any) -> Any:
        return gammaincinv_by_a(b, self.z * x) / x

    def slope_x(self, p: Any, b: Any, x: Any) -> Any:
        return -self.z / x


class Gdtrib(Special):
    """z = the b at which P(b, ax) = p. A scaler: the slopes of `Gdtr`, turned round."""

    ufunc, symbol, domain = special.gdtrib, "gamma⁻¹", ((0.5, 2.0), (0.2, 0.8), (0.5, 3.0))
    uses_output = True

    def slope_a(self, a: Any, p: Any, x: Any) -> Any:
        return x / gammaincinv_by_a(self.z, a * x)

    def slope_p(self, a: Any, p: Any, x: Any) -> Any:
        return 1.0 / gammainc_by_a(self.z, a * x)

    def slope_x(self, a: Any, p: Any, x: Any) -> Any:
        return a / gammaincinv_by_a(self.z, a * x)
