"""Layer normalisation with gain and shift, and the gradients of all three: two reductions of each row forward, two back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Variant
from benchmarks.peers import compared, torch_module

__all__ = ["BENCHMARK"]

ROWS, WIDTH = 4096, 1000
EPSILON = 1e-5


def formula(xp: Any) -> Callable[..., Any]:
    """Σ weight · (gain · (x − mean) / √(variance + ε) + shift)."""

    def loss(x: Any, gain: Any, shift: Any, weight: Any) -> Any:
        centred = x - xp.mean(x, axis=-1, keepdims=True)
        variance = xp.mean(centred * centred, axis=-1, keepdims=True)
        return xp.sum(weight * (gain * (centred / xp.sqrt(variance + EPSILON)) + shift))

    return loss


def torch_loss(x: Any, gain: Any, shift: Any, weight: Any) -> Any:
    torch = torch_module()
    return torch.sum(weight * torch.nn.functional.layer_norm(x, (WIDTH,), gain, shift, EPSILON))


def variants() -> Iterator[Variant]:
    """Double and single precision."""
    rng = np.random.default_rng(20240805)
    for dtype, rtol in ((np.float64, 1e-8), (np.float32, 2e-2)):
        shapes = (ROWS, WIDTH), (WIDTH,), (WIDTH,), (ROWS, WIDTH)
        inputs = [rng.normal(size=shape).astype(dtype) for shape in shapes]
        name = f"{ROWS} × {WIDTH} {np.dtype(dtype).name}"
        yield compared(name, formula, inputs, (0, 1, 2), torch=torch_loss, rtol=rtol)


BENCHMARK = Benchmark(
    name="layernorm",
    work="layer normalisation, value and gradients of input, gain and shift",
    variants=variants,
    goal={"torch": 1.5, "torch_compile": 1, "jax": 1.5},
)
