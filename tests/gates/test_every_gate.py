"""Every gate there is, on the examples it brings: values, gradients of first and second order, layouts, dtypes.

A new gate is tested here without a line being written: `examples` (or `domain`, for an elementwise gate) is all it
takes. The oracle is NumPy for values and central differences in float64 for gradients.
"""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import gategrad as gg
import gategrad.gates.matrix_functions  # they would come only when they are used
import gategrad.gates.signals
from gategrad.errors import ReleasedError
from gategrad.gate import all_gates
from tests.gates.layouts import LAYOUTS

STEP = 1e-5
GATES = sorted(
    {
        cls
        for cls in all_gates()
        if cls.__module__.startswith("gategrad.gates.")
        and not cls.__module__.startswith("gategrad.gates.special")  # they have tests/gates/special/
        and "forward" in vars(cls)
    },
    key=lambda cls: cls.__name__,
)
CASES = [
    pytest.param(gate, inputs, id=f"{cls.__name__}-{number}")
    for cls in GATES
    for number, (gate, inputs) in enumerate(getattr(cls, "examples", lambda rng: ())(np.random.default_rng(0)))
]
COMPLEX = [case for case in CASES if case.values[0].takes_complex]
BINARY = [cls for cls in GATES if issubclass(cls, gg.Elementwise) and len(cls.domain) == 2]

every_gate = pytest.mark.parametrize("cls", GATES, ids=lambda cls: cls.__name__)
every_case = pytest.mark.parametrize(("gate", "inputs"), CASES)
every_complex_case = pytest.mark.parametrize(("gate", "inputs"), COMPLEX)


class Function:
    """The gate as a function of those of its inputs that can have a gradient; outputs come as a tuple."""

    def __init__(self, gate, inputs):
        self.gate, self.inputs = gate, inputs
        self.places = [place for place, x in enumerate(inputs) if is_differentiable(x)]
        self.xs = [inputs[place] for place in self.places]

    def __call__(self, *xs):
        arguments = list(self.inputs)
        for place, x in zip(self.places, xs, strict=True):
            arguments[place] = x
        z = self.gate.fresh()(*arguments)
        return z if isinstance(z, tuple) else (z,)

    def upstream(self, seed=1):
        """A random upstream gradient for each output."""
        return like(self(*self.xs), seed)

    def gradient(self, *xs, dz):
        """The gradient of Σ z · dz with respect to each of `xs`."""
        return gg.vjp(self, *xs)[1](dz)


def is_differentiable(x):
    return isinstance(x, (float, np.complex128)) or (isinstance(x, np.ndarray) and x.dtype.kind in "fc")


def like(values, seed):
    """Random numbers in the shapes of `values`, complex where they are."""
    rng = np.random.default_rng(seed)

    def draw(x):
        drawn = rng.uniform(0.5, 1.5, np.shape(x))
        return (drawn + 1j * rng.uniform(0.5, 1.5, np.shape(x)) if np.iscomplexobj(x) else drawn)[()]

    return tuple(draw(x) if np.shape(x) or np.iscomplexobj(x) else float(draw(x)) for x in values)


def project(values, weights):
    return sum(float(np.sum(np.real(np.conj(w) * x))) for x, w in zip(values, weights, strict=True))


def differences(f, xs, weights):
    """Central differences of Re Σ f(xs) · conj(weights), with respect to each element of each input.

    Of a complex element in both directions: the gradient is dL/d Re x + i · dL/d Im x, the direction of steepest ascent.
    """
    gradients = []
    for place, x in enumerate(xs):
        directions = (1.0, 1j) if np.iscomplexobj(x) else (1.0,)
        gradient = np.zeros(np.shape(x), np.result_type(x))
        for index in np.ndindex(np.shape(x)):
            for direction in directions:
                sides = []
                for step in (STEP, -STEP):
                    moved = np.array(x)
                    moved[index] += step * direction
                    moved = moved if np.shape(x) else moved.dtype.type(moved)
                    sides.append(project(f(*xs[:place], moved, *xs[place + 1 :]), weights))
                gradient[index] += direction * (sides[0] - sides[1]) / (2 * STEP)
        gradients.append(gradient)
    return gradients


