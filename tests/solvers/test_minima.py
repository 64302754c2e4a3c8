"""minimize: the derivatives that SciPy gets, and those of the minimum."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import scipy.optimize

import gategrad as gg
from gategrad.errors import NoGradientError, NoRuleError
from gategrad.scipy import optimize

WEIGHTS = np.array([1.0, 2.0, 3.0])


def valley(x, p):
    """Least at log(w / p) / p."""
    return np.sum(np.exp(p * x) - WEIGHTS * x)


def bottom(p):
    return np.log(WEIGHTS / p) / p


METHODS = [
    "Nelder-Mead", "Powell", "CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "COBYLA", "SLSQP", "trust-constr", "dogleg",
    "trust-ncg", "trust-exact", "trust-krylov",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of trust-krylov
@pytest.mark.parametrize("method", METHODS)
def test_every_method(method):
    options = {"maxiter": 40} if method == "trust-krylov" else {}

    def solve(p):
        return optimize.minimize(valley, np.zeros(3), (p,), method, tol=1e-8, options=options).x

    np.testing.assert_allclose(solve(1.3), bottom(1.3), rtol=0, atol=1e-5)
    np.testing.assert_allclose(gg.jacobian(solve)(1.3), gg.jacobian(bottom)(1.3), rtol=0, atol=1e-4)


@pytest.mark.parametrize("method", ["BFGS", "trust-exact", "Newton-CG"])
def test_derivatives_are_supplied(method):
    """No gradient by differences: as many values as gradients."""
    found = optimize.minimize(valley, np.zeros(3), (1.3,), method)
    assert found.nfev == found.njev
    if method != "BFGS":
        assert found.nhev > 0


def test_ones_own_derivatives_are_used():
    calls = []

    def mine(x, p):
        calls.append("jac")
        return p * np.exp(p * x) - WEIGHTS

    optimize.minimize(valley, np.zeros(3), (1.3,), "BFGS", jac=mine)
    assert calls
    both = optimize.minimize(lambda x, p: (valley(x, p), mine(x, p)), np.zeros(3), (1.3,), "BFGS", jac=True)
    np.testing.assert_allclose(both.x, bottom(1.3), atol=1e-5)
    product = optimize.minimize(
        valley,
        np.zeros(3),
        (1.3,),
        "Newton-CG",
        hessp=lambda x, v, p: calls.append("hessp") or p * p * np.exp(p * x) * v,
    )
    assert "hessp" in calls
    np.testing.assert_allclose(product.x, bottom(1.3), atol=1e-4)


def test_third_order():
    def loss(solve):
        return gg.grad(gg.grad(gg.grad(lambda p: np.sum(solve(p) ** 2))))

    found = loss(lambda p: optimize.minimize(lambda x: valley(x, p), np.zeros(3), tol=1e-10, method="trust-exact").x)
    assert found(1.3) == pytest.approx(loss(bottom)(1.3), rel=1e-8)


@pytest.mark.parametrize("method", [None, "trust-exact", "trust-ncg"])
def test_compiled(method):
    expected = gg.jacobian(bottom)(1.3)
    for f, compile in ((valley, True), (gg.compile(valley), False)):
        slope = gg.jacobian(
            lambda p, f=f, c=compile: optimize.minimize(f, np.zeros(3), (p,), method, tol=1e-9, compile=c).x
        )
        np.testing.assert_allclose(slope(1.3), expected, atol=1e-6)


def test_compiled_with_a_closure():
    def solve(p):
        return optimize.minimize(lambda x: valley(x, p), np.zeros(3), tol=1e-9, compile=True).x

    np.testing.assert_allclose(gg.jacobian(solve)(1.3), gg.jacobian(bottom)(1.3), atol=1e-6)


@dataclasses.dataclass
class Pair:
    u: Any
    v: Any


def test_containers():
    def f(x, p):
        return (x.u - p) ** 2 + np.sum((x.v["w"] - p * np.eye(2)) ** 2)

    start = Pair(0.0, {"w": np.zeros((2, 2))})
    found = optimize.minimize(f, start, (2.0,))
    assert isinstance(found.x, Pair) and type(found.x.u) is float
    np.testing.assert_allclose(found.x.v["w"], 2 * np.eye(2), atol=1e-6)
    seen = []
    optimize.minimize(f, start, (2.0,), callback=lambda x: seen.append(x.v["w"].shape))
    assert set(seen) == {(2, 2)}
    slope = gg.grad(lambda p: np.sum(optimize.minimize(f, start, (p,)).x.v["w"]))
    assert slope(2.0) == pytest.approx(2.0, abs=1e-6)
    assert optimize.minimize(lambda x: np.sum((x - 1) ** 2), np.zeros((2, 2))).x.shape == (2, 2)
    assert optimize.minimize(lambda x: (x[0] - 1) ** 2, 3).x.shape == (1,)


def test_the_value_carries_a_gradient_too():
    """By the envelope theorem that of f in p alone: −Σ (x − p) · 2 = 0, and 2 p from the rest."""
    value = gg.value_and_grad(lambda p: optimize.minimize(lambda x: np.sum((x - p) ** 2) + p * p, np.zeros(2)).fun)(1.5)
    assert value == pytest.approx((2.25, 3.0))


def test_bounds_hold():
    """x = p inside, and at the bound nothing moves."""

    def solve(p, **options):
        return optimize.minimize(lambda x: np.sum((x - p) ** 2), np.full(2, 0.5), **options).x

    for options in (
        {"bounds": [(0, 1), (None, None)]},
        {"bounds": scipy.optimize.Bounds([0, -np.inf], [1, np.inf]), "method": "trust-constr", "tol": 1e-9},
        {"bounds": [(0, 1), (None, 4)], "method": "SLSQP"},
        {"bounds": [(0, 1), (2.9, None)], "method": "TNC"},
    ):
        slope = gg.jacobian(lambda p, o=options: solve(p, **o))(np.array([2.0, 3.0]))
        np.testing.assert_allclose(slope, [[0, 0], [0, 1]], atol=1e-6)
    assert (
        gg.grad(lambda p: optimize.minimize_scalar(lambda x: (x - p) ** 2, bounds=(0, 1), method="bounded").x)(2.0) == 0
    )


def test_what_is_refused():
    v = gg.variable(1.0)
    with pytest.raises(NoRuleError, match=r"minimize has no gradient in bounds=: pass its \.value"):
        optimize.minimize(valley, np.zeros(3), (1.3,), bounds=[(0, v)] * 3)
    with pytest.raises(NoGradientError, match="this minimum has no gradient here.*singular"):
        gg.grad(lambda p: optimize.minimize(lambda x: (x[0] + x[1] - p) ** 2, np.zeros(2)).x[0])(1.0)
    for name in ("linprog", "nnls", "milp", "lsq_linear", "linear_sum_assignment"):
        with pytest.raises(NoRuleError, match=rf"scipy\.optimize\.{name} of a variable has no .*use "):
            getattr(optimize, name)(gg.variable(np.eye(2)), np.ones(2))
    assert optimize.nnls(np.eye(2), np.ones(2))[0].tolist() == [1.0, 1.0]


def test_the_start_has_no_influence():
    assert gg.grad(lambda s: optimize.minimize(lambda x: np.sum((x - 1.0) ** 2), s).x[0])(np.zeros(2)).tolist() == [
        0.0,
        0.0,
    ]


def test_one_unknown_may_come_in_an_array():
    assert optimize.minimize(lambda x: (x - 1.0) ** 2, 3.0).x == pytest.approx([1.0])
    assert gg.grad(lambda p: optimize.minimize(lambda x: (x - p) ** 2, 3.0).x[0])(2.0) == pytest.approx(1.0)


def test_float32_containers():
    found = optimize.minimize(lambda x: np.sum((x["a"] - np.float32(1)) ** 2), {"a": np.zeros(2, np.float32)})
    assert found.x["a"].dtype == np.float32
