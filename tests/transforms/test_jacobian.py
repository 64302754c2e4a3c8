"""jacobian, hessian, hvp and elementwise_grad: shapes, containers, both modes, and closed forms."""

from __future__ import annotations

import collections
import copy
import dataclasses
import functools
import inspect
import pickle

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import DtypeError, NotScalarError, ShapeError
from gategrad.transforms import jacobian as module
from gategrad.transforms.call import pushforward_of

Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Layer:
    w: object
    b: object


def cube(x, n=1.0):
    """The third power."""
    return n * x**3


def swirl(x):
    """ℝ³ → ℝ²."""
    return np.stack([x[0] * x[1], np.sin(x[2]) * x[0]])


def jacobian_of_swirl(x):
    return np.array([[x[1], x[0], 0.0], [np.sin(x[2]), 0.0, np.cos(x[2]) * x[0]]])


X = np.array([0.5, 2.0, 1.0])


# --- shapes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape_in", [(), (1,), (2,), (2, 3), (0,)])
@pytest.mark.parametrize("shape_out", [(), (1,), (3,), (2, 2), (0,)])
def test_the_shape_is_that_of_the_output_and_that_of_the_input(shape_out, shape_in):
    weights = np.random.default_rng(0).normal(size=shape_out + shape_in)
    x = np.random.default_rng(1).normal(size=shape_in)[()]

    def f(x):
        return np.sum(weights * x, axis=tuple(range(len(shape_out), weights.ndim)))

    found = gg.jacobian(f)(x)
    assert np.shape(found) == shape_out + shape_in
    np.testing.assert_allclose(found, weights, rtol=1e-14)


def test_a_number_of_a_number_is_a_float():
    assert type(gg.jacobian(lambda x: x * x)(3.0)) is float
    assert type(gg.hessian(lambda x: x * x)(3.0)) is float
    assert gg.jacobian(lambda x: x * x)(3) == 6.0


@pytest.mark.parametrize(("more", "fewer"), [(2, 3), (3, 2)])
@pytest.mark.parametrize(("x", "z"), [(np.float32, np.float32), (np.float64, np.float32), (np.float32, np.float64)])
def test_the_dtype_does_not_depend_on_the_mode(x, z, more, fewer):
    weights = np.ones((more, fewer))
    found = gg.jacobian(lambda v: (weights @ v.astype(np.float64)).astype(z))(np.ones(fewer, x))
    assert found.dtype == np.result_type(x, z) and found.shape == (more, fewer)


# --- values ---------------------------------------------------------------------------------------------------------


def test_rows_and_columns_agree():
    for by_columns in (True, False):
        found, *_ = module.table(swirl, (X,), {}, (0,), lambda parts: parts[0], False, by_columns)
        np.testing.assert_allclose(found, jacobian_of_swirl(X), rtol=1e-14)


@pytest.mark.parametrize(("f", "passes"), [(lambda x: x[:2] * x[2], "rows"), (lambda x: np.outer(x, x), "columns")])
def test_the_mode_is_picked_by_shape(f, passes, monkeypatch):
    taken = []
    for name in ("_by_rows", "_by_columns"):
        rule = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *args, rule=rule, name=name: taken.append(name) or rule(*args))
    gg.jacobian(f)(X)
    assert taken == [f"_by_{passes}"]


def test_the_function_runs_once():
    calls = []
    gg.jacobian(lambda x: calls.append(1) or np.sin(x))(np.ones(5))
    assert len(calls) == 1


@pytest.mark.parametrize("outer", [gg.jacobian, gg.hessian])
def test_third_order_tensors(outer):
    x = np.array([1.0, 2.0])
    if outer is gg.jacobian:
        found = gg.jacobian(gg.jacobian(gg.jacobian(lambda x: np.sum(x**3))))(x)
    else:
        found = gg.jacobian(gg.hessian(lambda x: np.sum(x**3)))(x)
    expected = np.zeros((2, 2, 2))
    expected[0, 0, 0] = expected[1, 1, 1] = 6.0
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_a_hessian_that_is_known():
    a = np.random.default_rng(0).normal(size=(4, 4))
    np.testing.assert_allclose(gg.hessian(lambda x: x @ a @ x)(np.ones(4)), a + a.T, rtol=1e-13)
    x = np.ones((2, 2))
    assert gg.hessian(lambda x: np.sum(np.exp(x)))(x).shape == (2, 2, 2, 2)


