"""Variable: scalars, dtypes, operators on either side, NumPy's answers, setters, copies, and every way out."""

from __future__ import annotations

import copy
import math
import operator
import pickle

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import DtypeError, EscapeError, NoRuleError, NotTrackedError, ShapeError

# --- what travels -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [3, 3.0, np.float64(3.0)], ids=repr)
def test_numbers_travel_as_python_floats(x):
    v = gg.variable(x)
    for z in (v, v * v, v + 1, 1 - v, v**2, np.exp(v), -v, abs(v), np.sum(v), v / np.float64(2), np.float64(2) * v):
        assert type(z.value) is float
    (v * v).backward()
    assert type(v.grad) is float and v.grad == 6.0


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_float32_stays_float32(shape):
    x = gg.variable(np.full(shape, 2.0, np.float32)[()])
    z = np.sum(2.0 * x**2 / 3 + np.exp(-x) * 0.5 - 1)
    assert z.dtype == np.float32
    z.backward()
    assert x.grad.dtype == np.float32 and x.grad.shape == shape
    assert gg.grad(gg.grad(lambda x: x**3 * 2.0))(np.float32(2)).dtype == np.float32


def test_each_gradient_has_the_dtype_of_its_value():
    x, y, s = gg.variable(np.ones(3, np.float32)), gg.variable(np.ones(3)), gg.variable(2.0)
    np.sum(x * y * s).backward()
    assert x.grad.dtype == np.float32 and y.grad.dtype == np.float64 and s.grad == 3.0


def test_arrays_of_no_axes():
    x = gg.variable(np.array(3.0))
    (x * x + x).backward()
    assert x.grad == 7.0 and x.grad.shape == () and x.grad.dtype == np.float64


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
@pytest.mark.parametrize(
    "other", [2, 2.0, np.float64(2), np.array(2.0), np.array([1.0, 2.0]), [1.0, 2.0], True], ids=repr
)
def test_constants_on_either_side(operation, other):
    for value in (3.0, np.array([3.0, 4.0])):
        x = gg.variable(value)
        left, right = operation(x, other), operation(other, x)
        other_array = np.asarray(other, float)
        np.testing.assert_allclose(left.value, operation(np.asarray(value), other_array))
        np.testing.assert_allclose(right.value, operation(other_array, np.asarray(value)))
        assert gg.check_gradients(lambda x, y=other_array: operation(x, y), value)
        assert gg.check_gradients(lambda x, y=other_array: operation(y, x), value)


def test_matmul_on_either_side():
    a, x = np.arange(6.0).reshape(2, 3), np.arange(3.0)
    assert gg.check_gradients(lambda x: a @ x, x)
    assert gg.check_gradients(lambda a: a @ x, a)
    assert gg.check_gradients(lambda x: x @ a.T, x)


def test_comparisons_answer_without_a_circuit():
    x = gg.variable(2.0)
    assert (x < 3) is True and (x == 2.0) is True and (x != gg.variable(2.0)) is False
    assert x != "abc"
    assert x != None  # noqa: E711
    y = gg.variable([1.0, 3.0])
    np.testing.assert_array_equal(np.array([2.0, 2.0]) > y, [True, False])
    np.testing.assert_array_equal(y >= x, [False, True])


def test_in_place_operators_make_a_new_number():
    x = y = gg.variable(2.0)
    for operation in (operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow):
        y = operation(y, 3.0)
    y %= 7.0
    assert y is not x and x.value == 2.0
    assert y.value == ((((2.0 + 3.0) - 3.0) * 3.0) / 3.0) ** 3.0 % 7.0
    y.backward()
    assert x.grad == 12.0


def test_rounding_as_of_numbers_and_arrays():
    assert round(gg.variable(2.6)).value == 3.0 and round(gg.variable(2.56), 1).value == 2.6
    x = gg.variable([1.26, 2.74])
    rounded = round(x, 1)
    np.testing.assert_array_equal(rounded.value, [1.3, 2.7])
    np.sum(rounded * x).backward()
    np.testing.assert_array_equal(x.grad, [1.3, 2.7])  # nothing flows through a step
    with pytest.raises(EscapeError, match=r"^math.trunc\(x\) would turn a tracked variable into an int"):
        math.trunc(x)


def test_lists_of_variables_are_told_of_stack():
    v, w = gg.variable(2.0), gg.variable(3.0)
    for function in (np.sum, np.array, np.exp, np.max):
        with pytest.raises(EscapeError, match=r"becomes one variable by np.stack\(\[v, w\]\); the functions of gateg"):
            function([v, w])
    assert np.sum(np.stack([v, w])).value == 5.0


def test_fabs_is_of_real_numbers():
    z = np.array([3 + 4j])
    for x in (gg.variable(z), z):
        with pytest.raises(TypeError):
            np.fabs(x)
    with pytest.raises(DtypeError, match="np.fabs takes no complex numbers, as in NumPy: use np.abs"):
        np.fabs(gg.variable(z))


