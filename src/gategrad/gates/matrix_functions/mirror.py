"""Hermitian and symmetric matrices of which one triangle is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.gate import Gate
from gategrad.gates.linalg.matrices import adjoint, eye_of, hermitian, transposed
from gategrad.kinds import Example

__all__ = ["Mirror"]


class Mirror(Gate):
    """z = the Hermitian matrix of which one triangle of x is half. A distributor: x receives the Hermitian part of dz."""

    pattern, symbol = "distributor", "mirror"

    def __init__(self, lower: bool = True, conjugated: bool = True) -> None:
        self.lower = lower
        self.conjugated = conjugated

    def forward(self, x: Any) -> Any:
        flip = adjoint if self.conjugated else transposed
        half = np.tril(x, -1) if self.lower else np.triu(x, 1)
        return half + flip(half) + x * eye_of(x)

    def backward(self, dz: Any) -> Any:
        return hermitian(dz) if self.conjugated else (dz + transposed(dz)) * 0.5

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Tests want functions that may be moved in any direction: see `tests/gates/matrix_functions`."""
        yield cls(), (np.eye(1) * rng.uniform(1.0, 2.0),)
