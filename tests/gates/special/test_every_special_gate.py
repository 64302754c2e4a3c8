"""Every gate for a special function, on the domain it brings: value, gradients of first and second order, float32.

The oracle is SciPy for values and central differences in float64 for gradients.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.special

import gategrad as gg
import gategrad.gates.special  # they would come only when they are used
from gategrad.gate import all_gates, ufuncs
from gategrad.gates.special.kind import Special
from tests.gates.layouts import LAYOUTS

GATES = sorted(
    {
        cls
        for cls in all_gates(Special)
        if cls.__module__.startswith("gategrad.gates.special.") and not cls.__subclasses__()
    },
    key=lambda cls: cls.__name__,
)
REAL = [cls for cls in GATES if not cls.complex_valued]  # the others: test_complex.py
STEP = 1e-5

every_gate = pytest.mark.parametrize("cls", REAL, ids=lambda cls: cls.__name__)


class Function:
    """The gate as a function of the inputs that have a gradient, on one of its examples; outputs come as a tuple."""

    def __init__(self, cls, example):
        self.gate, self.inputs = list(cls.examples(np.random.default_rng(0)))[example]
        constant = {*cls.without_slope, *cls.whole}
        self.places = [place for place, name in enumerate(cls.arguments) if name not in constant]
        self.xs = [self.inputs[place] for place in self.places]

    def __call__(self, *xs):
        arguments = list(self.inputs)
        for place, x in zip(self.places, xs, strict=True):
            arguments[place] = x
        z = self.gate.fresh()(*arguments)
        return z if isinstance(z, tuple) else (z,)

    def gradient(self, *xs):
        z, pullback = gg.vjp(self, *xs)
        return pullback(weights(z, 1))


def weights(values, seed):
    rng = np.random.default_rng(seed)
    return tuple(
        rng.uniform(0.5, 1.5, np.shape(z)).astype(z.dtype) if np.shape(z) else float(rng.uniform(0.5, 1.5))
        for z in values
    )


def differences(f, xs, seed):
    """Central differences of Σ f(xs) · weights, with respect to each element of each input."""
    w = weights(f(*xs), seed)
    gradients = []
    for place, x in enumerate(xs):
        gradient = np.zeros(np.shape(x))
        for index in np.ndindex(np.shape(x)):
            sides = []
            for step in (STEP, -STEP):
                moved = np.array(x)
                moved[index] += step
                moved = moved if np.shape(x) else float(moved)
                z = f(*xs[:place], moved, *xs[place + 1 :])
                sides.append(sum(np.sum(part * v) for part, v in zip(z, w, strict=True)))
            gradient[index] = (sides[0] - sides[1]) / (2 * STEP)
        gradients.append(gradient)
    return gradients


def assert_all_close(actual, expected, rtol=1e-6, atol=1e-7):
    for x, y in zip(actual, expected, strict=True):
        assert np.shape(x) == np.shape(y)
        np.testing.assert_allclose(x, y, rtol=rtol, atol=atol)


@pytest.mark.parametrize("cls", GATES, ids=lambda cls: cls.__name__)
def test_the_docstring_is_a_formula_and_the_pattern(cls):
    assert re.match(r"[\w, ]+ = ", cls.__doc__), "start with the formula: z = ..."
    assert cls.pattern in cls.__doc__.lower(), "name the pattern, and what happens to the gradient"


@pytest.mark.parametrize("cls", [cls for cls in REAL if cls.ufunc is not None], ids=lambda cls: cls.__name__)
def test_value_is_that_of_scipy(cls):
    f = Function(cls, example=1)
    expected = cls.ufunc(*f.inputs)
    place = f.places[-1]
    inputs = list(f.inputs)
    inputs[place] = gg.variable(inputs[place])
    z = cls.ufunc(*inputs)  # as a user calls it
    z, expected = (z, expected) if isinstance(z, tuple) else ((z,), (expected,))
    assert_all_close([part.value for part in z], expected, rtol=1e-15, atol=0)
    assert ufuncs[cls.ufunc] is cls


@pytest.mark.parametrize("example", [0, 1], ids=["numbers", "arrays"])
@every_gate
def test_gradients_of_both_orders_are_those_of_central_differences(cls, example):
    f = Function(cls, example)
    first = f.gradient(*f.xs)
    assert_all_close(first, differences(f, f.xs, seed=1))
    _, pullback = gg.vjp(f.gradient, *f.xs)
    assert_all_close(pullback(weights(first, 2)), differences(f.gradient, f.xs, seed=2), atol=1e-6)


@every_gate
def test_forward_mode_is_the_transpose_of_reverse_mode(cls):
    f = Function(cls, example=1)
    tangents = tuple(np.cos(np.arange(np.size(x))).reshape(np.shape(x)) for x in f.xs)
    z, dz = gg.jvp(f, f.xs, tangents)
    assert_all_close(z, f(*f.xs), rtol=1e-15)
    forward = sum(np.sum(part * w) for part, w in zip(dz, weights(z, 1), strict=True))
    backward = sum(np.sum(g * dx) for g, dx in zip(f.gradient(*f.xs), tangents, strict=True))
    np.testing.assert_allclose(forward, backward, rtol=1e-12)


@every_gate
def test_nobody_computes_what_nobody_needs(cls):
    f = Function(cls, example=1)
    for place in f.places:
        inputs = list(f.inputs)
        inputs[place] = gg.variable(inputs[place])
        z = cls()(*inputs)
        if not isinstance(z, tuple):
            gradients = z.gate.backward(np.ones(z.shape))
            assert [dx is not None for dx in gradients] == [other == place for other in range(len(inputs))]


NOT_IN_FLOAT32 = {
    *("MathieuCem", "MathieuSem"),  # SciPy answers NaN in float32
    *("Bdtr", "Bdtrc", "Bdtri"),  # SciPy takes the number of trials for a float, and warns
}
IN_FLOAT32 = [cls for cls in REAL if cls.__name__ not in NOT_IN_FLOAT32]


@pytest.mark.parametrize("cls", IN_FLOAT32, ids=lambda cls: cls.__name__)
def test_float32_stays_float32(cls):
    """Where SciPy's answer is float32: with an order in float64, or an integer one, it may be float64."""
    f = Function(cls, example=1)
    single = [x.astype(np.float32) for x in f.xs]
    z, pullback = gg.vjp(f, *single)
    dtypes = {part.dtype for part in f(*single)}
    assert {part.dtype for part in z} == dtypes
    assert dtypes == {np.dtype(np.float32)} or len(single) < len(f.inputs)
    gradients = pullback(weights(z, 1))
    assert all(dx.dtype == np.float32 for dx in gradients)
    expected = f.gradient(*[x.astype(np.float64) for x in single])
    assert_all_close(gradients, expected, rtol=2e-4, atol=1e-4)


