"""--check: the gradients that came back through the gates, beside those that small steps forward measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gategrad.slopes import extrapolated, one_sided

__all__ = ["Comparison", "compare"]

_TOLERANCE = 1e-6
_SLACK = 1e-5  # slopes across small steps are less exact
_BEND = 1e-3  # slopes that differ by more, across two small steps, are those of a kink

Function = Callable[[float], float]


@dataclass(frozen=True)
class Comparison:
    """One number of a gradient, found in two ways."""

    name: str
    """The variable, or the element: x, W[0, 1]."""
    gradient: float
    measured: float
    uncertainty: float
    """How far the measurement itself may be off."""
    slopes: tuple[float, float]
    """The slopes to the left and to the right."""

    @property
    def is_kink(self) -> bool:
        """Whether the slopes on the two sides differ, so that every number between them is a gradient."""
        left, right = self.slopes
        return abs(right - left) > _BEND * max(1.0, abs(left), abs(right))

    @property
    def is_measurable(self) -> bool:
        """Whether the expression is finite on both sides; if not, differences can tell nothing."""
        return bool(np.isfinite(self.measured))

    @property
    def error(self) -> float:
        """How far the two are apart; nan if that cannot be told."""
        return abs(self.gradient - self.measured)

    @property
    def agrees(self) -> bool:
        """Whether they are as close as the measurement can tell, or the gradient lies between the slopes at its sides.

        The second is for kinks: at one, every number between is a gradient; close to one, wide steps measure across it.
        """
        if not (self.is_measurable and np.isfinite(self.gradient)):
            return not self.is_measurable
        scale = max(1.0, abs(self.gradient))
        slack = _SLACK * scale
        between = min(self.slopes) - slack <= self.gradient <= max(self.slopes) + slack
        return between or self.error <= _TOLERANCE * scale + self.uncertainty


def compare(
    f: Callable[[Mapping[str, Any]], Any], values: Mapping[str, Any], gradients: Mapping[str, Any]
) -> list[Comparison]:
    """Compare every element of every gradient with differences of `f`, which plain NumPy computes."""
    found = []
    for name, value in values.items():
        for index in np.ndindex(np.shape(value)):
            g = _along(f, values, name, index)
            x = float(np.asarray(value)[index])
            element = f"{name}[{', '.join(map(str, index))}]" if index else name
            gradient = float(np.asarray(gradients[name])[index])
            found.append(Comparison(element, gradient, *extrapolated(g, x), one_sided(g, x)))
    return found


def _along(f: Callable[[Mapping[str, Any]], Any], values: Mapping[str, Any], name: str, index: Any) -> Function:
    """`f` as a function of one element of one of its values."""

    def g(x: float) -> float:
        changed: Any = x
        if index:
            changed = np.array(values[name], dtype=np.float64)
            changed[index] = x
        return float(np.asarray(f({**values, name: changed})).item())

    return g
