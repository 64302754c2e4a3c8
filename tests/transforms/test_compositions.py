"""Any sequence of up to three transforms is right: against closed forms, of derivatives up to the sixth."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import gategrad as gg

RATES = np.array([0.5, -1.0, 1.5])


def waves(x):
    """Σ a sin(a x), through an array."""
    return np.sum(RATES * np.sin(RATES * x))


def growth(x):
    """Σ exp(a x): a matrix product, a reduction that is not linear, and a choice."""
    return np.max(np.stack([gg.logsumexp(RATES * x), -10.0])) + np.exp(np.stack([x, 1.0]) @ np.array([1.0, 0.5]))


def product(x):
    """x (x + 1) 2x = 2x³ + 2x²: by a gate whose derivatives are neither elementwise nor linear."""
    return np.prod(np.stack([x, x + 1.0, 2.0 * x]))


def derivative_of_waves(x, n):
    return float(np.sum(RATES ** (n + 1) * np.sin(RATES * x + n * np.pi / 2)))


def derivative_of_growth(x, n):
    """The derivatives of log Σ exp(a x) are the cumulants of `a` under the weights of softmax(a x)."""
    weights = np.exp(RATES * x) / np.sum(np.exp(RATES * x))
    moments = [float(np.sum(weights * RATES**k)) for k in range(n + 1)]
    cumulants = [np.log(np.sum(np.exp(RATES * x)))]
    for k in range(1, n + 1):
        lower = sum(_binomial(k - 1, m - 1) * cumulants[m] * moments[k - m] for m in range(1, k))
        cumulants.append(moments[k] - lower)
    return float(cumulants[n] + np.exp(x + 0.5))


def _binomial(n, k):
    return float(np.prod([(n - i) / (i + 1) for i in range(k)]))


def derivative_of_product(x, n):
    return float(np.poly1d([2.0, 2.0, 0.0, 0.0]).deriv(n)(x)) if n else 2 * x**3 + 2 * x**2


FUNCTIONS = [(waves, derivative_of_waves), (growth, derivative_of_growth), (product, derivative_of_product)]

TRANSFORMS = {
    "grad": (gg.grad, 1),
    "jvp": (lambda f: lambda x: gg.jvp(f, (x,), (1.0,))[1], 1),
    "vjp": (lambda f: lambda x: gg.vjp(f, x)[1](1.0)[0], 1),
    "jacobian": (gg.jacobian, 1),
    "hessian": (gg.hessian, 2),
    "hvp": (lambda f: lambda x: gg.hvp(f, x, 1.0), 2),
    "checkpoint": (gg.checkpoint, 0),
    "compile": (gg.compile, 0),
}
SEQUENCES = [sequence for length in (1, 2, 3) for sequence in itertools.product(TRANSFORMS, repeat=length)]
EAGER = [sequence for sequence in SEQUENCES if "compile" not in sequence]
COMPILED = [sequence for sequence in SEQUENCES if "compile" in sequence]


def order_of(sequence):
    return sum(TRANSFORMS[name][1] for name in sequence)


def check(sequence, f, derivative, x):
    for name in sequence:
        f = TRANSFORMS[name][0](f)
    found = f(x)
    assert isinstance(found, float)
    assert found == pytest.approx(derivative(x, order_of(sequence)), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("sequence", EAGER, ids=" of ".join)
def test_in_numpy(sequence):
    for f, derivative in FUNCTIONS:
        check(sequence, f, derivative, 0.7)


@pytest.mark.parametrize(
    "sequence",
    [pytest.param(s, marks=[pytest.mark.slow] if order_of(s) > 3 or len(s) > 2 else []) for s in COMPILED],
    ids=" of ".join,
)
def test_compiled(sequence):
    check_compiled(sequence)


@pytest.mark.parametrize("sequence", [s for s in COMPILED if len(s) > 2 and order_of(s) <= 3], ids=" of ".join)
def test_three_compiled(sequence, unoptimised):
    """What a sequence means shows in programs that LLVM does not optimise, too."""
    check_compiled(sequence)


def check_compiled(sequence):
    """On one of the functions, in turn."""
    check(sequence, *FUNCTIONS[COMPILED.index(sequence) % len(FUNCTIONS)], 0.7)
