"""The training step of `mlp.py` on a large network."""

from __future__ import annotations

from functools import partial

from benchmarks.harness import Benchmark
from benchmarks.mlp import steps

__all__ = ["BENCHMARK"]

BENCHMARK = Benchmark(
    name="large_mlp",
    work="a training step of a large network, which is all matrix products",
    variants=partial(steps, 512, (1024, 2048, 1000)),
    goal={"torch": 1, "jax": 1},
)
