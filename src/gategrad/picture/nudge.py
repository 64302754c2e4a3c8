"""A nudge: what the gradient predicts when a value grows a little, beside what really happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gategrad.errors import ShapeError
from gategrad.picture.model import Model, Wire
from gategrad.picture.numbers import prose
from gategrad.picture.replay import output_when
from gategrad.variable import Variable

__all__ = ["Nudge", "nudge"]


@dataclass(frozen=True, slots=True, repr=False)
class Nudge:
    """What the gradient promised and what came of it; `str` says it in a sentence."""

    name: str
    output: str
    h: float
    force: float
    """df/dz; of several elements that grow together, the sum of theirs."""
    before: float
    after: float
    several: bool = False

    @property
    def predicted(self) -> float:
        """The change that the gradient predicts: force · h."""
        return self.force * self.h

    @property
    def actual(self) -> float:
        """The change that really happens."""
        return self.after - self.before

    def __str__(self) -> str:
        who = f"every element of {self.name} together" if self.several else self.name
        promise = f"{who} has force {prose(self.force)}: {self.output} should "
        if self.predicted == 0:
            return f"{promise}not move; it {_moves(self.actual)}"
        way = "rise" if self.predicted > 0 else "fall"
        steps, change = prose(abs(self.force)), prose(abs(self.predicted))
        h = "h" if self.h >= 0 else "|h|"
        return f"{promise}{way} by {steps}{h} = {change}; it {_moves(self.actual)}"

    __repr__ = __str__


def _moves(change: float) -> str:
    if change == 0:
        return "stays where it is"
    return f"{'rises' if change > 0 else 'falls'} by {prose(abs(change))}"


def nudge(z: Variable, model: Model, sources: Mapping[Wire, Any], name: str, h: float, index: Any) -> Nudge:
    """Compute the output again with the value called `name` grown by `h`."""
    wire = model.find(name)
    if isinstance(wire.value, tuple):
        raise ShapeError(f"{name} is several values at once, which cannot be nudged together: nudge one of them")
    if wire.is_array:
        grown, force, label = _grown_element(wire, h, index)
    elif index is not None:
        raise ShapeError(f"{name} is a single number, so it has no element {index}")
    else:
        grown, force, label = wire.value + type(wire.value)(h), wire.gradient, name
    after = output_when(z, {sources[wire]: grown})
    several = wire.is_array and index is None
    return Nudge(
        label, model.output.label, h, float(np.real(force)), _total(model.output.value), _total(after), several
    )


def _grown_element(wire: Wire, h: float, index: Any) -> tuple[Any, Any, str]:
    """The array with an element, or all of them, larger by h; the force on what grew; and what that is called."""
    grown = np.array(wire.value)
    if index is None:
        return grown + grown.dtype.type(h), np.sum(wire.gradient), wire.label
    try:
        grown[index] += h
    except IndexError as error:
        raise IndexError(f"{wire.label} has shape {wire.shape}: {error}") from None
    shown = ", ".join(map(str, index)) if isinstance(index, tuple) else str(index)
    return grown, np.sum(np.asarray(wire.gradient)[index]), f"{wire.label}[{shown}]"


def _total(value: Any) -> float:
    return float(np.real(np.sum(value)))
