"""lse: the logarithm of a sum of exponentials, and its gradient, which is the softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

import gategrad as gg
from benchmarks.gradbench.protocol import Function

__all__ = ["FUNCTIONS", "logsumexp"]


def logsumexp(x: Any) -> Any:
    """log Σ exp(xᵢ), from where no exponential overflows."""
    highest = np.max(x)
    return highest + np.log(np.sum(np.exp(x - highest)))


def _prepare(given: Any) -> tuple[Any, ...]:
    return (np.array(given["x"]),)


FUNCTIONS = {
    "primal": Function(_prepare, gg.compile(logsumexp)),
    "gradient": Function(_prepare, gg.compile(gg.grad(logsumexp))),
}
