"""explain: NaN, Inf and zero gradients traced to gates and lines; compiled functions and variables too."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.check.anomaly import AnomalyWarning
from gategrad.errors import NotTrackedError

X = np.array([-1.0, 0.0, 2.0])

BAD = {
    "sqrt at 0": (lambda x: np.sum(np.sqrt(x * x)), np.array([1.0]), None, None),
    "root": (np.sqrt, 0.0, "Sqrt", "the slope of a root is infinite at 0"),
    "root of a negative": (np.sqrt, -1.0, "Sqrt", "√ of a negative number is NaN"),
    "log": (np.log, 0.0, "Log", "log of 0: the value is −∞ and the slope ∞"),
    "log under a zero": (lambda x: np.log(x) * 0.0, 0.0, "Log", "0 · inf: log of 0: the value is −∞ and the slope ∞"),
    "log of a negative": (lambda x: np.log(x) + np.log2(-x), np.nan, "Log2", None),
    "0/0": (lambda x: x / (x * 1.0), 0.0, "Divide", "division 0/0"),
    "division by 0": (lambda x: 1.0 / x, 0.0, "Divide", "division by 0"),
    "reciprocal": (np.reciprocal, 0.0, "Reciprocal", "division by 0"),
    "overflow": (np.exp, 800.0, "Exp", "overflow in an exponential"),
    "power": (lambda x: x**0.5, 0.0, "Power", "the slope of x ** y is infinite at x = 0 for y below 1"),
    "broken power": (lambda x: x**0.5, np.array([-1.0]), "Power", "a negative number to a broken power is NaN"),
    "arcsin": (np.arcsin, 1.0, "Arcsin", "the slope is infinite at ±1, and there is none beyond"),
    "0 · inf": (lambda x: np.sum(np.log(x) * x), np.array([0.0]), "Multiply", "0 · inf"),
}


@pytest.mark.parametrize(("f", "x", "gate", "pattern"), BAD.values(), ids=BAD)
def test_patterns_of_nan_and_inf(f, x, gate, pattern):
    report = gg.explain(f, x)
    if gate is None:
        assert report.ok and report.first is None and str(report) == "gradient of x: fine"
        return
    assert not report.ok and report.first.gate == gate and report.first.remedy
    assert report.first.place.file == __file__
    if pattern is not None:
        assert report.first.pattern == pattern


ZERO = {
    "relu": (lambda x: np.sum(gg.relu(x - 5.0)), X, "Relu", "dead relu: every input is negative or 0"),
    "sigmoid": (lambda x: gg.sigmoid(x), 800.0, "Sigmoid", "saturated: the curve is flat this far out"),
    "tanh": (lambda x: np.tanh(x) * 2.0, 40.0, "Tanh", "saturated: the curve is flat this far out"),
    "where": (lambda x: np.sum(np.where(x > 5, x, 0.0)), X, "Where", "the branch of where that was not taken"),
    "clip": (lambda x: np.sum(np.clip(x, 5.0, 9.0)), X, "Maximum", "the other of the two won everywhere"),
    "round": (lambda x: np.round(x), 1.2, "Round", "the function is constant between its steps: nothing flows through it"),
    "times 0": (lambda x: x * 0.0, 1.2, "Multiply", "multiplied by 0"),
    "underflow": (np.exp, -800.0, "Exp", "underflow: exp of this is 0"),
    "overflow": (
        lambda x: np.log(np.sum(np.exp(x))), np.array([1000.0, 0.0]), "Log", "an infinite input: its slope is 1/∞ = 0",
    ),
    "power": (lambda x: x**2, 0.0, "Power", "x ** y is flat here"),
    "kink": (np.abs, 0.0, "Absolute", "on a kink, where the gradient is 0, the middle of [−1, 1]"),
    "stationary": (np.cos, 0.0, "Cos", "the local gradient is 0 here"),
}  # fmt: skip


@pytest.mark.parametrize(("f", "x", "gate", "pattern"), ZERO.values(), ids=ZERO)
def test_patterns_of_zero(f, x, gate, pattern):
    report = gg.explain(f, x)
    assert report.findings[0].verdict == "zero"
    assert (report.first.gate, report.first.pattern) == (gate, pattern)
    assert "the gradient is cut in" in str(report)


def test_an_overflow_is_named_where_it_happened():
    report = gg.explain(lambda x: np.log(np.sum(np.exp(x))), np.array([1000.0, 0.0]))
    assert report.value == np.inf and report.forward[0].gate == "Exp"
    assert "value of <lambda>: Inf" in str(report)
    assert "before that, a value becomes Inf in Exp at test_explain.py" in str(report)
    assert "gg.logsumexp" in str(report)


def test_arguments_that_nothing_was_computed_from():
    report = gg.explain(lambda x, y, n: y * n if x > 0 else y, 1.5, 3.0, 2)
    assert [(f.name, f.verdict) for f in report.findings] == [("x", "zero"), ("y", "fine"), ("n", "fine")]
    assert str(report).startswith("gradient of x: zero: no gate was computed from it. Comparisons")
    report = gg.explain(lambda x, y: (np.sin(x), y)[1], 1.5, 3.0)
    assert "the output does not depend on them" in str(report.findings[0])


def test_only_the_cuts_on_the_way_of_an_argument():
    report = gg.explain(lambda x, y: np.round(x) + np.sign(y) + y, 1.2, 3.0)
    assert [f.verdict for f in report.findings] == ["zero", "fine"]
    assert [fault.gate for fault in report.faults] == ["Round"]


def test_gradients_of_functions_and_compiled_ones():
    f = lambda w, x: (np.sum(gg.relu(w * x - 9.0)), "aux")
    report = gg.explain(gg.grad(f, argnums=1, has_aux=True), 1.0, X)
    assert [(f.name, f.verdict) for f in report.findings] == [("argument 1", "zero")]
    report = gg.explain(gg.compile(gg.grad(lambda x: np.sum(np.sqrt(x)))), np.zeros(2))
    assert report.remarks == ("compiled code runs without gates: it was run again eagerly",)
    assert report.first.gate == "Sqrt" and str(report).startswith("compiled code runs")
    report = gg.explain(gg.grad(gg.grad(lambda x: x**1.5)), 0.0)
    assert report.first.rule_of == "Power" and "in the rule of Power" in str(report)


@gg.grad
def decorated(x):
    return np.sum(np.sqrt(x))


def test_a_decorated_function():
    report = gg.explain(decorated, np.zeros(2))
    assert report.function == "decorated" and report.first.gate == "Sqrt"


def test_containers_and_arrays_out():
    report = gg.explain(lambda p: {"z": p["a"] * 2.0, "w": np.floor(p["b"])}, {"a": X, "b": 1.5})
    assert [(f.name, f.verdict) for f in report.findings] == [("p (value 0)", "fine"), ("p (value 1)", "zero")]


def test_a_variable_under_watch_and_without():
    x = gg.variable([0.0, 1.0], name="x")
    with np.errstate(all="ignore"), gg.detect_anomaly():
        z = np.sum(np.log(x))
    report = gg.explain(z)
    assert report.first.gate == "Log" and report.first.place.code == "z = np.sum(np.log(x))"
    assert report.findings[0].name == "x" and report.remarks == ()

    z = np.sum(gg.relu(-x) * 2.0)
    report = gg.explain(z)
    assert report.findings[0].verdict == "zero" and report.first.gate == "Relu" and report.first.place is None
    assert "was not computed under gg.detect_anomaly()" in str(report)
    z.backward()  # the circuit is as it was
    np.testing.assert_array_equal(x.grad, [0.0, 0.0])
    with pytest.raises(NotTrackedError, match="explain it before backward"):
        gg.explain(z)


def test_in_a_notebook_without_colour():
    shown = gg.explain(np.sqrt, 0.0)._repr_html_()
    assert shown.startswith("<pre>") and "becomes Inf" in shown and "\x1b" not in shown
    assert repr(gg.explain(lambda x: np.sqrt(x), 4.0)) == "gradient of x: fine"


# --- 0 · inf, taken for 0 -----------------------------------------------------------------------------------------

TAKEN = {
    "sqrt(x)²": (lambda x: np.sum(np.sqrt(x) ** 2), "Sqrt", "sqrt(x)**2"),
    "cbrt(x)³": (lambda x: np.sum(np.cbrt(x) ** 3), "Cbrt", "simplify"),
    "(x ** .5)²": (lambda x: np.sum((x**0.5) ** 2), "Power", "simplify"),
    "log Σ exp": (lambda x: np.log(np.sum(np.exp(1000 * (1 - x)))), "Exp", "gg.logsumexp"),
}


@pytest.mark.parametrize(("f", "gate", "remedy"), TAKEN.values(), ids=TAKEN)
def test_a_choice_is_named(f, gate, remedy):
    x = np.array([0.0, 1.0])
    with np.errstate(all="ignore"):
        report = gg.explain(f, x)
        warned = pytest.warns(AnomalyWarning, match=f"a choice was made in {gate} at .*: 0 · inf")
        with gg.kinks() as met, warned, gg.detect_anomaly():
            gg.grad(f)(x)
    (fault,) = report.taken
    assert fault.gate == gate and remedy in fault.remedy and fault.kind == "0 · inf"
    assert f"a choice was made in {gate} at test_explain.py" in str(report)
    assert gate in [kink.gate for kink in met]


def test_what_a_mask_keeps_back_is_no_choice():
    f = lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0))
    assert gg.explain(f, np.array([0.0, 1.0])).taken == ()
    assert gg.explain(lambda x: np.sqrt(x) + x, 4.0).taken == ()


def test_a_second_derivative_that_nobody_knows():
    twice = lambda x: np.sum(gg.grad(lambda x: np.ptp(x) ** 2)(x))
    report = gg.explain(twice, np.ones(2))
    assert report.first.gate == "HiddenSlope" and report.first.rule_of in ("Max", "Min")
    assert "depends on other kinks" in report.first.pattern and "simplify" in report.first.remedy
