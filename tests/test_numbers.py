"""Whose number it is, Python's or NumPy's: under every transformation a function has the dtype that NumPy gives it."""

import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import gategrad as gg

ROW = np.array([0.5, 1.25, 0.75])
VALUES = {
    "a float": 1.5,
    "an int": 2,
    "a float64": np.float64(1.5),
    "a float32": np.float32(1.25),
    "an array of no axes": np.array(1.5),
    "one in single precision": np.array(1.25, np.float32),
    "a row": ROW,
    "a row in single precision": ROW.astype(np.float32),
    "a row of integers": np.array([1, 2, 3]),
}
"""Inputs; integers are constants."""

ONE = [
    lambda x: x,
    lambda x: -x,
    lambda x: abs(x),
    lambda x: x * 2,
    lambda x: 1.5 - x,
    lambda x: x**2,
    lambda x: 2.0**x,
    lambda x: x % 0.4,
    lambda x: x // 0.4,
    lambda x: x * np.float64(0.5),
    lambda x: x * np.float32(0.5),
    lambda x: np.exp(x),
    lambda x: np.sqrt(x),
    lambda x: np.square(x),
    lambda x: np.negative(x),
    lambda x: np.add(x, 1.0),
    lambda x: np.multiply(2.0, x),
    lambda x: np.real(x),
    lambda x: np.sum(x),
    lambda x: np.mean(x),
    lambda x: np.max(x),
    lambda x: np.prod(x),
    lambda x: np.var(x),
    lambda x: np.linalg.norm(np.ravel(x)),
    lambda x: np.ravel(x)[0],
    lambda x: np.dot(np.ravel(x), np.ravel(x)),
    lambda x: np.where(np.greater(x, 1.0), x, 0.0),
    lambda x: np.clip(x, 0.6, 1.3),
    lambda x: gg.stop_gradient(x),
    lambda x: gg.checkpoint(lambda y: y * np.sum(y))(x),
]
TWO = [
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    lambda x, y: x / y,
    lambda x, y: x**y,
    lambda x, y: np.multiply(x, y),
    lambda x, y: np.maximum(x, y),
    lambda x, y: np.hypot(x, y),
    lambda x, y: np.sum(x) * y,
    lambda x, y: np.dot(np.ravel(x), np.ravel(y)[0] * np.ones(np.size(x))),
    lambda x, y: np.where(np.less(x, y), x, y),
]


@st.composite
def functions(draw):
    """A function of two inputs: ones of each on the way to two results that meet."""
    firsts = draw(st.lists(st.sampled_from(range(len(ONE))), max_size=2))
    seconds = draw(st.lists(st.sampled_from(range(len(ONE))), max_size=2))
    between = draw(st.sampled_from(range(len(TWO))))
    after = draw(st.lists(st.sampled_from(range(len(ONE))), max_size=1))

    def f(x, y):
        for n in firsts:
            x = ONE[n](x)
        for n in seconds:
            y = ONE[n](y)
        z = TWO[between](x, y)
        for n in after:
            z = ONE[n](z)
        return z

    f.parts = firsts, seconds, between, after
    return f


def eager(f, *inputs):
    """What f returns under transformations that run it as it is."""
    g, primals = of_moving(f, inputs)
    tangents = tuple([np.ones_like(x)[()] for x in primals])
    yield "vjp", gg.vjp(g, *primals)[0]
    yield "jvp", gg.jvp(g, primals, tangents)[0]
    yield "two levels", gg.vjp(lambda *xs: gg.vjp(g, *xs)[0], *primals)[0]
    with gg.no_grad():
        yield "no_grad", g(*map(gg.variable, primals)).value


def compiled(f, *inputs):
    """What f returns where it, or its derivative, is compiled."""
    g, primals = of_moving(f, inputs)
    yield "compile", gg.compile(f)(*inputs)
    yield "vjp of compiled", gg.vjp(gg.compile(g), *primals)[0]
    yield "compiled vjp", gg.compile(lambda *xs: gg.vjp(g, *xs)[0])(*primals)


