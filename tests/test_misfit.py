"""Shapes that do not fit: the same words whether a function is recorded, differentiated or compiled."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import ShapeError

CASES = [
    (np.add, (32, 10), (32,), r"x is \(32, 10\), y is \(32,\); .* but 10 meets 32\. Did you mean y\[:, None\]\?"),
    (np.multiply, (3,), (3, 4), r"but 3 meets 4\. Did you mean x\[:, None\]\?"),
    (np.divide, (2, 3), (2, 3, 4), r"but 3 meets 4\. Did you mean x\[\.\.\., None\]\?"),
    (np.subtract, (3,), (4,), r"but 3 meets 4\.$"),
    (np.matmul, (2, 3), (2, 3), r"x's last axis \(3\) must equal y's second-to-last \(2\)\. Did you mean x @ y\.T\?"),
    (np.matmul, (2, 3), (), r"y is a single number, which has no axis to multiply along\. Did you mean x \* y\?"),
]


@pytest.mark.parametrize(("function", "one", "other", "text"), CASES)
@pytest.mark.parametrize("wrap", [lambda f: gg.grad(lambda x, y: np.sum(f(x, y))), gg.compile], ids=["grad", "compile"])
def test_what_must_equal_what(wrap, function, one, other, text):
    with pytest.raises(ShapeError, match=text):
        wrap(function)(np.ones(one), np.ones(other))


def test_a_choice_between_three():
    with pytest.raises(ShapeError, match=r"z is \(4,\); .* but 3 meets 4"):
        gg.grad(lambda x: np.sum(np.where(x > 0, x, np.ones(4))))(np.ones(3))
