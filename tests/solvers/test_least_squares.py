"""Least squares and curves: against SciPy's values, against differences, and against the closed form of a line."""

import numpy as np
import pytest
import scipy.optimize

import gategrad as gg
from gategrad.errors import NoGradientError, NoRuleError
from gategrad.scipy import optimize

TIMES = np.linspace(0.0, 2.0, 8)
NOISE = np.array([0.03, -0.05, 0.02, 0.31, -0.04, 0.01, -0.02, 0.03])
HEIGHTS = 2.5 * np.exp(-1.3 * TIMES) + NOISE
TIGHT = {"ftol": 1e-14, "xtol": 1e-14, "gtol": 1e-14}


def decay(t, a, b):
    return a * np.exp(-b * t)


def differences(f, x, h=1e-4):
    return np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))], axis=-1)


@pytest.mark.parametrize(
    "loss",
    ["linear", "soft_l1", "huber", "cauchy", "arctan", lambda z: np.stack([z**0.9, 0.9 * z**-0.1, -0.09 * z**-1.1])],
)
def test_every_loss(loss):
    def fit(y):
        return optimize.least_squares(lambda p: decay(TIMES, *p) - y, [2.0, 1.0], loss=loss, f_scale=0.1, **TIGHT)

    theirs = scipy.optimize.least_squares(
        lambda p: decay(TIMES, *p) - HEIGHTS, [2.0, 1.0], loss=loss, f_scale=0.1, **TIGHT
    )
    np.testing.assert_allclose(fit(HEIGHTS).x, theirs.x, rtol=1e-6)
    v = fit(gg.variable(HEIGHTS))
    assert v.cost.value == pytest.approx(theirs.cost, rel=1e-10)
    np.testing.assert_allclose(v.fun.value, theirs.fun, atol=1e-6)
    slope = gg.jacobian(lambda y: fit(y).x)(HEIGHTS)
    np.testing.assert_allclose(slope, differences(lambda y: fit(y).x, HEIGHTS), rtol=0, atol=2e-3)


def test_a_line():
    """Slope Σ x y / Σ x², of centred x: its gradient is x / Σ x², its variance s² / Σ x²."""
    x = np.array([-1.5, -0.5, 0.5, 1.5])
    y = np.array([0.1, 0.9, 2.2, 2.8])

    def line(x, a, b):
        return a * x + b

    slope = gg.grad(lambda y: optimize.curve_fit(line, x, y)[0][0])(y)
    np.testing.assert_allclose(slope, x / np.sum(x * x), rtol=1e-6)
    rest = y - line(x, *np.polyfit(x, y, 1))
    gradient = gg.grad(lambda y: optimize.curve_fit(line, x, y)[1][0, 0])(y)
    np.testing.assert_allclose(gradient, rest / np.sum(x * x), atol=1e-7)  # of Σ rest² / 2 / Σ x²


@pytest.mark.parametrize("sigma", [None, 0.1 + 0.1 * TIMES, np.diag(0.1 + TIMES) + 0.05])
def test_values_are_scipys(sigma):
    ours, theirs = (module.curve_fit(decay, TIMES, HEIGHTS, [2.0, 1.0], sigma) for module in (optimize, scipy.optimize))
    tracked = optimize.curve_fit(decay, TIMES, gg.variable(HEIGHTS), [2.0, 1.0], sigma)
    for found in (ours, [z.value for z in tracked]):
        np.testing.assert_allclose(found[0], theirs[0], rtol=1e-6)
        np.testing.assert_allclose(found[1], theirs[1], rtol=1e-4)


def test_deviations_and_places_have_gradients():
    def fit(x, sigma):
        return optimize.curve_fit(decay, x, HEIGHTS, [2.5, 1.3], sigma, **TIGHT)[0][1]

    for n, f in enumerate((lambda x: fit(x, 0.1 + TIMES), lambda s: fit(TIMES, s))):
        at = (TIMES, 0.1 + TIMES)[n]
        np.testing.assert_allclose(gg.grad(f)(at), differences(f, at), rtol=0, atol=1e-3)


def test_options():
    found = optimize.curve_fit(decay, TIMES, gg.variable(HEIGHTS), bounds=([0, 0], [9, 1.0]), check_finite=True)
    np.testing.assert_allclose(
        gg.jacobian(lambda y: optimize.curve_fit(decay, TIMES, y, bounds=([0, 0], [9, 1.0]))[0])(HEIGHTS)[1], 0
    )
    assert found[0].value[1] == pytest.approx(1.0, abs=1e-4)
    assert len(optimize.curve_fit(decay, TIMES, gg.variable(HEIGHTS), full_output=True)) == 5
    assert optimize.least_squares(lambda q: [q["a"] - 1, q["b"][0] - 2], {"a": 0.0, "b": np.zeros(1)}).x[
        "a"
    ] == pytest.approx(1)
    assert optimize.least_squares(lambda x, k=0.0: x - k, [0.0], kwargs={"k": 2.0}).x[0] == pytest.approx(2.0)


def test_what_is_refused():
    with pytest.raises(NoRuleError, match=r"curve_fit has no gradient in p0="):
        optimize.curve_fit(decay, TIMES, HEIGHTS, gg.variable([2.0, 1.0]))
    with pytest.raises(NoRuleError, match=r"least_squares has no gradient in bounds="):
        optimize.least_squares(lambda x: x, [0.5], bounds=(gg.variable(0.0), 1.0))
    with pytest.raises(NoGradientError, match="this fit has no gradient here.*singular"):
        gg.grad(lambda y: optimize.curve_fit(lambda x, a, b: (a + b) * x, TIMES, y)[0][0])(HEIGHTS)
