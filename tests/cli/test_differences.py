"""--check measures what it says, passes what is right and fails what is wrong."""

import numpy as np
import pytest

from gategrad.cli.differences import compare
from gategrad.cli.evaluation import Evaluation
from gategrad.cli.parse import parse


@pytest.fixture(autouse=True)
def infinities_are_no_news():
    """As the command runs it."""
    with np.errstate(all="ignore"):
        yield


def compared(text, **values):
    evaluation = Evaluation(parse(text), values)
    return compare(evaluation.expression, evaluation.values, evaluation.gradients)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x * y", {"x": 3.0, "y": -4.0}),
        ("exp(20 * x)", {"x": 1.0}),
        ("sin(100 * x)", {"x": 0.3}),
        ("x ** 3 + 1e8", {"x": 2.0}),
        ("1 / x", {"x": 1e-4}),
        ("log(x)", {"x": 1e-4}),
        ("sum(x ** 2)", {"x": np.array([1e6, -1e-6, 0.0])}),
        ("relu(x)", {"x": 1e-4}),
    ],
)
def test_right_gradients_pass(text, values):
    assert all(comparison.agrees and comparison.is_measurable for comparison in compared(text, **values))


@pytest.mark.parametrize("error", [1e-4, 1e-3, 1.0, -6.0, np.nan, np.inf])
def test_wrong_gradients_fail(error):
    (comparison,) = compare(parse("x ** 2"), {"x": 3.0}, {"x": 6.0 + error})
    assert not comparison.agrees
    assert comparison.measured == pytest.approx(6.0)


def test_a_single_wrong_element_is_named():
    found = compare(parse("sum(x ** 2)"), {"x": np.array([[1.0, 2.0]])}, {"x": np.array([[2.0, 5.0]])})
    assert [comparison.name for comparison in found if not comparison.agrees] == ["x[0, 1]"]


@pytest.mark.parametrize(("gradient", "agrees"), [(-1.0, True), (0.0, True), (1.0, True), (1.1, False), (-1.1, False)])
def test_at_a_kink_everything_between_the_slopes_is_right(gradient, agrees):
    (comparison,) = compare(parse("abs(x)"), {"x": 0.0}, {"x": gradient})
    assert comparison.is_kink
    assert comparison.agrees is agrees
    assert comparison.slopes == pytest.approx((-1.0, 1.0))


def test_what_cannot_be_measured_is_not_called_wrong():
    (comparison,) = compared("sqrt(x)", x=0.0)
    assert not comparison.is_measurable
    assert comparison.agrees


def test_the_values_are_left_alone():
    x = np.array([1.0, 2.0])
    compare(parse("sum(x)"), {"x": x}, {"x": np.ones(2)})
    assert x.tolist() == [1.0, 2.0]
