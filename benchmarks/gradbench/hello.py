"""hello: the square of a number, and its derivative."""

from __future__ import annotations

from typing import Any

import gategrad as gg
from benchmarks.gradbench.protocol import Function

__all__ = ["FUNCTIONS", "square"]


def square(x: Any) -> Any:
    """x²."""
    return x * x


FUNCTIONS = {
    "square": Function(lambda x: (float(x),), gg.compile(square)),
    "double": Function(lambda x: (float(x),), gg.compile(gg.grad(square))),
}
