"""detect_anomaly: the first gate that spoils a gradient, its line, its values, and what to do."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import gategrad as gg
from gategrad.check.anomaly import AnomalyWarning
from gategrad.errors import AnomalyError, GategradError


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def lengths(x):
    squares = np.sum(x * x, axis=1)
    return np.sum(np.sqrt(squares))


def test_it_names_the_gate_the_line_the_values_and_the_remedy():
    with pytest.raises(AnomalyError) as caught, gg.detect_anomaly():
        gg.grad(lengths)(np.array([[3.0, 4.0], [0.0, 0.0]]))
    fault = caught.value.fault
    assert (fault.kind, fault.direction, fault.gate, fault.input) == ("Inf", "backward", "Sqrt", "x")
    assert (fault.place.file, fault.place.line) == (__file__, inspect.getsourcelines(lengths)[1] + 2)
    assert fault.place.code == "return np.sum(np.sqrt(squares))"
    np.testing.assert_array_equal(fault.inputs["x"], [25.0, 0.0])
    np.testing.assert_array_equal(fault.upstream, [1.0, 1.0])
    np.testing.assert_array_equal(fault.result, [0.1, np.inf])
    assert fault.pattern == "the slope of a root is infinite at 0"
    message = str(caught.value)
    assert message.startswith("the gradient becomes Inf in Sqrt at test_anomaly.py:")
    for part in (
        "input x = [25.,  0.]",
        "upstream gradient dz = [1., 1.]",
        "it returned dx = [0.1, inf]",
        "remedy: add",
    ):
        assert part in message
    assert isinstance(caught.value, (GategradError, FloatingPointError))


def test_where_the_infinity_came_from():
    with pytest.raises(AnomalyError, match="(?s)in Multiply at .*: 0 · inf.*before that, a value became Inf in Log at"):
        gg.detect_anomaly()(gg.grad(lambda x: np.sum(np.log(x) * x)))(np.array([1.0, 0.0]))


def test_values_alone_raise_nothing():
    with gg.detect_anomaly():
        dx = gg.grad(lambda x: np.sum(np.where(x > 0, np.log(x).reshape(2), 0.0)))(np.array([0.0, 2.0]))
    np.testing.assert_array_equal(dx, [0.0, 0.5])


def test_backward_of_variables_inside_and_after():
    x = gg.variable(0.0)
    with pytest.raises(AnomalyError), gg.detect_anomaly():
        np.sqrt(x).backward()
    with gg.detect_anomaly():
        z = np.sqrt(x)
    with pytest.raises(AnomalyError):
        z.backward()
    np.sqrt(x).backward()  # nothing is left behind
    assert x.grad == np.inf


def test_a_warning_instead():
    with pytest.warns(AnomalyWarning, match="becomes Inf in Sqrt"), gg.detect_anomaly(warn=True):
        assert gg.grad(np.sqrt)(0.0) == np.inf


def test_at_second_order():
    with pytest.raises(AnomalyError, match="in the rule of Power") as caught, gg.detect_anomaly():
        gg.grad(gg.grad(lambda x: x**1.5))(0.0)
    assert caught.value.fault.rule_of == "Power"


def test_a_decorator_keeps_name_and_answers():
    @gg.detect_anomaly()
    def step(x, *, scale):
        """A step."""
        return gg.grad(lambda x: x * x)(x) * scale

    assert step(3.0, scale=2.0) == 12.0 and step.__name__ == "step" and step.__doc__ == "A step."


def test_a_gradient_that_comes_in_spoilt_is_nobodys_fault():
    with gg.detect_anomaly():
        _, pullback = gg.vjp(lambda x: 2.0 * x, 1.0)
        assert np.isnan(pullback(np.nan)[0])


def test_a_gate_of_the_users_at_fault():
    class Broken(gg.Gate):
        def forward(self, x):
            return x + 1.0

        def backward(self, dz):
            return dz * np.nan

    with pytest.raises(AnomalyError, match="becomes NaN in Broken at .*upstream gradient is not finite"):
        gg.detect_anomaly()(gg.grad(lambda x: Broken()(x)))(1.0)
