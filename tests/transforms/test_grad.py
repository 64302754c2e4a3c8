"""grad and value_and_grad: nested levels, arguments, containers, and what a function may not return."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import operator
import pickle
from typing import NamedTuple

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import DtypeError, NotScalarError

grad = gg.grad


def cube(x):
    """The third power."""
    return x**3


class Point(NamedTuple):
    x: float
    y: np.ndarray


@dataclasses.dataclass(frozen=True)
class Layer:
    w: np.ndarray
    b: float

    def __post_init__(self):
        assert np.shape(self.b) == ()


# --- levels -------------------------------------------------------------------------------------------------------


def test_the_order_of_derivatives_has_no_limit():
    f, expected = cube, []
    for _ in range(4):
        f = grad(f)
        expected.append(f(2.0))
    assert expected == [12.0, 12.0, 6.0, 0.0]


CONFUSIONS = {
    "inner constant": (lambda x: x * grad(lambda y: x + y)(1.0), 1.0),
    "inner product": (lambda x: x * grad(lambda y: x * y)(2.0), 4.0),
    "same name": (lambda x: grad(lambda x: x * x)(x * x), 8.0),
    "closure and argument": (lambda x: grad(lambda y: x * x * y * y)(x), 2 * 3 * 4.0),
    "thrice": (lambda x: grad(lambda y: grad(lambda z: x * y * z)(y))(x), 1.0),
    "inner unused": (lambda x: grad(lambda y: x * x)(1.0) + x, 1.0),
    "curried": (lambda x: grad(lambda y: grad(lambda z: x * z)(y) * y)(5.0), 1.0),
    "value and grad": (lambda x: np.prod(np.stack(gg.value_and_grad(lambda y: x * y * y)(x))), 2 * 5 * 16.0),
}


@pytest.mark.parametrize("name", CONFUSIONS)
def test_no_perturbation_confusion(name):
    f, expected = CONFUSIONS[name]
    assert grad(f)(2.0) == pytest.approx(expected, rel=1e-14)


def test_a_shifted_function_is_not_confused():
    def shift(offset):
        return lambda f: lambda x: f(x + offset)

    assert grad(lambda s: grad(shift(s)(cube))(1.0))(2.0) == 6 * 3.0


def test_a_function_over_an_ambient_variable():
    w = gg.variable(3.0)
    dx = grad(lambda x: w * x * x)(2.0)
    assert dx.value == 12.0
    dx.backward()
    assert w.grad == 4.0


def test_grad_of_a_variable_stays_on_its_tape():
    x = gg.variable(2.0)
    dx = grad(cube)(x)
    dx.backward()
    assert (dx.value, x.grad) == (12.0, 12.0)


def test_an_inner_detach_stops_all_orders():
    assert grad(grad(lambda x: x.detach() * x * x))(3.0) == 6.0


def test_grad_inside_no_grad():
    with gg.no_grad():
        assert grad(grad(cube))(2.0) == 12.0
        assert grad(lambda x: x * x)(np.float32(3)).dtype == np.float32


def test_no_grad_inside_grad_stops_the_gradient():
    def f(x):
        with gg.no_grad():
            y = x * x
        return y * x

    assert grad(f)(3.0) == 9.0


# --- arguments ----------------------------------------------------------------------------------------------------


def weighted(x, y, z=1.0):
    return x * y * y * z


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [(0, 9.0), (1, 12.0), (-1, 12.0), ((0, 1), (9.0, 12.0)), ((-1, 0), (12.0, 9.0)), ((1,), (12.0,))],
)
def test_argnums(argnums, expected):
    assert grad(weighted, argnums=argnums)(2.0, 3.0) == expected


def test_keyword_arguments_are_constants():
    assert grad(weighted)(2.0, 3.0, z=10.0) == 90.0


@pytest.mark.parametrize("argnums", [2, -3, (0, 5)])
def test_argnums_out_of_range(argnums):
    with pytest.raises(
        TypeError, match=r"gradient of weighted is wanted for positional argument .* with 2 positional arguments"
    ):
        grad(weighted, argnums=argnums)(2.0, 3.0)


@pytest.mark.parametrize("argnums", [(0, 0), (1, -1)])
def test_argnums_twice(argnums):
    with pytest.raises(TypeError, match="names one argument twice"):
        grad(weighted, argnums=argnums)(2.0, 3.0)


def test_has_aux():
    def f(x):
        return x * x, {"x": x, "note": "hello", "none": None}

    gradient, aux = grad(f, has_aux=True)(3.0)
    assert gradient == 6.0 and aux == {"x": 3.0, "note": "hello", "none": None} and type(aux["x"]) is float
    (z, aux), gradient = gg.value_and_grad(f, has_aux=True)(3.0)
    assert (z, gradient, aux["x"]) == (9.0, 6.0, 3.0)
    assert grad(lambda x: grad(f, has_aux=True)(x)[1]["x"] * x)(3.0) == 6.0
    with pytest.raises(TypeError, match=r"with has_aux=True the function returns \(value, anything\)"):
        grad(cube, has_aux=True)(3.0)


def test_integers_become_floats():
    assert grad(cube)(2) == 12.0 and type(grad(cube)(2)) is float


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (None, "argument 0 is None"),
        ("abc", "argument 0 is the str 'abc'"),
        (True, "argument 0 is True: a truth value has no gradient"),
        (np.arange(3), r"argument 0 is an int64 array of shape \(3,\): integers cannot change by a little"),
        (np.int64(3), "argument 0 is a int64 scalar: integers"),
        (np.array([None]), r"argument 0 is an object array of shape \(1,\)"),
        ({"a": 1.0, "b": "c"}, r"argument 0\['b'\] is the str 'c'"),
    ],
    ids=str,
)
def test_arguments_without_a_gradient(x, said):
    with pytest.raises(DtypeError, match=said):
        grad(lambda x: 1.0)(x)


# --- what comes back ----------------------------------------------------------------------------------------------


def test_a_constant_function_has_gradient_zero():
    assert grad(lambda x: 3)(2.0) == 0.0
    dx = grad(lambda x: np.float32(1))(np.ones((2, 3), np.float32))
    assert dx.dtype == np.float32 and dx.shape == (2, 3) and not dx.any()
    assert grad(grad(lambda x: 3.0))(2.0) == 0.0


@pytest.mark.parametrize("x", [2.0, np.float32(2), np.array(2.0), np.ones(3, np.float32), np.ones((2, 2))], ids=repr)
def test_a_gradient_looks_like_its_argument(x):
    dx = grad(lambda x: np.sum(x * 2.0 * x))(x)
    assert np.shape(dx) == np.shape(x) and np.asarray(dx).dtype == np.asarray(x).dtype
    assert (type(dx) is float) == (type(x) is float)


def test_gradients_are_the_callers_own():
    x, y = np.ones(3), np.ones(3)
    dx, dy = grad(lambda x, y: np.sum(x + y), argnums=(0, 1))(x, y)
    dx += 7.0
    np.testing.assert_array_equal(dy, np.ones(3))
    np.testing.assert_array_equal(x, np.ones(3))


def test_a_write_into_the_argument_during_the_call():
    x = np.arange(3.0)

    def f(v):
        z = np.sum(v * v)
        x[:] = np.nan
        return z

    np.testing.assert_array_equal(grad(f)(x), [0.0, 2.0, 4.0])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: None, r"None\. Is a `return` missing\?"),
        (lambda x: x * np.ones(3), r"a float64 array of shape \(3,\)\. Reduce it \(np\.sum\)"),
        (lambda x: np.ones(3), r"a float64 array of shape \(3,\)"),
        (lambda x: {"loss": x}, r"the dict .*\. Return the one that is to be differentiated"),
        (lambda x: [x], "the list"),
        (lambda x: (x, x), r"the tuple .*\. With has_aux=True the first is differentiated"),
        (lambda x: "abc", r"the str 'abc'\. What it returns is computed from its arguments"),
        (lambda x: x * 1j, "complex"),
    ],
)
def test_a_function_that_returns_no_number(answer, said):
    with pytest.raises(NotScalarError, match=f"a single real number; this one returned .*{said}"):
        grad(answer)(2.0)


def test_a_list_is_no_array_and_says_so():
    with pytest.raises(TypeError, match="unsupported operand") as caught:
        grad(lambda x: np.sum(x**2))([1.0, 2.0])
    (note,) = caught.value.__notes__
    assert note.startswith(
        "argument 0 is a list, so the function gets a list of variables: pass np.array(...) of floats"
    )


class Tensor:
    """Another library's array, which knows NumPy by `__array__` alone."""

    __module__ = "torch"
    shape, dtype = (3,), "torch.float32"

    def __array__(self, dtype=None, copy=None):
        return np.ones(3, np.float32)


