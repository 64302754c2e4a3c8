"""Exponentials and logarithms at the ends of their range."""

from __future__ import annotations

import math

import numpy as np
import pytest

import gategrad as gg


@pytest.mark.parametrize(
    ("f", "x", "gradient"),
    [
        (np.exp, -800.0, 0.0),
        (np.exp, 700.0, math.exp(700.0)),
        (np.expm1, 1e-300, 1.0),
        (np.expm1, -800.0, 0.0),
        (np.exp2, 10.0, 1024 * math.log(2)),
        (np.log1p, 1e-300, 1.0),
        (np.log, 1e-300, 1e300),
        (np.log2, 2.0, 1 / (2 * math.log(2))),
        (np.log10, 10.0, 1 / (10 * math.log(10))),
    ],
)
def test_gradient_at_the_ends(f, x, gradient):
    assert gg.grad(f)(x) == pytest.approx(gradient, rel=1e-14, abs=0)


@pytest.mark.parametrize(
    ("x", "y", "share"),
    [(0.0, 0.0, 0.5), (1000.0, 0.0, 1.0), (-1000.0, 0.0, 0.0), (1e300, 1e300, 0.5), (-np.inf, 0.0, 0.0)],
)
def test_logaddexp_shares_the_gradient(x, y, share):
    dx, dy = gg.grad(np.logaddexp, argnums=(0, 1))(x, y)
    assert dx == pytest.approx(share, abs=1e-300)
    assert dx + dy == 1.0


def test_logaddexp_is_exact_in_the_small_share():
    assert gg.grad(np.logaddexp)(-100.0, 0.0) == pytest.approx(math.exp(-100.0), rel=1e-13)


def test_all_orders_of_an_exponential_are_the_exponential():
    f = np.exp
    for _ in range(5):
        f = gg.grad(f)
        assert f(0.5) == pytest.approx(math.exp(0.5), rel=1e-15)