def assert_all_close(actual, expected, rtol=1e-6, atol=1e-7):
    for x, y in zip(actual, expected, strict=True):
        assert np.shape(x) == np.shape(y)
        np.testing.assert_allclose(x, y, rtol=rtol, atol=atol)


# --- what a gate is ---------------------------------------------------------------------------------------------


@every_gate
def test_the_docstring_is_a_formula_and_the_pattern(cls):
    assert re.match(r"[\w, ]+ = ", cls.__doc__), "start with the formula: z = ..."
    assert cls.pattern and cls.pattern in cls.__doc__.lower(), "name the pattern, and what happens to the gradient"


@every_gate
def test_there_are_examples(cls):
    examples = list(cls.examples(np.random.default_rng(0)))
    assert any(is_differentiable(x) for _, inputs in examples for x in inputs)


# --- values and gradients ---------------------------------------------------------------------------------------


@every_case
def test_value_is_that_of_the_ufunc(gate, inputs):
    z = gate.fresh()(*inputs)
    if gate.ufunc is not None:
        np.testing.assert_allclose(z, gate.ufunc(*inputs), rtol=1e-14)
        if isinstance(inputs[0], np.ndarray):
            recorded = gate.ufunc(gg.variable(inputs[0]), *inputs[1:])
            assert type(recorded.gate) is type(gate)
            np.testing.assert_array_equal(recorded.value, z)


@every_case
def test_gradient_is_that_of_central_differences(gate, inputs):
    f = Function(gate, inputs)
    dz = f.upstream()
    assert_all_close(f.gradient(*f.xs, dz=dz), differences(f, f.xs, dz))


@every_case
def test_second_order_is_that_of_central_differences(gate, inputs):
    f = Function(gate, inputs)
    dz, weights = f.upstream(), like(f.xs, seed=2)

    def gradient(*xs):
        return f.gradient(*xs, dz=dz)

    _, pullback = gg.vjp(gradient, *f.xs)
    assert_all_close(pullback(weights), differences(gradient, f.xs, weights), atol=1e-6)


# --- complex numbers ----------------------------------------------------------------------------------------------


def turned(x):
    """A real input turned a little in the complex plane; what is complex already, or has no gradient, as it is."""
    if not is_differentiable(x) or np.iscomplexobj(x):
        return x
    angles = np.random.default_rng(7).uniform(0.2, 0.5, np.shape(x))
    return np.asarray(x * np.exp(1j * angles))[()]


@every_complex_case
def test_complex_value_is_that_of_the_ufunc(gate, inputs):
    if gate.ufunc is not None:
        inputs = [turned(x) for x in inputs]
        np.testing.assert_allclose(gate.fresh()(*inputs), gate.ufunc(*inputs), rtol=1e-14)


@every_complex_case
def test_complex_gradient_is_that_of_differences_in_both_directions(gate, inputs):
    f = Function(gate, [turned(x) for x in inputs])
    dz = f.upstream()
    assert_all_close(f.gradient(*f.xs, dz=dz), differences(f, f.xs, dz))


@every_complex_case
def test_complex_second_order_is_that_of_differences_in_both_directions(gate, inputs):
    f = Function(gate, [turned(x) for x in inputs])
    dz, weights = f.upstream(), like(f.xs, seed=2)

    def gradient(*xs):
        return f.gradient(*xs, dz=dz)

    _, pullback = gg.vjp(gradient, *f.xs)
    assert_all_close(pullback(weights), differences(gradient, f.xs, weights), atol=1e-6)


@every_complex_case
def test_a_real_input_among_complex_ones_has_a_real_gradient(gate, inputs):
    for place in Function(gate, inputs).places[1:]:
        mixed = [x if n == place else turned(x) for n, x in enumerate(inputs)]
        f = Function(gate, mixed)
        dz = f.upstream()
        assert_all_close(f.gradient(*f.xs, dz=dz), differences(f, f.xs, dz))


