"""Signs and steps: copysign, heaviside, fabs; and powers of two taken apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.errors import DtypeError
from gategrad.gates.bends import Kinked, bent
from gategrad.kinds import Elementwise
from gategrad.masked import select
from gategrad.recording import plain
from gategrad.values import is_complex
from gategrad.variable import Variable

__all__ = ["Copysign", "Heaviside"]


class Copysign(Kinked, Elementwise):
    """z = |x| with the sign of y. A scaler: x receives sign(x) · sign(y) · dz; nothing flows into y.

    Kink: 0 at x = 0, as of |x|.
    """

    ufunc, pattern, symbol = np.copysign, "scaler", "copysign"
    domain = ((0.5, 2.0), (-2.0, -0.5))

    def forward(self, x: Any, y: Any) -> Any:
        self.signs = np.sign(plain(x)) * np.copysign(1.0, plain(y))
        z = np.copysign(x, y)
        self.x: Any = x if type(z) is Variable else None
        self.z: Any = z if type(z) is Variable else None
        return z

    def backward(self, dz: Any) -> Any:
        return bent(self.signs * dz, dz, self.z, self.x, self.sits()) if self.needs[0] else None, None

    def sits(self) -> Any:
        return self.signs == 0


class Heaviside(Elementwise):
    """z = 0 where x < 0, 1 where x > 0, y where x = 0. A router: y receives dz where x = 0; nothing flows into x."""

    ufunc, pattern, symbol = np.heaviside, "router", "step"
    domain = ((0.5, 2.0), (-2.0, 2.0))

    def forward(self, x: Any, y: Any) -> Any:
        self.taken = np.equal(plain(x), 0) if self.needs[1] else None
        return np.heaviside(x, y)

    def backward(self, dz: Any) -> Any:
        return None, select(self.taken, dz) if self.needs[1] else None


@implements(np.fabs)
def _fabs(x: Any) -> Any:
    if is_complex(x):
        raise DtypeError("np.fabs takes no complex numbers, as in NumPy: use np.abs, which does")
    return np.absolute(x)


# --- powers of two ----------------------------------------------------------------------------------------------


@implements(np.ldexp)
def _ldexp(x1: Any, x2: Any) -> Any:
    return x1 * np.ldexp(np.ones((), getattr(x1, "dtype", np.float64)), x2)


@implements(np.frexp)
def _frexp(x: Any) -> tuple[Any, Any]:
    exponent = np.frexp(plain(x))[1]
    return _ldexp(x, -exponent), exponent
