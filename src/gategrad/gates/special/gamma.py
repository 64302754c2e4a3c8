"""The gamma function and what is made of it: its logarithm, digamma, beta, binomials, incomplete gamma and beta.

d log Γ / dx is digamma ψ, and the derivatives of ψ are Hurwitz zeta functions, which are their own derivatives up to
a factor: any order follows. At the poles (0, −1, −2 …) slopes are what SciPy's digamma says there, ±inf or NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from gategrad.errors import NoRuleError
from gategrad.gates.axes import tracks
from gategrad.gates.comparison import Step
from gategrad.gates.singular import occurs
from gategrad.gates.special.differences import by_differences
from gategrad.gates.special.kind import Special, hidden
from gategrad.recording import plain

__all__ = [
    "Beta",
    "Betaln",
    "Binom",
    "Digamma",
    "Gamma",
    "Gammaln",
    "Gammasgn",
    "HurwitzZeta",
    "Loggamma",
    "Poch",
    "RiemannZeta",
    "Rgamma",
    "Zetac",
    "multigammaln",
    "polygamma",
    "zeta",
]

_POSITIVE = ((0.5, 4.0),)


class Gamma(Special):
    """z = Γ(x). A scaler: x receives z · ψ(x) · dz."""

    ufunc, symbol, domain = special.gamma, "Γ", _POSITIVE
    uses_output = True

    def slope_x(self, x: Any) -> Any:
        return self.z * special.digamma(x)


class Gammaln(Special):
    """z = log |Γ(x)|. A scaler: x receives ψ(x) · dz."""

    ufunc, symbol, domain = special.gammaln, "log Γ", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return special.digamma(x)


class Loggamma(Special):
    """z = log Γ(x), on its principal branch for complex x. A scaler: x receives ψ(x) · dz."""

    ufunc, symbol, domain = special.loggamma, "log Γ", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        return special.digamma(x)


class Rgamma(Special):
    """z = 1 / Γ(x), without a singularity. A scaler: x receives −ψ(x) · z · dz.

    For x < ½ by reflection, sin(πx) Γ(1 − x) / π, which holds at the poles of Γ too.
    """

    ufunc, symbol, domain = special.rgamma, "1/Γ", ((-2.4, 3.0),)

    def slope_x(self, x: Any) -> Any:
        if np.iscomplexobj(plain(x)):
            return -special.digamma(x) * special.rgamma(x)
        left = plain(x) < 0.5
        mirrored = 1.0 - np.where(left, x, 0.0)
        by_reflection = special.gamma(mirrored) * (
            np.cos(math.pi * x) - np.sin(math.pi * x) * special.digamma(mirrored) / math.pi
        )
        right = np.where(left, 1.0, x)
        return np.where(left, by_reflection, -special.digamma(right) * special.rgamma(right))


class Digamma(Special):
    """z = ψ(x) = d log Γ(x) / dx. A scaler: x receives ζ(2, x) · dz, the trigamma function."""

    ufunc, symbol, domain = special.digamma, "ψ", _POSITIVE

    def slope_x(self, x: Any) -> Any:
        if np.iscomplexobj(plain(x)):
            raise NoRuleError(
                "the derivative of digamma is known for real arguments only: SciPy has no complex polygamma function"
            )
        return special.zeta(2.0, x)


class HurwitzZeta(Special):
    """z = ζ(s, q) = Σ (k + q)^−s. A scaler: q receives −s · ζ(s + 1, q) · dz, s by differences."""

    ufunc, symbol, domain = hidden("_zeta"), "ζ", ((1.5, 4.0), (0.5, 4.0))

    def slope_s(self, s: Any, q: Any) -> Any:
        # relative to the first term of the sum, which for large s is all of it
        log_q = np.log(np.abs(plain(q)))
        return by_differences(special.zeta, (s, q), 0, np.minimum(1.0, plain(s) - 1.0) / (1.0 + np.abs(log_q)))

    def slope_q(self, s: Any, q: Any) -> Any:
        return -s * special.zeta(s + 1.0, q)


class RiemannZeta(Special):
    """z = ζ(x) = Σ k^−x. A scaler: x receives the derivative of ζ(x) − 1, by differences, times dz."""

    ufunc, symbol, domain = hidden("_riemann_zeta"), "ζ", ((1.5, 4.0),)

    def slope_x(self, x: Any) -> Any:
        return _slope_of_zeta(x)


class Zetac(Special):
    """z = ζ(x) − 1. A scaler: x receives its derivative, by differences, times dz."""

    ufunc, symbol, domain = special.zetac, "ζ − 1", ((1.5, 4.0),)

    def slope_x(self, x: Any) -> Any:
        return _slope_of_zeta(x)


def _slope_of_zeta(x: Any) -> Any:
    if np.iscomplexobj(plain(x)):
        raise NoRuleError("the gradient of zeta is known for real arguments only")
    distance = np.abs(plain(x) - 1.0)  # from the pole
    return by_differences(special.zetac, (x,), 0, np.minimum(1.0, distance))


class Gammasgn(Step):
    """z = sign of Γ(x). A blocker: nothing flows."""

    ufunc, symbol = special.gammasgn, "sign Γ"

    def forward(self, x: Any) -> Any:
        return special.gammasgn(x)


class Poch(Special):
    """z = Γ(x + m) / Γ(x), Pochhammer's rising factorial. A scaler: m receives z · ψ(x + m) · dz, x less z · ψ(x)."""

    ufunc, symbol, domain = special.poch, "Γ/Γ", ((0.5, 3.0), (0.5, 3.0))
    uses_output = True

    def slope_x(self, x: Any, m: Any) -> Any:
        return self.z * _digamma_difference(x, m)

    def slope_m(self, x: Any, m: Any) -> Any:
        return self.z * special.digamma(x + m)


