"""Bends: what the rules of gates with kinks add to gradients, so that these have the right slopes (`hidden_slope.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.careful import doubted
from gategrad.gates.hidden_slope import HiddenSlope
from gategrad.gates.singular import left_out, occurs
from gategrad.masked import Masked, numbers
from gategrad.variable import Variable

__all__ = ["Kinked", "bent", "slope_of"]

Spread = Callable[[Any], Any]


class Kinked:
    """A gate with kinks whose rule knows of those that are none."""

    def sits(self) -> Any:
        """Which elements of the output sit on a kink, by what `forward` remembered: plain truth values."""
        raise NotImplementedError


def bent(
    dx: Any, dz: Any, z: Any, x: Any, here: Any, share: float = 1.0,
    spread: Spread | None = None, offset: Callable[[], Any] | None = None,
) -> Any:  # fmt: skip
    """`dx`, the gradient at a kink of z; if it is being recorded, with the slope share · ∂dz/∂z · δx where dz is zero.

    `here` says which elements of z sit on the kink; `spread` takes what looks like z to the shape of x. `offset`
    computes what is 0 on the kink, if that is not x itself.
    """
    found = _flat(dz, z, x, here)
    if found is None:
        return dx
    away = x if offset is None else offset()
    if spread is None and away.shape != z.shape:
        away = np.broadcast_to(away, z.shape)
    more = HiddenSlope(found, share, spread)(dz.resolve() if type(dz) is Masked else dz, z, away)
    return more if dx is None else dx + more


def slope_of(dz: Any, z: Any, x: Any, here: Any) -> tuple[Any, Any]:
    """Where dz is zero at a kink of z while it is being recorded, and ∂dz/∂z there; (None, None) if that is nowhere."""
    found = _flat(dz, z, x, here)
    if found is None:
        return None, None
    return found, HiddenSlope.slope_where(found, dz.gate, z.gate)


def _flat(dz: Any, z: Any, x: Any, here: Any) -> Any:
    """Where what arrives at a kink is a zero of its own tape; None if that is nowhere, or nothing is recorded."""
    value = dz.value if type(dz) is Masked else dz
    if not (type(value) is type(z) is type(x) is Variable and value.level == z.level == x.level):
        return None
    if not occurs(here):
        return None
    if left_out(here):
        return here  # the slope will be NaN, and the program look again
    doubted(here)
    flat = here & (numbers(value) == 0)
    if type(dz) is Masked:
        flat = flat & dz.mask
    return flat if occurs(flat) else None
