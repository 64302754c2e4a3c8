"""Sums of squares are recognised by their circuit, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.gates.squares import is_sum_of_squares

WEIGHTS = np.array([0.5, 0.0, 2.0])

SUMS = [
    lambda x: x * x, lambda x: x**2, lambda x: x**4.0, lambda x: np.square(x), lambda x: np.abs(x), lambda x: x @ x,
    lambda x: x[:2] * x[:2], lambda x: np.sum(x * x) + np.mean(x**2), lambda x: 3 * x**2 / 2 + 1.0, lambda x: WEIGHTS * (x * x),
    lambda x: np.var(x), lambda x: np.vecdot(x, x), lambda x: (x * x).reshape(3, 1).T, lambda x: x[0] ** 2 + x[1] * x[1],
    lambda x: np.abs(x + 1j) * 2, lambda x: (x**3) ** 2,
]  # fmt: skip
OTHERS = [
    lambda x: x, lambda x: x * x[::-1], lambda x: x**3, lambda x: x**-2, lambda x: x**0, lambda x: x**2 - 1.0,
    lambda x: -(x * x), lambda x: x * x - x * x, lambda x: x[:2] * x[1:], lambda x: 1.0 / (x * x), lambda x: x**2 + x,
    lambda x: (WEIGHTS - 1) * x**2, lambda x: x[:, None] @ x[None], lambda x: (x + 1j) ** 2, lambda x: np.sin(x) + x * x,
    lambda x: 2.0**x, lambda x: np.sqrt(x) ** 2, lambda x: np.square(x**0.5), lambda x: np.abs(np.cbrt(x)), lambda x: np.cumsum(x * x),
]  # fmt: skip


@pytest.mark.parametrize("f", SUMS)
def test_sums_of_squares(f):
    assert is_sum_of_squares(f(gg.variable(np.array([1.0, 2.0, 3.0]))).gate)


@pytest.mark.parametrize("f", OTHERS)
def test_what_is_none_or_not_known_to_be(f):
    z = f(gg.variable(np.array([1.0, 2.0, 3.0])))
    assert not is_sum_of_squares(z if z.gate is None else z.gate)


def test_only_so_far_is_looked():
    x = gg.variable(2.0)
    z = sum([x * x for _ in range(100)])
    assert not is_sum_of_squares(z.gate)
