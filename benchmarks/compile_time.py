"""From a Python function to the first gradient: tracing, optimising and making machine code.

Cold, nothing is taken from a cache of compiled code: ours does not look on the disk, JAX forgets what it has compiled,
and PyTorch, which takes many seconds and so gets few rounds, finds an empty cache. What is imported once stays imported.
Warm, a formula that was compiled before is compiled again, and both sides may take its code from the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np

import gategrad as gg
from benchmarks.harness import Benchmark, Run, Variant
from benchmarks.layernorm import formula as layernorm
from benchmarks.mlp import formula as mlp
from benchmarks.neuron import formula as neuron
from benchmarks.peers import torch_module
from benchmarks.rosenbrock import formula as rosenbrock
from benchmarks.softmax_xent import formula as softmax_xent
from gategrad.compiler import compile as compiler
from gategrad.compiler.runtime.disk_cache import DIRECTORY

__all__ = ["BENCHMARK"]


def ours(formula: Any, inputs: list[Any], *, warm: bool) -> Run:
    def work() -> Any:
        return compiler.compile(gg.value_and_grad(formula(np)))(*inputs)

    def without_cache() -> Any:
        before = os.environ.get(DIRECTORY)
        os.environ[DIRECTORY] = ""
        try:
            return work()
        finally:
            del os.environ[DIRECTORY]
            os.environ.update({} if before is None else {DIRECTORY: before})

    return work if warm else without_cache


def jax(formula: Any, inputs: list[Any]) -> Run:
    import jax

    jax.config.update("jax_enable_x64", True)

    def work() -> Any:
        jax.clear_caches()
        return jax.block_until_ready(jax.jit(jax.value_and_grad(formula(jax.numpy)))(*inputs))

    return work


def torch_compile(formula: Any, inputs: list[Any], *, warm: bool) -> Run:
    torch = torch_module()
    from torch._inductor.utils import fresh_inductor_cache

    there = [torch.tensor(x) for x in inputs]

    def work() -> Any:
        torch._dynamo.reset()
        first = there[0].requires_grad_()
        with nullcontext() if warm else fresh_inductor_cache():
            z = torch.compile(formula(torch), dynamic=False)(*there)
            return z, torch.autograd.grad(z, first)[0]

    return work


def variants() -> Iterator[Variant]:
    """Small inputs, so that running is nothing beside compiling."""
    rng = np.random.default_rng(20240809)
    cases: list[tuple[str, Any, list[tuple[int, ...]]]] = [
        ("neuron", neuron, [(64,)] * 3),
        ("rosenbrock", rosenbrock, [(10,)]),
        ("softmax_xent", few_rows, [(32, 100)]),
        ("layernorm", layernorm, [(8, 1000), (1000,), (1000,), (8, 1000)]),
        ("mlp", mlp, [(64, 64), (64,), (64, 10), (10,), (32, 64), (32, 10)]),
    ]
    for name, formula, shapes in cases:
        inputs: list[Any] = [rng.normal(size=shape) for shape in shapes]
        if formula is few_rows:
            inputs.append(rng.integers(0, 100, 32))
        cold = ours(formula, inputs, warm=False)
        yield Variant(f"{name}, first gradient, cold", cold, {"jax": partial(jax, formula, inputs)}, 1e-7)
        if name == "neuron":  # the others call what PyTorch has under other names
            warm = ours(formula, inputs, warm=True)
            peers = {"torch_compile": partial(torch_compile, formula, inputs, warm=True)}
            yield Variant(f"{name}, first gradient, warm", warm, peers, 1e-7)
            peers = {"torch_compile": partial(torch_compile, formula, inputs, warm=False)}
            yield Variant(f"{name}, first gradient, cold, few rounds", cold, peers, 1e-7, rounds=3)


def few_rows(xp: Any) -> Any:
    """The loss of the other benchmark for 32 rows."""
    return softmax_xent(xp, rows=32)


BENCHMARK = Benchmark(
    name="compile_time",
    work="the first gradient of a function, compilation included",
    variants=variants,
    goal={"torch_compile": 20, "jax": 1},
)
