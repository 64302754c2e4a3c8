"""vjp: the pullback as a function of its own."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import DtypeError, ShapeError, StaleError


def test_a_pullback_may_be_called_many_times():
    z, pullback = gg.vjp(lambda x: x * x, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(z, [1.0, 4.0, 9.0])
    for row in np.eye(3):
        np.testing.assert_array_equal(pullback(row)[0], 2 * row * [1.0, 2.0, 3.0])


def test_a_pullback_under_an_outer_grad():
    def f(x):
        _, pullback = gg.vjp(lambda y: x * y * y, x)
        return pullback(x)[0] + pullback(1.0)[0]  # 2x³ + 2x²

    assert gg.grad(f)(3.0) == 6 * 9 + 4 * 3.0


def test_a_pullback_is_differentiable_in_dz():
    _, pullback = gg.vjp(lambda x: x * x * x, 2.0)
    assert gg.grad(lambda dz: pullback(dz * dz)[0])(5.0) == 12 * 10.0


def test_containers_out_and_in():
    z, pullback = gg.vjp(lambda x, p: {"a": x * p["w"], "b": (x, 3.0)}, 2.0, {"w": np.ones(2)})
    assert z["b"] == (2.0, 3.0)
    dx, dp = pullback({"a": np.array([1.0, 10.0]), "b": (100.0, 1000.0)})
    assert dx == 111.0
    np.testing.assert_array_equal(dp["w"], [2.0, 20.0])


def test_one_value_returned_twice():
    _, pullback = gg.vjp(lambda x: (x, x, x * x), 3.0)
    assert pullback((1.0, 10.0, 100.0)) == (611.0,)


def test_outputs_that_share_gates_walk_once():
    calls = []

    class Counts(gg.Gate):
        def forward(self, x):
            return 2 * x

        def backward(self, dz):
            calls.append(dz)
            return 2 * dz

    def f(x):
        h = Counts()(x)
        return [h * n for n in range(1, 6)]

    _, pullback = gg.vjp(f, 1.0)
    assert pullback([1.0] * 5) == (30.0,) and calls == [15.0]


@pytest.mark.parametrize(
    "f", [lambda x: x, lambda x: x + 0.0, lambda x: (x * 2.0) / 2.0], ids=["identity", "add", "scale"]
)
def test_gradients_alias_nothing(f):
    x, dz = np.ones(3), np.ones(3)
    _, pullback = gg.vjp(f, x)
    first = pullback(dz)[0]
    first += 7.0
    np.testing.assert_array_equal(dz, 1.0)
    np.testing.assert_array_equal(x, 1.0)
    np.testing.assert_array_equal(pullback(dz)[0], 1.0)


def test_a_remembered_array_handed_out_is_a_copy():
    class Mask(gg.Gate):
        def forward(self, x):
            self.mask = np.array([1.0, 0.0])
            return x * self.mask

        def backward(self, dz):
            return self.mask

    _, pullback = gg.vjp(lambda x: Mask()(x), np.ones(2))
    first = pullback(np.ones(2))[0]
    first *= 5
    np.testing.assert_array_equal(pullback(np.ones(2))[0], [1.0, 0.0])


def test_a_write_into_the_primal_after_the_forward_pass():
    w = np.arange(3.0)
    _, pullback = gg.vjp(lambda w: np.sum(w * w), w)
    w -= 1.0
    np.testing.assert_array_equal(pullback(1.0)[0], [0.0, 2.0, 4.0])


def test_a_write_into_a_constant_after_the_forward_pass():
    c = np.arange(3.0)
    _, pullback = gg.vjp(lambda w: np.sum(w * c), np.ones(3))
    c -= 1.0
    with pytest.raises(StaleError):
        pullback(1.0)


@pytest.mark.parametrize("dz", [[1, 2], np.array([1, 2]), np.array([1.0, 2.0]), np.float32([1, 2])], ids=repr)
def test_dz_takes_the_dtype_of_the_output(dz):
    dz = np.asarray(dz)
    for f in (lambda x: x, lambda x: x * 1.0):
        (dx,) = gg.vjp(f, np.ones(2, np.float32))[1](dz)
        assert dx.dtype == np.float32
        np.testing.assert_array_equal(dx, [1.0, 2.0])


def test_dz_that_does_not_fit():
    _, pullback = gg.vjp(lambda x: x * x, np.ones(3))
    with pytest.raises(ShapeError, match=r"dz has shape \(\), but the output it belongs to has shape \(3,\)"):
        pullback(1.0)
    with pytest.raises(ShapeError, match="dz has 2 values, but the output of the function has 1"):
        pullback((np.ones(3), 1.0))
    with pytest.raises(DtypeError, match=r"dz is a bool array of shape \(3,\)"):
        pullback(np.ones(3, bool))


def test_a_function_that_returns_none():
    with pytest.raises(DtypeError, match="the function returned None"):
        gg.vjp(lambda x: None, 1.0)


def test_values_are_plain():
    z, _ = gg.vjp(lambda x: (x * x, 5.0), 3.0)
    assert z == (9.0, 5.0) and type(z[0]) is float


def test_an_output_that_another_output_is_made_of_is_visited_once():
    arrived = []

    class Watched(gg.Elementwise):
        def forward(self, x):
            return 2.0 * x

        def backward(self, dz):
            arrived.append(dz)
            return 2.0 * dz

    def f(x):
        y = Watched()(x)
        return y, 3.0 * y

    def g(x):
        y = Watched()(x)
        return y, 3.0 * y, y * y

    _, pullback = gg.vjp(f, 1.0)
    assert pullback((1.0, 10.0)) == (62.0,)
    assert arrived == [31.0]
    _, pullback = gg.vjp(g, 1.0)
    assert pullback((1.0, 10.0, 100.0)) == (862.0,)
    assert arrived == [31.0, 431.0]


def test_gradients_belong_to_the_caller():
    """What is handed out is nobody else's: neither another gradient, nor dz, nor what a gate remembers."""
    x, dz = np.ones(5), np.ones(5)
    for f in (lambda x, y: np.sum(x + y), lambda x, y: np.sum(x * y), lambda x, y: np.sum(x[::-1] + y.T)):
        dx, dy = gg.grad(f, argnums=(0, 1))(x, x)
        dx[0] = 9.0
        assert dy[0] == 1.0 and x[0] == 1.0
        assert dx.flags.owndata and dy.flags.owndata and dx.flags.writeable and dy.flags.writeable
    for f in (lambda x: x + 0.0, np.positive, np.exp, lambda x: x * 1.0):
        z, pullback = gg.vjp(f, x)
        (dx,) = pullback(dz)
        before = dx[0]
        dx[:] = 9.0
        assert z[0] != 9.0 and dz[0] == 1.0
        assert pullback(dz)[0][0] == before


def test_and_so_do_those_of_variables():
    v, w, dz = gg.variable(np.ones(5)), gg.variable(np.ones(5)), np.ones(5)
    (v + w).backward(dz)
    v.grad[0] = 9.0
    assert w.grad[0] == dz[0] == 1.0
    (v * 1.0).backward(dz)
    assert v.grad[0] == 10.0 and v.grad[1] == 2.0 and dz[0] == 1.0
    x = gg.variable(np.ones(5))
    y = x * 1.0
    np.sum(y * 2.0).backward(keep=True)
    x.grad[0] = 9.0
    assert y.grad[0] == 2.0
