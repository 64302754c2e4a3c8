"""Squares: roots of sums of squares are lengths, and what their gradient is where they are 0 is no question.

√(x² + y²) is an even function of all that it is made of, and where it is 0 all of that is: the middle of its slopes is 0.
The root cannot see that in its numbers; in the circuit it can, and looks there when a zero has occurred.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.constant import Constant
from gategrad.gate import Gate
from gategrad.kinds import Linear, Reduction, Router
from gategrad.masked import Masked, even

__all__ = ["evenly", "is_sum_of_squares", "squares"]

squares: set[type[Gate]] = set()
"""Gates that are sums of squares themselves, whatever goes in; they join."""

_MOST = 64
_MOST_BEHIND = 4096


def is_sum_of_squares(z: Any) -> bool:
    """Whether a value, as gates have it among their inputs, is a sum of squares and numbers that are not negative."""
    ahead, count = [z], 0
    while ahead:
        gate = ahead.pop()
        count += 1
        terms = _terms(gate) if isinstance(gate, Gate) and count <= _MOST else None
        if terms is None:
            return False
        ahead += terms
    return True


def evenly(dz: Any, source: Any) -> Any:
    """A gradient on its way back into an even function of the source, flat where that is 0, if nothing steep is behind it."""
    return dz if type(dz) is Masked and dz.singularity and _is_steep(source) else even(dz)


def _terms(gate: Gate) -> list[Any] | None:
    """What must be such sums that this gate is one; None if that does not help."""
    ufunc, inputs = gate.ufunc, gate.inputs
    if gate.spec and gate.spec[1].kind != "f":
        return None  # 1² + i² is 0, too
    if ufunc in _BASES and any(map(_is_steep, inputs)):
        return None  # √(√x²) is √x
    if type(gate) in squares or ufunc is np.square or ufunc is np.absolute:
        return []
    if ufunc is np.power:
        return [] if type(inputs[1]) in (int, float) and inputs[1] > 0 and inputs[1] % 2 == 0 else None
    if (ufunc is np.multiply or (ufunc is np.matmul and gate.spec in _SINGLE)) and _is_same(*inputs):
        return []
    if ufunc in (np.add, np.multiply, np.divide):
        terms = [x for x in inputs if not _is_positive(x)]
        if ufunc is np.add or (len(terms) == 1 and (ufunc is np.multiply or terms[0] is inputs[0])):
            return terms
        return None
    is_sum = isinstance(gate, Linear) and isinstance(gate, (Reduction, Router))
    return list(inputs) if is_sum else None


_BASES = (np.square, np.absolute, np.power, np.multiply, np.matmul)


def _is_steep(x: Any) -> bool:
    """Whether anything that a value was computed from may have an infinite slope: it would outweigh the 0 of the length.

    What is a root itself counts as such; what is further back does if it has one where it is.
    """
    ahead, met = [x], {x} if isinstance(x, Gate) else set()
    while ahead:
        gate = ahead.pop()
        if not isinstance(gate, Gate):
            continue
        if gate.is_steep and not gate.overflows and not _is_flat(gate) and (gate is x or _sits(gate)):
            return True
        if len(met) > _MOST_BEHIND:
            return True  # who knows
        new = [source for source in gate.inputs if isinstance(source, Gate) and source not in met]
        met.update(new)
        ahead += new
    return False


def _is_flat(gate: Gate) -> bool:
    """Whether it is a power whose slope is finite everywhere."""
    return gate.ufunc is np.power and type(gate.inputs[1]) in (int, float) and gate.inputs[1] >= 1


def _sits(gate: Any) -> bool:
    """Whether a steep gate is steep where it is, by what it remembers; if that is nothing, it may be."""
    if not gate.needs or not hasattr(gate, "sits"):
        return True
    mask = gate.sits()
    return not isinstance(mask, (bool, np.bool_, np.ndarray)) or bool(np.any(mask))


def _is_same(x: Any, y: Any) -> bool:
    """Whether two inputs are the same value: one object, or the same part of one."""
    if x is y:
        return True
    if not (isinstance(x, Gate) and type(x) is type(y) and isinstance(x, Router) and x.inputs[0] is y.inputs[0]):
        return False
    one, other = x.__dict__, y.__dict__
    return one.keys() == other.keys() and all(_is_equal(one[name], other[name]) for name in one)


def _is_equal(x: Any, y: Any) -> bool:
    if x is y:
        return True
    if type(x) is tuple and type(y) is tuple:
        return len(x) == len(y) and all(map(_is_equal, x, y))
    return type(x) is type(y) and isinstance(x, (int, str, slice)) and x == y


def _is_positive(x: Any) -> bool:
    x = x.array if type(x) is Constant else x
    return isinstance(x, (int, float, np.ndarray, np.generic)) and bool(np.all(np.greater_equal(x, 0)))


_SINGLE: Any = (None, (), ((), np.dtype(np.float64)), ((), np.dtype(np.float32)))
"""Of a product of two vectors with each other: single numbers."""