@pytest.mark.parametrize("wrap", [grad, gg.compile])
def test_arrays_of_other_libraries(wrap):
    with pytest.raises(DtypeError, match=r"a torch Tensor of shape \(3,\).*Pass np\.asarray\(x\)"):
        wrap(np.sum)(Tensor())


def test_containers():
    p = {"a": 2.0, "b": [np.ones(2), (3.0,)], "c": Point(1.0, np.ones(2)), "d": Layer(np.ones((2, 2)), 0.5), "e": None}

    def f(p):
        return p["a"] * p["b"][1][0] + np.sum(p["b"][0] * p["c"].y) + p["c"].x * np.sum(p["d"].w) * p["d"].b

    dp = grad(f)(p)
    assert dp["a"] == 3.0 and dp["b"][1] == (2.0,) and dp["e"] is None
    assert isinstance(dp["c"], Point) and dp["c"].x == 2.0
    assert isinstance(dp["d"], Layer) and dp["d"].b == 4.0
    np.testing.assert_array_equal(dp["d"].w, np.full((2, 2), 0.5))
    np.testing.assert_array_equal(dp["b"][0], [1.0, 1.0])
    assert grad(f)({**p, "a": 5.0})["b"][1] == (5.0,)


def test_the_gradient_of_an_empty_container_is_empty():
    assert grad(lambda p: 1.0)({}) == {} and grad(lambda p: 1.0)(()) == ()


