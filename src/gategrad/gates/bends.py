"""Bends: what the rules of gates with kinks add to gradients, so that these have the right slopes (`hidden_slope.py`)."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gategrad.careful import doubted
from gategrad.gate import Gate
from gategrad.gates.hidden_slope import HiddenSlope
from gategrad.gates.singular import left_out, occurs
from gategrad.masked import Masked, counting, numbers
from gategrad.variable import Variable

__all__ = ["Kinked", "Tie", "bent", "slope_of"]

Spread = Callable[[Any], Any]


class Kinked:
    """A gate with kinks whose rule knows of those that are none."""

    def sits(self) -> Any:
        """Which elements of the output sit on a kink, by what `forward` remembered: plain truth values."""
        raise NotImplementedError

    fold: ClassVar[tuple[float, ...]] = ()
    """The output is smooth but for ± |d|, d = Σ fold_i · x_i of its inputs; empty where it is no such one."""

    fold_sign: ClassVar[float] = 1.0
    """The sign of that."""


class Tie:
    """Where a gate ties, and the gradient that arrived there."""

    __slots__ = ("__weakref__", "dz", "gate", "where")

    def __init__(self, gate: Gate, where: Any, dz: Any) -> None:
        self.gate = weakref.ref(gate)
        self.where = where
        self.dz = dz


_ties: weakref.WeakKeyDictionary[Gate, list[Tie]] = weakref.WeakKeyDictionary()
"""The ties of each gate, which live as long as it does: whoever is in doubt may be so for good."""


def _noted(gate: Any, where: Any, dz: Any) -> Tie | None:
    if not isinstance(gate, Gate) or not isinstance(where, (bool, np.bool_, np.ndarray)) or not np.any(where):
        return None
    tie = Tie(gate, where, dz)
    _ties.setdefault(gate, []).append(tie)
    return tie


def bent(
    dx: Any, dz: Any, z: Any, x: Any, here: Any, share: float = 1.0,
    spread: Spread | None = None, offset: Callable[[], Any] | None = None, crowd: Any = None,
) -> Any:  # fmt: skip
    """`dx`, the gradient at a kink of z; if it is being recorded, with the slope share · ∂dz/∂z · δx where dz is zero.

    `here` says which elements of z sit on the kink; `spread` takes what looks like z to the shape of x. `offset`
    computes what is 0 on the kink, if that is not x itself.

    Where dz is zero there is no doubt: opposite sides have slopes of which that is the middle. Those of a `crowd`, of more
    sides than two and their opposites, have no such middle.
    """
    found = _flat(dz, z, x, here, crowd)
    if found is None:
        return dx
    away = x if offset is None else offset()
    if spread is None and away.shape != z.shape:
        away = np.broadcast_to(away, z.shape)
    more = HiddenSlope(found, share, spread)(dz.resolve() if type(dz) is Masked else dz, z, away)
    return more if dx is None else dx + more


def slope_of(dz: Any, z: Any, x: Any, here: Any) -> tuple[Any, Any]:
    """Where dz is zero at a kink of z while it is being recorded, and ∂dz/∂z there; (None, None) if that is nowhere."""
    found = _flat(dz, z, x, here, here)
    if found is None:
        return None, None
    return found, HiddenSlope.slope_where(found, dz.gate, z.gate)


def _flat(dz: Any, z: Any, x: Any, here: Any, crowd: Any) -> Any:
    """Where what arrives at a kink is a zero of its own tape; None if that is nowhere, or nothing is recorded.

    The rest is in doubt, and what is in a crowd.
    """
    value = dz.value if type(dz) is Masked else dz
    if not (type(value) is type(z) is type(x) is Variable and value.level == z.level == x.level):
        return None
    if not occurs(here):
        return None
    if left_out(here):
        return here  # the slope will be NaN, and the program look again
    flat = here & (numbers(value) == 0)
    sure = flat if crowd is None else flat & np.logical_not(crowd)
    unsure = counting(here & np.logical_not(sure), dz)
    doubted(unsure, is_tie=True, tie=_noted(z.gate, unsure, numbers(value)))
    if type(dz) is Masked:
        flat = flat & dz.mask
    return flat if occurs(flat) else None
