"""Rosenbrock's function, value and gradient: what an optimiser from SciPy asks for in every step.

Compiled, and as plain NumPy on the tape: ten numbers are where automatic differentiation has to be worth its overhead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import gategrad as gg
from benchmarks.harness import Benchmark, Run, Variant
from benchmarks.peers import autograd_run, compared, torch_module

__all__ = ["BENCHMARK"]

SIZES = (10, 1000)
ROUGH = 1e-3  # finite differences are as exact as they can be


def formula(xp: Any) -> Callable[[Any], Any]:
    """Σ 100 (x[i+1] − x[i]²)² + (1 − x[i])²."""
    return lambda x: xp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def eager(x: Any) -> Run:
    function = gg.value_and_grad(formula(np))
    return lambda: function(x)


def finite_differences(x: Any) -> Run:
    from scipy.optimize import approx_fprime

    f = formula(np)
    return lambda: (f(x), approx_fprime(x, f, 1e-8))


def casadi(x: Any) -> Run:
    import casadi as ca

    s = ca.SX.sym("x", len(x))
    f = ca.sum1(100 * (s[1:] - s[:-1] ** 2) ** 2 + (1 - s[:-1]) ** 2)
    function = ca.Function("f", [s], [f, ca.gradient(f, s)])

    def work() -> Any:
        value, gradient = function(x)
        return float(value), np.asarray(gradient)

    return work


def pytensor(x: Any) -> Run:
    import pytensor
    import pytensor.tensor as pt

    s = pt.dvector("x")
    f = pt.sum(100 * (s[1:] - s[:-1] ** 2) ** 2 + (1 - s[:-1]) ** 2)
    function = pytensor.function([s], [f, pytensor.grad(f, s)], trust_input=True)
    return lambda: function(x)


def torch_loss(x: Any) -> Any:
    return torch_module().sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def variants() -> Iterator[Variant]:
    """Two sizes: one where the call costs most, one where the arithmetic does. The smaller also without the compiler."""
    rng = np.random.default_rng(20240801)
    for size in SIZES:
        x = rng.uniform(-1, 1, size)
        extra = {
            "pytensor": partial(pytensor, x),
            "casadi": partial(casadi, x),
            "eager": partial(eager, x),
            "finite_differences": partial(finite_differences, x),
        }
        yield compared(f"n = {size}", formula, [x], (0,), torch=torch_loss, extra=extra, rtol=ROUGH)
    x = rng.uniform(-1, 1, SIZES[0])
    peers = {
        "autograd": partial(autograd_run, formula, [x], (0,)),
        "finite_differences": partial(finite_differences, x),
    }
    goal = {"autograd": 2, "finite_differences": 1}
    yield Variant(f"n = {SIZES[0]}, eager", eager(x), peers, ROUGH, goal)


BENCHMARK = Benchmark(
    name="rosenbrock",
    work="Rosenbrock's function, value and gradient",
    variants=variants,
    goal={"pytensor": 3, "jax": 8, "casadi": 3, "autograd": 50, "finite_differences": 50},
)
