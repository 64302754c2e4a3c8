"""A long chain of gates on small arrays, where the bookkeeping per gate is what costs: 50 × (multiply, add, tanh), a sum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import gategrad as gg
from benchmarks.harness import Benchmark, Variant, Work

__all__ = ["BENCHMARK"]

STEPS = 50
LENGTH = 10

Arrays = tuple[np.ndarray[Any, Any], ...]


def ours(inputs: Arrays) -> Any:
    x, w, b = map(gg.variable, inputs)
    h = x
    for _ in range(STEPS):
        h = np.tanh(h * w + b)
    f = np.sum(h)
    f.backward()
    return f.value, x.grad, w.grad, b.grad


def torch() -> Work:
    import torch

    torch.set_num_threads(1)

    def work(inputs: Arrays) -> Any:
        x, w, b = (torch.tensor(v, requires_grad=True) for v in inputs)
        h = x
        for _ in range(STEPS):
            h = torch.tanh(h * w + b)
        f = torch.sum(h)
        f.backward()
        return f, x.grad, w.grad, b.grad

    return work


def autograd() -> Work:
    import autograd.numpy as anp
    from autograd import value_and_grad

    def chain(x: Any, w: Any, b: Any) -> Any:
        for _ in range(STEPS):
            x = anp.tanh(x * w + b)
        return anp.sum(x)

    gradient = value_and_grad(chain, argnum=(0, 1, 2))
    return lambda inputs: gradient(*inputs)


def variants() -> Iterator[Variant]:
    """One length; longer arrays measure NumPy rather than us."""
    rng = np.random.default_rng(20240802)
    inputs = tuple(rng.uniform(-1, 1, LENGTH) for _ in range(3))
    yield Variant.at(f"{3 * STEPS} gates of shape ({LENGTH},)", inputs, ours, {"torch": torch, "autograd": autograd})


BENCHMARK = Benchmark(
    name="chain_eager",
    work=f"{3 * STEPS} gates on arrays of {LENGTH} numbers and a sum: forward and backward",
    variants=variants,
    goal={"torch": 1.5, "autograd": 4},
)
