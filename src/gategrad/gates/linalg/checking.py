"""Errors that depend on values: raised at once where the values are known, by the program where it is being traced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import ArrayMethods
from gategrad.errors import NoGradientError
from gategrad.gate import Gate, on_meeting
from gategrad.kinds import Example

__all__ = ["Check", "checked"]


def checked(x: Any, bad: Any, error: Callable[[], Exception]) -> Any:
    """x, unless something is bad: then the error. What is computed from the answer is computed after the check."""
    if isinstance(bad, ArrayMethods):
        return Check(bad, error())(x)
    if np.any(bad):
        raise error()
    return x


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
