"""Exponentials and logarithms.

An exponential that has overflowed has an infinite local gradient; an upstream gradient of zero outweighs it (see
`singular.times`), so that `1 / (1 + exp(-x))` has gradient 0 at −800.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gategrad.gates.activation import sigmoid
from gategrad.gates.singular import OVERFLOW, fading, occurs, times
from gategrad.kinds import Elementwise
from gategrad.recording import plain

__all__ = ["Exp", "Exp2", "Expm1", "Log", "Log1p", "Log2", "Log10", "LogAddExp", "LogAddExp2"]

_LN2, _LN10 = math.log(2.0), math.log(10.0)
_POSITIVE = ((0.5, 2.0),)


class Exp(Elementwise):
    """z = exp(x). A scaler: x receives z · dz."""

    ufunc, pattern, symbol = np.exp, "scaler", "exp"
    takes_complex = True
    kink = OVERFLOW
    overflows = is_steep = True

    def forward(self, x: Any) -> Any:
        self.z = z = np.exp(x)
        return z

    def backward(self, dz: Any) -> Any:
        return times(self.z, dz)

    def kinks(self, x: Any) -> Any:
        return np.isinf(np.exp(x)) & np.isfinite(x)


class Exp2(Elementwise):
    """z = 2 ** x. A scaler: x receives log(2) · z · dz."""

    ufunc, pattern, symbol = np.exp2, "scaler", "exp2"
    takes_complex = True
    kink = OVERFLOW
    overflows = is_steep = True

    def forward(self, x: Any) -> Any:
        self.z = z = np.exp2(x)
        return z

    def backward(self, dz: Any) -> Any:
        return times(self.z, _LN2 * dz)

    def kinks(self, x: Any) -> Any:
        return np.isinf(np.exp2(x)) & np.isfinite(x)


class Expm1(Elementwise):
    """z = exp(x) − 1. A scaler: x receives (z + 1) · dz."""

    ufunc, pattern, symbol = np.expm1, "scaler", "expm1"
    takes_complex = True
    kink = OVERFLOW
    overflows = is_steep = True

    def forward(self, x: Any) -> Any:
        self.z = z = np.expm1(x)
        return z

    def backward(self, dz: Any) -> Any:
        return times(self.z + 1.0, dz)  # one addition for one exponential: exact to an ulp of 1, not of exp(x)

    def kinks(self, x: Any) -> Any:
        return np.isinf(np.expm1(x)) & np.isfinite(x)


class Log(Elementwise):
    """z = log(x). A scaler: x receives dz / x."""

    ufunc, pattern, symbol = np.log, "scaler", "log"
    domain = _POSITIVE
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.log(x)

    def backward(self, dz: Any) -> Any:
        return fading(dz, self.x) / self.x


class Log2(Elementwise):
    """z = log2(x). A scaler: x receives dz / (log(2) · x)."""

    ufunc, pattern, symbol = np.log2, "scaler", "log2"
    domain = _POSITIVE
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.log2(x)

    def backward(self, dz: Any) -> Any:
        return fading(dz, self.x) / (_LN2 * self.x)


class Log10(Elementwise):
    """z = log10(x). A scaler: x receives dz / (log(10) · x)."""

    ufunc, pattern, symbol = np.log10, "scaler", "log10"
    domain = _POSITIVE
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.log10(x)

    def backward(self, dz: Any) -> Any:
        return fading(dz, self.x) / (_LN10 * self.x)


class Log1p(Elementwise):
    """z = log(1 + x). A scaler: x receives dz / (1 + x)."""

    ufunc, pattern, symbol = np.log1p, "scaler", "log1p"
    domain = ((-0.5, 2.0),)
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.log1p(x)

    def backward(self, dz: Any) -> Any:
        return fading(dz, self.x) / (1.0 + self.x)


class LogAddExp(Elementwise):
    """z = log(exp(x) + exp(y)). A distributor: x receives the share sigmoid(x − y) of the gradient, y the rest.

    Where both inputs are the same infinity each has half: two impossible events are equally likely.
    """

    ufunc, pattern, symbol = np.logaddexp, "distributor", "logaddexp"
    domain = ((-2.0, 2.0), (-2.0, 2.0))
    kink = "½ to each of two equal infinities"

    def forward(self, x: Any, y: Any) -> Any:
        self.x, self.y = x, y
        return np.logaddexp(x, y)

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        difference = self._difference()
        return sigmoid(difference) * dz if need_x else None, sigmoid(-difference) * dz if need_y else None

    def kinks(self, x: Any, y: Any) -> Any:
        return np.isinf(x) & (x == y)

    def _difference(self) -> Any:
        x, y = self.x, self.y
        undefined = np.isinf(x) & (x == y)
        if not occurs(undefined):
            return x - y
        with np.errstate(invalid="ignore"):
            return np.where(undefined, 0.0, np.subtract(x, y))


class LogAddExp2(Elementwise):
    """z = log2(2^x + 2^y). A distributor: x receives the share 2^(x − z) of the gradient, y the rest."""

    ufunc, pattern, symbol = np.logaddexp2, "distributor", "logaddexp2"
    domain = ((-2.0, 2.0), (-2.0, 2.0))

    def forward(self, x: Any, y: Any) -> Any:
        self.x, self.y = x, y
        return np.logaddexp2(x, y)

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        x, y = self.x, self.y
        undefined = np.isinf(plain(x)) & (plain(x) == plain(y))
        with np.errstate(invalid="ignore"):
            bits = math.log(2.0) * np.subtract(x, y)
        if occurs(undefined):
            bits = np.where(undefined, 0.0, bits)
        return sigmoid(bits) * dz if need_x else None, sigmoid(-bits) * dz if need_y else None
