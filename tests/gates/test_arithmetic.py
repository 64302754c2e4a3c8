"""What the walk over every gate does not see: operators, kinds of exponent, dtypes, and what is remembered."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import gategrad as gg


@pytest.mark.parametrize(
    ("apply", "dx", "dy"),
    [
        (operator.add, 1.0, 1.0),
        (operator.sub, 1.0, -1.0),
        (operator.mul, -4.0, 3.0),
        (operator.truediv, -0.25, -0.1875),
        (operator.pow, -4 * 3.0**-5, 3.0**-4 * np.log(3.0)),
    ],
)
def test_operators_of_two_numbers(apply, dx, dy):
    x, y = gg.variable(3.0), gg.variable(-4.0)
    z = apply(x, y)
    z.backward()
    assert z.value == apply(3.0, -4.0)
    assert (x.grad, y.grad) == pytest.approx((dx, dy), rel=1e-14)
    assert gg.grad(lambda x: apply(x, -4.0))(3.0) == pytest.approx(dx, rel=1e-14)
    assert gg.grad(lambda y: apply(3.0, y))(-4.0) == pytest.approx(dy, rel=1e-14)


@pytest.mark.parametrize(
    ("apply", "gradient"),
    [(operator.neg, -1.0), (operator.pos, 1.0), (abs, -1.0), (np.positive, 1.0), (np.fabs, -1.0)],
)
def test_operators_of_one_number(apply, gradient):
    x = gg.variable(-3.0)
    z = apply(x)
    z.backward()
    assert z.value == apply(-3.0)
    assert x.grad == gradient


@pytest.mark.parametrize("exponent", [-2, -1, 0, 1, 2, 3, 2.0, 3.0])
def test_a_constant_exponent_of_a_negative_number(exponent):
    x = np.array([-2.0, -0.5, 1.5])
    z, pullback = gg.vjp(lambda x: x**exponent, x)
    np.testing.assert_array_equal(z, x**exponent)
    np.testing.assert_allclose(pullback(np.ones(3))[0], exponent * x ** (exponent - 1.0), rtol=1e-14)
    for number in x:
        expected = exponent * number ** (exponent - 1.0)
        assert gg.grad(lambda x: x**exponent)(float(number)) == pytest.approx(expected, rel=1e-14)


def test_an_array_of_integer_exponents():
    x, exponents = np.array([-2.0, 0.0, 0.0, 3.0]), np.array([3, 0, 1, 2])
    _, pullback = gg.vjp(lambda x: x**exponents, x)
    np.testing.assert_array_equal(pullback(np.ones(4))[0], [12.0, 0.0, 1.0, 6.0])


def test_the_exponent_of_integers():
    exponent = np.array([2.0, 3.0])
    _, pullback = gg.vjp(lambda y: np.array([2, 3]) ** y, exponent)
    np.testing.assert_allclose(pullback(np.ones(2))[0], [4 * np.log(2), 27 * np.log(3)], rtol=1e-14)


def test_the_mixed_derivative_of_a_power_at_exponent_zero():
    gradient_in_x = gg.grad(lambda x, y: x**y)
    assert gg.grad(gradient_in_x, argnums=1)(2.0, 0.0) == pytest.approx(0.5)  # ∂²(x^y)/∂x∂y = 1/x at y = 0
    gradient_in_y = gg.grad(lambda x, y: x**y, argnums=1)
    assert gg.grad(gradient_in_y)(2.0, 0.0) == pytest.approx(0.5)


def test_a_fractional_power_of_a_negative_number_is_nan_as_in_numpy():
    x = gg.variable(-8.0)
    with np.errstate(invalid="ignore"):
        z = x ** (1 / 3)
        z.backward()
    assert np.isnan(z.value)
    assert np.isnan(x.grad)


def test_the_gradient_of_a_quotient_survives_a_divisor_whose_square_overflows():
    assert gg.grad(lambda y: 1e200 / y)(1e200) == pytest.approx(-1e-200)


def test_division_by_zero_answers_as_numpy():
    x, y = gg.variable(1.0), gg.variable(0.0)
    with np.errstate(divide="ignore"):
        z = x / y
        z.backward()
    assert (z.value, x.grad, y.grad) == (np.inf, np.inf, -np.inf)


@pytest.mark.parametrize("apply", [np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.hypot])
def test_a_python_number_leaves_float32_alone(apply):
    x = gg.variable(np.array([1.0, 2.0], np.float32))
    for z in (apply(x, 2.5), apply(2.5, x), apply(x, 2), apply(2, x)):
        assert z.dtype == np.float32
        z.backward(np.ones(2, np.float32))
    assert x.grad.dtype == np.float32


def test_what_nobody_needs_is_not_remembered():
    x, c = gg.variable(np.ones(3)), np.full(3, 2.0)
    assert (x * c).gate.x is None
    assert (c * x).gate.y is None
    assert (x / c).gate.z is None
    assert (x**c).gate.z is None
    assert vars((x + c).gate) == vars((x - c).gate) == vars((-x).gate) == {}
