"""Masked gradients: zeros that no infinity turns into NaN, at every order, and through every kind of gate."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.masked import Masked, select

X = np.array([-1.0, 0.0, 4.0])


def safe_root(x):
    return np.sum(np.where(x > 0, np.sqrt(np.where(x > 0, x, 0.0) * 1.0), 0.0))


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def test_the_branch_that_was_not_taken_sends_nothing():
    np.testing.assert_array_equal(gg.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)))(X), [0.0, 0.0, 0.25])
    np.testing.assert_array_equal(gg.grad(safe_root)(X), [0.0, 0.0, 0.25])


def test_at_second_order():
    def slope(x):
        return np.sum(gg.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)))(x))

    np.testing.assert_allclose(gg.grad(slope)(X), [0.0, 0.0, -0.25 * 4**-1.5])


@pytest.mark.parametrize(
    "through",
    [
        lambda x: 1.0 / x,
        lambda x: np.log(x) * 2.0 - 1.0,
        lambda x: np.log(x).reshape(3),
        lambda x: np.log(x[::-1])[::-1],
        lambda x: np.log(x.astype(np.float32)).astype(float),
        lambda x: np.stack([np.log(x), 1.0 / x])[0],
        lambda x: np.log(x) + 1.0 / x,
    ],
)
def test_through_any_gate(through):
    dx = gg.grad(lambda x: np.sum(np.where(x > 0, through(np.where(x > 0, x, 1.0)), 0.0)))(X)
    masked = gg.grad(lambda x: np.sum(np.where(x > 0, through(x), 0.0)))(X)
    assert np.isfinite(dx).all()
    np.testing.assert_allclose(masked[2], dx[2])
    np.testing.assert_array_equal(masked[:1], 0.0)


def test_a_mask_over_a_broadcast_input():
    def f(s, x):
        return np.sum(np.where(x > 0, s * np.log(x), 0.0))

    ds, dx = gg.grad(f, argnums=(0, 1))(2.0, X)
    assert ds == pytest.approx(np.log(4.0)) and type(ds) is float
    np.testing.assert_array_equal(dx, [0.0, 0.0, 0.5])


def test_a_masked_gradient_meets_an_ambient_variable():
    w = gg.variable(np.array([np.inf, 1.0, 3.0]))
    dx = gg.grad(lambda x: np.sum(np.where(x > 0, w * x, 0.0)))(X)
    np.testing.assert_array_equal(dx.value, [0.0, 0.0, 3.0])
    np.sum(dx).backward()
    np.testing.assert_array_equal(w.grad, [0.0, 0.0, 1.0])


def test_scalars():
    for x, expected in ((4.0, 0.25), (0.0, 0.0)):
        assert gg.grad(lambda x: np.where(x > 0, np.sqrt(x), 0.0))(x) == expected


def test_select():
    assert select(True, 2.0) == 2.0 and select(False, 2.0) is None
    dz = select(np.array([True, False]), np.array([1.0, np.inf]))
    assert type(dz) is Masked and dz.shape == (2,) and dz.dtype == np.float64 and dz.ndim == 1
    np.testing.assert_array_equal((dz * np.inf / 2.0).resolve(), [np.inf, 0.0])
    np.testing.assert_array_equal(dz + 1.0, [2.0, 1.0])
    np.testing.assert_array_equal(np.asarray(-dz), [-1.0, 0.0])
    np.testing.assert_array_equal(dz.sum(), 1.0)
    dz *= 2
    np.testing.assert_array_equal(np.asarray(dz), [2.0, 0.0])
