"""The gradient of an embedding: rows of a table are looked up, and what comes back is added where they were read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Variant
from benchmarks.peers import compared, torch_module

__all__ = ["BENCHMARK"]

WORDS, WIDTH, COUNT = 50_000, 64, 100_000


def formula(xp: Any) -> Callable[..., Any]:
    """Σ tanh(table[indices])."""
    return lambda table, indices: xp.sum(xp.tanh(table[indices]))


def torch_loss(table: Any, indices: Any) -> Any:
    torch = torch_module()
    return torch.sum(torch.tanh(torch.nn.functional.embedding(indices, table)))


def variants() -> Iterator[Variant]:
    """Double and single precision."""
    rng = np.random.default_rng(20240808)
    indices = rng.integers(0, WORDS, COUNT)
    for dtype, rtol in ((np.float64, 1e-8), (np.float32, 1e-2)):
        table = rng.normal(size=(WORDS, WIDTH)).astype(dtype)
        name = f"{COUNT} of {WORDS} × {WIDTH} {np.dtype(dtype).name}"
        yield compared(name, formula, [table, indices], (0,), torch=torch_loss, rtol=rtol)


BENCHMARK = Benchmark(
    name="scatter",
    work="the value and gradient of a function of looked-up rows",
    variants=variants,
    goal={"torch": 1, "jax": 1},
)
