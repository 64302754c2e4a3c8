"""name=value: what a value may be, and what is said about the rest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gategrad.cli.refusal import Refusal
from gategrad.cli.values import is_assignment, read_number, read_values

FORMS = "\n  a value is a number or a list of numbers: -2, 1e-3, 1/3, pi/4, [1,2,3], [[1,2],[3,4]]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-2", -2.0),
        ("1e-3", 1e-3),
        (".5", 0.5),
        (" 3 ", 3.0),
        ("1/3", 1 / 3),
        ("pi/4", np.pi / 4),
        ("sqrt(2)", np.sqrt(2)),
        ("-inf", -np.inf),
        ("nan", np.nan),
        ("−2", -2.0),
    ],
)
def test_numbers(text, expected):
    (value,) = read_values([f"x={text}"]).values()
    assert type(value) is float
    np.testing.assert_equal(value, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1,2,3]", [1.0, 2.0, 3.0]),
        ("[[1, 2], [3, -4]]", [[1.0, 2.0], [3.0, -4.0]]),
        ("[1/2, pi]", [0.5, np.pi]),
        ("[7]", [7.0]),
    ],
)
def test_arrays(text, expected):
    (value,) = read_values([f"x={text}"]).values()
    assert value.dtype == np.float64
    np.testing.assert_array_equal(value, expected)


@given(st.floats())
def test_every_float_comes_back(number):
    np.testing.assert_equal(read_values([f"x={number!r}"])["x"], number)


def test_names_are_normalised_as_in_expressions():
    assert list(read_values(["ﬁ=1", "λ=2"])) == ["fi", "λ"]


@pytest.mark.parametrize(
    ("argument", "report"),
    [
        ("x=", "x has no value after the '='\n  for example x=2 or x=[1,2,3]"),
        ("x=y", "bad value 'x=y': y is not a number" + FORMS),
        ("x=[1,abc]", "bad value 'x=[1,abc]': abc is not a number" + FORMS),
        ("x=[]", "bad value 'x=[]': the list is empty" + FORMS),
        ("x=1.2.3", "bad value 'x=1.2.3': the expression cannot be read from here on\n    1.2.3\n       ^^" + FORMS),
        ("x=1 2", "bad value 'x=1 2': the expression cannot be read from here on\n    1 2\n      ^" + FORMS),
        (
            "x=[[1,2],[3]]",
            "bad value 'x=[[1,2],[3]]': the rows of this list differ in length\n    [[1,2],[3]]\n    ^^^^^^^^^^^"
            + FORMS,
        ),
        ("x=2j", "bad value 'x=2j': 2j is not a number\n    2j\n    ^^" + FORMS),
        ("x=1>0", "bad value 'x=1>0': not a number or a list of numbers" + FORMS),
        ("x=1e999", "bad value 'x=1e999': this number is too large\n    1e999\n    ^^^^^" + FORMS),
        ("lambda=2", "'lambda' is a reserved word: use another name"),
        (
            "2x=2",
            "'2x=2' is not of the form name=value\n  an expression is one argument, in quotes; values look like x=-2 or x=[1,2,3]",
        ),
    ],
)
def test_refused(argument, report):
    with pytest.raises(Refusal) as caught:
        read_values([argument])
    assert caught.value.report() == f"gategrad: {report}"


def test_given_twice():
    with pytest.raises(Refusal, match="x is given twice"):
        read_values(["x=1", "y=2", "x=1"])


def test_one_number():
    assert read_number("z=0.01") == ("z", 0.01)
    with pytest.raises(Refusal, match="one number is needed here, not an array"):
        read_number("z=[1,2]")


def test_comparisons_and_options_are_no_assignments():
    assert not is_assignment("x == 3")
    assert not is_assignment("sum(x, axis=1)")
    assert is_assignment(" x = 3")


@given(st.text())
def test_garbage_is_refused_and_never_raises_anything_else(text):
    try:
        values = read_values([f"x={text}"])
    except Refusal:
        return
    assert isinstance(values["x"], (float, np.ndarray))
