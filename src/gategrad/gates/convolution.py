"""Convolution and correlation of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_input, shape_of
from gategrad.kinds import Bilinear, Example

__all__ = ["Convolve"]


class Convolve(Bilinear):
    """z_k = Σ x_j · y_{k−j}, wherever the two overlap. A switcher: each input receives dz correlated with the other."""

    symbol = "∗"

    def forward(self, x: Any, y: Any) -> Any:
        need_x, need_y = self.needs
        self.x: Any = x if need_y else None
        self.y: Any = y if need_x else None
        return np.convolve(x, y)

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        dx = np.convolve(dz, np.flip(self.y), "valid") if need_x else None
        dy = np.convolve(dz, np.flip(self.x), "valid") if need_y else None
        return dx, dy

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Long with short, short with long, equal, and a single element."""
        for n, m in ((6, 3), (2, 5), (3, 3), (4, 1)):
            yield cls(), (rng.uniform(-1.0, 1.0, n), rng.uniform(-1.0, 1.0, m))


@implements(np.convolve)
def _convolve(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = _rows(a, v)
    n, m = len(a), len(v)
    return _cut(Convolve()(a, v), n, m, mode, (min(n, m) - 1) // 2)


@implements(np.correlate)
def _correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = _rows(a, v)
    n, m = len(a), len(v)
    turned = np.flip(np.conjugate(v) if np.iscomplexobj(v) else v)
    return _cut(Convolve()(a, turned), n, m, mode, (m - 1) // 2 if n >= m else n - 1 - (n - 1) // 2)


def _cut(z: Any, n: int, m: int, mode: str, before: int) -> Any:
    """The part of all overlaps that a mode asks for; `before` leads to as many as the longer row has elements."""
    if mode == "full":
        return z
    if mode == "same":
        return z[before : before + max(n, m)]
    if mode == "valid":
        return z[min(n, m) - 1 : max(n, m)]
    raise ValueError(f"mode must be one of 'full', 'same', or 'valid', not {mode!r}")


def _rows(a: Any, v: Any) -> tuple[Any, Any]:
    rows = [np.reshape(x, -1) if not shape_of(x) else x for x in (as_input(a), as_input(v))]
    for name, x in zip(("a", "v"), rows, strict=True):
        if not len(x):
            raise ValueError(f"{name} cannot be empty")
        if len(shape_of(x)) > 1:
            raise ValueError("object too deep for desired array")
    return rows[0], rows[1]
