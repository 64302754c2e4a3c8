"""Spherical Bessel functions of integer order in their argument.

SciPy's functions of these names take no variables; those here do, and `gategrad.scipy.special` has them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from scipy import special

from gategrad.gates.special.kind import Special
from gategrad.variable import Variable

__all__ = [
    "SphericalIn",
    "SphericalJn",
    "SphericalKn",
    "SphericalYn",
    "spherical_in",
    "spherical_jn",
    "spherical_kn",
    "spherical_yn",
]


class _Spherical(Special):
    """f_n(x), whose slope is (lower · n f_(n−1)(x) + upper · (n + 1) f_(n+1)(x)) / (2n + 1)."""

    domain = ((0, 3), (0.5, 4.0))
    whole = ("n",)

    function: ClassVar[Callable[..., Any]]
    lower: ClassVar[float]
    upper: ClassVar[float]

    def forward(self, n: Any, x: Any) -> Any:
        self.xs = n, x
        if type(x) is Variable:  # of an outer tape
            return type(self)()(n, x)
        return type(self).function(n, np.asarray(x))  # a symbol is no array: then the gate runs on the host

    def slope_x(self, n: Any, x: Any) -> Any:
        f = type(self)
        n = np.asarray(n)
        before, after, total = f.lower * n, f.upper * (n + 1.0), 2.0 * n + 1.0
        if not n.shape:
            n, before, after, total = int(n), float(before), float(after), float(total)
        return (before * f()(np.maximum(n - 1, 0), x) + after * f()(n + 1, x)) / total


class SphericalJn(_Spherical):
    """z = j_n(x) = √(π/2x) J_(n+½)(x). A scaler: x receives (n j_(n−1) − (n + 1) j_(n+1)) / (2n + 1) · dz."""

    symbol, function, lower, upper = "j", special.spherical_jn, 1.0, -1.0


class SphericalYn(_Spherical):
    """z = y_n(x) = √(π/2x) Y_(n+½)(x). A scaler: x receives (n y_(n−1) − (n + 1) y_(n+1)) / (2n + 1) · dz."""

    symbol, function, lower, upper = "y", special.spherical_yn, 1.0, -1.0


class SphericalIn(_Spherical):
    """z = i_n(x) = √(π/2x) I_(n+½)(x). A scaler: x receives (n i_(n−1) + (n + 1) i_(n+1)) / (2n + 1) · dz."""

    symbol, function, lower, upper = "i", special.spherical_in, 1.0, 1.0


class SphericalKn(_Spherical):
    """z = k_n(x) = √(π/2x) K_(n+½)(x). A scaler: x receives −(n k_(n−1) + (n + 1) k_(n+1)) / (2n + 1) · dz."""

    symbol, function, lower, upper = "k", special.spherical_kn, -1.0, -1.0


def spherical_jn(n: Any, z: Any, derivative: bool = False) -> Any:
    """The spherical Bessel function of integer order n ≥ 0, first kind, or its derivative; as `scipy.special.spherical_jn`.

    `n` are integers (no gradient), `z` real numbers; they broadcast.

    >>> import gategrad as gg
    >>> bool(gg.grad(lambda z: spherical_jn(1, z))(2.0) == spherical_jn(1, 2.0, derivative=True))
    True
    """
    gate = SphericalJn()
    if not derivative:
        return gate(n, z)
    return gate.slope_x(n, z)


def spherical_yn(n: Any, z: Any, derivative: bool = False) -> Any:
    """The spherical Bessel function of integer order n ≥ 0, second kind, or its derivative; as `scipy.special.spherical_yn`.

    `n` are integers (no gradient), `z` real numbers; they broadcast.

    >>> import gategrad as gg
    >>> bool(gg.grad(lambda z: spherical_yn(1, z))(2.0) == spherical_yn(1, 2.0, derivative=True))
    True
    """
    gate = SphericalYn()
    if not derivative:
        return gate(n, z)
    return gate.slope_x(n, z)


def spherical_in(n: Any, z: Any, derivative: bool = False) -> Any:
    """The spherical Bessel function of integer order n ≥ 0, first kind, modified, or its derivative; as `scipy.special.spherical_in`.

    `n` are integers (no gradient), `z` real numbers; they broadcast.

    >>> import gategrad as gg
    >>> bool(gg.grad(lambda z: spherical_in(1, z))(2.0) == spherical_in(1, 2.0, derivative=True))
    True
    """
    gate = SphericalIn()
    if not derivative:
        return gate(n, z)
    return gate.slope_x(n, z)


def spherical_kn(n: Any, z: Any, derivative: bool = False) -> Any:
    """The spherical Bessel function of integer order n ≥ 0, second kind, modified, or its derivative; as `scipy.special.spherical_kn`.

    `n` are integers (no gradient), `z` real numbers; they broadcast.

    >>> import gategrad as gg
    >>> bool(gg.grad(lambda z: spherical_kn(1, z))(2.0) == spherical_kn(1, 2.0, derivative=True))
    True
    """
    gate = SphericalKn()
    if not derivative:
        return gate(n, z)
    return gate.slope_x(n, z)
