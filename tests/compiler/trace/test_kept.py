"""Values that somebody keeps while a function is traced: used outside of it they say so, and never by a KeyError."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import KeptSymbolError

KEPT = r"^a value of a compiled function was kept while the function was traced .*Return it from the function"
X = np.ones(3)


class Cell:
    """A network as people write them, with its state in an attribute."""

    def __init__(self):
        self.h = np.zeros(3)

    def step(self, x):
        self.h = np.tanh(self.h + x)
        return np.sum(self.h)


@pytest.fixture
def cell():
    return Cell()


@pytest.mark.parametrize("ask", [float, int, bool, complex, np.asarray], ids=lambda f: f.__name__)
def test_there_is_no_number_behind_it(cell, ask):
    assert gg.compile(cell.step)(X) == 3 * np.tanh(1.0)
    with pytest.raises(KeptSymbolError, match=KEPT):
        ask(cell.h[0])


@pytest.mark.parametrize("transform", [lambda f: f, gg.grad], ids=["f", "grad"])
def test_it_cannot_enter_another_program(cell, transform):
    step = gg.compile(transform(cell.step))
    step(X)
    with pytest.raises(KeptSymbolError, match=KEPT):
        step(X[None])  # traced again, for another shape


def test_it_can_be_shown(cell):
    gg.compile(gg.grad(cell.step))(X)
    assert repr(cell.h) == "variable(symbol(float64[3]), gate=Tanh)"


def test_printing_while_traced_shows_what_it_will_be():
    seen = []

    def f(x):
        seen.append(f"{x} {x:.3f} {x!r}")
        return x * x

    assert gg.compile(f)(2.0) == 4.0 and gg.compile(gg.grad(f))(2.0) == 4.0
    assert seen == [
        "symbol(float64[]) symbol(float64[]) symbol(float64[])",
        "variable(symbol(float64[])) symbol(float64[]) variable(symbol(float64[]))",
    ]


def test_a_plain_array_that_is_filled_says_what_to_make_instead():
    def f(x):
        y = np.zeros(3)
        y[0] = x[0]
        return np.sum(y)

    with pytest.raises(gg.errors.TraceError, match=r"(?s)    y\[0\] = x\[0\]\n.*make it with np\.zeros_like\(v\)"):
        gg.compile(f)(X)
