"""Reductions over every shape and axis: values against NumPy, gradients against central differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import gategrad as gg
from gategrad.errors import NoRuleError, ShapeError

REDUCTIONS = [np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, np.ptp, np.linalg.norm, gg.logsumexp]


@st.composite
def shapes_and_axes(draw):
    """A shape, and None, an axis or several, counted from the front or the end."""
    shape = draw(array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    axes = draw(st.lists(st.integers(0, len(shape) - 1), unique=True, max_size=2))
    axes = tuple(a - len(shape) if draw(st.booleans()) else a for a in axes)
    return shape, None if not axes else axes[0] if len(axes) == 1 else axes


def spread_out(shape, seed=0):
    """Elements that are all well apart, so that max and min are smooth."""
    size = int(np.prod(shape))
    return (np.random.default_rng(seed).permutation(size) / max(size, 1) + 0.5).reshape(shape)


def value_of(function, x, **options):
    if function is gg.logsumexp:
        return np.log(np.sum(np.exp(x), **options))
    return function(x, **options)


@pytest.mark.parametrize("function", REDUCTIONS, ids=lambda f: f.__name__)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(case=shapes_and_axes(), keepdims=st.booleans())
def test_value_and_gradient_over_any_axes(function, case, keepdims):
    shape, axis = case
    x = spread_out(shape)
    lengths = [shape[a] for a in (range(len(shape)) if axis is None else np.atleast_1d(axis))]
    z = function(gg.variable(x), axis=axis, keepdims=keepdims)
    expected = value_of(function, x, axis=axis, keepdims=keepdims)
    assert z.shape == np.shape(expected)
    np.testing.assert_allclose(z.value, expected, rtol=1e-13, atol=1e-15)
    if np.prod(lengths) > 1:  # the deviation of one element from itself is a kink
        report = gg.check_gradients(lambda x: function(x, axis=axis, keepdims=keepdims), x, order=1)
        assert not report.kinks


@pytest.mark.parametrize("function", REDUCTIONS, ids=lambda f: f.__name__)
def test_a_single_number_is_a_reduction_of_itself(function):
    for axis in (None, 0, -1):
        z = function(gg.variable(1.5), axis=axis)
        np.testing.assert_allclose(z.value, value_of(function, np.float64(1.5)))
        assert type(z.value) is float


@pytest.mark.parametrize("function", REDUCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [2, -3, (0, 5)])
def test_an_axis_that_does_not_exist_is_numpys_error(function, axis):
    with pytest.raises(np.exceptions.AxisError, match="out of bounds for array of dimension 2"):
        function(gg.variable(np.ones((2, 3))), axis=axis)


@pytest.mark.parametrize("function", [np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, np.cumsum, np.ptp])
def test_out_is_refused(function):
    with pytest.raises(NoRuleError, match=rf"np\.{function.__name__} .*takes no out=: use the function's result"):
        function(gg.variable([1.0, 2.0]), out=np.zeros(()))


@pytest.mark.parametrize("function", [np.max, np.min])
def test_a_mask_needs_an_initial_value_where_there_is_no_identity(function):
    with pytest.raises(ValueError, match="one has to specify 'initial'"):
        function(gg.variable([1.0, 2.0]), where=[True, False])


def test_the_default_of_an_option_may_be_written_out():
    x = gg.variable([1.0, 2.0])
    assert np.sum(x, dtype=None, out=None, where=True, keepdims=False).value == 3.0


def test_methods_and_ufuncs_reduce_too():
    x = gg.variable(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(x.sum(axis=0).value, [3, 5, 7])
    np.testing.assert_array_equal(np.add.reduce(x).value, [3, 5, 7])
    np.testing.assert_array_equal(x.max(axis=1, keepdims=True).value, [[2], [5]])
    np.testing.assert_array_equal(np.minimum.reduce(x, axis=1).value, [0, 3])
    assert x.mean().value == 2.5
    assert np.amax(x).value == 5.0 and np.amin(x).value == 0.0


def test_nothing_adds_up_to_nothing():
    empty = np.zeros((0, 3))
    np.testing.assert_array_equal(gg.grad(np.sum)(empty), empty)
    np.testing.assert_array_equal(gg.grad(np.prod)(empty), empty)
    assert gg.value_and_grad(np.prod)(empty)[0] == 1.0
    with pytest.raises(ShapeError, match=r"Max: x is \(0, 3\): zero-size array"):
        np.max(gg.variable(empty))


def test_the_mean_of_half_precision_does_not_overflow():
    x = np.full(2000, 100.0, np.float16)
    z, dx = gg.value_and_grad(np.mean)(x)
    assert z == 100.0 and z.dtype == np.float16
    assert dx.dtype == np.float16 and dx[0] == np.float16(1 / 2000)


@pytest.mark.parametrize("shape", [(3,), (6,), (1,), (2, 3), (3, 2, 2), (7, 1)])
@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_products_with_zeros_to_second_order(shape, zeros):
    x = spread_out(shape)
    x.ravel()[: min(zeros, x.size)] = 0.0
    for axis in (None, 0, -1):
        report = gg.check_gradients(lambda x, axis=axis: np.prod(x, axis=axis), x)
        assert not report.kinks


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_running_sums(axis):
    x = spread_out((3, 4))
    np.testing.assert_allclose(np.cumsum(gg.variable(x), axis=axis).value, np.cumsum(x, axis=axis))
    gg.check_gradients(lambda x: np.cumsum(x, axis=axis) ** 2, x)


def test_large_arrays_take_the_same_way():
    x = np.random.default_rng(0).normal(size=(64, 50))  # beyond the size to which repeated gradients are copied
    np.testing.assert_array_equal(gg.grad(np.sum)(x), np.ones_like(x))
    np.testing.assert_allclose(gg.grad(lambda x: np.sum(np.mean(x, axis=1) * np.arange(64.0)))(x)[:, 0] * 50, range(64))
    owned = gg.grad(np.sum)(x)
    owned += 1.0  # what a caller receives is the caller's
