"""checkpoint and stop_gradient: the same values and derivatives, less memory; and none at all."""

from __future__ import annotations

import collections
import tracemalloc

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import GateError, StaleError

State = collections.namedtuple("State", "h steps")


def step(x):
    return np.tanh(x * np.exp(-x * x)) + 0.5 * x


def chain(step, steps=16):
    def f(x):
        for _ in range(steps):
            x = step(x)
        return np.sum(x)

    return f


X = np.array([0.3, -0.7, 1.1])


@pytest.mark.parametrize("wrap", [gg.checkpoint, lambda f: gg.checkpoint(gg.checkpoint(f))], ids=["once", "nested"])
def test_all_derivatives_are_the_same(wrap):
    f, g = chain(step, 4), chain(wrap(step), 4)
    assert g(X) == f(X)
    np.testing.assert_array_equal(gg.grad(g)(X), gg.grad(f)(X))
    np.testing.assert_allclose(gg.hessian(g)(X), gg.hessian(f)(X), rtol=1e-12)
    np.testing.assert_allclose(gg.jvp(g, (X,), (X,))[1], gg.jvp(f, (X,), (X,))[1], rtol=1e-13)
    third = [gg.grad(lambda x, h=h: np.sum(gg.hvp(h, x, X)))(X) for h in (f, g)]
    np.testing.assert_allclose(*third, rtol=1e-11)


def test_the_function_runs_again_on_the_way_back():
    calls = []

    @gg.checkpoint
    def f(x):
        calls.append(type(x))
        return x * x

    x = gg.variable(3.0)
    z = f(x)
    assert len(calls) == 1 and len(vars(z.gate)) < 10
    z.backward()
    assert x.grad == 6.0 and len(calls) == 2
    assert f(2.0) == 4.0 and calls[2] is float  # nothing to remember


def peak(f, x):
    gg.grad(f)(x)  # what is imported when it is first wanted does not count
    tracemalloc.start()
    try:
        gg.grad(f)(x)
        return tracemalloc.get_traced_memory()[1] / x.nbytes
    finally:
        tracemalloc.stop()


def test_memory():
    """64 steps, each of which remembers about six arrays; √64 stretches of √64 steps."""
    x = np.linspace(-1.0, 1.0, 5_000)

    def stretch(x):
        for _ in range(8):
            x = step(x)
        return x

    whole = peak(chain(step, 64), x)
    assert whole > 64 * 4
    assert peak(chain(gg.checkpoint(step), 64), x) < 64 + 30  # the inputs of the steps, and one step
    assert peak(chain(gg.checkpoint(stretch), 8), x) < whole / 4  # the inputs of stretches, and one stretch


def test_containers_options_and_what_is_no_number():
    @gg.checkpoint
    def f(state, w, *, scale=1.0, name=None, places=None):
        assert name == "layer"
        return State(np.tanh(state.h @ w["w"]) * scale, state.steps + 1), {
            "sum": np.sum(state.h),
            "name": name,
            "n": places,
        }

    def loss(w, f=f):
        state, extra = f(State(np.ones(3), 0), w, scale=w["s"], name="layer", places=np.arange(2))
        assert extra["name"] == "layer" and state.steps == 1 and extra["n"].dtype == np.int64
        return np.sum(state.h) * 2.0 + extra["sum"]

    w = {"w": np.eye(3) * 0.1, "s": 2.0}
    found, expected = gg.grad(loss)(w), gg.grad(lambda w: loss(w, f=f.__wrapped__))(w)
    np.testing.assert_allclose(found["w"], expected["w"], rtol=1e-14)
    assert found["s"] == pytest.approx(expected["s"])


def test_variables_of_several_tapes():
    f = gg.checkpoint(lambda x, y: x * x * y)
    assert gg.grad(lambda x: gg.grad(lambda y: f(x, y))(5.0))(3.0) == 6.0
    assert gg.grad(lambda x: gg.grad(f)(x, x))(3.0) == 4 * 3.0
    w = gg.variable(2.0)
    gg.grad(f)(w, w).backward()
    assert w.grad == 8.0


def test_what_is_computed_from_a_lower_tape_needs_no_argument():
    def f(w):
        return gg.grad(lambda x: gg.checkpoint(lambda x: w * x * x)(x))(3.0)

    assert gg.grad(f)(2.0) == 6.0


