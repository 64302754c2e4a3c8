"""jvp and linearize: forward mode, which follows from the rules for the way back."""

from __future__ import annotations

import collections
import dataclasses
import functools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import optree
import pytest

import gategrad as gg
from gategrad.errors import DtypeError, GateError, ShapeError

Pair = collections.namedtuple("Pair", "a b")


@dataclasses.dataclass
class Layer:
    w: object
    b: object


class Box:
    """A container that its author has told optree of."""

    def __init__(self, content):
        self.content = content


optree.register_pytree_node(
    Box, lambda box: ([box.content], None), lambda _, children: Box(*children), namespace="gategrad"
)


def derivative(f):
    return lambda x: gg.jvp(f, (x,), (1.0,))[1]


# --- values -------------------------------------------------------------------------------------------------------


def test_several_primals():
    assert gg.jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 10.0)) == (12.0, 34.0)
    assert gg.jvp(lambda x, y: x * y, (3.0, 4.0), (None, 10.0)) == (12.0, 30.0)
    assert gg.jvp(lambda x, y: x * y, (3, 4), (1, 10)) == (12.0, 34.0)


def test_one_complex_number():
    assert gg.jvp(lambda z: z * z, (1 + 2j,), (1j,)) == (-3 + 4j, -4 + 2j)
    assert gg.jvp(lambda z: z * z, (1 + 2j,), (1,)) == (-3 + 4j, 2 + 4j)


def test_none_inside_a_container_does_not_move():
    def f(p):
        return p["a"] * p["b"][0] + np.sum(p["c"])

    p = {"a": 2.0, "b": (3.0, 5.0), "c": np.ones(2)}
    whole = {"a": 1.0, "b": (0.0, 0.0), "c": np.zeros(2)}
    assert gg.jvp(f, (p,), ({"a": 1.0, "b": (None, None), "c": None},)) == gg.jvp(f, (p,), (whole,)) == (8.0, 3.0)
    assert gg.jvp(f, (p,), ({"a": None, "b": (None, None), "c": None},)) == (8.0, 0.0)
    assert gg.jvp(lambda x: x[0] * x[1], ([2.0, 3.0],), ([None, 10.0],)) == (6.0, 20.0)
    box = gg.jvp(lambda box: box.content[0] * box.content[1], (Box((2.0, 3.0)),), (Box((None, 1.0)),))
    assert box == (6.0, 2.0)
    assert gg.jvp(lambda p: p[0] * p[0], ((2.0, None),), ((1.0, None),)) == (4.0, 4.0)  # the primal has one too


@pytest.mark.parametrize(
    "dx",
    [
        {"a": 1.0, "b": None},  # a container cannot be left out, its values can
        {"a": 1.0, "b": (None,)},
        {"a": (1.0,), "b": (None, None)},
        {"a": 1.0},
        (None, None, None),
        {"a": None, "b": (None, None), "c": None},
    ],
    ids=repr,
)
def test_a_tangent_with_none_is_still_built_like_its_primal(dx):
    with pytest.raises(ShapeError, match="the tangent of argument 0 is built unlike the argument"):
        gg.jvp(lambda p: p["a"], ({"a": 2.0, "b": (3.0, 5.0)},), (dx,))


def test_one_circuit_many_tangents():
    calls = []

    def f(x):
        calls.append(x)
        return np.sin(x) @ np.ones(3)

    x = np.array([0.1, 0.2, 0.3])
    z, pushforward = gg.linearize(f, x)
    for unit in np.eye(3):
        assert pushforward(unit) == pytest.approx(np.cos(x) @ unit, rel=1e-14)
    assert len(calls) == 1 and z == np.sum(np.sin(x))


def test_what_does_not_move_has_tangent_zero():
    z, dz = gg.jvp(lambda x: {"same": x, "constant": 3, "array": np.ones(2, np.float32)}, (2.0,), (5.0,))
    assert z["constant"] == 3 and dz["same"] == 5.0 and dz["constant"] == 0.0
    assert dz["array"].dtype == np.float32 and not dz["array"].any()


def test_tangents_are_the_callers_own():
    x, dx = np.ones(3), np.arange(3.0)
    _, (one, other) = gg.jvp(lambda x: (x, np.reshape(x, (3, 1))), (x,), (dx,))
    one += 7.0
    np.testing.assert_array_equal(other.ravel(), [0, 1, 2])
    np.testing.assert_array_equal(dx, [0, 1, 2])


def test_a_depth_of_ten_thousand():
    def f(x):
        for _ in range(10_000):
            x = x * 1.0001
        return x

    assert derivative(f)(1.0) == pytest.approx(1.0001**10_000, rel=1e-10)


