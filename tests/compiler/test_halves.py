"""Compiled functions among variables: what the forward half computes is handed to the pullback, not computed again."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler import halves
from gategrad.compiler.halves import Halves

RNG = np.random.default_rng(20260301)
X, W = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 2))


def layer(x, w):
    h = np.tanh(x @ w)
    return {"h": h, "norm": np.sum(h * h), "largest": np.argmax(h, axis=1), "name": "layer"}


def loss(f):
    def total(x, w):
        z = f(x, w)
        return np.sum(np.exp(z["h"])) * z["norm"]

    return total


def halves_of(compiled):
    return [made for made in compiled._derivatives.values() if isinstance(made, Halves)]


def programs(compiled):
    (found,) = halves_of(compiled)
    return [[s.program for s in half._specialisations.values()] for half in (found.first, found.second)]


def names(program):
    return [value.op.name for value in program.values]


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert np.shape(a) == np.shape(b) and np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_are_those_of_the_function(dtype):
    f, x, w = gg.compile(layer), X.astype(dtype), W.astype(dtype)
    expected = gg.grad(loss(layer), (0, 1))(x, w)
    for _ in range(2):
        found = gg.grad(loss(f), (0, 1))(x, w)
        for a, b in zip(found, expected, strict=True):
            assert a.dtype == dtype
            np.testing.assert_allclose(a, b, rtol=1e-12 if dtype is np.float64 else 1e-5)


def test_nothing_is_computed_twice():
    f = gg.compile(lambda x: np.sum(np.tanh(x) * np.exp(x)))
    x = gg.variable(X)
    f(x).backward()
    np.testing.assert_allclose(x.grad, gg.grad(lambda x: np.sum(np.tanh(x) * np.exp(x)))(X), rtol=1e-13)
    (first,), (second,) = programs(f)
    assert {"tanh", "exp"} <= set(names(first))
    assert not {"tanh", "exp"} & set(names(second))


def test_views_constants_and_inputs_are_not_handed_over():
    f = gg.compile(lambda x, y: np.sum(2.0 * x.T * y[::-1].T * x.T))
    x, y = gg.variable(X), gg.variable(X + 1.0)
    f(x, y).backward()
    same([x.grad], [4.0 * X * (X + 1.0)[::-1]])
    (first,), _ = programs(f)
    shapes = [z.shape for z in first.outputs]
    assert shapes[0] == () and not any(z.op.name in ("input", "transpose", "slice") for z in first.outputs[1:])


def test_where_much_would_be_handed_over_it_is_computed_again(monkeypatch):
    monkeypatch.setattr(halves, "_MOST", 2)

    def f(x):
        for _ in range(5):
            x = np.sin(x)
        return x

    x = gg.variable(0.7)
    compiled = gg.compile(f)
    compiled(x).backward()
    assert x.grad == pytest.approx(gg.grad(f)(0.7), rel=1e-14)
    (first,), second = programs(compiled)
    assert len(first.outputs) == 1 and not second


def test_a_pullback_is_called_many_times_and_with_part_of_the_outputs():
    z, pullback = gg.vjp(gg.compile(lambda x: (x * x, np.sin(x))), X)
    for dz in ((X, X), (np.ones_like(X), 0.0 * X)):
        same(pullback(dz), [2 * X * dz[0] + np.cos(X) * dz[1]])
    same(z, [X * X, np.sin(X)])
    f = gg.compile(lambda x: (1.0 / x, np.sin(x)))
    assert gg.grad(lambda x: f(x)[1])(0.0) == 1.0  # nothing comes back through 1 / x, not even 0 · inf


def test_other_shapes_are_other_halves(monkeypatch):
    monkeypatch.setattr(halves, "_KEPT", 2)
    f = gg.compile(lambda x, y: np.sum(np.sin(x) * y))
    later = []
    for n in (1, 2, 3, 4, 1):
        x, y = gg.variable(np.arange(1.0, n + 1)), np.ones(n)
        later.append((x, f(x, y)))
    for x, z in later:  # after the cut of the first has been thrown out
        z.backward()
        same([x.grad], [np.cos(x.value)])


def test_second_order_starts_from_the_arguments():
    f = gg.compile(lambda x: np.sum(np.exp(x) * x))
    expected = gg.hessian(lambda x: np.sum(np.exp(x) * x))(X[0])
    np.testing.assert_allclose(gg.hessian(lambda x: 2.0 * f(x))(X[0]), 2.0 * expected, rtol=1e-12)
    _, pullback = gg.vjp(f, X[0])
    linear = gg.grad(lambda dz: np.sum(pullback(dz)[0]))(1.0)  # a pullback is linear in dz
    assert linear == pytest.approx(np.sum(np.exp(X[0]) * (1 + X[0])), rel=1e-13)


def test_static_donated_and_complex():
    f = gg.compile(lambda x, n: np.sum(x**n), static="n", donate="x")
    x = gg.variable(X)
    f(x, 3).backward()
    same([x.grad, x.value], [3 * X**2, X])
    c = gg.compile(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2))
    x = gg.variable(X[:, 0])
    c(x).backward()
    same([x.grad], [8 * X[:, 0]])


def test_a_host_call_is_not_repeated_for_the_pullback():
    calls = []

    class Halve(gg.Gate):
        def forward(self, x):
            calls.append(1)
            return np.array([float(v) / 2 for v in np.ravel(x)]).reshape(np.shape(x))

        def backward(self, dz):
            return dz / 2

    f = gg.compile(lambda x: np.sum(Halve()(x) ** 2))
    x = gg.variable(X)
    f(x).backward()
    x.grad = None
    calls.clear()
    f(x).backward()
    same([x.grad], [X / 2])
    assert len(calls) == 2  # the call, and that of the host's own pullback, which starts from the inputs


def test_memory_written_into_afterwards_does_not_matter():
    f = gg.compile(lambda x: np.exp(x))
    x = gg.variable(X)
    z = f(x)
    value = np.array(z.value)
    with pytest.raises(ValueError, match="read-only"):
        z.value[...] = 0.0
    z.backward(np.ones_like(X))
    same([x.grad], [value])
