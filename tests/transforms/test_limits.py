"""Derivatives where numbers alone cannot tell: exact if the limit beside the point is, and never wrong in silence."""

from __future__ import annotations

import math
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import gategrad as gg
from gategrad import careful
from gategrad.errors import KinkWarning
from gategrad.transforms import limits

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

KINDS = ["√x²", "∛(x³)", "√(x⁴)", "x √x", "arccos²", "x |x|", "norm³", "max · min", "Σ sort²", "1 / (1 + exp(−x))"]

every_case = pytest.mark.parametrize("name", EXACT)
one_of_each_kind = pytest.mark.parametrize("name", KINDS)


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
    yield "vjp", lambda x: gg.vjp(f, x)[1](1.0)[0], lambda gradient: gradient
    yield "jvp", lambda x: gg.jvp(f, (x,), (one,))[1], np.sum


def second_orders(f, x):
    one = np.ones_like(x)[()]
    forward = lambda f: lambda x: gg.jvp(f, (x,), (one,))[1]
    rows = lambda hessian: np.sum(hessian, -1) if np.ndim(hessian) else hessian
    yield "grad of grad", gg.grad(lambda x: np.sum(gg.grad(f)(x))), rows
    yield "hvp", lambda x: gg.hvp(f, x, one), rows
    yield "grad of jvp", gg.grad(forward(f)), rows
    yield "jvp of jvp", forward(forward(f)), np.sum


def point(x, dtype=np.float64):
    return np.array(x, dtype)[()] if np.ndim(x) or dtype is not np.float64 else x


