"""hello: the square of a number, and its derivative."""

from __future__ import annotations

from typing import Any

import gategrad as gg
from benchmarks.gradbench.protocol import Function

__all__ = ["FUNCTIONS", "square"]


def square(x: Any) -> Any:
    """x²."""
    return x * x


def _number(x: Any) -> tuple[float]:
    return (float(x),)


FUNCTIONS = {
    "square": Function(_number, gg.compile(square)),
    "double": Function(_number, gg.compile(gg.grad(square))),
}
