"""Sums, means, variances and logsumexps along each axis of a large matrix, with their gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.harness import Benchmark, Variant
from benchmarks.peers import compared, torch_module

__all__ = ["BENCHMARK"]

SIZE = 4096


def _logsumexp(xp: Any, x: Any, axis: int) -> Any:
    top = xp.max(x, axis=axis, keepdims=True)
    return xp.log(xp.sum(xp.exp(x - top), axis=axis)) + xp.reshape(top, (SIZE,))


REDUCTIONS: dict[str, Callable[[Any, Any, int], Any]] = {
    "sum": lambda xp, x, axis: xp.sum(x, axis=axis),
    "mean": lambda xp, x, axis: xp.mean(x, axis=axis),
    "var": lambda xp, x, axis: xp.var(x, axis=axis),
    "logsumexp": _logsumexp,
}
TORCH: dict[str, Callable[[Any, Any, int], Any]] = {
    "sum": lambda torch, x, axis: torch.sum(x, axis),
    "mean": lambda torch, x, axis: torch.mean(x, axis),
    "var": lambda torch, x, axis: torch.var(x, axis, correction=0),
    "logsumexp": lambda torch, x, axis: torch.logsumexp(x, axis),
}


def variants() -> Iterator[Variant]:
    """Each reduction along each axis; a weighted sum of the results is differentiated."""
    rng = np.random.default_rng(20240807)
    x, weight = rng.normal(size=(SIZE, SIZE)), rng.normal(size=SIZE)
    for name, reduce in REDUCTIONS.items():
        for axis in (0, 1):

            def formula(xp: Any, reduce: Any = reduce, axis: int = axis) -> Callable[..., Any]:
                return lambda x, w: xp.sum(w * reduce(xp, x, axis))

            def loss(x: Any, w: Any, reduce: Any = TORCH[name], axis: int = axis) -> Any:
                return torch_module().sum(w * reduce(torch_module(), x, axis))

            yield compared(f"{name} axis {axis}", formula, [x, weight], (0,), torch=loss, rtol=1e-8)


BENCHMARK = Benchmark(
    name="reductions",
    work=f"reductions of a {SIZE} × {SIZE} matrix along each axis, value and gradient",
    variants=variants,
    goal={"torch": 1, "jax": 1},
)
