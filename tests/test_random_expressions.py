"""Random expressions: gradients of first and second order against central differences."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import gategrad as gg

SHAPES = ((), (3,), (2, 1), (2, 3))

leaves = st.sampled_from([lambda x, y: x, lambda x, y: y, lambda x, y: 0.7, lambda x, y: np.full((2, 3), -0.4)])


def unary(f):
    return lambda a: lambda x, y: f(a(x, y))


def binary(f):
    return lambda a, b: lambda x, y: f(a(x, y), b(x, y))


UNARY = [np.tanh, np.sin, np.negative, gg.sigmoid, np.square, lambda a: np.exp(np.tanh(a)), lambda a: a**3 * 0.3]
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (1.5 + np.tanh(b)),
    lambda a, b: (1.5 + np.tanh(a)) ** np.sin(b),
    lambda a, b: np.logaddexp(a, b),
]


def grow(children):
    one = st.tuples(st.sampled_from(UNARY).map(unary), children).map(lambda t: t[0](t[1]))
    two = st.tuples(st.sampled_from(BINARY).map(binary), children, children).map(lambda t: t[0](t[1], t[2]))
    return st.one_of(one, two)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.recursive(leaves, grow, max_leaves=6), st.sampled_from(SHAPES), st.sampled_from(SHAPES), st.integers(0, 9))
def test_random_expressions(f, shape, other, seed):
    rng = np.random.default_rng(seed)
    x, y = (rng.uniform(-1.0, 1.0, s) if s else float(rng.uniform(-1.0, 1.0)) for s in (shape, other))
    assert gg.check_gradients(f, x, y, tolerance=2e-5, elements=3)
