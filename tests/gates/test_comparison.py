"""Choosing and rounding: NumPy's signatures, conditions of all kinds, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import EscapeError, NoRuleError

X = np.array([-2.0, -0.5, 0.5, 2.0])


@pytest.mark.parametrize(
    ("f", "gradient"),
    [
        (lambda x: np.clip(x, -1, 1), [0, 1, 1, 0]),
        (lambda x: np.clip(x, None, 1), [1, 1, 1, 0]),
        (lambda x: np.clip(x, -1, None), [0, 1, 1, 1]),
        (lambda x: np.clip(x, min=-1, max=1), [0, 1, 1, 0]),
        (lambda x: np.clip(x, a_min=-1, a_max=np.array([1, 1, 0, 3])), [0, 1, 0, 1]),
        (lambda x: np.clip(0.0, x, 1.0), [0, 0, 1, 0]),
        (lambda x: np.clip(0.0, None, x), [1, 1, 0, 0]),
        (np.round, [0, 0, 0, 0]),
        (lambda x: np.round(x, 1), [0, 0, 0, 0]),
        (lambda x: np.around(x, decimals=1), [0, 0, 0, 0]),
        (lambda x: np.where(x > 0, x, 0), [0, 0, 1, 1]),
        (lambda x: np.where(x, x, 0), [1, 1, 1, 1]),
        (lambda x: np.where([True, False, 1, 0], x, 3 * x), [1, 3, 1, 3]),
        (lambda x: np.where(True, x, 0.0), [1, 1, 1, 1]),
        (lambda x: np.where(np.True_, x, 0.0), [1, 1, 1, 1]),
        (lambda x: np.where(False, x, 0.0), [0, 0, 0, 0]),
        (lambda x: np.where(np.array([0, 1, 2, 0]), 1.0, x), [1, 0, 0, 1]),
    ],
)
def test_value_and_gradient(f, gradient):
    z, pullback = gg.vjp(f, X)
    np.testing.assert_array_equal(z, f(X))
    np.testing.assert_array_equal(pullback(np.full(z.shape, 2.0))[0], 2.0 * np.array(gradient))


def test_where_broadcasts_all_three():
    x, y = gg.variable(np.ones((2, 1))), gg.variable(np.ones(3))
    z = np.where(np.array([True, False, False]), x, y)
    assert z.shape == (2, 3)
    z.backward(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(x.grad, [[0.0], [3.0]])
    np.testing.assert_array_equal(y.grad, [0.0, 5.0, 7.0])


def test_where_of_numbers_is_a_number():
    x, y = gg.variable(2.0), gg.variable(3.0)
    z = np.where(x > y, x, y)
    assert type(z.value) is float
    z.backward()
    assert (x.grad, y.grad) == (0.0, 1.0)


def test_where_with_the_condition_alone_gives_indices():
    (found,) = np.where(gg.variable(np.array([0.0, 2.0, 3.0])))
    np.testing.assert_array_equal(found, [1, 2])


def test_where_keeps_float32():
    x = gg.variable(np.ones(2, np.float32))
    assert np.where(np.array([True, False]), x, 0.0).dtype == np.float32
    assert np.where(True, gg.variable(np.float32(1)), 0.0).dtype == np.float32


def test_writing_into_the_condition_before_backward_is_noticed():
    x, mask = gg.variable(X), X > 0
    z = np.where(mask, x, 0.0)
    mask[0] = True
    with pytest.raises(gg.errors.StaleError, match="input 0 of Where"):
        z.backward(np.ones(4))


@pytest.mark.parametrize("f", [np.clip, np.round])
def test_out_is_refused(f):
    arguments = (-1, 1) if f is np.clip else ()
    with pytest.raises(EscapeError, match=f"np.{f.__name__} with out= would write a tracked variable"):
        f(gg.variable(X), *arguments, out=np.empty(4))


def test_options_of_ufuncs_are_refused():
    with pytest.raises(
        NoRuleError,
        match=r"np\.maximum of a variable takes no options but dtype=, and got where: choose with np\.where",
    ):
        np.maximum(gg.variable(X), 0.0, where=np.ones(4, bool))


@pytest.mark.parametrize("f", [np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round])
def test_a_step_blocks_the_gradient_and_the_rest_flows(f):
    x = gg.variable(1.75)
    z = f(x) * x
    z.backward()
    assert z.value == f(1.75) * 1.75
    assert x.grad == f(1.75)
