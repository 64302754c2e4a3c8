"""Kinks that are none: where what arrives at a kink is zero, the function is smooth, and its gradient has a slope.

f = g(|x|) with g'(0) = 0 is |x|², cos |x| and the like. Its gradient dz · x / |x| is 0 at 0, and so is each of its
parts; but as dz ≈ κ · |x| near by, with κ = ∂dz/∂z, it is κ · x, and f'' is κ. The same holds for the length of a
vector, for the spread of numbers, and, with half of the sum, for what two that tie share.

So the rules of such gates add a gate of its own to a gradient that is being recorded, at second order that is: its
value is 0, its slope κ. What κ is, a walk forward from z to dz tells (`transforms/kinked.py`). Where dz depends on
other kinks as well nobody knows, and the slope is NaN rather than a number that might be wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import ArrayMethods
from gategrad.careful import doubted
from gategrad.gate import Gate, derive
from gategrad.gates.conjugation import conj
from gategrad.gates.singular import left_out
from gategrad.kinds import Example
from gategrad.masked import numbers, select
from gategrad.variable import Variable

__all__ = ["HiddenSlope"]

Spread = Callable[[Any], Any]


_SEEN: Any = (float, np.ndarray, np.generic, ArrayMethods)


class HiddenSlope(Gate):
    """z = 0. A scaler all the same: x receives share · ∂dz/∂z · v where dz is zero on a kink (see the head of this file)."""

    pattern, symbol = "scaler", "κ"
    takes_complex = True

    def __init__(self, flat: Any, share: float = 1.0, spread: Spread | None = None) -> None:
        self.flat = flat
        self.share = share
        self.spread = spread

    def forward(self, dz: Any, z: Any, x: Any) -> Any:
        self.slope: Any = None
        if type(x) is Variable:
            return HiddenSlope(self.flat, self.share, self.spread)(dz, z, x)  # on the tape below it is as flat
        return 0.0 if type(x) is float else np.zeros(x.shape, x.dtype)[()]

    def backward(self, v: Any) -> Any:
        return None, None, self._scaled(v) if self.needs[2] else None

    def jvp(self, *tangents: Any) -> Any:
        return None if tangents[2] is None else self._scaled(tangents[2])

    def _scaled(self, v: Any) -> Any:
        slope = self.slope
        if slope is None:  # found once: others that it depends on ask for it again at each of their own walks
            slope = self.slope = self.slope_where(self.flat, self.inputs[0], self.inputs[1])
        flat = np.bool_(self.flat) if type(self.flat) is bool else self.flat
        known = numbers(slope)
        if isinstance(known, _SEEN):
            doubted(np.isnan(self.share * known) & flat, is_tie=True)
        if self.spread is not None:
            slope, flat = slope if type(slope) is float else self.spread(slope), self.spread(flat)
        return select(flat, self.share * slope * conj(v))

    @staticmethod
    def slope_where(flat: Any, dz: Any, z: Any) -> Any:
        """∂dz/∂z where `flat`, between the gates that made the two."""
        if left_out(flat):
            return np.nan
        if dz is None:
            return 0.0
        return derive["slope"](flat, dz, z)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Where nothing is flat."""
        yield cls(np.False_), (1.0, 1.0, rng.uniform(-1.0, 1.0))
        yield cls(np.False_), (np.ones(3), np.ones(3), rng.uniform(-1.0, 1.0, 3))