def of_moving(f, inputs):
    """The function of those inputs that can move, and these."""
    moving = [n for n, x in enumerate(inputs) if np.asarray(x).dtype.kind == "f"]

    def g(*xs):
        given = list(inputs)
        for n, x in zip(moving, xs, strict=True):
            given[n] = x
        return f(*given)

    return g, tuple([inputs[n] for n in moving])


def assert_as_numpy(seen, f, *inputs):
    narrow = np.float32 in [np.asarray(x).dtype for x in inputs]
    with np.errstate(all="ignore"):
        try:
            plain = f(*inputs)
        except (ZeroDivisionError, ValueError):  # of Python's numbers; of shapes
            return
        for name, z in seen(f, *inputs):
            what = f"{name} of {getattr(f, 'parts', '')} at {inputs}"
            assert np.asarray(z).dtype == np.asarray(plain).dtype, what
            np.testing.assert_allclose(z, plain, rtol=1e-5 if narrow else 1e-12, err_msg=what)


KINDS = st.sampled_from(sorted(VALUES))


@settings(max_examples=120, deadline=None)
@given(functions(), KINDS, KINDS)
def test_functions_have_the_dtype_that_numpy_gives_them(f, one, other):
    assume("int" not in one or "int" not in other)
    assert_as_numpy(eager, f, VALUES[one], VALUES[other])


@settings(max_examples=12, deadline=None)
@given(functions(), KINDS, KINDS)
def test_compiled_functions_have_it_too(f, one, other):
    assume("int" not in one or "int" not in other)
    assert_as_numpy(compiled, f, VALUES[one], VALUES[other])


WIDE, NARROW = ROW, ROW.astype(np.float32)


@pytest.mark.parametrize("transform", [eager, compiled], ids=["eager", "compiled"])
def test_a_sum_of_doubles_widens_single_precision_and_a_number_of_pythons_does_not(transform):
    assert_as_numpy(transform, lambda x, y: x * np.sum(y), NARROW, WIDE)
    assert_as_numpy(transform, lambda x, y: x * y, NARROW, 2.0)
    assert_as_numpy(transform, lambda x, y: x * y, NARROW, np.float64(2.0))
    assert_as_numpy(transform, lambda x, y: x * np.exp(y), NARROW, 2.0)
    assert_as_numpy(transform, lambda x, y: (1 - np.mean(y)) * x, NARROW, WIDE)


@pytest.mark.parametrize("whole", [lambda x: 2 * np.sum(x), lambda x: (np.sum(x), x[0] * 2.0)])
def test_what_a_compiled_function_returns_among_variables_is_numpys_where_it_was(whole):
    f = gg.compile(whole)

    def meet(x, y):
        z = f(x)
        return y * (z[1] if isinstance(z, tuple) else z)

    assert gg.vjp(meet, WIDE, NARROW)[0].dtype == np.float64
    assert gg.vjp(lambda x, y: y * gg.compile(lambda x: x * 2.0)(x), 1.5, NARROW)[0].dtype == np.float32
    assert gg.vjp(lambda x, y: y * gg.compile(lambda x: x * 2.0)(x), np.float64(1.5), NARROW)[0].dtype == np.float64


def test_a_gradient_of_both_precisions_is_computed_in_double():
    x, y = np.array([0.1, 0.7], np.float32), np.array([0.3, 0.9])
    dy = gg.grad(lambda x, y: 0.1 * np.dot(x, y), 1)(x, y)
    np.testing.assert_array_equal(dy, 0.1 * x.astype(float))


def test_leaves_know_whose_number_they_hold():
    w = gg.variable(NARROW)
    assert (gg.variable(np.float64(2.0)) * w).dtype == np.float64
    assert (gg.variable(2.0) * w).dtype == np.float32
    assert (gg.variable(2.0) * np.float64(1.0) * w).dtype == np.float64
    assert (np.real(gg.variable(2.0)) * w).dtype == np.float32
    assert (gg.variable(np.float64(2.0)).detach() * w).dtype == np.float64
    assert (pickle.loads(pickle.dumps(gg.variable(np.float64(2.0)))) * w).dtype == np.float64
    assert type(gg.variable(np.float64(2.0)).value) is float