@every_complex_case
def test_complex_forward_agrees_with_reverse(gate, inputs):
    """The same real number from both sides: Re Σ conj(dz) · (J dx) is Re Σ conj(gradient) · dx."""
    f = Function(gate, [turned(x) for x in inputs])
    dx, dz = like(f.xs, seed=3), f.upstream()
    _, tangent = gg.jvp(f, f.xs, dx)
    assert [np.result_type(t) for t in tangent] == [np.result_type(z) for z in f(*f.xs)]
    assert project(tangent, dz) == pytest.approx(project(f.gradient(*f.xs, dz=dz), dx), rel=1e-10, abs=1e-12)


@every_complex_case
def test_complex64_stays_complex64(gate, inputs):
    f = Function(gate, [turned(x) for x in inputs])
    single = [np.complex64(x) for x in f.xs]
    z, pullback = gg.vjp(f, *single)
    own = [kind for kind in [getattr(gate, "dtype", None)] if kind is not None]  # a cast says itself what comes out
    allowed = [np.complex64, np.float32, *own, *[np.result_type(kind, 1j) for kind in own]]
    assert all(part.dtype in allowed for part in z)
    gradients = pullback(tuple(w.astype(part.dtype) for w, part in zip(map(np.asarray, f.upstream()), z, strict=True)))
    assert all(dx.dtype == np.complex64 for dx in gradients)


@every_case
def test_forward_agrees_with_reverse(gate, inputs):
    """The dot-product test: dz · (J dx) is (dz J) · dx. And J dx is what central differences say along dx."""
    f = Function(gate, inputs)
    dx, dz = like(f.xs, seed=3), f.upstream()
    z, tangent = gg.jvp(f, f.xs, dx)
    assert_all_close(z, f(*f.xs), rtol=1e-14)
    assert [np.shape(t) for t in tangent] == [np.shape(x) for x in z]
    assert project(tangent, dz) == pytest.approx(project(f.gradient(*f.xs, dz=dz), dx), rel=1e-10, abs=1e-12)
    for number, x in enumerate(f.xs):  # one input alone moves
        alone = [None] * len(f.xs)
        alone[number] = dx[number]
        expected = project([f.gradient(*f.xs, dz=dz)[number]], [dx[number]])
        assert project(gg.jvp(f, f.xs, alone)[1], dz) == pytest.approx(expected, rel=1e-10, abs=1e-12), np.shape(x)


@every_case
def test_forward_over_reverse_is_reverse_over_reverse(gate, inputs):
    f = Function(gate, inputs)
    dx, dz = like(f.xs, seed=3), f.upstream()

    def gradient(*xs):
        return f.gradient(*xs, dz=dz)

    _, pullback = gg.vjp(gradient, *f.xs)
    assert_all_close(gg.jvp(gradient, f.xs, dx)[1], pullback(dx), rtol=1e-9, atol=1e-10)  # a Hessian is symmetric
    _, pullback = gg.vjp(lambda *xs: gg.jvp(f, xs, dx)[1], *f.xs)
    assert_all_close(pullback(dz), gg.jvp(gradient, f.xs, dx)[1], rtol=1e-9, atol=1e-10)


@every_case
def test_gradient_with_respect_to_one_input_alone(gate, inputs):
    f = Function(gate, inputs)
    dz = f.upstream()
    for place, expected in zip(f.places, f.gradient(*f.xs, dz=dz), strict=True):
        alone = Function(gate, inputs)
        alone.places, alone.xs = [place], [inputs[place]]
        assert_all_close(alone.gradient(inputs[place], dz=dz), [expected], rtol=1e-13, atol=1e-15)


@every_case
def test_nobody_computes_what_nobody_needs(gate, inputs):
    for place in Function(gate, inputs).places:
        arguments = list(inputs)
        arguments[place] = gg.variable(inputs[place])
        z = gate.fresh()(*arguments)
        if len(inputs) > 1 and not isinstance(z, tuple):
            (dz,) = like((z.value,), seed=1)
            gradients = z.gate.backward(dz)
            assert all(dx is None or dx is dz for other, dx in enumerate(gradients) if other != place)


