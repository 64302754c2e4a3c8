"""Gradients of arrays that were read part by part: joined, not added."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.schedule.joins import join_parts


def horner(x):
    value = 0.0
    for n, c in enumerate(x):
        value = value * 1.5 + c * c * (n + 1)
    return value


def some_rows(x):
    return np.sum(x[0:2] ** 2) + np.sum(x[3:4] ** 3) + np.sum(np.sin(x[5:7]))


def overlapping(x):
    return np.sum(x[0:3] ** 2) + np.sum(x[2:4] ** 3) + np.sum(np.sin(x[4:7]))


def every_other(x):
    return np.sum(x[0::3] ** 2) + np.sum(x[1::3] ** 3) + np.sum(np.sin(x[2::3]))


def used_twice(x):
    y = gg.grad(horner)(x)
    return np.sum(y * y) + y[0]


@pytest.mark.parametrize("f", [horner, some_rows, overlapping, every_other, used_twice])
def test_gradients_of_parts(f):
    x = np.linspace(0.3, 1.2, 8)
    np.testing.assert_allclose(gg.compile(gg.grad(f))(x), gg.grad(f)(x), rtol=1e-12)


def test_rows_of_a_matrix():
    x = np.linspace(0.3, 1.2, 24).reshape(8, 3)
    np.testing.assert_allclose(gg.compile(gg.grad(some_rows))(x), gg.grad(some_rows)(x), rtol=1e-12)


@pytest.mark.parametrize(("f", "joined"), [(horner, 1), (some_rows, 1), (overlapping, 0), (every_other, 0)])
def test_only_parts_that_lie_apart_are_joined(f, joined):
    program = join_parts(gg.compile(gg.grad(f)).program(np.ones(8)))
    names = [value.op.name for value in program.values]
    assert names.count("concatenate") == joined
    assert ("embed" in names) == (not joined)
