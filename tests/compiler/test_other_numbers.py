"""Real numbers where a program computes with complex ones, and the other way round: the function itself answers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gategrad as gg
import gategrad.scipy.linalg as gsl
from gategrad.compiler.runtime import engine
from gategrad.compiler.runtime import link as link_module

SPD = np.array([[2.0, 1.0], [1.0, 3.0]])  # real roots, a real logarithm; real eigenvalues
OTHER = np.array([[-1.0, 2.0], [3.0, -4.0]])  # complex roots
TURN = np.array([[1.0, 2.0], [-3.0, 1.0]])  # complex eigenvalues


class Pair(NamedTuple):
    root: object
    other: object


@pytest.fixture(params=["native", "python", "interpreted"], autouse=True)
def path(request, monkeypatch):
    """The call by native code, through Python, and of the interpreter."""
    if request.param == "python":
        monkeypatch.setattr(link_module, "obstacle", lambda: "a test")
    if request.param == "interpreted":
        monkeypatch.setattr(engine, "available", lambda: False)
    return request.param


FUNCTIONS = {
    "sqrtm": gsl.sqrtm,
    "logm": lambda x: gsl.logm(x) * 2,
    "fractional_matrix_power": lambda x: gsl.fractional_matrix_power(x, 0.5),
    "in a list": lambda x: [gsl.sqrtm(x), x + 1],
    "in a named tuple": lambda x: Pair(gsl.sqrtm(x), np.trace(x)),
    "eigvals": np.linalg.eigvals,
    "a number": lambda x: np.sum(np.abs(gsl.sqrtm(x)) ** 2),
    "its gradient": gg.grad(lambda x: np.sum(np.abs(gsl.sqrtm(x)) ** 2)),
    "careful": gg.grad(lambda x: np.sum(np.abs(gsl.sqrtm(x)) ** 2) / np.sum(np.abs(x) - np.abs(x))),
}


def same(found, expected):
    if isinstance(expected, (list, tuple)):
        assert type(found) is type(expected)
        for a, b in zip(found, expected, strict=True):
            same(a, b)
        return
    assert np.asarray(found).dtype == np.asarray(expected).dtype
    assert_allclose(found, expected, rtol=1e-10)


ALL_BY_NATIVE_CODE = [(name, "native") for name in FUNCTIONS]
SOME_OTHERWISE = [(name, way) for name in ("sqrtm", "in a named tuple", "careful") for way in ("python", "interpreted")]


@pytest.mark.parametrize(("name", "path"), ALL_BY_NATIVE_CODE + SOME_OTHERWISE, indirect=["path"])
def test_by_turns(name, path):
    f = FUNCTIONS[name]
    compiled = gg.compile(f)
    with np.errstate(all="ignore"):
        for x in (SPD, OTHER, TURN, SPD, TURN, TURN):
            same(compiled(x), f(x))


@pytest.mark.parametrize("x", [SPD, OTHER, TURN])
def test_among_variables(x):
    """A pullback is another program for complex upstream gradients: one that NumPy runs."""
    root = gg.compile(gsl.sqrtm)
    root(SPD)

    def size(root):
        return lambda x: np.sum(np.abs(root(x) + 0.5) ** 2)

    expected = gg.grad(size(gsl.sqrtm))(x)
    assert_allclose(gg.grad(size(root))(x), expected, rtol=1e-10)
    assert_allclose(gg.jvp(size(root), (x,), (SPD,))[1], np.sum(expected * SPD), rtol=1e-10)
    v = gg.variable(x)
    size(root)(v).backward()
    assert_allclose(v.grad, expected, rtol=1e-10)
    assert_allclose(gg.hvp(size(root), x, OTHER), gg.hvp(size(gsl.sqrtm), x, OTHER), rtol=1e-8)


def test_a_donated_argument_stays_as_it_is_until_the_function_has_answered():
    step = gg.compile(lambda x: x - np.abs(gsl.sqrtm(x)), donate="x")
    for x in (SPD, OTHER):
        assert_allclose(step(x.copy()), x - np.abs(gsl.sqrtm(x)))


def test_a_function_that_raises_itself():
    """What is no change of kind is the error it was."""

    class Strange(gg.BlackBox):
        def forward(self, x):
            if np.sum(x) < 0:
                raise KeyError("a number below zero")
            return np.zeros(3 if np.sum(x) > 100 else 2)

    compiled = gg.compile(lambda x: Strange()(x))
    compiled(np.ones(2))
    with pytest.raises(KeyError, match="a number below zero"):
        compiled(-np.ones(2))
    with pytest.raises(gg.errors.ShapeError, match=r"Strange returned float64\[3\] where it returned float64\[2\]"):
        compiled(np.full(2, 100.0))
