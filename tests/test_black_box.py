"""BlackBox: gates that only know how to run, differentiated by central differences because they ask for it."""

from __future__ import annotations

import math

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import DtypeError

DIGAMMA_OF_2 = 0.42278433509846713
TRIGAMMA_OF_2 = 0.6449340668482264


class Gamma(gg.BlackBox):
    """z = Γ(x), by a function of C that takes floats alone."""

    symbol = "Γ"

    def forward(self, x):
        return math.gamma(x)


class Wave(gg.BlackBox):
    """Two outputs of two arrays and a constant."""

    def __init__(self, rate=2.0):
        self.rate = rate

    def forward(self, x, n, y):
        assert type(x) is np.ndarray
        return np.sin(self.rate * x) * y, np.sum(x) * n


def gamma(x):
    return Gamma()(x)


def wave(x, y):
    return Wave(rate=3.0)(x, 2, y)


def wave_of_gates(x, y):
    return np.sin(3.0 * x) * y, np.sum(x) * 2


X, Y = np.array([0.1, -0.4]), 1.5


def test_first_and_second_order():
    assert gg.grad(gamma)(2.0) == pytest.approx(DIGAMMA_OF_2, rel=1e-9)
    assert gg.jvp(gamma, (2.0,), (2.0,))[1] == pytest.approx(2 * DIGAMMA_OF_2, rel=1e-9)
    second = TRIGAMMA_OF_2 + DIGAMMA_OF_2**2
    assert gg.grad(gg.grad(gamma))(2.0) == pytest.approx(second, rel=1e-4)
    assert gg.hessian(gamma)(2.0) == pytest.approx(second, rel=1e-4)
    assert gg.grad(lambda x: gg.jvp(gamma, (x,), (1.0,))[1])(2.0) == pytest.approx(second, rel=1e-4)


def test_several_inputs_and_outputs():
    dz = (np.array([1.0, 10.0]), 100.0)
    for found, expected in zip(gg.vjp(wave, X, Y)[1](dz), gg.vjp(wave_of_gates, X, Y)[1](dz), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-8)
    for found, expected in zip(
        gg.jvp(wave, (X, Y), (X, 1.0))[1], gg.jvp(wave_of_gates, (X, Y), (X, 1.0))[1], strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-8)
    np.testing.assert_allclose(gg.grad(lambda x: wave(x, Y)[1])(X), [2.0, 2.0], rtol=1e-9)  # one output unused
    np.testing.assert_allclose(gg.jacobian(lambda y: wave(X, y)[0])(Y), np.sin(3 * X), rtol=1e-8)


def test_how_often_it_runs():
    runs = []

    class Counted(gg.BlackBox):
        def forward(self, x):
            runs.append(1)
            return np.sum(x * x)

    f = lambda x: Counted()(x)
    gg.grad(f)(np.ones(5))
    assert len(runs) == 1 + 2 * 5
    runs.clear()
    gg.jvp(f, (np.ones(5),), (np.ones(5),))
    assert len(runs) == 1 + 2
    runs.clear()
    f(np.ones(5))
    assert len(runs) == 1


def test_a_step_of_ones_own():
    class Rounded(gg.BlackBox):
        step = 0.5

        def forward(self, x):
            return np.floor(10 * x) / 10

    assert gg.grad(lambda x: Rounded()(x))(3.0) == pytest.approx(1.0, rel=0.1)


def test_large_values_take_large_steps():
    class Square(gg.BlackBox):
        def forward(self, x):
            return x * x

    for x in (1e-6, 1.0, 1e8):
        assert gg.grad(lambda x: Square()(x))(x) == pytest.approx(2 * x, rel=1e-8)


def test_float32():
    dx = gg.grad(lambda x: np.sum(Wave()(x, 1, np.float32(1))[0]))(X.astype(np.float32))
    assert dx.dtype == np.float32
    np.testing.assert_allclose(dx, 2 * np.cos(2 * X), rtol=1e-3)


def test_compiled():
    pytest.importorskip("llvmlite")
    for f in (gg.compile(gg.grad(gamma)), gg.grad(gg.compile(gamma))):
        assert f(2.0) == pytest.approx(DIGAMMA_OF_2, rel=1e-9)
    assert gg.compile(lambda x: gg.jvp(gamma, (x,), (1.0,)))(2.0)[1] == pytest.approx(DIGAMMA_OF_2, rel=1e-9)
    assert "callback" in str(gg.compile(gamma).program(2.0))
    assert gg.compile(gg.hessian(gamma))(2.0) == pytest.approx(TRIGAMMA_OF_2 + DIGAMMA_OF_2**2, rel=1e-4)


def test_complex_numbers_are_refused():
    class Any(gg.BlackBox):
        def forward(self, x):
            return x

    with pytest.raises(DtypeError, match="Any is a black box, but an input is a complex128 array"):
        Any()(np.ones(2) * 1j)


def test_it_is_drawn_dashed():
    x = gg.variable(2.0, name="x")
    z = gamma(x * 1.0)
    z.backward()
    circuit = gg.circuit(z)
    assert "(┄Γ┄)" in str(circuit)
    drawing = circuit.svg()
    assert drawing.count('class="gg-gate gg-black-box"') == 1 and ".gg-black-box rect { stroke-dasharray" in drawing
