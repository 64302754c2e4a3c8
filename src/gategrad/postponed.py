"""Postponed: a masked gradient as plain numbers, whose mask is put off until something that is not finite is met.

The zeros of a mask are more than the number 0 only where they meet an infinity or a NaN, and hardly any circuit has one.
So on the way back a gate is first asked with the numbers. If all that it answers is finite, then the mask would have
made no difference: its answers go on as numbers, each with a note of how its mask would have come about. If not, the
masks on the way are found after all, from where the numbers came, and the gate is asked once more with them.

That holds for numbers alone. A gate that remembers variables is asked with the mask: its answers will be differentiated,
and their slopes may be infinite where they are finite themselves.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gategrad import careful
from gategrad.gate import Gate, derive, on_meeting
from gategrad.masked import Masked
from gategrad.values import Spec

__all__ = ["UNKNOWN", "Asked", "Postponed", "is_finite", "numbers_first", "numbers_of", "postpone"]

_all: Any = np.logical_and.reduce

UNKNOWN: Any = ("unknown",)
"""In the place of a masked gradient that nobody has asked for yet."""

_MOST = 1 << 16  # elements: notes keep alive what gates remember, and a mask costs large arrays little


class Postponed:
    """The numbers of a masked gradient, all finite, and how to find it with its mask.

    It came from `origins`: one masked gradient, the answer at `index` of a gate that was `asked`, or the two of a sum.
    """

    __slots__ = ("index", "known", "origins", "value")

    def __init__(self, value: Any, origins: Any, index: int = 0, known: Any = UNKNOWN) -> None:
        self.value = value
        self.origins = origins
        self.index = index
        self.known = known

    def __add__(self, other: Any) -> Any:
        """The sum of two branches; what is added to numbers without a mask has none either."""
        if type(other) is Postponed:
            with np.errstate(over="ignore"):
                value = self.value + other.value
            if is_finite(value):
                return Postponed(value, (self, other))
            other = other.masked()
        elif type(other) is not Masked:
            return self.value + other
        dz = self.masked()
        return other if dz is None else dz if other is None else dz + other

    def masked(self) -> Any:
        """The gradient with its mask; None where nothing flows. No recursion: there may be any number of gates between."""
        ahead: list[Any] = [self]
        while ahead:
            here = ahead[-1]
            missing = [x for x in here.before() if x.known is UNKNOWN] if here.known is UNKNOWN else ()
            if missing:
                ahead += missing
            else:
                ahead.pop()
                if here.known is UNKNOWN:
                    here.known = here.find()
        return self.known

    def before(self) -> tuple[Any, ...]:
        """What must be known first."""
        return (self.origins,) if type(self.origins) is Asked else self.origins

    def find(self) -> Any:
        """The gradient with its mask, of which all that must be known first is known."""
        if type(self.origins) is Asked:
            return self.origins.known[self.index]
        one, other = [x.known for x in self.origins]
        return other if one is None else one if other is None else one + other


class Asked:
    """A gate that was asked with numbers, what it remembered then, and what it answers to the gradient with its mask."""

    __slots__ = ("dz", "gate", "known", "needs", "remembered")

    def __init__(self, gate: Gate, dz: Postponed) -> None:
        self.gate = gate
        self.needs = gate.needs
        self.remembered = dict(gate.__dict__)
        self.dz = dz
        self.known: Any = UNKNOWN

    def before(self) -> tuple[Any, ...]:
        """What must be known first."""
        return (self.dz,)

    def find(self) -> Any:
        """The answers, as if the gate had not been released since."""
        dz = self.dz.known
        if dz is None:
            return (None,) * len(self.needs)
        gate: Any = object.__new__(type(self.gate))
        for name in Gate.__slots__:
            if hasattr(self.gate, name):
                setattr(gate, name, getattr(self.gate, name))
        gate.needs = self.needs
        gate.__dict__.update(self.remembered)
        known: tuple[Any, ...] = derive["answers"](gate, dz)
        return known


def is_finite(x: Any) -> bool:
    """Whether all of some plain numbers are finite. (In C where that was built.)"""
    if type(x) is float:
        return math.isfinite(x)
    if type(x) is not np.ndarray and not isinstance(x, np.generic):
        return False
    return bool(_all(np.isfinite(x), axis=None))


def numbers_of(dx: Masked) -> Any:
    """The numbers of a gradient that a rule has masked itself; that mask, too, is found again if it is wanted."""
    return np.nan if dx.singularity else dx.resolve()


def postpone(dx: Masked, spec: Spec) -> Any:
    """A masked gradient as numbers, if they are finite, and few enough; else as it is."""
    if dx.singularity or type(dx.value) in on_meeting or (dx.shape and math.prod(dx.shape) > _MOST):
        return dx
    value = dx.resolve()
    if not is_finite(value):
        return dx
    return Postponed(value if spec else float(value), (), known=dx)


def numbers_first(gate: Gate, dz: Postponed) -> tuple[Any, ...] | None:
    """What a gate answers to the numbers alone, if that is all finite; None if it must be asked with the mask."""
    remembered = gate.__dict__
    if "backward" in remembered:  # it is being watched, and what is watched is what counts
        return None
    for x in remembered.values():
        if type(x) in on_meeting:
            return None
    before = careful.doubts
    dxs = _finite(gate, dz.value)
    if careful.doubts != before and careful.without_doubt(before):  # a doubt is one only if it remains behind the mask
        return None
    return dxs


def _finite(gate: Gate, value: Any) -> tuple[Any, ...] | None:
    """What a gate answers to some numbers, if that is all finite."""
    if not gate.is_ours and type(value) is np.ndarray:
        value = value.view()
        value.flags.writeable = False
    try:
        with np.errstate(all="ignore"):
            dxs = gate.backward(value)
            dxs = list(dxs) if type(dxs) is tuple or type(dxs) is list else [dxs]
            for index, need in enumerate(gate.needs):
                dx = dxs[index]
                if need and dx is not None:
                    if type(dx) is Masked:
                        dxs[index] = dx = numbers_of(dx)
                    if not is_finite(dx):
                        return None
    except Exception:
        return None  # it will be raised again, by the gate that is asked with the mask
    return tuple(dxs)
