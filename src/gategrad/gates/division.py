"""Division with remainder, in Python's way (`%`) and in C's (`fmod`). Quotients are steps: nothing flows through them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import refuse
from gategrad.kinds import Elementwise
from gategrad.recording import plain

__all__ = ["FloorDivide", "Fmod", "Remainder"]


class Remainder(Elementwise):
    """z = x − ⌊x / y⌋ · y. A distributor: x receives dz as it is, y receives −⌊x / y⌋ · dz.

    Kink: at multiples of y, where z jumps, the slope of the pieces.
    """

    ufunc, pattern, symbol = np.remainder, "distributor", "%"
    domain = ((2.1, 2.9), (0.95, 1.0))

    def forward(self, x: Any, y: Any) -> Any:
        self.quotient: Any = np.floor_divide(plain(x), plain(y)) if self.needs[1] else None
        return x % y

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        return dz if need_x else None, -self.quotient * dz if need_y else None


class Fmod(Elementwise):
    """z = x − trunc(x / y) · y, with the sign of x. A distributor: x receives dz, y receives −trunc(x / y) · dz.

    Kink: at multiples of y, where z jumps, the slope of the pieces.
    """

    ufunc, pattern, symbol = np.fmod, "distributor", "fmod"
    domain = ((-2.9, -2.1), (0.95, 1.0))

    def forward(self, x: Any, y: Any) -> Any:
        self.quotient: Any = np.trunc(np.divide(plain(x), plain(y))) if self.needs[1] else None
        return np.fmod(x, y)

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        return dz if need_x else None, -self.quotient * dz if need_y else None


class FloorDivide(Elementwise):
    """z = ⌊x / y⌋. A blocker: nothing flows.

    Kink: 0 at the steps too, where there is no subgradient at all.
    """

    ufunc, pattern, symbol = np.floor_divide, "blocker", "//"
    remembers_inputs = False
    domain = ((2.1, 2.9), (0.95, 1.0))

    def forward(self, x: Any, y: Any) -> Any:
        return x // y

    def backward(self, dz: Any) -> Any:
        return None, None


# --- made of these ----------------------------------------------------------------------------------------------


@implements(np.divmod)
def _divmod(x1: Any, x2: Any) -> tuple[Any, Any]:
    return np.floor_divide(x1, x2), np.remainder(x1, x2)


@implements(np.modf)
def _modf(x: Any) -> tuple[Any, Any]:
    whole = np.trunc(x)
    endless = np.isinf(plain(x))  # of which nothing is left
    return np.where(endless, 0.0, x) - np.where(endless, 0.0, whole), whole


@implements(np.fix)
def _fix(x: Any, out: Any = None) -> Any:
    refuse("np.fix", out=out)
    return np.trunc(x)
