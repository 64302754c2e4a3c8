"""What is returned for people to read shows itself at the prompt as it prints."""

import numpy as np
import pytest

import gategrad as gg


def square(x):
    return np.sum(x * x)


COMPILED = gg.compile(gg.grad(square))
X = np.ones(3)


@pytest.mark.parametrize(
    "shown",
    [
        lambda: gg.check_gradients(square, X),
        lambda: gg.explain(square, X),
        lambda: gg.circuit(square, X),
        lambda: gg.circuit(square, X).memory(),
        lambda: gg.circuit(square, 2.0).nudge("x", 0.1),
        lambda: COMPILED.program(X),
        lambda: COMPILED.report(X),
    ],
)
def test_the_prompt_shows_what_print_does(shown):
    answer = shown()
    assert repr(answer) == str(answer) and not repr(answer).startswith(("<", type(answer).__name__ + "("))
