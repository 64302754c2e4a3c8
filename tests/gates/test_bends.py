"""Second derivatives at kinks that are none, since what arrives there is zero: right, or NaN, and the same compiled."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg

I2, I3 = np.eye(2), np.eye(3)
CENTRED = I3 - 1 / 3
NAN = np.nan
norm = np.linalg.norm


def rows(x):
    return norm(x.reshape(2, 2), axis=1)


# name: (function, the point, its Hessian there)
SMOOTH = {
    "|x|²": (lambda x: np.sum(np.abs(x) ** 2), [0, 1], 2 * I2),
    "|x| · |x|": (lambda x: np.sum(np.abs(x) * np.abs(x)), [0, 1], 2 * I2),
    "cos |x|": (lambda x: np.sum(np.cos(np.abs(x))), [0, 0], -I2),
    "|x| x²": (lambda x: np.sum(np.abs(x) * x * x), [0, 0], 0 * I2),
    "log(1 + |x|²)": (lambda x: np.sum(np.log1p(np.abs(x) ** 2)), [0, 0], 2 * I2),
    "|x + iy|²": (lambda x: np.abs(x[0] + 1j * x[1]) ** 2, [0, 0], 2 * I2),
    "copysign(x, x)²": (lambda x: np.sum(np.copysign(x, x) ** 2), [0, 1], 2 * I2),
    "max(x, 0)² + min(x, 0)²": (lambda x: np.sum(np.maximum(x, 0) ** 2 + np.minimum(0.0, x) ** 2), [0, 1], 2 * I2),
    "max(x, −x)²": (lambda x: np.sum(np.maximum(x, -x) ** 2), [0, 1], 2 * I2),
    "fmax(x, −x)²": (lambda x: np.sum(np.fmax(x, -x) ** 2), [0, 1], 2 * I2),
    "ptp² of two": (lambda x: np.ptp(x) ** 2, [1, 1], [[2, -2], [-2, 2]]),
    "|x| · |−x|": (lambda x: np.sum(np.abs(x) * np.abs(-x)), [0], [[2]]),
    "max · min": (lambda x: np.maximum(x[0], x[1]) * np.minimum(x[0], x[1]), [1, 1], 1 - I2),
    "max² + min²": (lambda x: np.maximum(x[0], x[1]) ** 2 + np.minimum(x[0], x[1]) ** 2, [1, 1], 2 * I2),
    "norm²": (lambda x: norm(x) ** 2, [0, 0], 2 * I2),
    "norm · norm": (lambda x: norm(x) * norm(x), [0, 0], 2 * I2),
    "norm³": (lambda x: norm(x) ** 3, [0, 0], 0 * I2),
    "√(1 + norm²)": (lambda x: np.sqrt(1 + norm(x) ** 2), [0, 0], I2),
    "exp(−norm²)": (lambda x: np.exp(-(norm(x) ** 2)), [0, 0], -2 * I2),
    "norm of rows, squared": (lambda x: np.sum(rows(x) ** 2), [0, 0, 1, 0], 2 * np.eye(4)),
    "norm of rows, weighted": (lambda x: rows(x) ** 2 @ np.array([1.0, 3.0]), [0, 0, 0, 0], np.diag([2, 2, 6, 6])),
    "one row of two": (lambda x: rows(x)[1] ** 2, [0, 0, 0, 0], np.diag([0, 0, 2, 2])),
    "distance²": (lambda x: norm(x - 1) ** 2, [1, 1], 2 * I2),
    "hypot²": (lambda x: np.hypot(x[0], x[1]) ** 2, [0, 0], 2 * I2),
    "hypot², broadcast": (lambda x: np.sum(np.hypot(x[:, None], np.zeros(3)) ** 2), [0, 0], 6 * I2),
    "max(x, 0)² + min(x, 0)², broadcast": (
        lambda x: np.sum(np.maximum(x[:, None], np.zeros(3)) ** 2) + 3 * np.sum(np.minimum(x, 0.0) ** 2),
        [0, 0],
        6 * I2,
    ),
    "std²": (lambda x: np.std(x) ** 2, [1, 1, 1], 2 / 3 * CENTRED),
    "std · std": (lambda x: np.std(x) * np.std(x), [1, 1, 1], 2 / 3 * CENTRED),
    "√var²": (lambda x: np.sqrt(np.var(x)) ** 2, [1, 1, 1], 2 / 3 * CENTRED),
    "√(x²)²": (lambda x: np.sum(np.sqrt(x**2) ** 2), [0, 1], 2 * I2),
    "√(x · x)²": (lambda x: np.sum(np.sqrt(x * x) ** 2), [0, 1], 2 * I2),
    "((x²) ** .5)²": (lambda x: np.sum(((x**2) ** 0.5) ** 2), [0, 1], 2 * I2),
    "√(x @ x)²": (lambda x: np.sqrt(x @ x) ** 2, [0, 0], 2 * I2),
    "cos √(x²)": (lambda x: np.sum(np.cos(np.sqrt(x**2))), [0, 0], -I2),
}
# where the function is not smooth after all: between its one-sided derivatives, or nobody knows
KINKS = {
    "max(x, 0)²": (lambda x: np.sum(np.maximum(x, 0) ** 2), [0, 1], np.diag([1, 2])),
    "(max − 1)²": (lambda x: (np.max(x) - 1) ** 2, [1, 1, 0], np.diag([1, 1, 0])),
    "|x| + x²": (lambda x: np.sum(np.abs(x) + x * x), [0, 1], 2 * I2),
    "norm": (norm, [0, 0], 0 * I2),
    "x norm": (lambda x: np.sum(x * norm(x)), [0, 0], 0 * I2),
    "x |x|": (lambda x: np.sum(x * np.abs(x)), [0, 1], np.diag([0, 2])),
    "(‖a‖ + ‖b‖)²": (lambda x: np.sum(rows(x)) ** 2, [0, 0, 0, 0], np.full((4, 4), NAN)),
    "ptp² of three": (lambda x: np.ptp(x) ** 2, [1, 1, 1], np.full((3, 3), NAN)),
    "norm of order 3, squared": (lambda x: norm(x, 3) ** 2, [0, 0], np.full((2, 2), NAN)),
}
ALL = SMOOTH | KINKS


def hessian_backwards(f):
    row = lambda n, x: gg.grad(lambda x: gg.grad(f)(x)[n])(x)
    return lambda x: np.stack([row(n, x) for n in range(len(x))])


def gradient_and(hessian, f):
    return lambda x: (gg.grad(f)(x), hessian(f)(x))


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", ALL)
def test_both_modes(name, dtype):
    f, x, expected = ALL[name]
    x = np.array(x, dtype)
    for hessian in (gg.hessian, hessian_backwards):
        found = hessian(f)(x)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
        assert found.dtype == dtype


COMPILED = [
    (gg.hessian, "|x|²"), (gg.hessian, "norm · norm"), (gg.hessian, "norm of order 3, squared"),
    (gg.hessian, "std²"), (hessian_backwards, "max(x, −x)²"), (hessian_backwards, "√(x · x)²"),
    (gg.hessian, "(max − 1)²"), (hessian_backwards, "norm"), (gg.hessian, "|x| · |−x|"),
]  # fmt: skip


@pytest.mark.parametrize(("hessian", "name"), COMPILED, ids=[name for _, name in COMPILED])
def test_compiled(name, hessian):
    f, x, expected = ALL[name]
    both = gradient_and(hessian, f)
    x = np.array(x, float)
    gradient, found = gg.compile(both)(x)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(gradient, both(x)[0])


@pytest.mark.parametrize("name", SMOOTH)
def test_the_oracle_is_a_difference_of_gradients(name):
    f, x, expected = SMOOTH[name]
    x, step = np.array(x, float), 1e-5
    moved = [(gg.grad(f)(x + e) - gg.grad(f)(x - e)) / (2 * step) for e in step * np.eye(len(x))]
    np.testing.assert_allclose(moved, expected, atol=1e-3)


def test_at_a_variable_and_at_third_order():
    x = gg.variable(0.0)
    gg.grad(gg.grad(lambda x: np.cos(np.abs(x)) + x**3))(x).backward()
    assert x.grad == 6.0
    third = gg.grad(gg.grad(gg.grad(lambda x: np.abs(x) ** 2)))
    assert third(0.0) == 0.0


def test_several_levels_of_the_same_kink():
    f = lambda x: np.abs(x) ** 2
    hvp = gg.hvp(lambda x: np.sum(f(x)), np.zeros(2), np.array([1.0, 3.0]))
    np.testing.assert_array_equal(hvp, [2.0, 6.0])
