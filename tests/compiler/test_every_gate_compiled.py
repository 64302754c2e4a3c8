"""Every registered gate, compiled: value, gradient, second order and forward mode equal those of the eager engine.

LLVM takes most of the time, so by default it optimises the first examples of each gate in float64, and translates the
rest as it is. With `-m slow` it optimises them all.
"""

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.passes import optimise
from gategrad.compiler.program.verify import verify
from gategrad.compiler.trace.tracing import trace
from gategrad.gate import all_gates
from gategrad.values import spec_of

pytest.importorskip("llvmlite")

CASES = [
    pytest.param(gate, number, id=f"{gate.__name__}-{number}")
    for gate in sorted(set(all_gates()), key=lambda gate: gate.__name__)
    if gate.__module__.startswith("gategrad.gates.")
    and not gate.__module__.startswith("gategrad.gates.special")  # they have tests/gates/special/
    and hasattr(gate, "examples")
    for number in range(len(list(gate.examples(np.random.default_rng(0)))))
]


def example(gate, number, dtype):
    made, inputs = list(gate.examples(np.random.default_rng(0)))[number]
    if dtype == np.float32:
        inputs = tuple(x.astype(dtype) if getattr(x, "dtype", None) == np.float64 else x for x in inputs)
    return made, inputs


def has_gradient(x):
    return type(x) is float or (type(x) is not bool and x.dtype.kind in "fc")


def seed(z, wave):
    """An upstream gradient for `z`, in its dtype; a tuple for a gate with several outputs."""
    if isinstance(z, tuple):
        return tuple(seed(part, wave) for part in z)
    if not np.shape(z):
        return 0.7 * z**0
    return wave(np.arange(np.size(z)) + 0.5).reshape(np.shape(z)).astype(z.dtype)


def functions(gate):
    """The value, its gradient and the gradient of that; integers and truth values are given but not differentiated."""

    def value(*xs):
        return gate.fresh()(*xs)

    def first(*xs):
        def of_floats(*floats):
            rest = iter(floats)
            return value(*[next(rest) if has_gradient(x) else x for x in xs])

        z, pullback = gg.vjp(of_floats, *[x for x in xs if has_gradient(x)])
        return pullback(seed(z, np.cos))

    def second(*xs):
        def of_floats(*floats):
            rest = iter(floats)
            return first(*[next(rest) if has_gradient(x) else x for x in xs])

        zs, pullback = gg.vjp(of_floats, *[x for x in xs if has_gradient(x)])
        return pullback(tuple(seed(z, np.sin) for z in zs))

    return value, first, second


FIRST_EXAMPLES = [
    pytest.param(*case.values, id=case.id, marks=[pytest.mark.slow] if case.values[1] > 1 else []) for case in CASES
]


OTHER_EXAMPLES = [case for case in CASES if case.values[1] > 1]


@pytest.mark.parametrize(("gate", "number"), [case for case in CASES if case.values[1] <= 1])
def test_compiled_equals_eager(gate, number):
    """The value and both orders in one program, which takes half the time of three."""
    compare_compiled(gate, number, np.float64)


@pytest.mark.parametrize(("gate", "number"), OTHER_EXAMPLES)
def test_other_examples_compiled_equal_eager(gate, number, unoptimised):
    compare_compiled(gate, number, np.float64)


@pytest.mark.parametrize(("gate", "number"), FIRST_EXAMPLES)
def test_compiled_equals_eager_in_float32(gate, number, unoptimised):
    compare_compiled(gate, number, np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["f64", "f32"])
@pytest.mark.parametrize(("gate", "number"), CASES)
def test_each_order_in_its_own_program(gate, number, dtype, order):
    compare_compiled(gate, number, dtype, order)


def compare_compiled(gate, number, dtype, order=None):
    made, inputs = example(gate, number, dtype)
    orders = functions(made)
    f = (lambda *xs: tuple(g(*xs) for g in orders)) if order is None else orders[order]
    expected = f(*inputs)
    found = gg.compile(f)(*inputs)
    tolerance = 1e-11 if dtype == np.float64 else 1e-4
    compare(found, expected, tolerance)


@pytest.mark.parametrize(("gate", "number"), FIRST_EXAMPLES)
def test_forward_mode_compiled_equals_eager(gate, number, unoptimised):
    compare_forward_mode(gate, number)


@pytest.mark.slow
@pytest.mark.parametrize(("gate", "number"), CASES)
def test_forward_mode_compiled_and_optimised_equals_eager(gate, number):
    compare_forward_mode(gate, number)


def compare_forward_mode(gate, number):
    made, inputs = example(gate, number, np.float64)
    value, *_ = functions(made)

    def forward(*xs):
        def of_floats(*floats):
            rest = iter(floats)
            return value(*[next(rest) if has_gradient(x) else x for x in xs])

        floats = [x for x in xs if has_gradient(x)]
        return gg.jvp(of_floats, floats, [seed(x, np.sin) for x in floats])[1]

    compare(gg.compile(forward)(*inputs), forward(*inputs), 1e-11)


COMPLEX = [pytest.param(*case.values, id=case.id) for case in CASES if case.values[0].takes_complex]
FIRST_COMPLEX = [case for case in COMPLEX if case.values[1] == 0]


def complex_case(gate, number):
    """The value and both orders of a gate as one function, and inputs that are turned in the complex plane."""
    made, inputs = example(gate, number, np.float64)
    orders = functions(made)
    fixed = {place: x for place, x in enumerate(inputs) if type(x) is bool}  # part of the program

    def f(*given):
        rest = iter(given)
        xs = [fixed[place] if place in fixed else next(rest) for place in range(len(inputs))]
        return tuple(g(*xs) for g in orders)

    return f, [turned(x) for x in inputs if type(x) is not bool]


def turned(x):
    if not has_gradient(x) or np.iscomplexobj(x):
        return x
    return np.asarray(x * np.exp(1j * np.random.default_rng(7).uniform(0.2, 0.5, np.shape(x))))[()]


@pytest.mark.parametrize(("gate", "number"), COMPLEX)
def test_programs_of_complex_numbers_equal_eager(gate, number):
    f, inputs = complex_case(gate, number)
    names = [f"x{n}" for n in range(len(inputs))]
    program, rebuild = trace(f, lambda xs: (xs, {}), list(map(spec_of, inputs)), names, "f")
    program = optimise(program)
    verify(program)
    compare(rebuild(program(*inputs)), f(*inputs), 1e-11)


@pytest.mark.slow
@pytest.mark.parametrize(("gate", "number"), FIRST_COMPLEX)
def test_native_code_of_complex_numbers_equals_eager(gate, number):
    f, inputs = complex_case(gate, number)
    compare(gg.compile(f)(*inputs), f(*inputs), 1e-11)


def compare(found, expected, tolerance):
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            compare(a, b, tolerance)
        return
    assert np.shape(found) == np.shape(expected)
    assert np.asarray(found).dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