@every_case
def test_both_orders(name):
    f, x, gradient, hessian = EXACT[name]
    x = point(x)
    np.testing.assert_allclose(gg.grad(f)(x), gradient, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(gg.hessian(f)(x), hessian, rtol=1e-12, atol=1e-15)


@one_of_each_kind
def test_every_other_mode(name):
    f, x, gradient, hessian = EXACT[name]
    x = point(x)
    for mode, derivative, seen in (*first_orders(f, x),):
        np.testing.assert_allclose(derivative(x), seen(gradient), rtol=1e-12, atol=1e-15, err_msg=mode)
    for mode, derivative, seen in second_orders(f, x):
        np.testing.assert_allclose(derivative(x), seen(np.asarray(hessian)), rtol=1e-12, atol=1e-15, err_msg=mode)


@one_of_each_kind
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


def centred(x):
    return x - np.mean(x)


COMMON = [
    lambda x: np.sqrt(x**2 + np.square(x[::-1])), lambda x: np.sqrt(x * x), lambda x: (x * x) ** 0.5, lambda x: np.abs(x) ** 0.5,
    lambda x: np.sqrt(np.sum(x * x)), lambda x: np.sqrt(x @ x), lambda x: np.sqrt(x[:2] * x[:2] / 3 + 2 * x[2:] ** 4),
    lambda x: np.sqrt(np.var(x)), lambda x: np.std(x), lambda x: np.sqrt(np.mean(centred(x) ** 2)), lambda x: np.hypot(x, x),
    lambda x: x / (1 + np.sqrt(np.sum(x * x))) - x, lambda x: np.sqrt(np.sum(x.reshape(2, 2) ** 2, axis=1)),
]  # fmt: skip


@pytest.mark.parametrize("f", COMMON)
def test_what_is_common_and_certain_is_no_question(f):
    f, before = lambda x, f=f: np.sum(f(x)), careful.doubts
    x = gg.variable(np.zeros(4))
    f(x).backward()
    for found in (gg.grad(f)(np.zeros(4)), x.grad, gg.jacobian(f)(np.zeros(4))):
        np.testing.assert_array_equal(found, np.zeros(4))
    assert careful.doubts == before


def test_an_overflow_alone_is_not_looked_at():
    calls = []
    found = gg.grad(lambda x: calls.append(1) or np.sum(1 / (1 + np.exp(-x * 1e3 - 800.0))))(np.zeros(4))
    np.testing.assert_array_equal(found, np.zeros(4))
    assert len(calls) == 1


@pytest.mark.parametrize(("f", "gradient"), [
    (lambda x: np.sqrt(x * x - 2 * x * x), np.inf), (lambda x: np.sqrt(x * x * x), 0.0), (lambda x: np.sqrt(-(x * x)), 0.0),
    (lambda x: np.sqrt(x * x + x), np.inf), (lambda x: np.sqrt((x + 1) ** 2 - 1), np.inf), (lambda x: np.sqrt(x**3), 0.0),
])  # fmt: skip
def test_what_only_looks_like_squares_is_a_question(f, gradient):
    before = careful.doubts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = gg.grad(f)(0.0)
    assert careful.doubts > before or found == gradient == np.inf


def test_a_length_of_what_is_steep_is_a_question():
    def f(x):
        root = np.sqrt(x)
        return np.sqrt(root * root)

    assert gg.grad(f)(0.0) == np.inf


# --- prices ---------------------------------------------------------------------------------------------------------


def once_squared(calls):
    return lambda x: calls.append(1) or np.sum(np.sqrt(x) ** 2)


def test_large_arguments_are_not_looked_at_and_that_is_said():
    calls, x = [], np.zeros(5000)
    with pytest.warns(KinkWarning, match=r"too much to compute.*gg\.where") as said:
        found = gg.grad(once_squared(calls))(x)
    np.testing.assert_array_equal(found, x)
    assert (len(calls), len(said), said[0].filename) == (1, 1, __file__)


def test_a_look_that_is_too_dear_is_tried_once(monkeypatch):
    monkeypatch.setattr(limits, "_BUDGET", 100_000)
    monkeypatch.setattr(limits, "_dear", set())
    calls, runs = [], []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(3):
            np.testing.assert_array_equal(gg.grad(once_squared(calls))(np.zeros(20)), np.zeros(20))
            runs.append(len(calls))
    assert runs == [3, 4, 5]  # the numbers, once more, and germs; from then on the numbers alone
    assert {w.category for w in said} == {KinkWarning}


def test_exponentials_that_overflow_in_large_arrays_are_no_reason_to_warn():
    found = gg.grad(lambda x: np.sum(1 / (1 + np.exp(-x))))(np.full(5000, -800.0))
    np.testing.assert_array_equal(found, np.zeros(5000))


def test_compiled_functions_stay_compiled_where_looking_is_too_dear():
    calls, x = [], np.zeros(5000)
    f = gg.compile(gg.grad(once_squared(calls)))
    with pytest.warns(KinkWarning, match="too much to compute"):
        np.testing.assert_array_equal(f(x), x)
    count = len(calls)
    np.testing.assert_array_equal(f(x), x)
    np.testing.assert_array_equal(f(x + 1), np.ones(5000))
    assert len(calls) == count


def test_compiled_losses_with_rows_of_zeros_stay_compiled():
    calls, x = [], np.array([[3.0, 4.0], [0.0, 0.0]])
    f = gg.compile(gg.grad(lambda x: calls.append(1) or np.sum(np.sqrt(np.sum(x * x, axis=1)))))
    for _ in range(2):
        np.testing.assert_allclose(f(x), [[0.6, 0.8], [0.0, 0.0]], rtol=1e-15)
        count = len(calls)
    f(x)
    assert len(calls) == count


# --- threads --------------------------------------------------------------------------------------------------------


def test_each_thread_sees_its_own_doubts():
    inside = threading.Barrier(8, timeout=60)

    def work(number):
        calls = []

        def f(x):
            calls.append(1)
            if len(calls) == 1:
                inside.wait()  # all have begun before any is done
            return np.sqrt(x) ** 2 if number % 2 else np.sqrt(x) * np.where(x > 0, 1.0, 2.0)

        found, runs = [], []
        for _ in range(3):
            found.append(gg.grad(f)(0.0 if number % 2 else 4.0))
            runs.append(len(calls))
        return found, runs

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(work, range(8)))
    for number, (found, runs) in enumerate(answers):
        assert found == ([1.0] * 3 if number % 2 else [0.25] * 3)
        assert runs == ([4, 8, 12] if number % 2 else [1, 2, 3])


def test_doubts_behind_a_mask_are_taken_back_in_each_thread():
    def work(number):
        with np.errstate(all="ignore"):
            f = lambda x: np.sum(np.where(x > 0, np.sqrt(x) ** 2, 0.0)) if number % 2 else np.sum(np.sqrt(x) ** 2)
            return [gg.grad(f)(np.zeros(2)).tolist() for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(work, range(8)))
    assert answers == [[[0.0, 0.0] if number % 2 else [1.0, 1.0]] * 5 for number in range(8)]


def test_doubts_that_nobody_settles_are_few():
    for _ in range(500):
        careful.doubted(True)
    before = careful.doubts
    assert not careful.in_doubt(before)
    careful.doubted(np.array([False, True]))
    assert careful.in_doubt(before)
    assert len(careful._noted.doubts) <= 65
    assert careful.without_doubt(before)
    assert not careful.without_doubt(before)
    assert careful.in_doubt(before - 1)
    assert careful.without_doubt(0)
    assert not careful.in_doubt(0)


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
