"""Minima under constraints: they move along with those constraints that hold them back."""

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint

import gategrad as gg
from gategrad.errors import EscapeError, NoGradientError
from gategrad.scipy import optimize

P = np.array([1.5, 0.7, 2.0])
A = np.array([1.0, -2.0, 0.5])


def nearest(p, **how):
    """The point nearest to p that the constraints allow."""
    return optimize.minimize(lambda x: np.sum((x - p) ** 2), np.array([0.1, 0.2, 0.3]), tol=1e-12, **how).x


def on_plane(p, a=A, b=1.0):
    return p - a * (a @ p - b) / (a @ a)


def on_ball(p, r=1.0):
    return p * r / np.sqrt(p @ p)


PLANE = {"type": "eq", "fun": lambda x: A @ x - 1.0}
WAYS = {
    "an equation": ({"constraints": PLANE}, on_plane),
    "in a list": ({"constraints": [PLANE]}, on_plane),
    "with a slope of the user's": ({"constraints": {**PLANE, "jac": lambda x: A}}, on_plane),
    "with arguments": ({"constraints": {"type": "eq", "fun": lambda x, b: A @ x - b, "args": (1.0,)}}, on_plane),
    "LinearConstraint": ({"constraints": LinearConstraint([A], 1.0, 1.0)}, on_plane),
    "NonlinearConstraint": ({"constraints": NonlinearConstraint(lambda x: x @ x, -np.inf, 1.0)}, on_ball),
    "an inequality": ({"constraints": {"type": "ineq", "fun": lambda x: 1.0 - x @ x}}, on_ball),
    "one from above": ({"constraints": NonlinearConstraint(lambda x: -(x @ x), -1.0, np.inf)}, on_ball),
    "one that is far": ({"constraints": {"type": "ineq", "fun": lambda x: 99.0 - x @ x}}, lambda p: p * 1.0),
    "several, as lists": ({"constraints": {"type": "ineq", "fun": lambda x: [1.0 - x @ x, 5.0 - x[0]]}}, on_ball),
    "trust-constr": ({"constraints": LinearConstraint([A], 1.0, 1.0), "method": "trust-constr"}, on_plane),
    "with bounds": (
        {"constraints": {"type": "eq", "fun": lambda x: x[0] + x[1] - 1.0}, "bounds": [(None, 0.2), (None, None), (0.0, 9.0)]},
        lambda p: np.stack([0.2 + 0.0 * p[0], 0.8 + 0.0 * p[0], p[2]]),
    ),
    "with Bounds": (
        {"constraints": {"type": "ineq", "fun": lambda x: 3.0 - x @ x}, "bounds": Bounds([-9.0] * 3, [9.0, 9.0, 0.5])},
        lambda p: np.concatenate([p[:2] * np.sqrt(2.75) / np.maximum(np.sqrt(p[:2] @ p[:2]), np.sqrt(2.75)), [0.5]]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_it_moves_as_the_constraints_allow(way):
    how, exact = WAYS[way]
    np.testing.assert_allclose(nearest(P, **how), exact(P), atol=1e-6)
    np.testing.assert_allclose(gg.jacobian(lambda p: nearest(p, **how))(P), gg.jacobian(exact)(P), atol=1e-6)


def test_constraints_may_compute_with_variables():
    """Where the objective does not, too; to second order, forwards, and compiled."""

    def found(a, r):
        plane = {"type": "eq", "fun": lambda x: a @ x - 1.0}
        ball = {"type": "eq", "fun": lambda x, r: x @ x - r * r, "args": (r,)}
        return optimize.minimize(lambda x: x[2], np.array([0.5, 0.3, -0.2]), constraints=[plane, ball], tol=1e-14).x

    def loss(a, r):
        return np.sum(found(a, r) ** 3)

    def exact(a, r):  # the lowest point of a circle: from its centre against the part of the third axis in its plane
        down = np.array([0.0, 0.0, 1.0]) - a * a[2] / (a @ a)
        depth = np.sqrt(r * r - 1.0 / (a @ a)) / np.sqrt(down @ down)
        return np.sum((a / (a @ a) - depth * down) ** 3)

    assert loss(A, 1.3) == pytest.approx(exact(A, 1.3), rel=1e-8)
    gradient = gg.grad(exact, (0, 1))(A, 1.3)
    for f in (gg.grad(loss, (0, 1)), gg.compile(gg.grad(loss, (0, 1)))):
        for dx, expected in zip(f(A, 1.3), gradient, strict=True):
            np.testing.assert_allclose(dx, expected, rtol=1e-6)
    np.testing.assert_allclose(gg.jvp(loss, (A, 1.3), (A, 1.0))[1], A @ gradient[0] + gradient[1], rtol=1e-6)
    np.testing.assert_allclose(gg.hessian(loss)(A, 1.3), gg.hessian(exact)(A, 1.3), rtol=1e-5, atol=1e-6)


def test_linear_programs_move_with_their_costs():
    """At a corner x stays, so the value moves by x; the objective has no curvature at all."""
    corner = LinearConstraint([[1.0, 2.0], [3.0, 1.0]], -np.inf, [4.0, 6.0])
    value = lambda c: optimize.minimize(lambda x: -(c @ x), np.array([0.1, 0.1]), constraints=corner, tol=1e-12).fun
    np.testing.assert_allclose(gg.grad(value)(np.array([1.5, 0.7])), [-1.6, -1.2], atol=1e-9)


def test_scipy_gets_the_slopes():
    seen = []

    def fun(x):
        seen.append(type(x))
        return x @ x - 1.0

    optimize.minimize(lambda x: np.sum((x - P) ** 2), np.ones(3), constraints={"type": "eq", "fun": fun})
    assert gg.Variable in seen
    with pytest.raises(EscapeError, match=r"float\(x\[0\]\) would"):
        optimize.minimize(lambda x: x @ x, P, constraints={"type": "eq", "fun": lambda x: float(x[0]) - 1.0})


def test_a_constraint_that_is_met_without_holding_back_is_a_kink():
    met = {"type": "ineq", "fun": lambda x: P[0] - x[0]}
    with pytest.raises(NoGradientError, match="a constraint is met without holding x back, so x moves in one way"):
        gg.grad(lambda p: np.sum(nearest(p, constraints=met)))(P)


def test_constraints_that_say_the_same():
    twice = [PLANE, {"type": "eq", "fun": lambda x: 2.0 * (A @ x) - 2.0}]
    with pytest.raises(NoGradientError, match="2 constraints hold x back, but their slopes span 1 dimensions"):
        gg.grad(lambda p: np.sum(nearest(p, constraints=twice)))(P)
