"""The two circuits of the notebook in Python floats: make the variables, compute, walk back.

Each peer is written as its users write it: micrograd and PyTorch on a tape, autograd as a gradient function.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

import gategrad as gg
from benchmarks.harness import Benchmark, Variant, Work

__all__ = ["BENCHMARK"]

Numbers = tuple[float, ...]


def product_ours(inputs: Numbers) -> Any:
    x, y, z = map(gg.variable, inputs)
    f = (x + y) * z
    f.backward()
    return f.value, x.grad, y.grad, z.grad


def neuron_ours(inputs: Numbers) -> Any:
    w0, x0, w1, x1, w2 = map(gg.variable, inputs)
    f = 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))
    f.backward()
    return f.value, w0.grad, x0.grad, w1.grad, x1.grad, w2.grad


def product_micrograd() -> Work:
    from micrograd.engine import Value

    def work(inputs: Numbers) -> Any:
        x, y, z = map(Value, inputs)
        f = (x + y) * z
        f.backward()
        return f.data, x.grad, y.grad, z.grad

    return work


def neuron_micrograd() -> Work:
    from micrograd.engine import Value

    def exp(x: Value) -> Value:  # micrograd has none; written in its own style
        out = Value(math.exp(x.data), (x,), "exp")

        def _backward() -> None:
            x.grad += out.data * out.grad

        out._backward = _backward
        return out

    def work(inputs: Numbers) -> Any:
        w0, x0, w1, x1, w2 = map(Value, inputs)
        f = 1 / (1 + exp(-(w0 * x0 + w1 * x1 + w2)))
        f.backward()
        return f.data, w0.grad, x0.grad, w1.grad, x1.grad, w2.grad

    return work


def product_torch() -> Work:
    import torch

    torch.set_num_threads(1)

    def work(inputs: Numbers) -> Any:
        x, y, z = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in inputs)
        f = (x + y) * z
        f.backward()
        return f, x.grad, y.grad, z.grad

    return work


def neuron_torch() -> Work:
    import torch

    torch.set_num_threads(1)

    def work(inputs: Numbers) -> Any:
        w0, x0, w1, x1, w2 = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in inputs)
        f = 1 / (1 + torch.exp(-(w0 * x0 + w1 * x1 + w2)))
        f.backward()
        return f, w0.grad, x0.grad, w1.grad, x1.grad, w2.grad

    return work


def product_autograd() -> Work:
    from autograd import value_and_grad

    gradient = value_and_grad(lambda x, y, z: (x + y) * z, argnum=(0, 1, 2))
    return lambda inputs: gradient(*inputs)


def neuron_autograd() -> Work:
    import autograd.numpy as anp
    from autograd import value_and_grad

    def neuron(w0: Any, x0: Any, w1: Any, x1: Any, w2: Any) -> Any:
        return 1 / (1 + anp.exp(-(w0 * x0 + w1 * x1 + w2)))

    gradient = value_and_grad(neuron, argnum=(0, 1, 2, 3, 4))
    return lambda inputs: gradient(*inputs)


def variants() -> Iterator[Variant]:
    """Both circuits, each at inputs drawn once."""
    draw = random.Random(20240731).uniform
    yield Variant.at(
        "(x + y) * z",
        tuple(draw(-2, 2) for _ in range(3)),
        product_ours,
        {"micrograd": product_micrograd, "torch": product_torch, "autograd": product_autograd},
    )
    yield Variant.at(
        "1 / (1 + exp(-(w0 x0 + w1 x1 + w2)))",
        tuple(draw(-2, 2) for _ in range(5)),
        neuron_ours,
        {"micrograd": neuron_micrograd, "torch": neuron_torch, "autograd": neuron_autograd},
    )


BENCHMARK = Benchmark(
    name="notebook_eager",
    work="a small circuit in Python floats: make the variables, forward, backward",
    variants=variants,
    goal={"micrograd": 1, "torch": 8, "autograd": 8},
)