# --- grad(f) is a value like any other ----------------------------------------------------------------------------


def test_pickle_and_copy():
    for clone in (pickle.loads(pickle.dumps(grad(cube))), copy.deepcopy(grad(cube)), copy.copy(grad(cube))):
        assert clone(2.0) == 12.0
    both = pickle.loads(pickle.dumps(gg.value_and_grad(weighted, argnums=(0, 1))))
    assert both(2.0, 3.0) == (18.0, (9.0, 12.0))


class Quadratic:
    """A function with parameters."""

    def __init__(self, a):
        self.a = a

    def __call__(self, x):
        return self.a * x * x

    def method(self, x):
        return self.a * x * x


CALLABLES = [functools.partial(cube), Quadratic(6.0), Quadratic(6.0).method, np.exp, grad(cube), operator.neg]


@pytest.mark.parametrize("f", CALLABLES, ids=["partial", "object", "method", "ufunc", "derivative", "builtin"])
def test_of_whatever_can_be_called(f):
    df = grad(f)
    for clone in (pickle.loads(pickle.dumps(df)), copy.copy(df), copy.deepcopy(df)):
        assert type(clone) is gg.grad and clone(2.0) == df(2.0)
    assert inspect.signature(df) == inspect.signature(f)
    assert df.__doc__ == f.__doc__ and repr(df).startswith("<gradient of ")


def test_name_signature_documentation():
    assert repr(grad(cube)) == "<gradient of cube(x)>"
    assert repr(gg.value_and_grad(weighted)) == "<value and gradient of weighted(x, y, z=1.0)>"
    assert inspect.signature(grad(weighted)) == inspect.signature(weighted)
    assert grad(cube).__name__ == "cube" and grad(cube).__doc__ == "The third power."
    assert repr(grad(np.sin)).startswith("<gradient of sin")


def test_grad_as_a_decorator_of_a_method():
    class Model:
        w = 3.0

        @functools.partial(gg.grad, argnums=1)
        def slope(self, x):
            return self.w * x * x

    assert Model().slope(2.0) == 12.0


@pytest.mark.parametrize("x", [2.0, None, np.ones(3)])
def test_grad_of_no_function(x):
    with pytest.raises(TypeError, match=r"grad takes a function, not .*gg\.grad\(f\)\(x\)"):
        grad(x)


def test_argnums_are_positions():
    with pytest.raises(TypeError, match=r"^argnums of gg\.grad is the position of an argument.*not the str 'y'"):
        gg.grad(lambda x, y: x * y, "y")
    with pytest.raises(TypeError, match=r"not the float 3\.0\. To call the derivative, write gg\.grad\(f\)\(x\)"):
        gg.grad(lambda x: x * x, 3.0)
    with pytest.raises(
        TypeError, match="called with 0 positional arguments: what is differentiated is given by position"
    ):
        gg.grad(lambda x: x * x)(x=2.0)


def test_a_value_that_was_kept_has_no_backward():
    kept = []
    gg.grad(lambda x: (kept.append(x * 2.0), x * x)[1])(3.0)
    with pytest.raises(gg.errors.NotTrackedError, match="or was when it kept this value: return the value from there"):
        kept[0].backward()


def test_a_truth_value_is_no_loss():
    """A comparison that was meant to be a difference: it has no gradient, rather than one of 0."""
    for f in (lambda x: x > 1.0, lambda x: np.any(x > 1.0)):
        with pytest.raises(
            NotScalarError, match="returned (the bool True|a bool scalar). A truth value steps where it"
        ):
            gg.grad(f)(2.0)
        with pytest.raises(NotScalarError, match="returned (the bool True|a bool scalar)"):
            gg.compile(gg.grad(f))(2.0)
    assert gg.grad(lambda x: 3.0)(2.0) == gg.grad(lambda x: 3)(2.0) == 0.0


def test_what_is_compiled_is_a_function():
    with pytest.raises(TypeError, match=r"^compile takes a function, not the int 3: .*gg\.compile\(f\)\(x\)$"):
        gg.compile(3)
