"""Ties at second order: what is certain by rule is not looked at, what is not costs a few calls; counted in work, not seconds."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import KinkWarning
from gategrad.transforms import limits, push


def network(depth, calls, used=None, width=5):
    """A loss of a network whose first examples are padded with zeros, so that all units tie, with no biases as yet."""
    rng = np.random.default_rng(0)
    data, wanted = rng.normal(size=(8, width)), rng.normal(size=8)
    data[:3] = 0
    p = {f"w{n}": rng.normal(size=(width, width)) for n in range(depth)} | {
        f"b{n}": np.zeros(width) for n in range(depth)
    }
    p["out"] = rng.normal(size=width)

    def loss(p):
        calls.append(1)
        h = data
        for n in range(depth):
            h = np.maximum(h @ p[f"w{n}"] + p[f"b{n}"], 0)
        squares = (h @ p["out"] - wanted) ** 2
        return np.mean(squares if used is None else used * squares)

    return loss, p, {key: rng.normal(size=x.shape) for key, x in p.items()}


@pytest.fixture
def no_germs(monkeypatch):
    def refuse(*_):
        raise AssertionError("a look")

    monkeypatch.setattr(limits, "_limits", refuse)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_networks_whose_units_tie_run_once(depth, no_germs):
    calls = []
    loss, p, v = network(depth, calls)
    gg.hvp(loss, p, v)
    assert len(calls) == 1


@pytest.mark.parametrize("second", [
    lambda f, p, v: gg.hessian(f)(p), lambda f, p, v: gg.vjp(gg.grad(f), p)[1](v), lambda f, p, v: gg.jvp(gg.grad(f), (p,), (v,)),
    lambda f, p, v: gg.grad(lambda p: sum(np.sum(x) for x in gg.grad(f)(p).values()))(p),
])  # fmt: skip
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_in_every_mode(second, dtype, no_germs):
    calls = []
    loss, p, v = network(2, calls, width=3)
    second(loss, {k: x.astype(dtype) for k, x in p.items()}, {k: x.astype(dtype) for k, x in v.items()})
    assert len(calls) == 1


def test_what_comes_out_is_what_half_of_the_slope_says(no_germs):
    calls = []
    loss, p, v = network(1, calls)
    found = gg.hvp(loss, p, v)["out"]
    half = np.where(np.arange(8)[:, None] < 3, 0.5, 0.0)

    def with_slopes(p):  # z is 0 where it ties: a multiple of it has its value, and half of its slope
        rng = np.random.default_rng(0)
        data, wanted = rng.normal(size=(8, 5)), rng.normal(size=8)
        data[:3] = 0
        z = data @ p["w0"] + p["b0"]
        return np.mean((np.where(half > 0, half * z, gg.relu(z)) @ p["out"] - wanted) ** 2)

    np.testing.assert_allclose(found, gg.hvp(with_slopes, p, v)["out"], rtol=1e-12)


def steps(monkeypatch, depth):
    """How many gates tangents were pushed through, where the examples that tie do not count."""
    loss, p, v = network(depth, [], used=np.array([0.0] * 3 + [1.0] * 5))
    seen, advance = [], push._advance
    with monkeypatch.context() as m:
        m.setattr(push, "_advance", lambda *args: seen.append(1) or advance(*args))
        gg.hvp(loss, p, v)
    return len(seen)


def test_units_that_tie_and_do_not_count_take_no_time_exponential_in_depth(monkeypatch, no_germs):
    few, many = steps(monkeypatch, 2), steps(monkeypatch, 6)
    assert many < 12 * few


# name: (function, point)
BY_RULE = {
    "norm²": (lambda x: np.linalg.norm(x) ** 2 + np.sum(x**3), [0.0, 0.0, 0.0]),
    "clip² at 0": (lambda x: np.sum(np.clip(x, 0, 3) ** 2), [0.0, 1.0]),
    "clip² at its end": (lambda x: np.sum(np.clip(x, 0, 1) ** 2), [1.0, 0.5]),
    "|x|²": (lambda x: np.sum(np.abs(x) ** 2), [0.0, 1.0]),
    "(1 + |x|)²": (lambda x: np.sum((1 + np.abs(x)) ** 2), [0.0, 1.0]),
}


@pytest.mark.parametrize("name", BY_RULE)
def test_certain_by_rule(name, no_germs):
    f, x = BY_RULE[name]
    calls = []
    gg.hvp(lambda x: calls.append(1) or f(x), np.array(x), np.ones(len(x)))
    assert len(calls) == 1


POOLED = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 2.0, 2.0, 1.0]])


def test_pools_with_ties_cost_two_more_calls(no_germs):
    calls = []
    pool = lambda x: calls.append(1) or np.sum(np.max(x, axis=1) ** 2)
    found = gg.hvp(pool, POOLED, np.ones((2, 4)))
    shares = np.array([[0.25] * 4, [0.0, 0.5, 0.5, 0.0]])
    np.testing.assert_allclose(found, 2 * shares, rtol=1e-15)
    assert len(calls) == 3


def test_kinks_that_cancel_are_no_folds():
    a = lambda x: np.maximum(x[0], x[1])
    f = lambda x: a(x) * np.minimum(x[0], x[1])
    np.testing.assert_allclose(gg.hvp(f, np.ones(2), np.array([1.0, 3.0])), [3.0, 1.0], rtol=1e-12)
    both = lambda x: f(x) + np.abs(x[2])  # and those beside them are
    np.testing.assert_allclose(gg.hvp(both, np.array([1.0, 1.0, 0.0]), np.array([1.0, 3.0, 1.0])), [3.0, 1.0, 0.0])


def test_large_networks_whose_units_tie_are_not_warned_of():
    loss, p, v = network(1, [], width=80)
    gg.hvp(loss, p, v)  # a KinkWarning would be an error


@pytest.mark.parametrize("f", [
    lambda x: np.sqrt((2 * np.sqrt(x)) ** 2), lambda x: np.sqrt(np.sin(np.sqrt(x)) ** 2),
    lambda x: np.sqrt(np.square(3 * x**0.5)), lambda x: np.sqrt((np.sqrt(x) + np.sin(x)) ** 2),
])  # fmt: skip
def test_a_length_of_what_is_steep_further_back(f):
    with np.errstate(all="ignore"):
        assert gg.grad(f)(0.0) == np.inf


def test_complex_numbers_are_not_looked_at_and_that_is_said():
    with np.errstate(all="ignore"), pytest.warns(KinkWarning, match="complex numbers are not looked at"):
        gg.grad(lambda z: np.real(np.sqrt(z) ** 2))(0j)
