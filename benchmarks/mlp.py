"""A training step of a network with one hidden layer: softmax cross-entropy, gradients, and parameters moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import gategrad as gg
from benchmarks.harness import Run, Variant
from benchmarks.peers import jax_run, torch_module
from gategrad.compiler import compile as compiler

__all__ = ["steps"]

RATE = 0.1
ARGNUMS = (0, 1, 2, 3)


def formula(xp: Any) -> Callable[..., Any]:
    """Mean cross-entropy of a rectified layer and a linear one; the labels are rows with a single 1."""

    def loss(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, y: Any) -> Any:
        z = xp.maximum(x @ w1 + b1, 0.0) @ w2 + b2
        z = z - xp.max(z, axis=1, keepdims=True)
        return xp.mean(xp.log(xp.sum(xp.exp(z), axis=1)) - xp.sum(z * y, axis=1))

    return loss


def step(value_and_grad: Callable[..., Any], xp: Any) -> Callable[..., Any]:
    """Loss and new parameters."""
    derivative = value_and_grad(formula(xp), argnums=ARGNUMS)

    def train(*inputs: Any) -> Any:
        loss, gradients = derivative(*inputs)
        return loss, tuple(w - RATE * dw for w, dw in zip(inputs[:4], gradients, strict=True))

    return train


def ours(inputs: list[Any]) -> Run:
    function = compiler.compile(step(gg.value_and_grad, np))
    return lambda: function(*inputs)


def jax(inputs: list[Any]) -> Run:
    import jax

    return jax_run(step(jax.value_and_grad, jax.numpy), inputs)


def torch(inputs: list[Any], *, whole: bool) -> Run:
    torch = torch_module()
    functional = torch.nn.functional
    there = [torch.tensor(x, requires_grad=n < 4) for n, x in enumerate(inputs)]

    def forward(w1: Any, b1: Any, w2: Any, b2: Any, x: Any, y: Any) -> Any:
        return functional.cross_entropy(torch.relu(x @ w1 + b1) @ w2 + b2, y)

    loss = torch.compile(forward, dynamic=False) if whole else forward

    def work() -> Any:
        z = loss(*there)
        gradients = torch.autograd.grad(z, there[:4])
        with torch.no_grad():
            return z, tuple(w - RATE * dw for w, dw in zip(there[:4], gradients, strict=True))

    return work


def steps(batch: int, sizes: tuple[int, int, int]) -> Iterator[Variant]:
    """Double and single precision."""
    rng = np.random.default_rng(20240806)
    first, hidden, last = sizes
    for dtype, rtol in ((np.float64, 1e-8), (np.float32, 1e-3)):
        w1 = rng.normal(size=(first, hidden)) / np.sqrt(first)
        w2 = rng.normal(size=(hidden, last)) / np.sqrt(hidden)
        x, y = rng.normal(size=(batch, first)), np.eye(last)[rng.integers(0, last, batch)]
        inputs = [a.astype(dtype) for a in (w1, np.zeros(hidden), w2, np.zeros(last), x, y)]
        peers: dict[str, Callable[[], Run]] = {
            "jax": partial(jax, inputs),
            "torch": partial(torch, inputs, whole=False),
            "torch_compile": partial(torch, inputs, whole=True),
        }
        yield Variant(f"{batch} × {first} → {hidden} → {last} {np.dtype(dtype).name}", ours(inputs), peers, rtol)
