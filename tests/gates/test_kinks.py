"""The gradient at kinks and singular points: always an element of the subdifferential, finite where one exists.

Each row is asked of Python floats, of arrays (among other points, which must not notice) and of float32, first and
second order. Warnings are errors here, so a rule that computes a NaN and then throws it away is caught too.
"""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg


def logistic(x):
    return 1 / (1 + np.exp(-x))


def logistic_of_exp2(x):
    return 1 / (1 + np.exp2(-x))


def logistic_of_expm1(x):
    return 1 / (2 + np.expm1(-x))


def root_where_positive(x):
    return np.where(x > 0, np.sqrt(x), 0.0)


def reciprocal_where_nonzero(x):
    return np.where(x == 0, 1.0, 1 / x)


def log_of_larger(x):
    return np.log(np.maximum(x, 1.0))


# name: (function, the point, gradient there, second derivative there)
KINKS = {
    "abs at 0": (np.abs, 0.0, 0.0, 0.0),
    "abs at -0": (np.abs, -0.0, 0.0, 0.0),
    "fabs at 0": (np.fabs, 0.0, 0.0, 0.0),
    "sign at 0": (np.sign, 0.0, 0.0, 0.0),
    "floor at 1": (np.floor, 1.0, 0.0, 0.0),
    "round at .5": (np.round, 0.5, 0.0, 0.0),
    "maximum(x, 0) at 0": (lambda x: np.maximum(x, 0), 0.0, 0.5, 0.0),
    "maximum(0, x) at 0": (lambda x: np.maximum(0.0, x), 0.0, 0.5, 0.0),
    "maximum(x, x)": (lambda x: np.maximum(x, x), 3.0, 1.0, 0.0),
    "maximum(x, x²) at 1": (lambda x: np.maximum(x, x * x), 1.0, 1.5, 1.0),
    "minimum(x, 0) at 0": (lambda x: np.minimum(x, 0), 0.0, 0.5, 0.0),
    "fmax(x, 0) at 0": (lambda x: np.fmax(x, 0), 0.0, 0.5, 0.0),
    "fmin(x, 0) at 0": (lambda x: np.fmin(x, 0), 0.0, 0.5, 0.0),
    "fmax(x, NaN)": (lambda x: np.fmax(x, np.nan), 3.0, 1.0, 0.0),
    "fmin(NaN, x)": (lambda x: np.fmin(np.nan, x), 3.0, 1.0, 0.0),
    "clip at the lower bound": (lambda x: np.clip(x, -1, 1), -1.0, 0.5, 0.0),
    "clip at the upper bound": (lambda x: np.clip(x, -1, 1), 1.0, 0.5, 0.0),
    "relu at 0": (gg.relu, 0.0, 0.0, 0.0),
    "sigmoid at 0": (gg.sigmoid, 0.0, 0.25, 0.0),
    "softplus at 0": (gg.softplus, 0.0, 0.5, 0.25),
    "sigmoid at -800": (gg.sigmoid, -800.0, 0.0, 0.0),
    "sigmoid at 800": (gg.sigmoid, 800.0, 0.0, 0.0),
    "softplus at -800": (gg.softplus, -800.0, 0.0, 0.0),
    "softplus at 800": (gg.softplus, 800.0, 1.0, 0.0),
    "where(x > 0, sqrt x, 0) at -1": (root_where_positive, -1.0, 0.0, 0.0),
    "where(x > 0, sqrt x, 0) at 0": (root_where_positive, 0.0, 0.0, 0.0),
    "where(x = 0, 1, 1/x) at 0": (reciprocal_where_nonzero, 0.0, 0.0, 0.0),
    "log(maximum(x, 1)) at -1": (log_of_larger, -1.0, 0.0, 0.0),
    "1/(1 + exp(-x)) at -800": (logistic, -800.0, 0.0, 0.0),
    "1/(1 + exp2(-x)) at -2000": (logistic_of_exp2, -2000.0, 0.0, 0.0),
    "1/(2 + expm1(-x)) at -800": (logistic_of_expm1, -800.0, 0.0, 0.0),
    "1/cosh(x) at 800": (lambda x: 1 / np.cosh(x), 800.0, 0.0, 0.0),
    "1/(2 + sinh(x)) at 800": (lambda x: 1 / (2 + np.sinh(x)), 800.0, 0.0, 0.0),
    "x ** 0 at 0": (lambda x: x**0, 0.0, 0.0, 0.0),
    "x ** 1 at 0": (lambda x: x**1, 0.0, 1.0, 0.0),
    "x ** 2 at 0": (lambda x: x**2, 0.0, 0.0, 2.0),
    "x ** 2.0 at -3": (lambda x: x**2.0, -3.0, -6.0, 2.0),
    "x ** 3 at -2": (lambda x: x**3, -2.0, 12.0, -12.0),
    "x ** -1 at -2": (lambda x: x**-1, -2.0, -0.25, -0.25),
    "0 ** x at 2": (lambda x: 0.0**x, 2.0, 0.0, 0.0),
    "2 ** x at 0": (lambda x: 2**x, 0.0, np.log(2), np.log(2) ** 2),
    "sqrt(x²) at 0": (lambda x: np.sqrt(x**2), 0.0, 0.0, 0.0),
    "sqrt(square(x)) at 0": (lambda x: np.sqrt(np.square(x)), 0.0, 0.0, 0.0),
    "(x²) ** .5 at 0": (lambda x: (x**2) ** 0.5, 0.0, 0.0, 0.0),
    "sqrt(x²)² at 0": (lambda x: np.sqrt(x**2) ** 2, 0.0, 0.0, 2.0),
    "sqrt(|x|) at 0": (lambda x: np.sqrt(np.abs(x)), 0.0, 0.0, -np.inf),
    "sqrt(|x|)² at 0": (lambda x: np.sqrt(np.abs(x)) ** 2, 0.0, 0.0, 0.0),
    "hypot(x, 0) at 0": (lambda x: np.hypot(x, 0.0), 0.0, 0.0, 0.0),
    "arctan2(x, 0) at 0": (lambda x: np.arctan2(x, 0.0), 0.0, 0.0, 0.0),
    "logaddexp(x, -inf) at -inf": (lambda x: np.logaddexp(x, -np.inf), -np.inf, 0.5, 0.0),
}

