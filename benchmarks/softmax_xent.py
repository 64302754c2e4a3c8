"""Softmax cross-entropy of 4096 rows of 1000 logits: each row should be read once and its gradient written once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Variant
from benchmarks.peers import compared, torch_module

__all__ = ["BENCHMARK"]

ROWS, CLASSES = 4096, 1000


def formula(xp: Any, rows: int = ROWS) -> Callable[..., Any]:
    """The mean over the rows of log Σ exp(x) − x[label]."""

    def loss(x: Any, labels: Any) -> Any:
        shifted = x - xp.max(x, axis=1, keepdims=True)
        return xp.mean(xp.log(xp.sum(xp.exp(shifted), axis=1)) - shifted[np.arange(rows), labels])

    return loss


def torch_loss(x: Any, labels: Any) -> Any:
    return torch_module().nn.functional.cross_entropy(x, labels)


def variants() -> Iterator[Variant]:
    """Double and single precision."""
    rng = np.random.default_rng(20240804)
    labels = rng.integers(0, CLASSES, ROWS)
    for dtype, rtol in ((np.float64, 1e-9), (np.float32, 1e-4)):
        x = rng.normal(size=(ROWS, CLASSES)).astype(dtype)
        name = f"{ROWS} × {CLASSES} {np.dtype(dtype).name}"
        yield compared(name, formula, [x, labels], (0,), torch=torch_loss, rtol=rtol)


BENCHMARK = Benchmark(
    name="softmax_xent",
    work="softmax cross-entropy, value and gradient",
    variants=variants,
    goal={"torch": 1.5, "torch_compile": 1, "jax": 1.5},
)
