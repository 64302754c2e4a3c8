"""Trigonometric and hyperbolic functions: aliases, precision near the ends of their domains, identities."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import gategrad as gg


@pytest.mark.parametrize(
    ("f", "x", "gradient"),
    [
        (np.radians, 90.0, math.pi / 180),
        (np.deg2rad, 90.0, math.pi / 180),
        (np.degrees, 1.0, 180 / math.pi),
        (np.rad2deg, 1.0, 180 / math.pi),
        (np.tanh, 800.0, 0.0),
        (np.arctan, 1e100, 1e-200),
        (np.arcsinh, 1e200, 1e-200),
        (np.arcsinh, -1e200, 1e-200),
        (np.arccosh, 1e200, 1e-200),
        (np.arccosh, 1 + 1e-12, 1 / math.sqrt(((1 + 1e-12) - 1) * 2)),
        (np.arcsin, 1 - 1e-12, 1 / math.sqrt((1 - (1 - 1e-12)) * 2)),
        (np.arccos, 1 - 1e-12, -1 / math.sqrt((1 - (1 - 1e-12)) * 2)),
        (np.arctanh, 1 - 1e-12, 1 / ((1 - (1 - 1e-12)) * 2)),
    ],
)
def test_gradient_at_the_ends(f, x, gradient):
    assert gg.grad(f)(x) == pytest.approx(gradient, rel=1e-11, abs=0)


@pytest.mark.parametrize(("f", "sign"), [(np.arcsin, 1), (np.arccos, -1)])
def test_nothing_cancels_near_the_ends_of_the_domain(f, sign):
    x = 1 - 0.7e-8  # where 1 - x² has lost half of its digits
    assert gg.grad(f)(x) == pytest.approx(sign / math.sqrt(1 - Fraction(x) ** 2), rel=1e-15)


def test_the_angle_has_a_gradient_in_all_four_quadrants():
    for angle in (0.5, 2.0, -2.0, -0.5, 0.0, math.pi / 2):
        y, x = 3 * math.sin(angle), 3 * math.cos(angle)
        dy, dx = gg.grad(np.arctan2, argnums=(0, 1))(y, x)
        assert (dy, dx) == pytest.approx((math.cos(angle) / 3, -math.sin(angle) / 3), rel=1e-14, abs=1e-16)


def test_hypot_and_arctan2_do_not_overflow():
    assert gg.grad(np.hypot, argnums=(0, 1))(3e200, 4e200) == pytest.approx((0.6, 0.8))
    assert gg.grad(np.arctan2, argnums=(0, 1))(3e200, 4e200) == pytest.approx((0.16e-200, -0.12e-200))


def test_sine_squared_plus_cosine_squared_is_flat():
    x = gg.variable(np.linspace(-4.0, 4.0, 9))
    z = np.sin(x) ** 2 + np.cos(x) ** 2
    z.backward(np.ones(9))
    np.testing.assert_allclose(x.grad, 0.0, atol=1e-15)


def test_the_fourth_derivative_of_the_sine_is_the_sine():
    f = np.sin
    for _ in range(4):
        f = gg.grad(f)
    assert f(0.7) == pytest.approx(math.sin(0.7), rel=1e-15)
