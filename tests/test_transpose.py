"""Rules that follow from each other: a gate with `jvp` alone, a linear gate with `forward` alone, and both."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import GateError
from gategrad.transforms.containers import flatten

X, Y = np.array([0.5, -1.0, 2.0]), 1.5


class SineTimes(gg.Gate):
    """z = sin(x) · y, known by its tangent."""

    def forward(self, x, y):
        self.x, self.y = x, y
        return np.sin(x) * y

    def jvp(self, dx, dy):
        dz = 0.0
        if dx is not None:
            dz = dz + np.cos(self.x) * self.y * dx
        if dy is not None:
            dz = dz + np.sin(self.x) * dy
        return dz


class Smooth(gg.Linear):
    """z_i = x_i + x_{i-1} / 2 + y_i, known by itself alone."""

    def forward(self, x, y):
        return x + 0.5 * np.roll(x, 1) + y


class DivMod(gg.Gate):
    """Two outputs, known by their tangents."""

    def forward(self, x):
        self.x = x
        return x * x, np.exp(x)

    def jvp(self, dx):
        return 2 * self.x * dx, np.exp(self.x) * dx


def apply(gate):
    return lambda *xs: gate()(*xs)


def reference(x, y):
    return np.sin(x) * y


def smooth(x, y):
    return x + 0.5 * np.roll(x, 1) + y


CASES = [(SineTimes, reference, (X, Y)), (Smooth, smooth, (X, X)), (Smooth, smooth, (X, Y))]


@pytest.mark.parametrize(("gate", "f", "xs"), CASES)
def test_both_modes_and_orders(gate, f, xs):
    g = apply(gate)
    gg.check_gradients(g, *xs)
    for transform in (gg.jacobian, gg.hessian):
        found, expected = (flatten(transform(h, (0, 1))(*xs))[0] for h in (g, f))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(("gate", "f", "xs"), CASES)
def test_one_input_alone(gate, f, xs):
    g, h = (lambda x, k=k: k(x, xs[1]) for k in (apply(gate), f))
    np.testing.assert_allclose(gg.vjp(g, xs[0])[1](X)[0], gg.vjp(h, xs[0])[1](X)[0], rtol=1e-14)
    np.testing.assert_allclose(gg.jvp(g, xs[:1], (X,))[1], gg.jvp(h, xs[:1], (X,))[1], rtol=1e-14)


@pytest.mark.parametrize(("gate", "f", "xs"), CASES[:2])
def test_compiled(gate, f, xs):
    pytest.importorskip("llvmlite")
    for transform in (gg.grad, gg.hessian):
        g, h = transform(lambda x: np.sum(apply(gate)(x, xs[1]) ** 2)), transform(lambda x: np.sum(f(x, xs[1]) ** 2))
        np.testing.assert_allclose(gg.compile(g)(xs[0]), h(xs[0]), rtol=1e-12)


def test_several_outputs():
    def f(x):
        square, exponential = DivMod()(x)
        return np.sum(square * exponential)

    expected = np.exp(X) * (X * X + 2 * X)
    np.testing.assert_allclose(gg.grad(f)(X), expected, rtol=1e-14)
    np.testing.assert_allclose(gg.jvp(f, (X,), (np.ones(3),))[1], np.sum(expected), rtol=1e-14)
    np.testing.assert_allclose(gg.grad(lambda x: np.sum(DivMod()(x)[1]))(X), np.exp(X), rtol=1e-14)  # one unused
    np.testing.assert_allclose(np.diag(gg.hessian(f)(X)), np.exp(X) * (X * X + 4 * X + 2), rtol=1e-13)


def test_several_outputs_known_by_their_gradient():
    class Parts(gg.Gate):
        def forward(self, x):
            self.x = x
            return np.sin(x), np.cos(x), 2 * x

        def backward(self, dz):
            slopes = [np.cos(self.x), -np.sin(self.x), 2.0]
            return sum(slope * part for slope, part in zip(slopes, dz, strict=True) if part is not None)

    _, dz = gg.jvp(lambda x: list(Parts()(x)), (X,), (np.ones(3),))
    np.testing.assert_allclose(dz, [np.cos(X), -np.sin(X), np.full(3, 2.0)], rtol=1e-15)
    _, dz = gg.jvp(lambda x: Parts()(x)[1], (X,), (np.ones(3),))
    np.testing.assert_allclose(dz, -np.sin(X), rtol=1e-15)


def test_a_rule_of_ones_own_is_what_forward_mode_uses():
    class Marked(gg.Elementwise):
        def forward(self, x):
            return 2.0 * x

        def backward(self, dz):
            return 2.0 * dz

        def jvp(self, dx):
            return 200.0 * dx

    f = apply(Marked)
    assert gg.grad(f)(1.0) == 2.0 and gg.jvp(f, (1.0,), (1.0,))[1] == 200.0


def test_numbers_that_python_refuses():
    class Inverse(gg.Gate):
        def forward(self, x):
            self.x = x
            return np.log(x) if x else -np.inf

        def jvp(self, dx):
            return dx / self.x

    with np.errstate(divide="ignore"):
        assert gg.grad(apply(Inverse))(0.0) == np.inf == gg.jvp(apply(Inverse), (0.0,), (1.0,))[1]


@pytest.mark.parametrize("kind", [gg.Gate, gg.Elementwise, gg.Reduction])
def test_a_gate_without_a_rule_says_so_in_either_mode(kind):
    class Bare(kind):
        def forward(self, x):
            return 2.0 * x

    for differentiate in (gg.grad(apply(Bare)), lambda x: gg.jvp(apply(Bare), (x,), (1.0,))):
        with pytest.raises(
            GateError, match=r"Bare has no backward\(self, dz\): .*\(or jvp\(self, dx, \.\.\.\), from which"
        ):
            differentiate(1.0)


def test_a_rule_that_returns_no_number():
    class Text(gg.Gate):
        def forward(self, x):
            return 2.0 * x

        def jvp(self, dx):
            return "two"

    with pytest.raises(GateError, match=r"Text\.jvp .* returned the str 'two': return a float, a floating-point array"):
        gg.jvp(apply(Text), (1.0,), (1.0,))
