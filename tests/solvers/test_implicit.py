"""The implicit function theorem on nested tapes: every order, every way in which a variable may reach the function."""

import numpy as np
import pytest
import scipy.special

import gategrad as gg
from gategrad.errors import NoGradientError
from gategrad.scipy import optimize
from gategrad.solvers.implicit import below, tapes


def solution(a):
    """The x with x eˣ = a: Lambert's W, with W′ = W / (a (1 + W))."""
    return optimize.brentq(lambda x: x * np.exp(x) - a, 0.0, 4.0, xtol=1e-15)


def lambert(a):
    return float(np.real(scipy.special.lambertw(a)))


def slope(a):
    return lambert(a) / (a * (1 + lambert(a)))


def test_orders_one_to_four():
    """By differences of the closed form's slope; the fourth by those of our third."""
    h = 1e-4
    first, second, third = gg.grad(solution), gg.grad(gg.grad(solution)), gg.grad(gg.grad(gg.grad(solution)))
    assert first(2.0) == pytest.approx(slope(2.0), rel=1e-12)
    assert second(2.0) == pytest.approx((slope(2.0 + h) - slope(2.0 - h)) / (2 * h), rel=1e-7)
    assert third(2.0) == pytest.approx((slope(2.0 + h) - 2 * slope(2.0) + slope(2.0 - h)) / h**2, rel=1e-6)
    assert gg.grad(third)(2.0) == pytest.approx((third(2.0 + h) - third(2.0 - h)) / (2 * h), rel=1e-6)


def test_forward_mode_and_mixed():
    assert gg.jvp(solution, (2.0,), (3.0,))[1] == pytest.approx(3 * slope(2.0), rel=1e-12)
    assert gg.jvp(gg.grad(solution), (2.0,), (1.0,))[1] == pytest.approx(gg.grad(gg.grad(solution))(2.0), rel=1e-12)


class Model:
    """A parameter that no argument and no closure shows."""

    def __init__(self, a):
        self.a = a

    def __call__(self, x):
        return x * np.exp(x) - self.a


SECRET = gg.variable(2.0)


def hidden(x):
    return x * np.exp(x) - SECRET


def test_variables_come_in_by_any_way():
    assert gg.grad(lambda a: optimize.brentq(Model(a), 0.0, 4.0))(2.0) == pytest.approx(slope(2.0))
    z = optimize.brentq(hidden, 0.0, 4.0)
    z.backward()
    assert SECRET.grad == pytest.approx(slope(2.0))


def test_two_tapes_at_once():
    """∂²/∂a∂b of the root of x² = a b, √(a b): 1 / (4 √(a b))."""
    mixed = gg.grad(lambda a: gg.grad(lambda b: optimize.newton(lambda x: x * x - a * b, 1.0, tol=1e-14))(3.0))
    assert mixed(2.0) == pytest.approx(1 / (4 * np.sqrt(6.0)), rel=1e-9)


def test_a_solution_within_a_solution():
    """The inner root is √a; the outer one solves y = √y + 1, so y does not depend on the start, but on the 1."""

    def outer(b):
        return optimize.brentq(lambda y: y - optimize.brentq(lambda x: x * x - y, 0.0, 9.0) - b, 1.0, 9.0)

    y = outer(1.0)
    assert gg.grad(outer)(1.0) == pytest.approx(1 / (1 - 0.5 / np.sqrt(y)), rel=1e-9)


def test_constants_stay_constants():
    assert type(optimize.brentq(lambda x: x - 1.0, 0.0, 4.0)) is float
    with gg.no_grad():
        assert type(optimize.brentq(hidden, 0.0, 4.0)) is float
    assert gg.grad(lambda a: optimize.brentq(lambda x: x - gg.stop_gradient(a), 0.0, 4.0) + a)(2.0) == 1.0


def test_those_who_watch_see_the_same_gradient():
    with gg.detect_anomaly():
        assert gg.grad(solution)(2.0) == pytest.approx(slope(2.0))
    with gg.kinks():
        assert gg.grad(solution)(2.0) == pytest.approx(slope(2.0))
    with gg.no_grad():
        assert gg.grad(solution)(2.0) == pytest.approx(slope(2.0))


def test_tapes_and_below():
    seen = []
    gg.grad(lambda x: gg.grad(lambda y: seen.append(tapes(x * y)) or x * y)(2.0))(3.0)
    (inner,) = seen
    assert len(inner) == 2 and inner[0] < inner[1]
    v = gg.variable(3.0)
    assert tapes(v) == [0] and below(v, -1) == 3.0 and tapes(3.0) == []


def test_a_singular_slope_is_an_error():
    with pytest.raises(NoGradientError, match=r"this root has no gradient here: .*singular.*Remove what is redundant"):
        gg.grad(lambda a: optimize.root(lambda x: [x[0] + x[1] - a, 2 * x[0] + 2 * x[1] - 2 * a], [0.0, 0.0]).x[0])(1.0)
    with pytest.raises(NoGradientError, match="singular"):
        gg.grad(lambda a: optimize.newton(lambda x: (x - a) ** 2, 1.0))(1.0)


@pytest.mark.filterwarnings("ignore:The iteration is not making good progress")
def test_a_point_that_is_no_solution_is_an_error():
    with pytest.raises(
        NoGradientError, match=r"this root has no gradient here: a step of Newton's method .* `success`"
    ):
        gg.grad(lambda a: optimize.root(lambda x: np.cosh(x) + a, [1.5]).x[0])(0.5)


def test_a_picture_shows_the_solution():
    assert "r = 0" in str(gg.circuit(solution, 2.0))
