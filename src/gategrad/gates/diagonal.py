"""Diagonals: what lies below and above them, what lies on them, and matrices made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.assignment import viewed
from gategrad.gates.axes import refuse, shape_of
from gategrad.gates.indexing import Index, Scatter
from gategrad.kinds import Example, Linear, Router

__all__ = ["Tril", "Triu"]


class Tril(Router, Linear):
    """z = x on and below its k-th diagonal, 0 above. A router: the gradient goes to what was kept."""

    symbol = "tril"

    def __init__(self, k: int = 0) -> None:
        self.k = k

    def forward(self, x: Any) -> Any:
        return np.tril(x, self.k)

    def backward(self, dz: Any) -> Any:
        return np.tril(dz, self.k)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Square, oblong, batched; several diagonals."""
        for k, shape in ((0, (3, 3)), (1, (2, 4)), (-1, (2, 4, 3))):
            yield cls(k), (rng.uniform(-1.0, 1.0, shape),)


class Triu(Router, Linear):
    """z = x on and above its k-th diagonal, 0 below. A router: the gradient goes to what was kept."""

    symbol = "triu"

    def __init__(self, k: int = 0) -> None:
        self.k = k

    def forward(self, x: Any) -> Any:
        return np.triu(x, self.k)

    def backward(self, dz: Any) -> Any:
        return np.triu(dz, self.k)

    examples = Tril.__dict__["examples"]


def _square(x: Any) -> Any:
    """A row stands for the square matrix of such rows."""
    return np.broadcast_to(x, shape_of(x) * 2) if len(shape_of(x)) == 1 else x


@implements(np.tril)
def _tril(m: Any, k: int = 0) -> Any:
    return Tril(k)(_square(m))


@implements(np.triu)
def _triu(m: Any, k: int = 0) -> Any:
    return Triu(k)(_square(m))


@implements(np.diagonal)
def _diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    last = np.moveaxis(a, (axis1, axis2), (-2, -1))
    return viewed(last, Index((..., *_diagonal_places(offset, *last.shape[-2:]))))


def _diagonal_places(offset: int, rows: int, columns: int) -> tuple[Any, Any]:
    down, right = max(-offset, 0), max(offset, 0)
    steps = np.arange(max(min(rows - down, columns - right), 0))
    return steps + down, steps + right


@implements(np.diag)
def _diag(v: Any, k: int = 0) -> Any:
    if len(v.shape) != 1:
        return np.diagonal(v, k)
    n = v.shape[0] + abs(k)
    return Scatter(_diagonal_places(k, n, n), (n, n))(v)


@implements(np.diagflat)
def _diagflat(v: Any, k: int = 0) -> Any:
    return np.diag(np.reshape(v, -1), k)


@implements(np.trace)
def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    refuse("np.trace", out=out)
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)
