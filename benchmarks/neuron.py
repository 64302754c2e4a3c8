"""A sigmoid neuron on four million examples with the gradient of all it is given: as fast as memory allows, or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Run, Variant
from benchmarks.peers import compared, torch_module

__all__ = ["BENCHMARK"]

SIZE = 4_000_000


def formula(xp: Any) -> Callable[..., Any]:
    """Σ sigmoid(w x + b), each of the three an array."""
    return lambda w, x, b: xp.sum(1 / (1 + xp.exp(-(w * x + b))))


def torch_loss(w: Any, x: Any, b: Any) -> Any:
    return torch_module().sum(1 / (1 + torch_module().exp(-(w * x + b))))


def copy(inputs: list[Any], answer: Run) -> Run:
    """Three arrays read and three fresh ones written, nothing computed; the numbers are ours, to be compared."""
    kept = answer()

    def work() -> Any:
        for x in inputs:
            np.copy(x)
        return kept

    return work


def variants() -> Iterator[Variant]:
    """Double and single precision."""
    rng = np.random.default_rng(20240803)
    for dtype, rtol in ((np.float64, 1e-8), (np.float32, 1e-2)):
        inputs = [rng.normal(size=SIZE).astype(dtype) for _ in range(3)]
        variant = compared(f"4M {np.dtype(dtype).name}", formula, inputs, (0, 1, 2), torch=torch_loss, rtol=rtol)
        peers: dict[str, Callable[[], Run]] = {**variant.peers, "copy": partial(copy, inputs, variant.ours)}
        yield Variant(variant.name, variant.ours, peers, rtol)


BENCHMARK = Benchmark(
    name="neuron",
    work="the sum of a sigmoid neuron over 4 million examples, value and gradient of all inputs",
    variants=variants,
    goal={"torch": 2, "torch_compile": 2, "jax": 4, "copy": 0.8},
)
