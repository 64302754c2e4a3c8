"""What a decomposition decides by its numbers: which rows are exchanged, which column comes first. Nothing flows through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.linalg

from gategrad.gate import Gate
from gategrad.gates.matrix_functions.meeting import computed
from gategrad.kinds import Example
from gategrad.recording import plain

__all__ = ["Decided", "columns_of_qr", "decided", "order_of", "pivots_of"]


class Decided(Gate):
    """z = the numbers that a function of arrays decides for, as floats. A blocker: they step."""

    pattern, symbol = "blocker", "order"
    remembers_inputs = False
    dtype = np.dtype(np.float64)

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def forward(self, x: Any) -> Any:
        return computed(self, lambda a: self.function(a).astype(self.dtype), x)

    def backward(self, dz: Any) -> Any:
        return None

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Rows of a matrix and columns of another."""
        yield cls(pivots_of), (rng.uniform(-1.0, 1.0, (3, 3)),)
        yield cls(columns_of_qr), (rng.uniform(-1.0, 1.0, (4, 2)),)


def decided(function: Callable[[Any], Any], x: Any) -> Any:
    """The integers that the function decides for; in a program, a host call finds them."""
    value = plain(x)
    return function(value) if isinstance(value, np.ndarray) else np.astype(Decided(function)(value), np.intp)


def pivots_of(a: Any) -> Any:
    """With which other row each one was exchanged on the way to triangular factors."""
    return scipy.linalg.lu_factor(a)[1]


def order_of(pivots: Any) -> Any:
    """The order in which rows lie after these exchanges."""
    order = np.arange(len(pivots))
    for row, other in enumerate(np.asarray(pivots, np.intp)):
        order[[row, other]] = order[[other, row]]
    return order


def columns_of_qr(a: Any) -> Any:
    """The order in which QR with pivoting takes the columns."""
    return scipy.linalg.qr(a, mode="r", pivoting=True)[1]
