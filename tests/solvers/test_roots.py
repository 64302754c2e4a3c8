"""Roots and fixed points: the Jacobian that SciPy gets, and the derivative of the solution."""

import numpy as np
import pytest
import scipy.optimize

import gategrad as gg
from gategrad.errors import NoRuleError
from gategrad.scipy import optimize


def meeting(x, r):
    """A circle and a diagonal, which meet at (r, r) / √2."""
    return [x[0] ** 2 + x[1] ** 2 - r * r, x[0] - x[1]]


@pytest.mark.parametrize("method", ["hybr", "lm", "broyden1", "df-sane"])
def test_every_way_has_the_same_gradient(method):
    solve = gg.jacobian(lambda r: optimize.root(meeting, [1.0, 2.0], (r,), method, tol=1e-12).x)
    np.testing.assert_allclose(solve(3.0), np.full(2, np.sqrt(0.5)), rtol=1e-10)


def test_the_jacobian_is_supplied():
    ours, theirs = (module.root(meeting, [1.0, 2.0], (3.0,)) for module in (optimize, scipy.optimize))
    assert ours.nfev < theirs.nfev
    given = optimize.root(lambda x: x**2 - 4, np.ones(2), jac=lambda x: np.diag(2 * x))
    both = optimize.root(lambda x: (x**2 - 4, np.diag(2 * x)), np.ones(2), jac=True)
    np.testing.assert_allclose([given.x, both.x], 2.0)
    np.testing.assert_allclose(optimize.fsolve(lambda x: x**2 - 4, [1.0], fprime=lambda x: np.diag(2 * x)), 2.0)
    x, report, flag, _ = optimize.fsolve(lambda x: x**2 - gg.variable(4.0), 1.0, full_output=True)
    assert isinstance(x, gg.Variable) and flag == 1 and report["nfev"] > 0


def test_containers():
    def equations(q, a):
        return {"u": q["u"] - a, "v": q["v"] - a * q["u"]}

    found = optimize.root(equations, {"u": 0.3, "v": np.zeros(2)}, (3.0,))
    assert found.x["u"] == pytest.approx(3.0)
    slope = gg.grad(lambda a: optimize.root(equations, {"u": 0.3, "v": np.zeros(2)}, (a,)).x["v"][1])
    assert slope(3.0) == pytest.approx(6.0)


@pytest.mark.parametrize("name", ["brentq", "brenth", "bisect", "ridder", "toms748"])
def test_between_two_numbers(name):
    find = getattr(optimize, name)
    assert gg.grad(lambda a: find(lambda x: x**3 - a, 0.0, 3.0))(8.0) == pytest.approx(1 / 12)
    x, report = find(lambda x, a: x**3 - a, 0.0, 3.0, (gg.variable(8.0),), full_output=True)
    assert isinstance(x, gg.Variable) and report.converged
    assert find(lambda x: x**3 - 8.0, 0.0, 3.0) == getattr(scipy.optimize, name)(lambda x: x**3 - 8.0, 0.0, 3.0)
    assert find.__name__ == name and name in find.__doc__


@pytest.mark.parametrize("options", [
    {"bracket": (0.0, 3.0)}, {"x0": 1.0}, {"x0": 1.0, "x1": 3.0, "method": "secant"}, {"x0": 1.0, "method": "newton"},
    {"x0": 1.0, "method": "halley"}, {"x0": 1.0, "fprime": lambda x: 3 * x * x, "method": "newton"},
])  # fmt: skip
def test_root_scalar(options):
    assert gg.grad(lambda a: optimize.root_scalar(lambda x: x**3 - a, **options).root)(8.0) == pytest.approx(1 / 12)


def test_newton_of_an_array():
    a = np.array([4.0, 9.0])
    curvature = gg.hessian(lambda a: np.sum(optimize.newton(lambda x: x * x - a, np.array([1.0, 2.0]))))(a)
    np.testing.assert_allclose(curvature, np.diag(-0.25 * a**-1.5), rtol=1e-7)
    _, converged, flat = optimize.newton(lambda x: x * x - a, np.ones(2), full_output=True)
    assert converged.all() and not flat.any()


def test_a_complex_root():
    """z² = −c: of z = i √c, Im z moves by 1 / (2 √c)."""
    slope = gg.grad(lambda c: np.imag(optimize.newton(lambda z: z * z + c, 0.1 + 1j, tol=1e-14)))
    assert slope(4.0) == pytest.approx(0.25)


def test_fixed_points():
    """x = √(a + x): of x² − x − a, 1 / (2x − 1)."""
    a = np.array([[2.0], [6.0]])
    slope = gg.grad(lambda a: np.sum(optimize.fixed_point(lambda x: np.sqrt(a + x), np.ones((2, 1)))))(a)
    np.testing.assert_allclose(slope, [[1 / 3], [1 / 5]], rtol=1e-6)
    assert optimize.fixed_point(np.cos, 0.5) == scipy.optimize.fixed_point(np.cos, 0.5)
    assert (
        gg.grad(lambda a: optimize.fixed_point(lambda x, a: np.cos(a * x), 0.5, (a,)))(np.float32(1)).dtype
        == np.float32
    )


def test_what_is_refused():
    with pytest.raises(NoRuleError, match=r"root has no gradient in tol=: pass its \.value"):
        optimize.root(meeting, [1.0, 2.0], (3.0,), tol=gg.variable(1e-6))
