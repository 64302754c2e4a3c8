"""GradBench's five problems without loops on inputs of our own, compiled, beside JAX (jit) and PyTorch, one thread."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.gradbench.inputs import representative
from benchmarks.gradbench.protocol import Function, functions_of
from benchmarks.harness import Benchmark, Run, Variant

__all__ = ["BENCHMARK"]

_RTOL = 1e-7
"""Looser than elsewhere: distances and exponents are differences of large numbers, and each peer takes its own."""


def ours(function: Function, given: Any) -> Run:
    """The work of one of our functions on an input that is already made of arrays."""
    arguments, compute = function.prepare(given), function.compute

    def run() -> Any:
        result = compute(*arguments)
        return tuple(result.values()) if type(result) is dict else result

    return run


def peer(name: str, module: str, function: str, given: Any) -> Run:
    """The same by JAX or PyTorch, which are imported here."""
    prepare: Callable[..., Run] = importlib.import_module(f"benchmarks.gradbench.peer_{name}").prepare
    return prepare(module, function, given)


def variants() -> Iterator[Variant]:
    """Every function of every problem at representative sizes."""
    for module, size, given in representative(np.random.default_rng(31337)):
        names = ("jax",) if module == "llsq" else ("jax", "torch")
        for name, function in functions_of(module).items():
            peers = {who: partial(peer, who, module, name, given) for who in names}
            yield Variant(f"{module} {name}, {size}", ours(function, given), peers, _RTOL)


BENCHMARK = Benchmark(
    name="gradbench",
    work="GradBench's hello, gmm, lse, llsq and kmeans in float64, compiled: values and gradients",
    variants=variants,
    goal={"jax": 1, "torch": 1},
)
