"""Singular points: products and quotients of which one factor is zero and the other infinite.

A local gradient that has overflowed meets an upstream gradient of zero in `1 / (1 + exp(-x))` at −800, and the
infinite slope of a root meets a local gradient of zero in `sqrt(x**2)` at 0. IEEE arithmetic says NaN; the limit
of the first, and an element of the subdifferential of the second, is 0. In such an element nothing flows, which
stays true at every order of derivative.

Which of the two comes first depends on the mode. A zero that is there already is seen here. An infinity that is there
first goes on as a gradient that says where it comes from (`masked.singular`): it is outweighed by a zero that it
meets later, and costs those gates nothing that never meet one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad import careful, postponed
from gategrad.array_methods import ArrayMethods
from gategrad.careful import doubted, spared
from gategrad.gates.axes import everywhere
from gategrad.gates.squares import is_sum_of_squares
from gategrad.masked import CERTAIN, STEEP, Masked, counting, numbers, select, singular
from gategrad.recording import plain

__all__ = ["OVERFLOW", "fading", "left_out", "occurs", "or_one", "over", "root", "times"]

OVERFLOW = "an overflow: nothing flows where the gradient that arrives is 0, the limit of 1 / (1 + exp(−x))"
"""The kink of what grows exponentially, in words."""


def occurs(mask: Any) -> bool:
    """Whether a rare case occurs at all, so that the common case is spared its price.

    A mask whose values are not known yet (of a symbol) counts as one in which it does.
    """
    return bool(np.count_nonzero(mask)) if isinstance(mask, (np.ndarray, np.bool_, bool)) else True


def times(slope: Any, dz: Any) -> Any:
    """slope · dz, where a zero of `dz` outweighs a slope that is infinite."""
    if (type(dz) is float and dz) or postponed.is_finite(slope):
        return slope * dz
    outweighed = np.isinf(plain(slope))
    if occurs(outweighed):
        outweighed = outweighed & _is_zero(dz)
        if occurs(outweighed):
            if not careful.is_looking() and not isinstance(outweighed, ArrayMethods):
                # a serious one only if there is something that is `fading`
                doubted(counting(outweighed, dz), is_grave=False)
            with np.errstate(invalid="ignore"):
                return select(np.logical_not(outweighed), slope * dz)
    return slope * dz


def over(dz: Any, y: Any, source: Any = None) -> Any:
    """dz / y, where a zero of `dz` outweighs a zero of `y`; the infinities that remain are marked as singular.

    Where y is the root of the `source`, and that a sum of squares, there is no doubt about it (see `squares.py`).
    """
    if type(dz) is float and type(y) is float and dz and y:
        return dz / y
    infinite = plain(y) == 0
    if not occurs(infinite) or left_out(infinite):
        return dz / y
    outweighed = infinite & _is_zero(dz)
    singularity = CERTAIN if source is not None and is_sum_of_squares(source) else STEEP
    if singularity != CERTAIN:
        doubted(counting(outweighed, dz))
    with np.errstate(divide="ignore", invalid="ignore"):
        if not occurs(outweighed):
            return singular(np.divide(dz, y), singularity)
        return singular(select(np.logical_not(outweighed), np.divide(dz, y)), singularity)


def fading(dz: Any, x: Any) -> Any:
    """`dz`, on its way through a slope that fades where x is infinite, no faster than some exponentials have grown there.

    The limit of 0 · ∞ is then in doubt; it is asked for when 0 · ∞ has occurred. A program cannot tell: NaN makes it look again.
    """
    kind = type(x)
    if (kind is np.ndarray or kind is float) and not careful.lookers:
        return dz
    infinite: Any = np.isinf(plain(x))
    if not occurs(infinite):
        return dz
    if left_out(infinite):
        return dz * np.where(infinite, np.nan, np.ones_like(plain(x)))  # in the precision of x
    doubted(counting(infinite & np.logical_not(_is_zero(dz)), dz))
    return dz


def left_out(where: Any) -> bool:
    """Whether a program is being written that looks, if the mask `where` is true anywhere, for NaN and infinities in what came out."""
    mask = plain(where)
    return isinstance(mask, ArrayMethods) and spared(mask)


def _is_zero(dz: Any) -> Any:
    return numbers(dz.value if type(dz) is Masked else dz) == 0


def or_one(x: Any, mask: Any) -> Any:
    """`x`, and 1 where the mask is false, so that dividing by it is safe."""
    if everywhere(mask):
        return x
    ones = np.ones_like(plain(x))
    return ones[()] if isinstance(mask, (bool, np.bool_)) else np.where(mask, x, ones)


def root(x: Any) -> Any:
    """√x, through which nothing flows where x is 0: not even 0 · inf, if it is differentiated itself."""
    some = plain(x) != 0
    if everywhere(some):
        return np.sqrt(x)
    return np.where(some, np.sqrt(or_one(x, some)), np.zeros_like(plain(x)))[()]
