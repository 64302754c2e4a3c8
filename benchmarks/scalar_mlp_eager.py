"""micrograd's own demonstration, an MLP 2-16-16-1 in single numbers: one example, forward and backward.

Ours is written the way micrograd's `nn.py` is: lists of neurons, each a sum of products and a relu.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import gategrad as gg
from benchmarks.harness import Benchmark, Variant, Work

__all__ = ["BENCHMARK"]

SIZES = (2, 16, 16, 1)

Neuron = tuple[list[Any], Any]
"""The weights and the bias."""


def draw_network(draw: random.Random) -> list[list[Neuron]]:
    """The numbers of the network: layers of neurons."""
    return [
        [([draw.uniform(-1, 1) for _ in range(width)], draw.uniform(-1, 1)) for _ in range(count)]
        for width, count in pairwise(SIZES)
    ]


def ours(numbers: list[list[Neuron]]) -> Work:
    """The network made of our variables; the work is one example."""
    network = [[([gg.variable(v) for v in w], gg.variable(b)) for w, b in layer] for layer in numbers]
    parameters = [v for layer in network for w, b in layer for v in [*w, b]]

    def neuron(w: list[gg.Variable], b: gg.Variable, x: list[Any], last: bool) -> Any:
        z = sum((wi * xi for wi, xi in zip(w, x, strict=True)), b)
        return z if last else gg.relu(z)

    def work(x: list[float]) -> Any:
        for p in parameters:
            p.grad = None
        h: list[Any] = x
        for layer in network:
            h = [neuron(w, b, h, layer is network[-1]) for w, b in layer]
        (z,) = h
        z.backward()
        return z.value, [p.grad for p in parameters]

    return work


def micrograd(numbers: list[list[Neuron]]) -> Work:
    """The MLP of micrograd with the same numbers."""
    from micrograd.nn import MLP

    network = MLP(SIZES[0], list(SIZES[1:]))
    for layer, ours_layer in zip(network.layers, numbers, strict=True):
        for neuron, (w, b) in zip(layer.neurons, ours_layer, strict=True):
            neuron.b.data = b
            for value, number in zip(neuron.w, w, strict=True):
                value.data = number
    parameters = network.parameters()

    def work(x: list[float]) -> Any:
        network.zero_grad()
        z = network(x)
        z.backward()
        return z.data, [p.grad for p in parameters]

    return work


def variants() -> Iterator[Variant]:
    """One network, one example."""
    draw = random.Random(20240801)
    numbers = draw_network(draw)
    x = [draw.uniform(-1, 1) for _ in range(SIZES[0])]
    yield Variant.at("2-16-16-1, one example", x, ours(numbers), {"micrograd": lambda: micrograd(numbers)})


BENCHMARK = Benchmark(
    name="scalar_mlp_eager",
    work="micrograd's MLP 2-16-16-1 in single numbers: one example, forward and backward",
    variants=variants,
    goal={"micrograd": 1.5},
)
