"""Solvers in compiled functions: the same numbers and gradients, by a host call."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.scipy import integrate, optimize

pytest.importorskip("llvmlite")

CASES = {
    "brentq": (lambda a: optimize.brentq(lambda x: x * x - a, 0.0, 4.0), 4.0),
    "root": (lambda a: optimize.root(lambda x, a: [x[0] - a, x[1] - a * x[0]], np.ones(2), (a,)).x[1], 2.0),
    "root_scalar": (lambda a: optimize.root_scalar(lambda x: x * x - a, bracket=(0, 4)).root, 4.0),
    "minimize": (lambda a: optimize.minimize(lambda x: (x["u"] - a) ** 2 + np.exp(x["u"] * a), {"u": 0.0}).x["u"], 0.8),
    "minimize_scalar": (lambda a: optimize.minimize_scalar(lambda x: (x - a) ** 2).x, 0.8),
    "least_squares": (lambda a: optimize.least_squares(lambda x: x - a, [1.0]).cost, np.array([1.0, 2.0, 4.0])),
    "curve_fit": (
        lambda y: optimize.curve_fit(lambda x, p, q: p * x + q, np.arange(4.0), y)[0][0],
        np.arange(4.0) ** 2,
    ),
    "solve_ivp": (
        lambda a: integrate.solve_ivp(lambda t, y: -a * y, (0.0, 1.0), [1.0], t_eval=[0.5, 1.0]).y[0, -1],
        0.8,
    ),
    "odeint": (lambda a: integrate.odeint(lambda y, t: -a * y, [1.0], [0.0, 1.0])[-1, 0], 0.8),
    "quad": (lambda a: integrate.quad(lambda x: np.exp(a * x), 0.0, 1.0)[0], 0.8),
}


@pytest.mark.parametrize("name", CASES)
def test_compiled_is_eager(name):
    f, x = CASES[name]
    value, gradient = gg.value_and_grad(f)(x)
    for found in (gg.compile(gg.value_and_grad(f))(x), gg.value_and_grad(gg.compile(f))(x)):
        assert found[0] == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(found[1], gradient, rtol=1e-10)


def test_second_order():
    f, x = CASES["brentq"]
    assert gg.compile(gg.grad(gg.grad(f)))(x) == pytest.approx(-1 / 32)