# Infinite forward values, divisions by zero in the branch not taken, and infinite slopes on the way to a kink are
# what the function itself asks of NumPy, which warns of them; `invalid` would be ours.
FORWARD = {"over": "ignore", "divide": "ignore"}
NEIGHBOURS = (0.25, 0.75)

every_kink = pytest.mark.parametrize(("f", "x", "first", "second"), KINKS.values(), ids=KINKS)


def derivative(f, x):
    """The elementwise derivative of an elementwise function, as a function of floats or arrays."""
    z, pullback = gg.vjp(f, x)
    shape = getattr(z, "shape", ())
    return pullback(np.ones(shape, z.dtype) if shape else 1.0)[0]


def orders(f, x):
    with np.errstate(**FORWARD, invalid="ignore" if f is root_where_positive else "warn"):
        return derivative(f, x), derivative(lambda x: derivative(f, x), x)


@every_kink
def test_floats(f, x, first, second):
    assert_orders(orders(f, x), first, second)


@every_kink
def test_arrays_and_their_neighbours(f, x, first, second):
    found = orders(f, np.array([NEIGHBOURS[0], x, NEIGHBOURS[1]]))
    assert_orders([dx[1] for dx in found], first, second)
    for place, neighbour in ((0, NEIGHBOURS[0]), (2, NEIGHBOURS[1])):
        assert_orders([dx[place] for dx in found], *orders(f, neighbour))


@every_kink
def test_float32(f, x, first, second):
    found = orders(f, np.array([x], np.float32))
    assert [dx.dtype for dx in found] == [np.float32] * 2
    assert_orders([dx[0] for dx in found], first, second)


def assert_orders(found, first, second):
    np.testing.assert_allclose(found[0], first, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found[1], second, rtol=1e-6, atol=1e-12)


# --- where no finite subgradient exists -------------------------------------------------------------------------

SINGULAR = {
    "sqrt at 0": (np.sqrt, 0.0),
    "cbrt at 0": (np.cbrt, 0.0),
    "x ** .5 at 0": (lambda x: x**0.5, 0.0),
    "log at 0": (np.log, 0.0),
    "arcsin at 1": (np.arcsin, 1.0),
    "arccosh at 1": (np.arccosh, 1.0),
    "exp at 800": (np.exp, 800.0),
}
every_singularity = pytest.mark.parametrize(("f", "x"), SINGULAR.values(), ids=SINGULAR)


@every_singularity
def test_an_infinite_slope_is_infinite(f, x):
    with np.errstate(**FORWARD):
        assert derivative(f, x) == np.inf
        np.testing.assert_array_equal(derivative(f, np.array([x, x])), [np.inf, np.inf])


@pytest.mark.parametrize("name", ["sqrt at 0", "cbrt at 0", "x ** .5 at 0", "exp at 800"])
def test_a_zero_upstream_gradient_stays_zero(name):
    f, x = SINGULAR[name]
    with np.errstate(**FORWARD):
        _, pullback = gg.vjp(f, np.array([x, x]))
        np.testing.assert_array_equal(pullback(np.array([0.0, 1.0]))[0], [0.0, np.inf])
        _, pullback = gg.vjp(f, x)
        assert pullback(0.0)[0] == 0.0


def test_no_warning_beyond_those_of_the_forward_pass():
    with np.errstate(over="ignore"):
        z = logistic(gg.variable(np.array([-800.0, 0.0])))
    dz = np.ones(2)
    z.backward(dz)  # warnings are errors here
    np.testing.assert_array_equal(z.value, [0.0, 0.5])


