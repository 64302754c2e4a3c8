"""Germs are what functions are beside a point: their series, summed at a small ε, is the function there."""

from __future__ import annotations

import numpy as np
import pytest

from gategrad.germs import Germ, beside
from gategrad.germs.functions import UFUNCS
from gategrad.germs.germ import TooDearError, within

STEP = 1e-3
AT = np.array([0.4, 0.7, 0.2])
TOWARDS = np.array([1.0, -0.5, 0.25])
OTHER = np.array([0.3, 0.7, 0.9])
DOMAIN = {np.arccosh: 1.0}  # added to the point


def summed(z, step=STEP):
    """The series at ε = step."""
    if not isinstance(z, Germ):
        return np.asarray(z)
    return np.asarray(sum((np.asarray(c, float) * step**p for p, c in z.terms.items()), np.zeros(z.shape)))


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda ufunc: ufunc.__name__)
def test_every_ufunc(ufunc):
    x = AT + DOMAIN.get(ufunc, 0.0)
    others = [OTHER] * (ufunc.nin - 1)
    found = ufunc(beside(x, TOWARDS), *[beside(y, -TOWARDS) for y in others])
    expected = ufunc(x + STEP * TOWARDS, *[y - STEP * TOWARDS for y in others])
    np.testing.assert_allclose(summed(found), expected, rtol=1e-12)


# name: (function, where it is singular, which way from there)
SINGULAR = {
    "√x": (np.sqrt, 0.0, 1.0), "∛x": (np.cbrt, 0.0, -1.0), "1/x": (np.reciprocal, 0.0, 1.0), "|x|": (np.abs, 0.0, -1.0),
    "x ** 0.3": (lambda x: x**0.3, 0.0, 2.0), "arccos": (np.arccos, 1.0, -1.0), "arcsin": (np.arcsin, -1.0, 1.0),
    "arccosh": (np.arccosh, 1.0, 1.0), "√(1 − cos x)": (lambda x: np.sqrt(1 - np.cos(x)), 0.0, 1.0),
    "arctan2": (lambda x: np.arctan2(x, x * x), 0.0, 1.0), "hypot": (lambda x: np.hypot(x, x * x), 0.0, -1.0),
    "sin(√x) / √x": (lambda x: np.sin(np.sqrt(x)) / np.sqrt(x), 0.0, 1.0), "⌊x⌋": (np.floor, 2.0, -1.0),
    "x % 2": (lambda x: np.remainder(x, 2.0), 4.0, -1.0), "logaddexp": (lambda x: np.logaddexp(x, -x), 0.0, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", SINGULAR)
def test_singular_points(name):
    f, x, direction = SINGULAR[name]
    np.testing.assert_allclose(summed(f(beside(x, direction))), f(x + STEP * direction), rtol=1e-9)


def test_what_numbers_cannot_say():
    x = beside(0.0, 1.0)
    assert (np.sqrt(x) / np.sqrt(x)).limit() == 1.0
    assert (np.sqrt(x) * (1 / x)).limit() == np.inf
    assert (x * x * (1 / x)).limit() == 0.0
    assert np.isnan(np.log(x).limit())  # no power of ε
    assert np.isnan(np.sqrt(-x).limit())


def test_cancelling_leaves_what_comes_next_and_no_rounding():
    x = beside(1.0, 1.0)
    assert sorted((1 / np.sqrt(x * x - 1) - 1 / (np.sqrt(x - 1) * np.sqrt(x + 1))).terms) == []
    assert ((x**3 - x) / (x - 1)).limit() == 2.0


@pytest.mark.skipif(np.finfo(np.longdouble).max == np.finfo(float).max, reason="no wider range than a double's here")
def test_exponentials_beyond_the_range_of_doubles():
    x = beside(1000.0, 1.0)
    np.testing.assert_allclose(float(np.log(np.exp(x) + 1).limit()), 1000.0)


def test_order_is_that_beside_the_point():
    x, y = beside(np.ones(2), [1.0, -1.0]), beside(np.ones(2), [0.5, 0.5])
    np.testing.assert_array_equal(x > y, [True, False])
    np.testing.assert_array_equal(np.argsort(beside([1.0, 1.0, 0.0], [2.0, 1.0, 5.0])), [2, 1, 0])
    np.testing.assert_array_equal(np.max(beside([1.0, 1.0], [2.0, 3.0])).terms[1.0], 3.0)


@pytest.mark.parametrize("f", [
    lambda x: np.sum(x, axis=0), lambda x: x @ np.ones((2, 3)), lambda x: np.einsum("ij,kj->ik", x, x), np.transpose,
    lambda x: np.concatenate([x, x[:1]]), lambda x: np.where([[True, False]], x, 1.0), lambda x: np.prod(x, axis=1),
    lambda x: np.real(np.fft.ifft(np.fft.fft(x))), lambda x: np.linalg.solve(np.array([[2.0, 1], [1, 3]]), x),
    lambda x: np.cumsum(x, 1), lambda x: np.sort(x), lambda x: np.clip(x, 0.5, 1.5), np.ptp,
])  # fmt: skip
def test_functions_of_arrays(f):
    x, direction = np.array([[1.0, 2.0], [0.7, 0.1]]), np.array([[1.0, -1.0], [0.3, 2.0]])
    np.testing.assert_allclose(summed(f(beside(x, direction))), f(x + STEP * direction), rtol=1e-12)


def test_what_is_not_known_raises():
    with pytest.raises(TypeError, match="no germ of inv"):
        np.linalg.inv(beside(np.eye(2), np.eye(2)))
    with pytest.raises(TypeError, match="no germ of nextafter"):
        np.nextafter(beside(1.0, 1.0), 2.0)


def test_no_more_is_computed_than_is_allowed():
    x = beside(AT, TOWARDS)
    with within(10**9):
        np.testing.assert_allclose(summed(np.sqrt(x)), np.sqrt(AT + STEP * TOWARDS), rtol=1e-12)
    with within(10_000), pytest.raises(TooDearError):
        np.sqrt(x)
    np.sqrt(x)  # and without a bound anything


def test_what_is_undefined_does_not_go_on_for_ever():
    with within(1_000_000):
        z = np.sqrt(beside([0.0, 4.0], [-1.0, 1.0])) ** 2 * np.cos(beside([0.0, np.nan], [1.0, 1.0]))
    assert np.isnan(z.limit()).all()
