"""quad: Leibniz's rule, to any order, against closed forms."""

import numpy as np
import pytest
import scipy.integrate
import scipy.special

import gategrad as gg
from gategrad.errors import GateError, NoRuleError
from gategrad.scipy import integrate


def wave(a, b, p):
    return integrate.quad(lambda x: np.exp(-p[0] * x) * np.sin(p[1] * x), a, b)[0]


def closed(a, b, p):
    def antiderivative(x):
        return np.exp(-p[0] * x) * (-p[0] * np.sin(p[1] * x) - p[1] * np.cos(p[1] * x)) / (p[0] ** 2 + p[1] ** 2)

    return antiderivative(b) - antiderivative(a)


POINT = (0.2, 2.0, np.array([0.7, 1.3]))


def test_gradient_and_hessian():
    for found, expected in zip(gg.grad(wave, (0, 1, 2))(*POINT), gg.grad(closed, (0, 1, 2))(*POINT), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    for found, expected in zip(gg.hessian(wave, (0, 1, 2))(*POINT), gg.hessian(closed, (0, 1, 2))(*POINT), strict=True):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def test_forward_mode():
    tangents = (0.3, -0.2, np.array([1.0, 2.0]))
    assert gg.jvp(wave, POINT, tangents)[1] == pytest.approx(gg.jvp(closed, POINT, tangents)[1], rel=1e-12)


def test_an_infinite_limit_to_third_order():
    """Γ(s) = ∫ x^{s−1} e^{−x} dx: its third derivative is that of SciPy's."""

    def thrice(f):
        return gg.grad(gg.grad(gg.grad(f)))(2.5)

    found = thrice(lambda s: integrate.quad(lambda x: x ** (s - 1) * np.exp(-x), 0, np.inf)[0])
    assert found == pytest.approx(thrice(scipy.special.gamma), rel=1e-8)


def test_integrals_within_integrals():
    """∫∫ e^{pxy}: its slope is the double integral of x y e^{pxy}."""
    slope = gg.grad(lambda p: integrate.quad(lambda y: integrate.quad(lambda x: np.exp(p * x * y), 0, 1)[0], 0, 1)[0])
    expected, _ = scipy.integrate.dblquad(lambda x, y: x * y * np.exp(0.5 * x * y), 0, 1, 0, 1)
    assert slope(0.5) == pytest.approx(expected, rel=1e-8)


def test_the_slope_has_an_accuracy_of_its_own():
    """At p = 0 the integrand is 0 everywhere, which takes no care at all to integrate; its slope √|x − 1/3| does."""
    slope = gg.grad(lambda p: integrate.quad(lambda x: p * np.sqrt(np.abs(x - 1 / 3)), 0, 1, points=[1 / 3])[0])(0.0)
    assert slope == pytest.approx((2 / 3) * ((1 / 3) ** 1.5 + (2 / 3) ** 1.5), abs=1e-7)


def test_values_and_errors_are_scipys():
    expected = scipy.integrate.quad(np.cos, 0.0, 1.0)
    assert integrate.quad(np.cos, 0.0, 1.0) == expected
    assert len(integrate.quad(np.cos, 0.0, 1.0, full_output=True)) == 3
    value, error = integrate.quad(np.cos, 0.0, gg.variable(1.0))
    assert (value.value, error) == expected
    assert integrate.quad(lambda x, p: p * x, 0, 1, args=(np.float32(2),))[0] == pytest.approx(1.0)
    assert gg.grad(lambda p: integrate.quad(lambda x: p * x, 0, 1)[0])(np.float32(2)).dtype == np.float32


HIDDEN = gg.variable(2.0)


@pytest.mark.parametrize("args", [(), (gg.variable(1.0),)])
def test_a_variable_that_nobody_has_named(args):
    with pytest.raises(GateError, match=r"neither among args nor in its closure.*make it an argument"):
        integrate.quad(lambda x, *more: HIDDEN * x, 0, 1, args)


def test_what_is_refused():
    v = gg.variable(1.0)
    with pytest.raises(NoRuleError, match=r"takes no weight=: write the weight into the function"):
        integrate.quad(lambda x: v * x, 0, 1, weight="cos", wvar=2.0)
    with pytest.raises(NoRuleError, match="takes no full_output="):
        integrate.quad(lambda x: v * x, 0, 1, full_output=1)
    with pytest.raises(NoRuleError, match="dblquad of a variable has no gate: nest quad"):
        integrate.dblquad(lambda x, y: x * y, 0, v, 0, 1)