# --- NaN is passed on, never silenced ---------------------------------------------------------------------------


@pytest.mark.parametrize("f", [np.abs, gg.relu, gg.sigmoid, gg.softplus, np.sqrt, lambda x: np.maximum(x, 0.0)])
def test_nan_is_not_silenced(f):
    with np.errstate(invalid="ignore"):  # np.logaddexp, in softplus, warns of a NaN that it did not make
        assert np.isnan(f(gg.variable(np.nan)).item())
        assert derivative(f, np.nan) != 0.0
        assert derivative(f, np.array([np.nan]))[0] != 0.0


# --- two inputs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "y", "gradients"),
    [
        (np.maximum, 1.0, 1.0, (0.5, 0.5)),
        (np.maximum, 1.0, 2.0, (0.0, 1.0)),
        (np.minimum, 1.0, 1.0, (0.5, 0.5)),
        (np.minimum, 1.0, 2.0, (1.0, 0.0)),
        (np.fmax, 1.0, np.nan, (1.0, 0.0)),
        (np.fmin, np.nan, 1.0, (0.0, 1.0)),
        (np.hypot, 0.0, 0.0, (0.0, 0.0)),
        (np.arctan2, 0.0, 0.0, (0.0, 0.0)),
        (np.power, 0.0, 0.0, (0.0, 0.0)),
        (np.power, 0.0, 2.0, (0.0, 0.0)),
        (np.power, 0.0, 1.0, (1.0, 0.0)),
        (np.logaddexp, -np.inf, -np.inf, (0.5, 0.5)),
        (np.logaddexp, np.inf, 0.0, (1.0, 0.0)),
        (np.divide, 0.0, np.inf, (0.0, 0.0)),
    ],
)
def test_both_inputs_at_once(f, x, y, gradients):
    with np.errstate(divide="ignore"):
        assert gg.vjp(f, x, y)[1](1.0) == gradients
        found = gg.vjp(f, np.array([x, 1.5]), np.array([y, 0.5]))[1](np.ones(2))
        assert (found[0][0], found[1][0]) == gradients
        beside = gg.vjp(f, 1.5, 0.5)[1](1.0)
        np.testing.assert_allclose((found[0][1], found[1][1]), beside, rtol=1e-15)


def test_the_branch_not_taken_gets_nothing_whatever_it_holds():
    x = np.array([-1.0, 0.0, 4.0])
    with np.errstate(invalid="ignore", divide="ignore"):

        def f(x):
            return np.where(x > 0, np.log(np.sqrt(x)) * x**-2, np.exp(x))

        first = derivative(f, x)
        second = derivative(lambda x: derivative(f, x), x)
    np.testing.assert_allclose(first[:2], np.exp(x[:2]))
    np.testing.assert_allclose(second[:2], np.exp(x[:2]))
    assert np.isfinite(first[2]) and np.isfinite(second[2])


@pytest.mark.parametrize("x", [-1.0, np.array([[-1.0]]), np.array([-1.0, 4.0])], ids=["float", "array", "row"])
def test_a_broadcast_input_of_a_branch_that_is_nowhere_taken(x):
    mask = np.array([[False, True], [False, True], [False, True]]) & (np.size(x) > 1)
    f = lambda x: np.where(mask, np.sqrt(x), 1.0)
    with np.errstate(invalid="ignore"):
        _, pullback = gg.vjp(f, x)
        (dx,) = pullback(np.ones((3, 2)))
        _, second = gg.vjp(lambda x: gg.vjp(f, x)[1](np.ones((3, 2)))[0], x)
        (dx2,) = second(np.ones(np.shape(x)) if np.shape(x) else 1.0)
    np.testing.assert_allclose(dx, [0.0, 0.75] if np.size(x) > 1 else np.zeros(np.shape(x)))
    np.testing.assert_allclose(dx2, [0.0, -0.09375] if np.size(x) > 1 else np.zeros(np.shape(x)))


# --- nothing flows, but the answer is zero ----------------------------------------------------------------------


@pytest.mark.parametrize("x", [-3.0, np.array([-3.0, -1.0])], ids=["float", "array"])
@pytest.mark.parametrize("f", [gg.relu, np.sign, lambda x: np.where(x > 0, x, 0.0)], ids=["relu", "sign", "where"])
def test_behind_a_closed_gate_the_gradient_is_zero_rather_than_missing(f, x):
    leaf = gg.variable(x)
    inner = 2 * leaf
    f(inner).backward(np.ones(np.shape(x)), keep=True)
    np.testing.assert_array_equal(leaf.grad, np.zeros(np.shape(x)))
    np.testing.assert_array_equal(inner.grad, np.zeros(np.shape(x)))
    assert type(leaf.grad) is type(inner.grad) is type(x)


def test_a_closed_gate_beside_an_open_one():
    x = gg.variable(-3.0)
    inner = 2 * x
    (gg.relu(inner) + inner + gg.relu(inner)).backward()
    assert x.grad == 2.0