# --- NumPy's answers where Python raises --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "z", "dx"),
    [
        (lambda x: x / 0.0, 1.0, np.inf, np.inf),
        (lambda x: 1.0 / x, 0.0, np.inf, -np.inf),
        (lambda x: x / 0.0, 0.0, np.nan, np.inf),
        (lambda x: x**400.0, 10.0, np.inf, np.inf),
        (lambda x: 10.0**x, 400.0, np.inf, np.inf),
        (lambda x: x ** (1 / 3), -8.0, np.nan, np.nan),
        (lambda x: x**-1, 0.0, np.inf, -np.inf),
        (lambda x: x**2.5, -1.0, np.nan, np.nan),
        (np.log, 0.0, -np.inf, np.inf),
        (np.log, -1.0, np.nan, -1.0),
        (np.sqrt, -1.0, np.nan, np.nan),
        (np.exp, 1000.0, np.inf, np.inf),
    ],
)
def test_singular_points_answer_as_numpy(f, x, z, dx):
    for value in (x, np.array([x])):
        leaf = gg.variable(value)
        with np.errstate(all="ignore"):
            out = f(leaf)
            out.backward()
        np.testing.assert_array_equal(out.value, np.broadcast_to(z, np.shape(value)))
        np.testing.assert_array_equal(leaf.grad, np.broadcast_to(dx, np.shape(value)))
        with pytest.warns(RuntimeWarning):
            f(gg.variable(value))


def test_a_rule_that_divides_by_zero_answers_as_numpy():
    x = gg.variable(0.0)
    with np.errstate(all="ignore"):
        np.sqrt(x).backward()
    assert x.grad == np.inf


# --- setters ------------------------------------------------------------------------------------------------------


def test_a_leafs_value_may_be_replaced():
    x = gg.variable(np.ones(2, np.float32))
    x.value = [3, 4]
    assert x.dtype == np.float32
    source = np.array([5.0, 6.0])
    x.value = source
    source[:] = 0
    np.testing.assert_array_equal(x.value, [5.0, 6.0])
    y = gg.variable(1.0)
    y.value = 7
    assert type(y.value) is float and y.value == 7.0


def test_gradients_are_those_of_the_values_at_the_forward_pass():
    x = gg.variable(np.array([1.0, 2.0]))
    z = np.sum(x * x)
    x.value = [10.0, 10.0]
    z.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


def test_values_that_cannot_replace():
    x = gg.variable(np.ones(2))
    with pytest.raises(ShapeError, match=r"a value of shape \(3,\) cannot replace one of shape \(2,\)"):
        x.value = np.ones(3)
    with pytest.raises(DtypeError, match="complex value cannot replace one of float64"):
        x.value = np.ones(2) * 1j
    for rubbish in (None, "abc", np.arange(2)):
        with pytest.raises(DtypeError):
            x.value = rubbish
    with pytest.raises(NotTrackedError, match=r"only the value of a variable made by gg\.variable.*Multiply"):
        (x * x).value = np.ones(2)


def test_a_gradient_that_is_assigned_must_fit():
    x = gg.variable(np.ones(2, np.float32))
    x.grad = [1.0, 2.0]
    assert x.grad.dtype == np.float32
    with pytest.raises(ShapeError, match=r"a gradient of shape \(3,\) cannot belong to a value of shape \(2,\)"):
        x.grad = np.ones(3)


# --- making -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (None, DtypeError, "^None can have no gradient"),
        ("abc", DtypeError, "the str 'abc' can have no gradient"),
        (True, DtypeError, "a truth value"),
        ([True, False], DtypeError, "can have no gradient"),
        (object(), DtypeError, "the object"),
        ({1.0, 2.0}, DtypeError, "the set"),
        (np.arange(3), DtypeError, r"an int64 array of shape \(3,\) can have no gradient.*astype\(float\)"),
        (np.array([None, 1.0]), DtypeError, "an object array"),
        ([1.0, None], DtypeError, "can have no gradient"),
        ([[1.0, 2.0], [3.0]], ShapeError, "rows of different lengths"),
        ([gg.variable(1.0), 2.0], DtypeError, r"a list of variables: join them with np\.stack"),
        (gg.variable(1.0), DtypeError, r"would lose its gradient: use it as it is, or v\.detach\(\)"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), DtypeError, "masked array"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_values_without_a_gradient(value, error, said):
    with pytest.raises(error, match=said):
        gg.variable(value)


def test_nan_is_a_value():
    assert math.isnan(gg.variable(np.nan).value)


def test_other_arrays_become_numpys():
    class Labelled(np.ndarray):
        pass

    assert type(gg.variable(np.ones(2).view(Labelled)).value) is np.ndarray

    class Tensor:
        dtype = "float32"

        def __array__(self, dtype=None, copy=None):
            return np.ones(2, np.float32)

    assert gg.variable(Tensor()).dtype == np.float32
    assert (gg.variable(2.0) * Tensor()).dtype == np.float32


