"""kinks: which elements sat on one, of which gate, at which line; every gate says it in one place."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import gategrad as gg
from gategrad.gate import all_gates


def test_counted_by_gate_and_line():
    def f(x):
        y = np.abs(x)
        return np.sum(np.maximum(y, 2.0)) + np.max(x)

    here = inspect.getsourcelines(f)[1]
    with gg.kinks() as met:
        gg.grad(f)(np.array([0.0, 2.0, 2.0, -1.0]))
    assert [(k.gate, k.count, k.size, k.place.line - here) for k in met] == [
        ("Absolute", 1, 4, 1),
        ("Maximum", 2, 4, 2),
        ("Max", 2, 4, 2),
    ]
    assert met.total == 5 and met[0].convention == "0, the middle of [−1, 1]"
    assert "test_kinks.py" in str(met) and "y = np.abs(x)" in str(met)


def test_calls_of_one_line_add_up():
    with gg.kinks() as met:
        for x in (0.0, 1.0, 0.0):
            gg.grad(np.abs)(x)
    assert (len(met), met.total, met[0].size) == (1, 2, 3)


def test_once_at_any_order_and_not_in_rules():
    with gg.kinks() as met:
        gg.grad(gg.grad(np.abs))(0.0)
        x = gg.variable(0.0)
        gg.relu(x).backward()
    assert [(k.gate, k.count) for k in met] == [("Absolute", 1), ("Relu", 1)]


def test_nothing_met():
    with gg.kinks() as met:
        gg.grad(np.abs)(1.0)
    assert met.total == 0 and list(met) == [] and str(met) == "no element sat on a kink"


X = np.array([0.0, 1.0])
MET = {
    "sign": (np.sign, 0.0, 1),
    "floor": (np.floor, 2.0, 1),
    "ceil": (np.ceil, 2.5, 0),
    "trunc": (np.trunc, np.array([0.0, 2.0]), 1),
    "rint": (np.rint, np.array([0.5, 1.0, 2.5]), 2),
    "round": (lambda x: np.round(x, 1), np.array([0.25, 0.2]), 1),
    "sqrt": (np.sqrt, X, 1),
    "cbrt": (np.cbrt, X, 1),
    "power": (lambda x: x**0.5, X, 1),
    "a smooth power": (lambda x: x**2, X, 0),
    "a reciprocal power": (lambda x: x**-1.0, X, 1),
    "minimum": (lambda x: np.minimum(x, 1.0), X, 1),
    "fmax": (lambda x: np.fmax(x, 1.0), X, 1),
    "fmin": (lambda x: np.fmin(x, 1.0), X, 1),
    "clip": (lambda x: np.clip(x, 0.0, 1.0), X, 2),
    "hypot": (lambda x: np.hypot(x, 0.0), X, 1),
    "arctan2": (lambda x: np.arctan2(0.0, x), X, 1),
    "arcsin": (np.arcsin, X, 1),
    "arccos": (np.arccos, X, 1),
    "arccosh": (np.arccosh, np.array([1.0, 2.0]), 1),
    "exp": (np.exp, np.array([800.0, 0.0]), 1),
    "exp2": (np.exp2, np.array([2000.0, 0.0]), 1),
    "expm1": (np.expm1, np.array([800.0, 0.0]), 1),
    "sinh": (np.sinh, np.array([800.0, 0.0]), 1),
    "cosh": (np.cosh, np.array([-800.0, 0.0]), 1),
    "logaddexp": (lambda x: np.logaddexp(x, -np.inf), np.array([-np.inf, 0.0]), 1),
    "min of rows": (lambda x: np.min(x, axis=1), np.array([[1.0, 1.0], [0.0, 1.0]]), 2),
    "std": (lambda x: np.std(x, axis=1), np.array([[1.0, 1.0], [0.0, 1.0]]), 1),
    "norm": (lambda x: np.linalg.norm(x, axis=1), np.array([[0.0, 0.0], [0.0, 1.0]]), 1),
    "logsumexp": (gg.logsumexp, np.array([-np.inf, -np.inf]), 1),
}


@pytest.mark.parametrize(("f", "x", "count"), MET.values(), ids=MET)
def test_each_gate_knows_its_kinks(f, x, count):
    for dtype in (np.float64, np.float32):
        with gg.kinks() as met, np.errstate(all="ignore"):
            gg.vjp(f, np.asarray(x, dtype)[()])
        assert met.total == count
        assert all(kink.convention for kink in met)


def test_no_gate_with_kinks_is_left_out():
    with_kinks = {cls.__name__ for cls in all_gates() if cls.is_ours and cls.kinks is not gg.Gate.kinks}
    met = set()
    for f, x, _ in MET.values():
        with gg.kinks() as found, np.errstate(all="ignore"):
            gg.vjp(f, x)
            gg.vjp(np.abs, 0.0)
            gg.vjp(gg.relu, 0.0)
            gg.vjp(np.ceil, 1.0)
            gg.vjp(np.max, np.zeros(2))
        met |= {kink.gate for kink in found}
    assert met == with_kinks - {"Step"}


def test_a_gate_of_the_users():
    class Hinge(gg.Elementwise):
        kink = "1"

        def forward(self, x):
            self.x = x
            return np.maximum(x, 0.0)

        def backward(self, dz):
            return (self.x >= 0) * dz

        def kinks(self, x):
            return x == 0

    with gg.kinks() as met:
        assert gg.grad(lambda x: Hinge()(x))(0.0) == 1.0
    assert str(met[0]).endswith("1 of 1 element on a kink (gradient there: 1)")
