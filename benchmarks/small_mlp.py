"""The training step of `mlp.py` on a small network."""

from __future__ import annotations

from functools import partial

from benchmarks.harness import Benchmark
from benchmarks.mlp import steps

__all__ = ["BENCHMARK"]

BENCHMARK = Benchmark(
    name="small_mlp",
    work="a training step of a small network, where calls and small products count",
    variants=partial(steps, 32, (64, 64, 10)),
    goal={"torch": 6, "jax": 2},
)
