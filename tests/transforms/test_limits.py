"""Derivatives where numbers alone cannot tell: exact if the limit beside the point is, and never wrong in silence."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import gategrad as gg
from gategrad import careful
from gategrad.errors import KinkWarning

INF = np.inf
ONES, I2 = np.ones((2, 2)), np.eye(2)
SWAP = ONES - I2
long_range = np.finfo(np.longdouble).max > np.finfo(float).max


def shifted_norm(x, power):
    return np.linalg.norm(x - 1.0) ** power


# name: (function, the point, gradient, Hessian), each the limit, or what docs/kinks.md says where there is none
EXACT = {
    "√x²": (lambda x: np.sqrt(x) ** 2, 0.0, 1.0, 0.0),
    "√x · √x": (lambda x: np.sqrt(x) * np.sqrt(x), 0.0, 1.0, 0.0),
    "(x ** ½)²": (lambda x: (x**0.5) ** 2, 0.0, 1.0, 0.0),
    "∛x³": (lambda x: np.cbrt(x) ** 3, 0.0, 1.0, 0.0),
    "∛(x³)": (lambda x: np.cbrt(x**3), 0.0, 1.0, 0.0),
    "√(x²)": (lambda x: np.sqrt(x**2), 0.0, 0.0, 0.0),
    "√(x · x)": (lambda x: np.sqrt(x * x), 0.0, 0.0, 0.0),
    "√(x⁴)": (lambda x: np.sqrt(x**4), 0.0, 0.0, 2.0),
    "√(x⁶)": (lambda x: np.sqrt(x**6), 0.0, 0.0, 0.0),
    "x √x": (lambda x: x * np.sqrt(x), 0.0, 0.0, INF),
    "x ** 1.5": (lambda x: x**1.5, 0.0, 0.0, INF),
    "x ** 2.5": (lambda x: x**2.5, 0.0, 0.0, 0.0),
    "√x": (np.sqrt, 0.0, INF, -INF),
    "√(1 − x²)": (lambda x: np.sqrt(1 - x * x), 1.0, -INF, -INF),
    "√x · 0": (lambda x: np.sqrt(x) * 0.0, 0.0, 0.0, 0.0),
    "arccos²": (lambda x: np.arccos(x) ** 2, 1.0, -2.0, 2 / 3),
    "arcsin²": (lambda x: np.arcsin(x) ** 2, 1.0, INF, INF),
    "arccosh²": (lambda x: np.arccosh(x) ** 2, 1.0, 2.0, -2 / 3),
    "|x|^1.5": (lambda x: np.abs(x) ** 1.5, 0.0, 0.0, INF),
    "|x|³": (lambda x: np.abs(x) ** 3, 0.0, 0.0, 0.0),
    "x |x|": (lambda x: x * np.abs(x), 0.0, 0.0, 0.0),
    "|x| · |−x|": (lambda x: np.abs(x) * np.abs(-x), 0.0, 0.0, 2.0),
    "max · min · |x|": (lambda x: np.maximum(x, 0) * np.minimum(x, 0) * np.abs(x), 0.0, 0.0, 0.0),
    "norm³": (lambda x: shifted_norm(x, 3), [1.0, 1.0], [0.0, 0.0], 0 * I2),
    "norm⁴": (lambda x: shifted_norm(x, 4), [1.0, 1.0], [0.0, 0.0], 0 * I2),
    "√Σx² squared": (lambda x: np.sqrt(np.sum(x * x)) ** 2, [0.0, 0.0], [0.0, 0.0], 2 * I2),
    "std²": (lambda x: np.std(x) ** 2, [1.0, 1.0], [0.0, 0.0], [[0.5, -0.5], [-0.5, 0.5]]),
    "max · min": (lambda x: np.maximum(x[0], x[1]) * np.minimum(x[0], x[1]), [1.0, 1.0], [1.0, 1.0], SWAP),
    "max² + min²": (
        lambda x: np.maximum(x[0], x[1]) ** 2 + np.minimum(x[0], x[1]) ** 2, [1.0, 1.0], [2.0, 2.0], 2 * I2
    ),
    "np.max · np.min": (lambda x: np.max(x) * np.min(x), [1.0, 1.0], [1.0, 1.0], SWAP),
    "Σ sort²": (lambda x: np.sum(np.sort(x) ** 2), [1.0, 1.0], [2.0, 2.0], 2 * I2),
    "clip + rest": (lambda x: np.sum(np.clip(x, 0, 1) ** 2 + np.maximum(x, 1) ** 2), [1.0, 2.0], [2.0, 4.0], 2 * I2),
    "median of two²": (lambda x: np.median(x) ** 2, [1.0, 1.0], [1.0, 1.0], 0.5 * ONES),
    "1 / (1 + exp(−x))": (lambda x: 1 / (1 + np.exp(-x)), -800.0, 0.0, 0.0),
    "relu²": (lambda x: gg.relu(x) ** 2, 0.0, 0.0, 0.0),
    "where": (lambda x: np.where(x > 0, np.sqrt(x) ** 2, 0.0), 0.0, 0.0, 0.0),
}  # fmt: skip
if long_range:
    half = math.exp(500.0)
    EXACT |= {
        "log Σ exp": (lambda x: np.log(np.sum(np.exp(x))), [1000.0, 0.0], [1.0, 0.0], 0 * I2),
        "log(1 + exp x)": (lambda x: np.log1p(np.exp(x)), 1000.0, 1.0, 0.0),
        "√(exp x)": (lambda x: np.sqrt(np.exp(x)), 1000.0, half / 2, half / 4),
    }

every_case = pytest.mark.parametrize("name", EXACT)


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):  # a KinkWarning is an error here, as all warnings are
        yield


def along(f, x):
    """The function on a line through x, from 0 in a direction of ones."""
    one = np.ones_like(x)[()]
    return lambda t: f(x + t * one)


def first_orders(f, x):
    one = np.ones_like(x)[()]
    yield "grad", gg.grad(f), lambda gradient: gradient
    yield "vjp", lambda x: gg.vjp(f, x)[1](1.0)[0], lambda gradient: gradient
    yield "jvp", lambda x: gg.jvp(f, (x,), (one,))[1], np.sum


def second_orders(f, x):
    one = np.ones_like(x)[()]
    forward = lambda f: lambda x: gg.jvp(f, (x,), (one,))[1]
    rows = lambda hessian: np.sum(hessian, -1) if np.ndim(hessian) else hessian
    yield "hessian", gg.hessian(f), lambda hessian: hessian
    yield "grad of grad", gg.grad(lambda x: np.sum(gg.grad(f)(x))), rows
    yield "hvp", lambda x: gg.hvp(f, x, one), rows
    yield "grad of jvp", gg.grad(forward(f)), rows
    yield "jvp of jvp", forward(forward(f)), np.sum


def point(x, dtype=np.float64):
    return np.array(x, dtype)[()] if np.ndim(x) or dtype is not np.float64 else x


@every_case
def test_both_orders_in_every_mode(name):
    f, x, gradient, hessian = EXACT[name]
    x = point(x)
    for mode, derivative, seen in (*first_orders(f, x),):
        np.testing.assert_allclose(derivative(x), seen(gradient), rtol=1e-12, atol=1e-15, err_msg=mode)
    for mode, derivative, seen in second_orders(f, x):
        np.testing.assert_allclose(derivative(x), seen(np.asarray(hessian)), rtol=1e-12, atol=1e-15, err_msg=mode)


@every_case
def test_compiled(name):
    f, x, gradient, hessian = EXACT[name]
    x = point(x)
    found = gg.compile(lambda x: (gg.grad(f)(x), gg.hessian(f)(x)))(x)
    np.testing.assert_allclose(found[0], gradient, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found[1], hessian, rtol=1e-12, atol=1e-15)


@every_case
def test_backward(name):
    f, x, gradient, _ = EXACT[name]
    x = gg.variable(point(x))
    f(x).backward()
    np.testing.assert_allclose(x.grad, gradient, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["√x²", "∛(x³)", "√(x⁴)", "max · min", "arccos²", "Σ sort²"])
def test_float32(name):
    f, x, gradient, hessian = EXACT[name]
    x = point(x, np.float32)
    for found, expected in ((gg.grad(f)(x), gradient), (gg.hessian(f)(x), hessian)):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_third_order():
    third = lambda f: gg.grad(gg.grad(gg.grad(f)))
    np.testing.assert_allclose(third(lambda x: np.arccos(x) ** 2)(1.0), -8 / 15, rtol=1e-12)
    assert third(lambda x: np.sqrt(x**6))(0.0) == 0.0  # |x|³: from −6 to 6
    np.testing.assert_allclose(third(lambda x: np.cbrt(x**9))(0.0), 6.0, rtol=1e-12)
    assert gg.grad(gg.hessian(lambda x: np.abs(x) ** 4))(0.0) == 0.0


def test_neighbours_keep_their_numbers():
    x = np.array([0.0, 4.0, 0.3])
    found = gg.grad(lambda x: np.sum(np.sqrt(x) ** 2 + np.sin(x)))(x)
    np.testing.assert_allclose(found, 1 + np.cos(x), rtol=1e-15)


def test_containers_and_several_arguments():
    f = lambda p, y: np.sum(np.sqrt(p["a"]) ** 2) * y + np.cbrt(p["b"][0]) ** 3
    dp, dy = gg.grad(f, argnums=(0, 1))({"a": np.zeros(2), "b": [0.0]}, 3.0)
    np.testing.assert_array_equal(dp["a"], [3.0, 3.0])
    assert (dp["b"], dy) == ([1.0], 0.0)


def test_what_is_settled_inside_is_settled_for_those_around():
    before = careful.doubts
    inner = gg.grad(lambda x: np.sqrt(x) ** 2)
    assert gg.grad(lambda x: x * inner(0.0))(2.0) == 1.0
    assert careful.doubts > before
    assert not careful.in_doubt(before)


def test_the_ordinary_path_asks_nothing():
    before, calls = careful.doubts, []
    gg.grad(lambda x: calls.append(1) or np.sqrt(x) ** 2 + np.maximum(x, 0) + np.log(x))(2.0)
    assert (careful.doubts, len(calls)) == (before, 1)


@pytest.mark.parametrize("f", [lambda x: np.sum(np.sqrt(x**2 + np.square(x[::-1]))), lambda x: np.sum(np.sqrt(x**2)),
                               lambda x: np.sum(1 / (1 + np.exp(-x * 1e3 - 800.0)))])  # fmt: skip
def test_what_is_common_and_certain_is_not_looked_at(f):
    before = careful.doubts
    np.testing.assert_array_equal(gg.grad(f)(np.zeros(4)), np.zeros(4))
    assert careful.doubts == before


def test_a_limit_that_differs_from_all_sides_is_said():
    f = lambda x: np.cbrt(x[0]) ** 2 * np.cbrt(x[1])
    with pytest.warns(KinkWarning, match=r"none that is the same from all sides.*simplify the formula") as said:
        gg.grad(f)(np.zeros(2))
    assert said[0].filename == __file__


def test_what_cannot_be_followed_is_said():
    f = lambda x: np.sqrt(x) ** 2 * np.linalg.inv(np.stack([1.0 + x]).reshape(1, 1))[0, 0]
    with pytest.warns(KinkWarning, match="no germ of inv"):
        gg.grad(f)(0.0)


def test_a_function_that_answers_differently_each_time_is_said():
    rng = np.random.default_rng(0)
    with pytest.warns(KinkWarning, match="answers differently each time"):
        gg.grad(lambda x: np.sqrt(x) ** 2 + x * rng.normal())(0.0)


def test_said_once_for_each_line():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        for _ in range(3):
            gg.grad(lambda x: np.cbrt(x[0]) ** 2 * np.cbrt(x[1]))(np.zeros(2))
    assert len([w for w in said if w.category is KinkWarning]) == 1


def test_kinks_are_counted_once():
    with gg.kinks() as met:
        gg.grad(lambda x: np.sqrt(x) ** 2)(0.0)
    assert met.total == 1


def test_no_warning_of_numpys_where_the_answer_is_right():
    with np.errstate(all="raise"):
        assert gg.grad(lambda x: np.sqrt(x**2))(0.0) == 0.0
        assert gg.grad(lambda x: np.sqrt(x**4))(0.0) == 0.0
        assert gg.grad(lambda x: np.sqrt(x) ** 2)(0.0) == 1.0