@every_case
def test_a_second_backward_is_refused(gate, inputs):
    f = Function(gate, inputs)
    z = f(*map(gg.variable, f.xs))[0]
    (dz,) = like((z.value,), seed=1)
    z.backward(dz)
    with pytest.raises(ReleasedError, match="second time"):
        z.backward(dz)


# --- dtypes and layouts -----------------------------------------------------------------------------------------


@every_case
def test_float32_stays_float32(gate, inputs):
    f = Function(gate, inputs)
    single = [np.complex64(x) if np.iscomplexobj(x) else np.float32(x) for x in f.xs]
    z, pullback = gg.vjp(f, *single)
    for part in z:  # a cast says itself what comes out
        assert part.dtype == getattr(gate, "dtype", np.complex64 if np.iscomplexobj(part) else np.float32)
    gradients = pullback(
        tuple(dz.astype(part.dtype) for dz, part in zip(map(np.asarray, f.upstream()), z, strict=True))
    )
    assert [dx.dtype for dx in gradients] == [x.dtype for x in single]
    assert all(dz.dtype == x.dtype for dz, x in zip(gg.jvp(f, single, single)[1], z, strict=True))
    double = [x.astype(x.dtype.char.upper() if np.iscomplexobj(x) else float) for x in single]
    double = [x if np.shape(x) or np.iscomplexobj(x) else float(x) for x in double]
    assert_all_close(gradients, f.gradient(*double, dz=f.upstream()), rtol=2e-4, atol=1e-4)


@every_case
def test_memory_layout_does_not_matter(gate, inputs):
    f = Function(gate, inputs)
    dz = f.upstream()
    z, gradient = f(*f.xs), f.gradient(*f.xs, dz=dz)
    for arrange in LAYOUTS.values() if any(map(np.shape, f.xs)) else ():
        arranged = [arrange(x) if np.shape(x) else x for x in f.xs]
        arranged_dz = tuple(arrange(x) if np.shape(x) else x for x in dz)
        assert_all_close(f(*arranged), z, rtol=1e-13)
        assert_all_close(f.gradient(*arranged, dz=arranged_dz), gradient, rtol=1e-13, atol=1e-14)


@every_case
def test_inputs_are_left_alone(gate, inputs):
    f = Function(gate, inputs)
    before = [np.array(x) for x in f.xs]
    f.gradient(*f.xs, dz=f.upstream())
    assert_all_close(f.xs, before, rtol=0, atol=0)


@every_case
def test_arrays_without_elements(gate, inputs):
    empty = tuple(x[:0] if isinstance(x, np.ndarray) and x.ndim else x for x in inputs)
    f = Function(gate, empty)
    try:
        dz = f.upstream()
    except (ValueError, IndexError, TypeError, RuntimeWarning):
        # A reduction without an identity, an index that is out of range; an elementwise gate has no such excuse.
        assert not isinstance(gate, gg.Elementwise) or len({np.shape(x) for x in empty}) > 1
        return
    assert [np.shape(dx) for dx in f.gradient(*f.xs, dz=dz)] == [np.shape(x) for x in f.xs]
    assert [np.shape(dz) for dz in gg.jvp(f, f.xs, f.xs)[1]] == [np.shape(z) for z in f(*f.xs)]


@pytest.mark.parametrize(
    ("gate", "inputs"), [case for case in CASES if any(isinstance(x, float) for x in case.values[1])]
)
def test_an_array_without_axes_is_a_number(gate, inputs):
    f = Function(gate, inputs)
    arrays = [np.array(x) for x in f.xs]
    dz = f.upstream()
    assert_all_close(f(*arrays), f(*f.xs), rtol=0, atol=0)
    assert_all_close(f.gradient(*arrays, dz=tuple(map(np.array, dz))), f.gradient(*f.xs, dz=dz), rtol=0, atol=0)


