"""Places through which no gradient may flow, as a gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gategrad.errors import NoGradientError
from gategrad.gate import Gate
from gategrad.gates.linalg.coinciding import is_significant
from gategrad.gates.linalg.matrices import checked, known
from gategrad.kinds import Example

__all__ = ["Barrier"]


class Barrier(Gate):
    """z = x, a matrix. A distributor: x receives dz, unless some of it arrives where `closed` holds: then an error."""

    pattern, symbol = "distributor", "✓"
    takes_complex = True

    def __init__(self, closed: Any, error: Callable[[], Exception]) -> None:
        self.closed = closed
        self.error = error

    def forward(self, x: Any) -> Any:
        return x + 0.0

    def backward(self, dz: Any) -> Any:
        bad = self.closed & is_significant(known(dz), known(dz))
        return np.where(self.closed, 0.0, checked(dz, bad, self.error))

    def jvp(self, dx: Any) -> Any:
        """The same, of the tangent."""
        return self.backward(dx)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """An open one."""
        yield cls(np.False_, NoGradientError), (rng.uniform(-1.0, 1.0, (2, 2)),)
