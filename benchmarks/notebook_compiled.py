"""The first circuit of the notebook as a compiled gradient function: what a call costs when there is nothing to compute."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from benchmarks.harness import Benchmark, Run, Variant
from benchmarks.notebook_eager import product_ours
from benchmarks.peers import jax_run, torch_run
from gategrad.compiler import compile as compiler

__all__ = ["BENCHMARK"]

Numbers = tuple[float, ...]


def product(x: Any, y: Any, z: Any) -> Any:
    """What everybody differentiates."""
    return (x + y) * z


def ours(inputs: Numbers) -> Run:
    """Python floats in, Python floats out."""
    import gategrad as gg

    gradient = compiler.compile(gg.grad(product, argnums=(0, 1, 2)))
    x, y, z = inputs
    return lambda: gradient(x, y, z)


def jax(inputs: Numbers) -> Run:
    import jax

    return jax_run(jax.grad(product, argnums=(0, 1, 2)), inputs)


def torch(inputs: Numbers) -> Run:
    import torch

    def work(x: Any, y: Any, z: Any) -> Any:
        return torch.autograd.grad(product(x, y, z), (x, y, z))

    return torch_run(work, [float(v) for v in inputs], (0, 1, 2), whole=False)


def variants() -> Iterator[Variant]:
    """One point, drawn once."""
    draw = random.Random(20240731).uniform
    inputs = tuple(draw(-2, 2) for _ in range(3))
    yield Variant(
        "gradient of (x + y) * z",
        ours(inputs),
        {"jax": lambda: jax(inputs), "torch": lambda: torch(inputs), "eager": lambda: lambda: product_ours(inputs)[1:]},
        rtol=1e-6,  # PyTorch makes float32 of Python floats
    )


BENCHMARK = Benchmark(
    name="notebook_compiled",
    work="the compiled gradient of (x + y) * z at three Python floats",
    variants=variants,
    goal={"jax": 50, "torch": 200},
)