@every_gate
def test_memory_layout_does_not_matter(cls):
    f = Function(cls, example=1)
    expected = f.gradient(*f.xs)
    for arrange in LAYOUTS.values():
        assert_all_close(f.gradient(*[arrange(x) for x in f.xs]), expected, rtol=1e-12, atol=1e-14)


@every_gate
def test_an_array_without_axes_is_a_number(cls):
    f = Function(cls, example=0)
    assert_all_close(f.gradient(*map(np.array, f.xs)), f.gradient(*f.xs), rtol=0, atol=0)


@every_gate
def test_arrays_without_elements(cls):
    f = Function(cls, example=1)
    empty = [np.zeros((0, 3)) if np.ndim(x) == 2 else x for x in f.xs]
    f.inputs = tuple(np.zeros((0, 3)) if np.ndim(x) == 2 else x for x in f.inputs)
    assert [np.shape(dx) for dx in f.gradient(*empty)] == [np.shape(x) for x in empty]


def test_every_ufunc_has_a_gate_or_a_reason():
    from gategrad.gates.special.missing import WITHOUT_GATE

    names = {name for name in scipy.special.__all__ if isinstance(getattr(scipy.special, name), np.ufunc)}
    without = {name for name in names if getattr(scipy.special, name) not in ufuncs}
    assert without == set(WITHOUT_GATE) & names