# --- huge and tiny ------------------------------------------------------------------------------------------------

EXTREMES = [(np.float32, np.float64, 1e30), (np.float64, np.longdouble, 1e150)]
"""A dtype, a wider one in which nothing overflows, and a number whose square is or is nearly too large."""

ON_THE_WAY = {
    "Sinc",  # NumPy rounds πx: far out, the sine of that is anything
    "Norm",  # NumPy squares: the value is infinite, or zero
    "Std",  # the same
}
"""Where NumPy's own function over- or underflows before the end, so that no gradient can be right."""


def goes_far(gate, inputs):
    """Whether values are right far out: SciPy's functions of matrices balance, square and reorder, and give up early."""
    is_early = type(gate).__name__ in ON_THE_WAY or "matrix_functions" in type(gate).__module__
    return not is_early and not any(map(np.iscomplexobj, inputs))


@pytest.mark.parametrize(("gate", "inputs"), [case for case in CASES if goes_far(*case.values)])
def test_huge_and_tiny(gate, inputs):
    """What is finite has the gradient that it has with more range, whatever the rule computes on the way."""
    for (dtype, wider, huge), inverse in itertools.product(EXTREMES, (False, True)):
        f = Function(gate, inputs)
        with np.errstate(all="ignore"):
            xs = [dtype(np.asarray(x) / huge if inverse else np.asarray(x) * huge) for x in f.xs]
            z, pullback = gg.vjp(f, *xs)
            if all(np.all(np.isfinite(part)) for part in z):
                dz = tuple(np.asarray(w, np.asarray(part).dtype) for w, part in zip(f.upstream(), z, strict=True))
                assert_as_with_more_range(gate, pullback(dz), gradients_in(wider, f, xs, dz), dtype)


def gradients_in(wider, f, xs, dz):
    """The gradients of the same function at the same place in another dtype; None if NumPy has no such function."""
    try:
        z, pullback = gg.vjp(f, *[np.asarray(x, wider)[()] for x in xs])
    except TypeError:  # there is no linear algebra of long doubles
        return [None] * len(xs)
    return pullback(tuple(np.asarray(w, np.asarray(part).dtype) for w, part in zip(dz, z, strict=True)))


def assert_as_with_more_range(gate, gradients, expected, dtype):
    limits = np.finfo(dtype)
    for dx, exact in zip(gradients, expected, strict=True):
        if exact is None:
            assert np.all(np.isfinite(dx))
        else:
            size = np.abs(exact)
            size = size if isinstance(gate, gg.Elementwise) else np.max(size, initial=0.0)
            representable = np.abs(exact) < limits.max / 16
            off = np.abs(dx - exact) > 1e-3 * size + 8 * float(limits.tiny)
            assert not np.any((off | ~np.isfinite(dx)) & representable), (dx, exact)


# --- broadcasting -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", BINARY, ids=lambda cls: cls.__name__)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(shapes=mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3, max_dims=3), seed=st.integers(0, 99))
def test_the_gradient_of_a_broadcast_input_is_summed(cls, shapes, seed):
    rng = np.random.default_rng(seed)
    xs = [rng.uniform(low, high, shape) for (low, high), shape in zip(cls.domain, shapes.input_shapes, strict=True)]
    dz = rng.normal(size=shapes.result_shape)
    whole = [np.broadcast_to(x, shapes.result_shape).copy() for x in xs]
    _, pullback = gg.vjp(lambda x, y: cls()(x, y), *xs)
    _, pullback_of_whole = gg.vjp(lambda x, y: cls()(x, y), *whole)
    for x, dx, copies in zip(xs, pullback(dz), pullback_of_whole(dz), strict=True):
        places = np.broadcast_to(np.arange(x.size).reshape(x.shape), shapes.result_shape)
        expected = np.bincount(places.ravel(), np.ravel(copies), minlength=x.size).reshape(x.shape)
        np.testing.assert_allclose(dx, expected, rtol=1e-12, atol=1e-12)
