"""Reductions at ties, zeros and constants: an element of the subdifferential, first and second order, no NaN.

Second order is the gradient of Σ (gradient · weights), where the weights are 1, 2, 3 …: a row of the Hessian's
columns. Warnings are errors, so a NaN that is computed and thrown away is caught too.
"""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg


def squared(f):
    return lambda x: f(x) ** 2


def rows(f):
    return lambda x: np.sum(f(x, axis=1))


INF = np.inf
THIRD = 1 / 3
# name: (function, the point, gradient there, second order there)
KINKS = {
    "max, two tie": (np.max, [1, 1, 0], [0.5, 0.5, 0], [0, 0, 0]),
    "max, all tie": (np.max, [2, 2, 2], [THIRD, THIRD, THIRD], [0, 0, 0]),
    "max of infinities": (np.max, [INF, INF, 0], [0.5, 0.5, 0], [0, 0, 0]),
    "max of a NaN": (np.max, [1, np.nan, 0], [0, 1, 0], [0, 0, 0]),
    "max², two tie": (squared(np.max), [1, 1, 0], [1, 1, 0], [1.5, 1.5, 0]),
    "max of rows": (rows(np.max), [[1, 1], [0, 2]], [[0.5, 0.5], [0, 1]], [[0, 0], [0, 0]]),
    "min, two tie": (np.min, [1, 1, 2], [0.5, 0.5, 0], [0, 0, 0]),
    "ptp of a constant": (np.ptp, [1, 1, 1], [0, 0, 0], [0, 0, 0]),
    "prod, one zero": (np.prod, [2, 0, 3], [0, 6, 0], [6, 9, 4]),
    "prod, two zeros": (np.prod, [0, 0, 3], [0, 0, 0], [6, 3, 0]),
    "prod, three zeros": (np.prod, [0, 0, 0], [0, 0, 0], [0, 0, 0]),
    "prod, zero alone": (np.prod, [0], [1], [0]),
    "prod of rows": (rows(np.prod), [[2, 0], [3, 4]], [[0, 2], [4, 3]], [[2, 1], [4, 3]]),
    "prod², one zero": (squared(np.prod), [2, 0, 3], [0, 0, 0], [0, 2 * 36 * 2, 0]),
    "prod of infinity": (np.prod, [INF, 2], [2, INF], [2, 1]),
    "norm at 0": (np.linalg.norm, [0, 0], [0, 0], [0, 0]),
    "norm² at 0": (squared(np.linalg.norm), [0, 0], [0, 0], [2, 4]),
    "norm of rows": (rows(np.linalg.norm), [[0, 0], [3, 4]], [[0, 0], [0.6, 0.8]], [[0, 0], [0, 0]]),
    "norm 1 at 0": (lambda x: np.linalg.norm(x, 1), [0, 2], [0, 1], [0, 0]),
    "norm inf at 0": (lambda x: np.linalg.norm(x, INF), [0, 0], [0, 0], [0, 0]),
    "norm inf, two tie": (lambda x: np.linalg.norm(x, INF), [2, -2], [0.5, -0.5], [0, 0]),
    "var of a constant": (np.var, [1, 1, 1], [0, 0, 0], [-2 * THIRD, 0, 2 * THIRD]),
    "std of a constant": (np.std, [1, 1, 1], [0, 0, 0], [0, 0, 0]),
    "std of three times 0.1, whose mean is rounded": (np.std, [0.1, 0.1, 0.1], [0, 0, 0], [0, 0, 0]),
    "std² of a constant": (squared(np.std), [1, 1, 1], [0, 0, 0], [-2 * THIRD, 0, 2 * THIRD]),
    "std of rows": (rows(np.std), [[1, 1], [1, 2]], [[0, 0], [-0.5, 0.5]], [[0, 0], [0, 0]]),
    "std of one": (np.std, [5], [0], [0]),
    "logsumexp of -inf": (gg.logsumexp, [-INF, -INF], [0, 0], [0, 0]),
    "logsumexp with a -inf": (gg.logsumexp, [-INF, 0], [0, 1], [0, 0]),
    "logsumexp far out": (gg.logsumexp, [1e4, 1e4], [0.5, 0.5], [-0.25, 0.25]),
    "log softmax far out": (lambda x: gg.log_softmax(x)[0], [1e4, 0], [0, 0], [0, 0]),
    "softmax far out": (lambda x: gg.softmax(x)[0], [1e4, 0], [0, 0], [0, 0]),
    "cross entropy of the impossible": (lambda x: gg.cross_entropy(x, 0), [-INF, 0], [-1, 1], [0, 0]),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("kink", KINKS)
def test_gradient_and_its_gradient(kink, dtype):
    f, x, first, second = KINKS[kink]
    x = np.array(x, dtype)
    weights = np.arange(1, x.size + 1, dtype=dtype).reshape(x.shape)
    gradient = gg.grad(f)(x)
    again = gg.grad(lambda x: np.sum(gg.grad(f)(x) * weights))(x)
    tolerance = 1e-6 if dtype is np.float32 else 1e-14
    np.testing.assert_allclose(gradient, first, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(again, second, rtol=tolerance, atol=tolerance)
    assert gradient.dtype == again.dtype == dtype


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: np.max(np.sqrt(x)), [0.0, 4.0], [0.0, 0.25]),
        (lambda x: np.max(np.log(x)), [1.0, 2.0, 0.0], [0.0, 0.5, 0.0]),
        (lambda x: np.min(-np.sqrt(x)), [0.0, 4.0], [0.0, -0.25]),
        (lambda x: np.ptp(np.sqrt(x)), [1.0, 4.0], [-0.5, 0.25]),
    ],
)
def test_nothing_flows_to_what_was_not_chosen_not_even_zero_times_infinity(f, x, expected):
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(gg.grad(f)(np.array(x)), expected)


def test_an_infinite_upstream_gradient_makes_no_nan_at_a_kink():
    for f in (np.std, np.linalg.norm):
        np.testing.assert_array_equal(gg.vjp(f, np.ones(2) * (f is np.std))[1](np.inf)[0], [0.0, 0.0])


def test_a_product_that_underflows_is_no_product_with_a_zero():
    x = np.array([1e-200, 1e-200, 3.0])
    np.testing.assert_allclose(gg.grad(np.prod)(x), [3e-200, 3e-200, 0.0])
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(gg.grad(np.prod)(np.array([1e200, 1e250])), [1e250, 1e200])


def test_the_tie_of_a_number_with_itself():
    assert gg.grad(np.max)(3.0) == 1.0
    assert gg.grad(np.prod)(0.0) == 1.0
    assert gg.grad(np.linalg.norm)(0.0) == 0.0
    assert gg.grad(np.std)(2.0) == 0.0