def test_one_pushforward_in_several_threads():
    x = np.linspace(0.1, 1.0, 50)
    _, pushforward = gg.linearize(lambda x: np.sum(np.sin(x) * np.exp(x) / x), x)
    expected = [pushforward(unit) for unit in np.eye(50)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(4):
            assert list(pool.map(pushforward, np.eye(50))) == expected


def test_shared_gates_are_visited_once():
    def f(x):
        for _ in range(60):  # 2⁶⁰ paths
            x = x + x
        return x

    assert derivative(f)(1.0) == 2.0**60


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tangent_has_the_dtype_of_its_value(dtype):
    x = np.ones(2, dtype)
    z, dz = gg.jvp(lambda x: (np.sum(x), x * np.ones(2)), (x,), (np.ones(2),))
    assert [np.asarray(x).dtype for x in dz] == [np.asarray(x).dtype for x in z] == [dtype, np.float64]


def test_constants_among_the_inputs_of_linear_gates():
    x = np.array([1.0, 2.0])
    _, dz = gg.jvp(lambda x: np.concatenate([np.ones(1), x, np.arange(2)]), (x,), (x,))
    np.testing.assert_array_equal(dz, [0, 1, 2, 0, 0])
    _, dz = gg.jvp(lambda x: np.stack([x[0], 3.0, x[1]]), (x,), (x,))
    np.testing.assert_array_equal(dz, [1, 0, 2])


# --- containers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [Pair, Layer, lambda a, b: [a, (b,)], lambda a, b: {"b": b, "a": a}, lambda a, b: (Box(a), Box(b))]
)
def test_containers_in_and_out(make):
    def values(p):
        return gg.transforms.containers.flatten(p)[0]

    def f(p):
        one, other = values(p)
        return make(one * np.sum(other), other * 2.0)

    p, dp = make(2.0, np.array([3.0, 4.0])), make(1.0, np.array([0.0, 1.0]))
    z, dz = gg.jvp(f, (p,), (dp,))
    assert type(z) is type(p) and type(dz) is type(p)
    scalars = [x for x in values(dz) if np.ndim(x) == 0]
    arrays = [x for x in values(dz) if np.ndim(x)]
    assert scalars == [7.0 * 1.0 + 2.0 * 1.0]
    np.testing.assert_array_equal(arrays[0], [0.0, 2.0])


def test_has_aux():
    def f(x):
        return x * x, {"x": x, "note": "hello"}

    assert gg.jvp(f, (3.0,), (1.0,), has_aux=True) == (9.0, 6.0, {"x": 3.0, "note": "hello"})
    z, pushforward, aux = gg.linearize(f, 3.0, has_aux=True)
    assert (z, pushforward(2.0), aux["note"]) == (9.0, 12.0, "hello")
    z, pullback, aux = gg.vjp(f, 3.0, has_aux=True)
    assert (z, pullback(2.0), aux["x"]) == (9.0, (12.0,), 3.0)
    for transform in (gg.linearize, gg.vjp):
        with pytest.raises(TypeError, match=r"with has_aux=True the function returns \(value, anything\)"):
            transform(lambda x: x, 3.0, has_aux=True)


# --- levels ---------------------------------------------------------------------------------------------------------

CONFUSIONS = {
    "inner constant": (lambda d, e: lambda x: x * d(lambda y: x + y)(1.0), 1.0),
    "inner product": (lambda d, e: lambda x: x * d(lambda y: x * y)(2.0), 4.0),
    "same name": (lambda d, e: lambda x: d(lambda x: x * x)(x * x), 8.0),
    "closure and argument": (lambda d, e: lambda x: d(lambda y: x * x * y * y)(x), 24.0),
    "thrice": (lambda d, e: lambda x: d(lambda y: e(lambda z: x * y * z)(y))(x), 1.0),
    "inner unused": (lambda d, e: lambda x: d(lambda y: x * x)(1.0) + x, 1.0),
    "curried": (lambda d, e: lambda x: d(lambda y: e(lambda z: x * z)(y) * y)(5.0), 1.0),
}


@pytest.mark.parametrize("outer", [gg.grad, derivative])
@pytest.mark.parametrize("middle", [gg.grad, derivative])
@pytest.mark.parametrize("inner", [gg.grad, derivative])
@pytest.mark.parametrize("name", CONFUSIONS)
def test_no_perturbation_confusion(name, outer, middle, inner):
    make, expected = CONFUSIONS[name]
    assert outer(make(middle, inner))(2.0) == pytest.approx(expected, rel=1e-14)


def test_the_tangent_may_be_what_is_differentiated():
    assert gg.grad(lambda v: gg.jvp(lambda x: x**3, (2.0,), (v * v,))[1])(5.0) == 12 * 10.0
    assert derivative(lambda v: gg.jvp(lambda x: x**3, (v,), (v,))[1])(2.0) == 9 * 4.0


def test_a_pushforward_of_an_outer_level_inside_an_inner_one():
    def f(x):
        _, pushforward = gg.linearize(lambda y: x * y * y, x)
        return gg.grad(lambda v: pushforward(v * v))(3.0)  # 2x² · 2v

    assert gg.grad(f)(2.0) == 2 * 2 * 2 * 6.0


def test_over_an_ambient_variable():
    w = gg.variable(3.0)
    _, dz = gg.jvp(lambda x: w * x * x, (2.0,), (1.0,))
    assert dz.value == 12.0
    dz.backward()
    assert w.grad == 4.0