def test_variables_are_made_by_the_function():
    with pytest.raises(TypeError, match=r"gg\.variable\(value\), with a small v"):
        gg.Variable(2.0)
    with pytest.raises(TypeError, match="cannot be subclassed"):
        type("Parameter", (gg.Variable,), {})


# --- copies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"])
def test_copies_are_independent(clone):
    x = gg.variable([1.0, 2.0], name="x")
    np.sum(x * x).backward()
    y = clone(x)
    assert y.name == "x"
    y.grad[0] = 9.0
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
    np.testing.assert_array_equal(y.value, x.value)


def test_tied_weights_stay_tied():
    x = gg.variable(1.0)
    a, b = copy.deepcopy([x, x])
    assert a is b and a is not x


def test_interior_values_are_not_copied():
    with pytest.raises(TypeError, match=r"belongs to a circuit. Use v\.value"):
        pickle.dumps(gg.variable(1.0) * 2.0)


# --- the ways out that would lose the gradient --------------------------------------------------------------------

number, array, buffer = gg.variable(2.0), gg.variable([1.0, 2.0, 3.0]), np.zeros(3)
WAYS_OUT = {
    "float(v)": lambda: float(number),
    "int(v)": lambda: int(number),
    "complex(v)": lambda: complex(number),
    "math.sin(v)": lambda: math.sin(number),
    "math.floor(v)": lambda: math.floor(number),
    "np.asarray(v)": lambda: np.asarray(array),
    "np.array([v])": lambda: np.array([number]),
    "np.array([v, v])": lambda: np.array([array, array]),
    "np.array([v], object)": lambda: np.array([number], dtype=object),
    "np.float64(v)": lambda: np.float64(number),
    "np.full": lambda: np.full(3, number),
    "as index": lambda: buffer[number],
    "range(v)": lambda: range(number),
    "a[:] = v": lambda: operator.setitem(buffer, slice(None), array),
    "a += v": lambda: operator.iadd(buffer, array),
    "out=": lambda: np.add(array, 1.0, out=buffer),
    "np.add.at": lambda: np.add.at(buffer, 0, number),
    "v[0] = 1": lambda: operator.setitem(array, 0, 1.0),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_way_out_is_silent(way):
    with pytest.raises(EscapeError, match=r"np\.|instead|cannot|v\.value"):
        WAYS_OUT[way]()
    assert not buffer.any()


def test_an_element_of_an_array_says_why_too():
    with pytest.raises(ValueError, match="sequence") as caught:
        operator.setitem(buffer, 0, number)
    assert isinstance(caught.value.__cause__, EscapeError)


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda: np.nextafter(array, 1.0), r"np\.nextafter steps to a neighbouring float.*use v itself"),
        (lambda: np.gcd(array, 2), r"np\.gcd is for integers: convert v\.value"),
        (lambda: np.save("x", array), r"numpy\.save writes to a file: pass v\.value"),
        (lambda: np.ix_(array), r"numpy\.ix_ is about indices.*pass v\.value"),
        (
            lambda: np.add(array, 1.0, where=[True] * 3),
            r"np\.add of a variable takes no options but dtype=, and got where",
        ),
        (lambda: np.copysign.reduce(array), r"np\.copysign\.reduce has no gate"),
        (lambda: np.subtract.reduce(array, axis=None), r"np\.subtract\.reduce of a variable folds one axis at a time"),
    ],
)
def test_functions_without_a_gate(f, said):
    with pytest.raises(NoRuleError, match=said):
        f()


@pytest.mark.parametrize("other", ["abc", None, np.array([None] * 3), {}, object()], ids=lambda x: type(x).__name__)
def test_operands_that_are_no_numbers(other):
    for v in (number, array):
        with pytest.raises(DtypeError, match="input 1 of Multiply is .*: gates take numbers and arrays of them"):
            v * other


def test_shapes_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"Add: x is \(3,\), y is \(2, 4\); counted from the last.* but 3 meets 4\.$"):
        array + np.zeros((2, 4))


def test_unknown_attributes():
    with pytest.raises(AttributeError, match=r"no attribute 'exp'; use np\.exp\(v\)"):
        array.exp()
    with pytest.raises(AttributeError, match=r"no attribute 'relu'; use gg\.relu\(v\)"):
        array.relu()
    with pytest.raises(AttributeError, match=r"no attribute 'view', .* use v\.reshape\(shape\)"):
        array.view(3)
    with pytest.raises(AttributeError, match="no attribute 'foo'$"):
        _ = array.foo


def test_numbers_have_no_length():
    with pytest.raises(TypeError, match="single number has no len"):
        len(number)
    with pytest.raises(TypeError, match="cannot be iterated"):
        list(number)
    assert [v.value for v in array] == [1.0, 2.0, 3.0]


def test_display():
    assert repr(gg.variable(2.0, name="x") * 3.0) == "variable(6.0, gate=Multiply)"
    assert f"{number:.2f}" == "2.00" and str(number) == "variable(2.0)"
