"""Every case of every table: value, gradient, second order, float32, compiled. And the page that tells of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import TraceError

from .cases import tables
from .page import page

pytest.importorskip("llvmlite")

CASES = [
    pytest.param(case, id=f"{case.name}-{number}") for table in tables() for number, case in enumerate(table.cases)
]
every_case = pytest.mark.parametrize("case", CASES)


def parts(z):
    """The outputs of a function, one by one."""
    return [part for whole in z for part in parts(whole)] if isinstance(z, (tuple, list)) else [z]


def assert_same(found, expected, rtol):
    found, expected = parts(found), parts(expected)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


@every_case
def test_value_is_numpys(case):
    expected = case(*case.floats)
    found = case(*map(gg.variable, case.floats))
    assert all(isinstance(z, gg.Variable) for z in parts(found)), "the gradient is lost"
    assert_same([z.value for z in parts(found)], expected, rtol=1e-12)


@every_case
def test_gradients_are_those_of_central_differences(case):
    report = gg.check_gradients(case, *case.floats, order=case.order, elements=5)
    assert not report.kinks, "a case sits where the function is smooth"


@every_case
def test_float32_stays_float32(case):
    single = [np.float32(x) for x in case.floats]
    z, gradients = case.value_and_gradient(*single)
    if case.keeps_float32:
        assert {part.dtype for part in parts(z)} == {np.dtype(np.float32)}
    assert {dx.dtype for dx in gradients} == {np.dtype(np.float32)}
    _, double = case.value_and_gradient(*[np.float64(x) if np.ndim(x) else float(x) for x in single])
    for dx, expected in zip(gradients, double, strict=True):
        np.testing.assert_allclose(dx, expected, rtol=2e-3, atol=2e-3)


@every_case
def test_compiled_is_eager(case):
    if not case.compiles:
        with pytest.raises(TraceError):
            case.compiled(*case.floats)
        return
    assert_same(case.compiled(*case.floats), case.value_and_gradient(*case.floats), rtol=1e-10)


def test_the_page_is_current():
    written = (Path(__file__).parents[2] / "docs" / "coverage.md").read_text(encoding="utf-8")
    assert written == page(tables()), "run python -m tests.coverage"
