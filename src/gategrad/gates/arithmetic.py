"""Arithmetic: + − × ÷ power, and what is made of them. The first file to read about what a gate is."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.kinds import Elementwise

__all__ = ["Add", "Multiply"]


class Add(Elementwise):
    """z = x + y. A distributor: each input receives the gradient as it is."""

    ufunc, pattern, symbol = np.add, "distributor", "+"
    remembers_inputs = False
    domain = ((-2.0, 2.0), (-2.0, 2.0))

    def forward(self, x: Any, y: Any) -> Any:
        return x + y

    def backward(self, dz: Any) -> Any:
        return dz, dz


class Multiply(Elementwise):
    """z = x · y. A switcher: each input receives the gradient scaled by the other input."""

    ufunc, pattern, symbol = np.multiply, "switcher", "×"
    domain = ((-2.0, 2.0), (-2.0, 2.0))

    def forward(self, x: Any, y: Any) -> Any:
        need_x, need_y = self.needs
        self.x = x if need_y else None  # must keep these around: backward needs them
        self.y = y if need_x else None
        return x * y

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        return self.y * dz if need_x else None, self.x * dz if need_y else None
