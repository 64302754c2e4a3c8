"""Masks put off: plain numbers as long as everything is finite, and the mask as soon as something is not."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import gategrad as gg
from gategrad.masked import ALL, STEEP, Masked
from gategrad.postponed import Postponed, is_finite, postpone

X = np.array([-1.0, 0.0, 4.0])
USED = np.array([False, True, True])


class Spy(gg.Elementwise):
    """z = x, which notes what it is handed on the way back."""

    def __init__(self, seen):
        self.seen = seen

    def forward(self, x):
        return np.positive(x)

    def backward(self, dz):
        self.seen.append(dz)
        return dz


def quiet(f, *args):
    with np.errstate(all="ignore"):
        return f(*args)


def test_a_gate_is_asked_with_numbers():
    seen = []
    dx = gg.grad(lambda x: np.sum(np.where(USED, Spy(seen)(np.tanh(x) @ np.eye(3)), 0.0)))(X)
    assert [type(dz) for dz in seen] == [np.ndarray]
    assert not seen[0].flags.writeable
    np.testing.assert_allclose(dx, np.where(USED, 1 - np.tanh(X) ** 2, 0.0))


def test_and_once_more_with_the_mask_if_it_answers_something_that_is_not_finite():
    seen = []

    class Steep(Spy):
        def backward(self, dz):
            self.seen.append(dz)
            return dz * np.array([np.inf, 1.0, 1.0])

    dx = quiet(gg.grad(lambda x: np.sum(np.where(USED, Steep(seen)(x), 0.0))), X)
    assert [type(dz) for dz in seen] == [np.ndarray, Masked]
    np.testing.assert_array_equal(dx, [0.0, 1.0, 1.0])


def test_the_mask_is_found_behind_any_number_of_gates():
    def f(x):
        y = np.log(x)
        for _ in range(3000):
            y = y + 0.0
        return np.sum(np.where(x > 0, y, 0.0))

    np.testing.assert_array_equal(quiet(gg.grad(f), X), [0.0, 0.0, 0.25])


def test_masks_of_several_gates_count_together():
    def f(x):
        return np.sum(np.where(USED, gg.relu(np.log(x) * np.array([1.0, 1.0, -1.0])), 0.0))

    np.testing.assert_array_equal(quiet(gg.grad(f), np.array([0.0, np.e, 0.0])), [0.0, 1 / np.e, -np.inf])


@pytest.mark.parametrize(
    ("other", "slope"),
    [
        (lambda y: np.where(X > 0, y, 0.0), [0.0, 0.0, 0.5]),
        (lambda y: np.where(USED, y, 0.0), [0.0, np.inf, 0.5]),
        (lambda y: y, [np.nan, np.inf, 0.5]),
    ],
)
def test_where_branches_meet(other, slope):
    """Of two masked branches what neither counts stays zero; what is added to numbers without a mask has none."""

    def f(x):
        y = np.sqrt(x)
        return np.sum(np.where(X > 0, y, 0.0)) + np.sum(other(y * 1.0))

    np.testing.assert_array_equal(quiet(gg.grad(f), X), slope)


def test_nobody_is_warned_of_what_the_mask_takes_out():
    def f(x):
        with np.errstate(all="ignore"):
            y = np.log(x)
        return np.sum(np.where(x > 0, y, 0.0))

    np.testing.assert_array_equal(gg.grad(f)(X), [0.0, 0.0, 0.25])  # warnings are errors here


def test_but_of_all_else():
    def f(x):
        return np.sum(np.where(USED, x, 0.0)) + np.sum(np.sqrt(x))

    np.testing.assert_array_equal(gg.grad(f)(np.zeros(3)), [np.inf, np.inf, np.inf])


def test_slopes_of_what_is_finite_may_be_infinite():
    """x ** 1.5 has the slope 0 at 0, which is finite, and that has the slope ∞."""
    first = gg.grad(lambda x: np.sum(np.where(x > 0, x**1.5, 0.0)))
    np.testing.assert_allclose(quiet(gg.grad(lambda x: np.sum(first(x))), X), [0.0, 0.0, 0.375])


def test_a_gate_is_asked_again_only_with_what_it_remembered():
    x = gg.variable(X)
    with np.errstate(all="ignore"):
        z = np.sum(np.where(USED, np.log(x * 1.0), 0.0))
        z.backward(retain=True, keep=True)
        z.backward(retain=True)
        once = x.grad / 2
        with pytest.raises(gg.errors.ReleasedError):
            z.backward() or z.backward()
    np.testing.assert_array_equal(once, [0.0, np.inf, 0.25])


def test_interior_gradients_are_kept_as_numbers():
    x = gg.variable(X)
    y = x * 2.0
    np.sum(np.where(USED, y, 0.0)).backward(keep=True)
    assert type(y.grad) is np.ndarray
    np.testing.assert_array_equal(y.grad, [0.0, 1.0, 1.0])


def test_nothing_is_remembered_after_the_walk():
    class Remembering(gg.Elementwise):
        def forward(self, x):
            self.kept = Array(x)
            return x * 2.0

        def backward(self, dz):
            return 2.0 * dz

    class Array:
        def __init__(self, x):
            kept.append(weakref.ref(self))

    kept: list = []
    x = gg.variable(X)
    z = np.sum(np.where(USED, Remembering()(x * 1.0), 0.0))
    z.backward()
    gc.collect()
    assert kept[0]() is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64, complex])
def test_numbers_of_every_kind(dtype):
    x = np.asfortranarray(np.arange(1.0, 10.0).reshape(3, 3).astype(dtype))
    used = np.eye(3) > 0
    f = lambda x: np.sum(np.real(np.where(used, (x.T @ x)[:, ::-1], 0.0)))
    g = lambda x: np.sum(np.real(used * (x.T @ x)[:, ::-1]))
    found = gg.grad(f)(x)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, gg.grad(g)(x), rtol=1e-6)


def test_no_elements_and_single_numbers():
    assert gg.grad(lambda x: np.sum(np.where(x > 0, 2.0 * x, 0.0)))(np.zeros(0)).shape == (0,)
    f = lambda s: np.sum(np.where(USED, np.tanh(s * 1.0) * X, 0.0))
    assert gg.grad(f)(0.5) == pytest.approx(4.0 * (1 - np.tanh(0.5) ** 2))


def test_is_finite():
    for x in (1.0, np.ones(3), np.float32(1), np.zeros((0, 2)), np.ones((3, 2))[::-1, ::2], np.ones(2, complex)):
        assert is_finite(x)
    for x in (np.inf, np.array([0.0, np.nan]), np.float32("inf"), np.array([1j * np.inf]), None, Masked(1.0, True)):
        assert not is_finite(x)


def test_postpone():
    dx = Masked(np.array([np.nan, 1.0]), np.array([False, True]))
    numbers = postpone(dx, ((2,), dx.dtype))
    assert type(numbers) is Postponed and numbers.masked() is dx
    np.testing.assert_array_equal(numbers.value, [0.0, 1.0])
    for still in (
        Masked(np.array([np.nan, 1.0]), np.array([True, True])),
        Masked(np.array([1.0]), np.array([True]), singularity=STEEP),
        Masked(np.ones(1 << 17), np.ones(1 << 17, bool), ALL),
        Masked(gg.variable(np.ones(2)), np.array([False, True])),
    ):
        assert postpone(still, (still.shape, still.dtype)) is still
