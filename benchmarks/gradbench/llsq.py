"""llsq: how well a polynomial fits a step, and the gradient with respect to its coefficients."""

from __future__ import annotations

from typing import Any

import numpy as np

import gategrad as gg
from benchmarks.gradbench.protocol import Function

__all__ = ["FUNCTIONS", "misfit"]


def misfit(x: Any, n: int) -> Any:
    """½ Σᵢ (sign(tᵢ) - Σⱼ xⱼ tᵢʲ)² over n points t from -1 to 1, the polynomial by Horner's rule."""
    t = np.linspace(-1.0, 1.0, n)
    polynomial = 0.0
    for coefficient in x[::-1]:
        polynomial = polynomial * t + coefficient
    return np.sum((np.sign(t) - polynomial) ** 2) / 2


def _prepare(given: Any) -> tuple[Any, ...]:
    return np.array(given["x"]), given["n"]


FUNCTIONS = {
    "primal": Function(_prepare, gg.compile(misfit, static=("n",))),
    "gradient": Function(_prepare, gg.compile(gg.grad(misfit), static=("n",))),
}
