"""Activations: precision for inputs of any size, plain values, derivatives of every order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit

import gategrad as gg

X = np.array([-800.0, -40.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 40.0, 800.0])


def test_sigmoid_is_accurate_everywhere():
    np.testing.assert_allclose(gg.sigmoid(X), expit(X), rtol=5e-16)
    np.testing.assert_allclose([gg.sigmoid(float(x)) for x in X], expit(X), rtol=5e-16)
    single = gg.sigmoid(X.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expit(X), rtol=1e-6, atol=1e-45)


def test_softplus_is_accurate_everywhere():
    expected = [0.0, math.exp(-40), math.log1p(math.exp(-1)), *[math.log(2)] * 3, math.log1p(math.e), 40.0, 800.0]
    np.testing.assert_allclose(gg.softplus(X), expected, rtol=2e-9)


def test_relu_of_everything():
    np.testing.assert_array_equal(gg.relu(X), np.where(X > 0, X, 0.0))
    assert [gg.relu(float(x)) for x in X] == [max(float(x), 0.0) for x in X]


@pytest.mark.parametrize("f", [gg.sigmoid, gg.relu, gg.softplus])
def test_plain_values_come_out_as_they_went_in(f):
    assert isinstance(f(2.0), float)
    assert type(f(gg.variable(2.0)).value) is float
    assert f(np.ones(2, np.float32)).dtype == np.float32
    assert type(f(np.float32(1.0))) is np.float32
    np.testing.assert_array_equal(f([1.0, -2.0]), f(np.array([1.0, -2.0])))


def test_one_sigmoid_gate_agrees_with_its_parts():
    def parts(x):
        return 1 / (1 + np.exp(-x))

    for f, g in ((gg.sigmoid, parts), (gg.grad(gg.sigmoid), gg.grad(parts))):
        for x in (-3.0, 0.0, 0.5, 3.0):
            assert gg.value_and_grad(f)(x) == pytest.approx(gg.value_and_grad(g)(x), rel=1e-13, abs=1e-16)


@pytest.mark.parametrize("x", [-2.0, 0.0, 1.5])
def test_the_derivatives_of_sigmoid_and_softplus_at_every_order(x):
    s = float(expit(x))
    expected = [s, s * (1 - s), s * (1 - s) * (1 - 2 * s), s * (1 - s) * (1 - 6 * s * (1 - s))]
    f, g = gg.sigmoid, gg.grad(gg.softplus)
    for value in expected:
        assert f(x) == pytest.approx(value, abs=1e-15)
        assert g(x) == pytest.approx(value, abs=1e-15)
        f, g = gg.grad(f), gg.grad(g)


def test_relu_is_its_own_kink_on_every_tape():
    # Were relu taken apart on the outer tape, np.maximum would answer 1/2 for the slope at 0 there.
    assert gg.grad(gg.grad(lambda x: x * gg.relu(x)))(0.0) == 0.0
