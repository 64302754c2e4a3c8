"""An error that depends on values, as a gate: a program that is being traced raises it when it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.errors import NoGradientError
from gategrad.gate import Gate, on_meeting
from gategrad.kinds import Example

__all__ = ["Check"]


class Check(Gate):
    """z = x, unless `bad` holds anywhere: then an error. A distributor: x receives dz."""

    pattern, symbol = "distributor", "✓"
    takes_complex = True

    def __init__(self, bad: Any, error: Exception) -> None:
        self.bad = bad
        self.error = error

    def forward(self, x: Any) -> Any:
        if type(x) in on_meeting:
            return self.fresh()(x)  # a symbol: the program checks it
        if np.any(self.bad):
            raise self.error
        return x

    def backward(self, dz: Any) -> Any:
        return dz

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Of what is fine."""
        yield cls(np.zeros(2, bool), NoGradientError("nothing")), (rng.uniform(-1.0, 1.0, 3),)