class Beta(Special):
    """z = Γ(a) Γ(b) / Γ(a + b). A scaler: a receives z · (ψ(a) − ψ(a + b)) · dz, b likewise."""

    ufunc, symbol, domain = special.beta, "B", ((0.5, 3.0), (0.5, 3.0))
    uses_output = True

    def slope_a(self, a: Any, b: Any) -> Any:
        return -self.z * _digamma_difference(a, b)

    def slope_b(self, a: Any, b: Any) -> Any:
        return -self.z * _digamma_difference(b, a)


class Betaln(Special):
    """z = log |B(a, b)|. A scaler: a receives (ψ(a) − ψ(a + b)) · dz, b likewise."""

    ufunc, symbol, domain = special.betaln, "log B", ((0.5, 3.0), (0.5, 3.0))

    def slope_a(self, a: Any, b: Any) -> Any:
        return -_digamma_difference(a, b)

    def slope_b(self, a: Any, b: Any) -> Any:
        return -_digamma_difference(b, a)


class Binom(Special):
    """z = Γ(n + 1) / (Γ(k + 1) Γ(n − k + 1)). A scaler: by differences of ψ at the three places."""

    ufunc, symbol, domain = special.binom, "binom", ((3.0, 6.0), (0.5, 2.5))
    uses_output = True

    def slope_n(self, n: Any, k: Any) -> Any:
        return self.z * _digamma_difference(n - k + 1.0, k)

    def slope_k(self, n: Any, k: Any) -> Any:
        return self.z * (special.digamma(n - k + 1.0) - special.digamma(k + 1.0))


def _digamma_difference(a: Any, b: Any) -> Any:
    """ψ(a + b) − ψ(a), with all digits where a is large and the two are nearly the same.

    There it is log(1 + b/a) and the difference of two ends of the asymptotic series, written with b as a factor.
    """
    far = (plain(a) > 16.0) & (np.abs(plain(b)) < plain(a))
    nearby = special.digamma(a + b) - special.digamma(a)
    if not occurs(far):
        return nearby
    u, v = 1.0 / np.where(far, a, 16.0), 1.0 / np.where(far, a + b, 16.0)
    apart = np.where(far, b, 0.0) * u * v  # u − v
    p, q = u * u, v * v
    # B_2n / 2n times (u^2n − v^2n) / (u² − v²)
    ends = 1 / 12 - (p + q) / 120 + (p * p + p * q + q * q) / 252 - (p + q) * (p * p + q * q) / 240
    return np.where(far, np.log1p(np.where(far, b, 0.0) * u) + apart * (0.5 + (u + v) * ends), nearby)


# --- functions of SciPy's that are no ufuncs --------------------------------------------------------------------------


def polygamma(n: Any, x: Any) -> Any:
    """The n-th derivative of digamma: (−1)^(n+1) n! ζ(n + 1, x), and ψ(x) for n = 0.

    `n` are integers (no gradient), `x` real numbers of any shape; as `scipy.special.polygamma`, which does not
    take variables.

    >>> import gategrad as gg
    >>> round(gg.grad(lambda x: polygamma(0, x))(1.0), 12) == round(float(polygamma(1, 1.0)), 12)
    True
    """
    n = np.asarray(n)
    if not n.shape:
        n = float(n)
        return special.digamma(x) if n == 0 else (-1.0) ** (n + 1) * math.gamma(n + 1.0) * special.zeta(n + 1.0, x)
    higher = np.where(n == 0, 1.0, n)
    scale = (-1.0) ** (higher + 1) * special.gamma(higher + 1.0)
    return np.where(n == 0, special.digamma(x), scale * special.zeta(higher + 1.0, x))


def zeta(x: Any, q: Any = None, out: None = None) -> Any:
    """Riemann's zeta function Σ k^−x, or Hurwitz's Σ (k + q)^−x if `q` is given; as `scipy.special.zeta`.

    Real numbers of any shape; the gradient in `q` is closed, that in `x` by differences (11 digits).

    >>> import gategrad as gg
    >>> float(gg.grad(zeta, argnums=1)(2.0, 1.0)) == -2.0 * float(zeta(3.0, 1.0))
    True
    """
    return special.zeta(x) if q is None else special.zeta(x, q)


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function: d (d − 1)/4 · log π + Σ_j log Γ(a + (1 − j)/2), j = 1 … d.

    `a` real, of any shape, each more than (d − 1)/2, or `ValueError`; as `scipy.special.multigammaln`.

    >>> import gategrad as gg
    >>> round(gg.grad(lambda a: multigammaln(a, 2))(2.0), 6)
    0.459274
    """
    low = plain(a) <= 0.5 * (d - 1)
    if not tracks(low) and np.any(low):
        raise ValueError(f"condition a ({plain(a)}) > 0.5 * (d-1) ({0.5 * (d - 1)}) not met")
    total = 0.25 * d * (d - 1) * math.log(math.pi)
    for j in range(d):
        total = total + special.gammaln(a - 0.5 * j)
    return total