def test_variables_that_the_function_closes_over():
    def loss(p, checkpoint=gg.checkpoint):
        calls = []

        def helper(x):
            calls.append(1)
            return np.tanh(x * p["w"])

        layer = checkpoint(lambda x, bias=p["b"]: helper(x) * p["s"][0] + bias)
        z = np.sum(layer(layer(X)))
        assert len(calls) == 2  # what holds no variables is the same object
        return z

    p = {"w": np.array([0.5, 1.0, -1.0]), "s": [2.0], "b": 0.0}
    found, expected = (
        gg.grad(lambda p: loss({**p, "b": 0.1}))(p),
        gg.grad(lambda p: loss({**p, "b": 0.1}, lambda f: f))(p),
    )
    np.testing.assert_allclose(found["w"], expected["w"], rtol=1e-14)
    assert found["s"] == pytest.approx(expected["s"])
    third = [
        gg.grad(lambda w, c=c: np.sum(gg.hvp(lambda w: loss({**p, "w": w}, c), w, X)))(p["w"])
        for c in (gg.checkpoint, lambda f: f)
    ]
    np.testing.assert_allclose(*third, rtol=1e-11)


def test_recursion_through_the_closure_ends():
    def factorial(w):
        @gg.checkpoint
        def f(x):
            def power(n):
                return x if n == 1 else x * w * power(n - 1)

            return power(3)

        return f(w)

    assert gg.grad(factorial)(2.0) == 5 * 2.0**4


def test_a_variable_from_elsewhere_is_refused():
    class Model:
        def __init__(self, w):
            self.w = w

        def apply(self, x):
            return self.w * x

    with pytest.raises(
        GateError, match="apply computed with a variable that is not among its arguments, .* make it an"
    ):
        gg.grad(lambda w: gg.checkpoint(Model(w).apply)(w))(2.0)
    assert gg.grad(lambda w: gg.checkpoint(Model(w).apply)(3.0))(2.0) == 3.0  # nothing to remember: plainly recorded


def test_another_answer_the_second_time_is_noticed():
    rng = np.random.default_rng(0)
    drop = gg.checkpoint(lambda x: np.where(rng.uniform(size=x.shape) > 0.5, x, 0.0))
    with pytest.raises(GateError, match="<lambda> under checkpoint answered otherwise .* Draw random numbers outside"):
        gg.grad(lambda x: np.sum(drop(x)))(np.ones(100))
    mask = rng.uniform(size=100) > 0.5
    drop = gg.checkpoint(lambda x, mask: np.where(mask, x, np.inf))
    np.testing.assert_array_equal(gg.vjp(lambda x: drop(x, mask), np.ones(100))[1](np.ones(100))[0], mask)


def test_an_array_that_is_changed_in_between_is_noticed():
    data, x = np.ones(3), gg.variable(X)
    z = np.sum(gg.checkpoint(lambda x, data: x * data)(x, data))
    data += 1
    with pytest.raises(StaleError):
        z.backward()


def test_compiled():
    pytest.importorskip("llvmlite")
    f = chain(step, 3)
    for g in (
        gg.compile(gg.grad(chain(gg.checkpoint(step), 3))),
        gg.grad(gg.compile(chain(gg.checkpoint(step), 3))),
        gg.grad(chain(gg.checkpoint(gg.compile(step)), 3)),
    ):
        np.testing.assert_allclose(g(X), gg.grad(f)(X), rtol=1e-13)


def test_float32_and_arrays_without_elements():
    g = chain(gg.checkpoint(step), 2)
    assert gg.grad(g)(X.astype(np.float32)).dtype == np.float32
    assert gg.grad(g)(np.zeros((0, 2))).shape == (0, 2)


# --- stop_gradient ------------------------------------------------------------------------------------------------


def test_nothing_flows_through_stop_gradient():
    def f(x):
        return gg.stop_gradient(x) * x

    assert gg.grad(f)(3.0) == 3.0 and gg.jvp(f, (3.0,), (1.0,)) == (9.0, 3.0)
    assert gg.grad(gg.grad(f))(3.0) == 0.0 and gg.hessian(f)(3.0) == 0.0
    assert gg.grad(lambda x: gg.grad(lambda y: gg.stop_gradient(x * y) * y)(x))(3.0) == 0.0


def test_stop_gradient_of_containers_and_constants():
    p = {"a": 1.0, "b": [np.ones(2), None, "c"]}
    assert gg.stop_gradient(p) is p
    gradient = gg.grad(lambda p: p["a"] * gg.stop_gradient(p)["a"] * np.sum(gg.stop_gradient(p["b"])[0]))(
        {"a": 3.0, "b": [X]}
    )
    assert gradient["a"] == pytest.approx(3.0 * np.sum(X)) and not gradient["b"][0].any()


def test_stop_gradient_compiled():
    pytest.importorskip("llvmlite")
    f = lambda x: gg.stop_gradient(x) * x
    assert gg.compile(gg.grad(f))(3.0) == gg.grad(gg.compile(f))(3.0) == 3.0
    assert gg.compile(gg.stop_gradient)(3.0) == 3.0


def test_a_straight_through_estimator():
    assert gg.grad(lambda x: (x + gg.stop_gradient(np.round(x) - x)) ** 2)(2.7) == 6.0
