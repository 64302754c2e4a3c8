"""Where zeros meet infinities a compiled function answers as an eager one: in both modes, orders and precisions."""

from __future__ import annotations

import pickle
from typing import NamedTuple

import numpy as np
import pytest

import gategrad as gg
from gategrad.careful import spared, writing
from gategrad.compiler.halves import Halves
from gategrad.compiler.runtime import engine


def logistic(x):
    return 1 / (1 + np.exp(-x))


def root_where_positive(x):
    return np.where(x > 0, np.sqrt(x), 0.0)


MET = {
    "norm": (np.linalg.norm, [0.0, 0.0]),
    "norm²": (lambda x: np.linalg.norm(x) ** 2, [0.0, 0.0]),
    "max": (np.max, [1.0, 1.0, 0.0]),
    "prod": (np.prod, [2.0, 0.0, 3.0]),
    "std": (np.std, [1.0, 1.0, 1.0]),
    "a root that is not taken": (lambda x: np.sum(root_where_positive(x)), [-1.0, 0.0, 4.0]),
    "an overflow": (lambda x: np.sum(logistic(x)), [-800.0, 1.0]),
    "log Σ exp": (lambda x: np.log(np.sum(np.exp(x))), [1000.0, 0.0]),
    "a root of products": (lambda x: np.sum(np.sqrt(x * x)), [0.0, 2.0]),
    "a root of a product": (lambda x: np.sqrt(x @ x), [0.0, 0.0]),
}


def derivatives(f):
    """First and second order, backwards and forwards."""
    first = gg.grad(f)

    def all_of_them(x):
        v = np.arange(1, x.shape[0] + 1).astype(x.dtype)
        along = gg.jvp(f, (x,), (v,))[1]
        back_and_forward = gg.jvp(first, (x,), (v,))[1]
        return first(x), along, gg.grad(lambda x: np.sum(first(x) * v))(x), back_and_forward

    return all_of_them


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("name", MET)
def test_eager_and_compiled_and_both_modes_agree(name):
    f, x = MET[name]
    all_of_them = derivatives(f)
    for dtype in (np.float64, np.float32):
        at = np.array(x, dtype)
        gradient, along, *seconds = expected = all_of_them(at)
        np.testing.assert_allclose(along, gradient @ np.arange(1, len(x) + 1), rtol=1e-5)
        np.testing.assert_allclose(*seconds, rtol=1e-5, atol=1e-6)
        assert np.isfinite(gradient).all()
        if dtype is np.float32 or name in ("an overflow", "a root of products"):
            for found, right in zip(gg.compile(all_of_them)(at), expected, strict=True):
                np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6)
                assert np.asarray(found).dtype == np.asarray(right).dtype


# --- the second program ------------------------------------------------------------------------------------------


def slope(x):
    return gg.jvp(logistic, (x,), (np.ones_like(x),))


def test_it_answers_for_numbers_arrays_and_containers():
    single = gg.compile(lambda x: gg.jvp(logistic, (x,), (1.0,))[1])
    assert [single(x) for x in (0.0, -800.0, 0.0, -800.0)] == [0.25, 0.0, 0.25, 0.0]
    several = gg.compile(lambda x: {"b": [slope(x)[1], None], "a": (x, 3)})
    for at in (np.zeros((2, 3)), np.full((2, 3), -800.0), np.zeros((2, 3))):
        found = several(at)
        np.testing.assert_array_equal(found["b"][0], slope(at)[1])
        np.testing.assert_array_equal(found["a"][0], at)
        assert found["b"][1] is None and found["a"][1] == 3


def test_a_nan_of_its_own_stays():
    compiled = gg.compile(slope)
    value, tangent = compiled(np.array([np.nan, -800.0, 0.0]))
    np.testing.assert_array_equal(tangent, [np.nan, 0.0, 0.25])
    np.testing.assert_array_equal(value, [np.nan, 0.0, 0.5])


def test_many_outputs_and_no_elements():
    compiled = gg.compile(lambda x, empty: [slope(empty)[1], *[slope(x[:2])[1] + n for n in range(17)], slope(x)[1]])
    x = np.array([0.0, 1.0, -800.0])
    empty, *several, last = compiled(x, np.zeros(0))
    assert empty.shape == (0,)
    np.testing.assert_allclose(several, np.arange(17)[:, None] + slope(x[:2])[1])
    np.testing.assert_allclose(last, slope(x)[1])


def test_a_program_without_such_places_has_no_second():
    plain = gg.compile(gg.grad(lambda x: np.sum(gg.relu(x @ x) * np.exp(x))))
    x = np.eye(2)
    plain(x)
    (made,) = plain._specialisations.values()
    assert made.again is None
    forward = gg.compile(slope)
    forward(np.zeros(2))
    (made,) = forward._specialisations.values()
    assert made.again is not None and "careful" not in made.__dict__  # not made before it is needed
    forward(np.full(2, -800.0))
    assert made.careful.again is None


def log_sum_exp(x):
    return np.log(np.sum(np.exp(x), axis=-1))