def test_no_grad():
    def f(x):
        with gg.no_grad():
            y = x * x
        return y * x

    assert gg.jvp(f, (3.0,), (1.0,)) == (27.0, 9.0)
    with gg.no_grad():
        assert gg.jvp(lambda x: x**3, (3.0,), (1.0,)) == (27.0, 27.0)
        assert gg.hessian(lambda x: x**3)(3.0) == 18.0


# --- kinks, and what is infinite -------------------------------------------------------------------------------------

KINKS = {
    "abs": (np.abs, 0.0),
    "relu": (gg.relu, 0.0),
    "maximum": (lambda x: np.maximum(x, 0.0), 0.0),
    "where": (lambda x: np.where(x > 0, np.sqrt(np.abs(x)), 0.0), 0.0),
    "not taken": (lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 0.0)), x), -1.0),
    "sqrt of a square": (lambda x: np.sqrt(np.square(x)), 0.0),
    "power of a power": (lambda x: (x**2) ** 0.5, 0.0),
    "saturated": (lambda x: 1 / (1 + np.exp(-x)), -800.0),
    "sqrt times zero": (lambda x: np.sqrt(x) * 0.0, 0.0),
    "max": (lambda x: np.max(np.stack([x, 0.0, -x])), 0.0),
    "norm": (lambda x: np.linalg.norm(np.stack([x, 2 * x])), 0.0),
    "std": (lambda x: np.std(np.stack([x, x])), 1.0),
    "sqrt": (np.sqrt, 0.0),
    "sign": (np.sign, 0.0),
}


def twice(f, x):
    return np.stack([f(x[0]), f(x[1])])


@pytest.mark.filterwarnings("ignore:(divide by zero|overflow)")
@pytest.mark.parametrize("shape", [(), (2,)])
@pytest.mark.parametrize("name", KINKS)
def test_forward_answers_as_reverse_does_at_a_kink(name, shape):
    f, x = KINKS[name]
    if shape:
        x, f = np.full(2, x), functools.partial(twice, f)
    _, pullback = gg.vjp(f, x)
    ones = np.ones(shape)[()] if shape else 1.0
    np.testing.assert_array_equal(gg.jvp(f, (x,), (ones,))[1], pullback(ones)[0])


def test_a_nan_that_is_one_stays():
    with pytest.warns(RuntimeWarning, match="invalid"):
        assert np.isnan(gg.jvp(np.sqrt, (-1.0,), (1.0,))[1])


# --- what cannot be -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dx", "error", "said"),
    [
        (np.ones(3), ShapeError, r"the tangent of argument 0 has shape \(3,\), but its value has shape \(2,\)"),
        (1.0, ShapeError, r"the tangent of argument 0 has shape \(\)"),
        ("ab", DtypeError, "the tangent of argument 0 is the str 'ab'"),
        (np.ones(2) * 1j, DtypeError, "is a complex128 array .* made of float64"),
        (np.array([True, False]), DtypeError, "is a bool array"),
        ([1.0, 2.0], ShapeError, "built unlike the argument: it has 2 values"),
        ((np.ones(2),), ShapeError, "built unlike the argument"),
    ],
    ids=str,
)
def test_tangents_that_do_not_fit(dx, error, said):
    with pytest.raises(error, match=said):
        gg.jvp(lambda x: x, (np.ones(2),), (dx,))


def test_primals_and_outputs_without_a_tangent():
    with pytest.raises(DtypeError, match=r"argument 1 is an int64 array of shape \(3,\): integers cannot change"):
        gg.jvp(lambda x, n: x, (1.0, np.arange(3)), (1.0, None))
    with pytest.raises(DtypeError, match=r"returned None: nothing to differentiate \(is a `return` missing\?\)"):
        gg.jvp(lambda x: None, (1.0,), (1.0,))
    with pytest.raises(
        DtypeError, match="returned the str 'a', which has no derivative: return it beside the value, with"
    ):
        gg.jvp(lambda x: (x, "a"), (1.0,), (1.0,))
    with pytest.raises(ShapeError, match="1 tangents for 2 primals"):
        gg.jvp(lambda x, y: x, (1.0, 2.0), (1.0,))
    with pytest.raises(TypeError, match=r"jvp takes primals as a tuple, as in gg\.jvp\(f, \(x,\), \(dx,\)\), not"):
        gg.jvp(lambda x: x, 1.0, (1.0,))


def test_a_rule_that_returns_a_tangent_of_another_shape():
    class Wrong(gg.Gate):
        def forward(self, x):
            return 2.0 * x

        def backward(self, dz):
            return 2.0 * dz

        def jvp(self, dx):
            return np.ones(3)

    with pytest.raises(GateError, match=r"Wrong\.jvp \(.*\) returned a tangent of shape \(3,\) for an output of shape"):
        gg.jvp(lambda x: Wrong()(x), (np.ones(2),), (np.ones(2),))


def test_a_rule_that_writes_into_its_tangent():
    class Rude(gg.Elementwise):
        def forward(self, x):
            return 2.0 * x

        def backward(self, dz):
            dz *= 2
            return dz

    with pytest.raises(ValueError, match="read-only"):
        gg.jvp(lambda x: Rude()(x), (np.ones(2),), (np.ones(2),))