def test_a_hessian_of_several_outputs():
    found = gg.hessian(swirl)(X)
    expected = gg.jacobian(gg.jacobian(swirl))(X)
    assert found.shape == (2, 3, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    np.testing.assert_allclose(found[1], [[0, 0, np.cos(1)], [0, 0, 0], [np.cos(1), 0, -np.sin(1) * 0.5]], atol=1e-15)


def test_hvp_is_the_hessian_times_a_vector():
    a, v = np.random.default_rng(0).normal(size=(4, 4)), np.arange(4.0)

    def f(x):
        return np.sum(np.tanh(a @ x)) * x[0]

    x = np.array([0.1, -0.2, 0.3, 0.4])
    np.testing.assert_allclose(gg.hvp(f, x, v), gg.hessian(f)(x) @ v, rtol=1e-12)
    p, dp = {"a": x, "b": 2.0}, {"a": v, "b": 1.0}
    product = gg.hvp(lambda p: f(p["a"]) * p["b"], p, dp)
    np.testing.assert_allclose(product["a"], 2 * gg.hessian(f)(x) @ v + gg.grad(f)(x), rtol=1e-12)
    assert product["b"] == pytest.approx(gg.grad(f)(x) @ v)


def test_hvp_under_grad():
    assert gg.grad(lambda x: gg.hvp(lambda y: x * y**3, x, 2.0))(3.0) == pytest.approx(24 * 3.0)  # 12 x²


def test_elementwise_grad():
    np.testing.assert_array_equal(gg.elementwise_grad(np.sin)(X), np.cos(X))
    np.testing.assert_array_equal(gg.elementwise_grad(gg.elementwise_grad(np.sin))(X), -np.sin(X))
    assert gg.elementwise_grad(cube)(2.0) == 12.0
    dx, dy = gg.elementwise_grad(lambda x, y: x * y, argnums=(0, -1))(X, 2.0)
    np.testing.assert_array_equal(dx, np.full(3, 2.0))
    assert dy == np.sum(X)
    assert gg.elementwise_grad(lambda x: np.ones(3, np.float32))(X).tolist() == [0.0, 0.0, 0.0]
    assert gg.elementwise_grad(lambda x: (x * x, "note"), has_aux=True)(3.0) == (6.0, "note")
    with pytest.raises(NotScalarError, match="returns one real array; this one returned the tuple"):
        gg.elementwise_grad(lambda x: (x, x))(X)


# --- arguments and containers -----------------------------------------------------------------------------------------


def test_argnums():
    f = lambda x, y: x * y**2
    x, y = np.array([1.0, 2.0]), 3.0
    np.testing.assert_array_equal(gg.jacobian(f, argnums=-1)(x, y), [6.0, 12.0])
    dx, dy = gg.jacobian(f, argnums=(0, 1))(x, y)
    np.testing.assert_array_equal(dx, 9.0 * np.eye(2))
    np.testing.assert_array_equal(dy, [6.0, 12.0])
    assert gg.hessian(lambda x, y: x * y**2, argnums=(0, 1))(2.0, 3.0) == ((0.0, 6.0), (6.0, 4.0))
    with pytest.raises(TypeError, match="the Jacobian of .* is wanted for positional argument 2"):
        gg.jacobian(f, argnums=2)(x, y)
    with pytest.raises(TypeError, match="names one argument twice"):
        gg.hessian(f, argnums=(0, -2))(x, y)


def test_keywords_are_constants():
    assert gg.jacobian(cube)(2.0, n=10.0) == 120.0
    assert gg.hessian(cube)(2.0, n=10.0) == 120.0


def test_containers():
    p = {"point": Point(2.0, np.array([3.0, 4.0])), "layer": Layer(np.ones((2, 2)), 0.5)}

    def f(p):
        return [p["layer"].w @ p["point"].y, p["point"].x * p["layer"].b]

    rows = gg.jacobian(f)(p)
    assert type(rows[0]["point"]) is Point and type(rows[0]["layer"]) is Layer
    np.testing.assert_array_equal(rows[0]["point"].y, np.ones((2, 2)))
    assert rows[0]["layer"].w.shape == (2, 2, 2) and not rows[0]["layer"].b.any()
    assert (rows[1]["point"].x, rows[1]["layer"].b) == (0.5, 2.0)
    blocks = gg.hessian(lambda p: f(p)[1])(p)
    assert blocks["point"].x["layer"].b == 1.0
    assert blocks["layer"].w["point"].y.shape == (2, 2, 2)


def test_has_aux():
    def f(x):
        return x * x, {"x": x}

    found, aux = gg.jacobian(f, has_aux=True)(X)
    np.testing.assert_array_equal(found, 2 * np.diag(X))
    np.testing.assert_array_equal(aux["x"], X)
    assert gg.hessian(f, has_aux=True)(3.0) == (2.0, {"x": 3.0})
    assert gg.hvp(f, 3.0, 10.0, has_aux=True) == (20.0, {"x": 3.0})


def test_what_does_not_depend_is_zero():
    np.testing.assert_array_equal(gg.jacobian(lambda x: np.ones(2))(X), np.zeros((2, 3)))
    np.testing.assert_array_equal(gg.hessian(lambda x: 3.0)(X), np.zeros((3, 3)))
    np.testing.assert_array_equal(gg.hessian(lambda x: x[0])(X), np.zeros((3, 3)))


# --- composed, and compiled -----------------------------------------------------------------------------------------------


def test_compiled_on_either_side():
    pytest.importorskip("llvmlite")
    expected = jacobian_of_swirl(X)
    for f in (gg.compile(gg.jacobian(swirl)), gg.jacobian(gg.compile(swirl))):
        np.testing.assert_allclose(f(X), expected, rtol=1e-13)
    f = lambda x: np.sum(swirl(x) ** 2)
    expected = gg.hessian(f)(X)
    for g in (gg.compile(gg.hessian(f)), gg.hessian(gg.compile(f)), gg.jacobian(gg.compile(gg.grad(f)))):
        np.testing.assert_allclose(g(X), expected, rtol=1e-12)
    for g in (gg.compile(lambda x, v: gg.hvp(f, x, v)), lambda x, v: gg.hvp(gg.compile(f), x, v)):
        np.testing.assert_allclose(g(X, X), expected @ X, rtol=1e-12)
    _, dz = gg.jvp(gg.compile(swirl), (X,), (X,))
    np.testing.assert_allclose(dz, jacobian_of_swirl(X) @ X, rtol=1e-13)


def test_the_pushforward_of_a_compiled_function_is_compiled_once():
    pytest.importorskip("llvmlite")
    f = gg.compile(swirl)
    for _ in range(3):
        gg.jvp(f, (X,), (X,))
    assert [key[1] for key in f._derivatives].count(pushforward_of) == 1


def test_a_gradient_under_jacobian_is_on_its_tape():
    x = gg.variable(X)
    np.sum(gg.jacobian(np.sin)(x)).backward()
    np.testing.assert_allclose(x.grad, -np.sin(X), rtol=1e-14)


def test_under_no_grad():
    with gg.no_grad():
        np.testing.assert_allclose(gg.jacobian(swirl)(X), jacobian_of_swirl(X))


# --- values like any other --------------------------------------------------------------------------------------------

TRANSFORMS = {
    gg.jacobian: "Jacobian",
    gg.hessian: "Hessian",
    gg.elementwise_grad: "elementwise derivative",
    gg.checkpoint: "checkpoint",
}


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_pickle_copy_name_signature_documentation(transform):
    f = transform(cube)
    for clone in (pickle.loads(pickle.dumps(f)), copy.copy(f), copy.deepcopy(f)):
        assert type(clone) is transform and clone(2.0) == f(2.0)
    assert repr(f) == f"<{TRANSFORMS[transform]} of cube(x, n=1.0)>"
    assert inspect.signature(f) == inspect.signature(cube)
    assert f.__name__ == "cube" and f.__doc__ == "The third power."
    with pytest.raises(TypeError, match=f"{transform.__name__} takes a function, not the float 3.0"):
        transform(3.0)


@functools.partial(gg.jacobian, argnums=(0,), has_aux=True)
def decorated(x):
    return x * x, "beside"


def test_what_replaces_its_function_pickles_by_name():
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    assert pickle.loads(pickle.dumps(gg.jacobian(cube, argnums=(-1,))))(2.0) == (12.0,)


def test_methods():
    class Model:
        w = 3.0

        @functools.partial(gg.jacobian, argnums=1)
        def slope(self, x):
            return self.w * x * x

    assert Model().slope(2.0) == 12.0


# --- what cannot be -----------------------------------------------------------------------------------------------------


def test_errors():
    with pytest.raises(DtypeError, match="argument 0 is an int64 array"):
        gg.jacobian(lambda x: x)(np.arange(3))
    with pytest.raises(DtypeError, match="returned None: nothing to differentiate"):
        gg.jacobian(lambda x: None)(X)
    with pytest.raises(DtypeError, match="returned the str 'a', which has no derivative: return it beside the value"):
        gg.jacobian(lambda x: [x, "a"])(X)
    with pytest.raises(NotScalarError, match="a single real number; this one returned a float64 array"):
        gg.hvp(lambda x: x, X, X)
    with pytest.raises(ShapeError, match=r"the tangent of argument 0 has shape \(2,\), but its value has shape \(3,\)"):
        gg.hvp(lambda x: np.sum(x), X, np.ones(2))