def test_outputs_are_looked_at_only_where_what_was_left_out_occurs():
    several = gg.compile(gg.value_and_grad(lambda x: np.sum(log_sum_exp(x)) + np.sum(np.sqrt(x))))
    assert "alarm = " in str(several.program(np.ones((2, 3))))
    (made,) = several._specialisations.values()
    assert made.has_alarm

    value, dx = several(np.array([[4.0, 1.0, np.nan], [1.0, 1.0, 1.0]]))
    assert np.isnan(value) and np.isnan(dx[0, 2]) and "careful" not in made.__dict__  # no zero, no infinity: no alarm
    x = np.array([[1000.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    found = several(x)[1]
    assert "careful" in made.__dict__
    np.testing.assert_array_equal(found[0], [1.0 + 0.5 / np.sqrt(1000.0), np.inf, 0.5])
    np.testing.assert_allclose(found[1], 1 / 3 + 0.5)


@pytest.mark.parametrize("native", [True, False])
def test_the_alarm_is_nobody_elses(native, monkeypatch):
    if not native:
        monkeypatch.setattr(engine, "available", lambda: False)

    def f(x):
        return {"b": (gg.grad(log_sum_exp)(x), 3), "a": [np.sum(gg.elementwise_grad(np.sqrt)(x)), x]}

    compiled = gg.compile(f)
    for x in (np.ones(3), np.array([1000.0, 4.0, 4.0])):
        found, right = compiled(x), f(x)
        assert list(found) == ["b", "a"] and type(found["b"]) is tuple and found["b"][1] == 3
        np.testing.assert_allclose(found["b"][0], right["b"][0])
        np.testing.assert_allclose(found["a"][0], right["a"][0])
        np.testing.assert_array_equal(found["a"][1], x)
    assert gg.compile(gg.grad(lambda x: np.log(np.exp(x))))(1000.0) == 1.0


class Point(NamedTuple):
    x: object
    y: object


def test_where_python_builds_the_containers_it_does_not_see_the_alarm():
    compiled = gg.compile(lambda x: Point(gg.grad(log_sum_exp)(x), np.sum(x)))
    found = compiled(np.array([1000.0, 0.0]))
    assert type(found) is Point and found.y == 1000.0
    np.testing.assert_array_equal(found.x, [1.0, 0.0])


def test_beyond_a_few_shapes_the_outputs_are_looked_at_instead():
    xs = [np.arange(n + 1.0) for n in range(1, 12)]
    compiled = gg.compile(lambda *xs: [gg.grad(lambda x: np.sum(np.log(np.exp(x))))(x) for x in xs])
    compiled(*xs)
    (made,) = compiled._specialisations.values()
    assert made.again is not None and not made.has_alarm
    xs[3][1] = 1000.0
    for dx in compiled(*xs):
        np.testing.assert_allclose(dx, 1.0)


def test_halves_hand_the_alarm_on():
    compiled = gg.compile(log_sum_exp)
    for at in ([0.0, 0.0], [1000.0, 0.0]):
        x = gg.variable(np.array(at))
        compiled(x).backward()
        np.testing.assert_allclose(x.grad, gg.grad(log_sum_exp)(np.array(at)))
    (halves,) = [made for made in compiled._derivatives.values() if isinstance(made, Halves)]
    assert [made.has_alarm for made in halves.second._specialisations.values()] == [True]


def test_where_the_program_is_interpreted(monkeypatch):
    monkeypatch.setattr(engine, "available", lambda: False)
    compiled = gg.compile(slope)
    np.testing.assert_array_equal(compiled(np.array([-800.0, 0.0]))[1], [0.0, 0.25])


def test_what_writes_over_its_arguments_is_careful_at_once():
    step = gg.compile(lambda x: x - slope(x)[1], donate="x")
    for at in (np.zeros(2), np.array([-800.0, 1.0])):
        expected = at - slope(at)[1]
        given = at.copy()
        found = step(given)
        assert found is given
        np.testing.assert_allclose(found, expected)


def test_among_variables():
    compiled = gg.compile(lambda x: slope(x)[1])
    x = gg.variable(np.array([-800.0, 1.0]))
    np.sum(compiled(x)).backward()
    expected = gg.grad(lambda x: np.sum(slope(x)[1]))(np.array([-800.0, 1.0]))
    np.testing.assert_allclose(x.grad, expected)

    used = np.array([True, False])
    data = np.array([[1.0, 2.0], [np.nan, np.inf]])
    product = gg.compile(lambda w: np.sum(np.where(used, data @ w, 0.0)))
    w = gg.variable(np.ones(2))
    product(w).backward()
    np.testing.assert_array_equal(w.grad, [1.0, 2.0])


def test_it_pickles():
    again = pickle.loads(pickle.dumps(gg.compile(np.tanh)))
    assert again(0.0) == 0.0


def test_notes_are_of_the_part_that_is_being_written():
    assert not spared()
    with writing(is_careful=False) as whole:
        with writing() as part:
            assert spared()
        assert part.has_spared and not whole.has_spared
        with writing(is_careful=True) as careful:
            assert not spared()
        assert not careful.has_spared


@pytest.mark.parametrize("transform", [np.fft.fft, lambda x: np.fft.fft(x)[0]])
def test_complex_outputs_are_looked_at_too(transform):
    x = np.array([-800.0, 0.0])
    compiled = gg.compile(lambda x: transform(slope(x)[1]))
    np.testing.assert_allclose(compiled(x), transform(np.array([0.0, 0.25])), rtol=1e-14)
