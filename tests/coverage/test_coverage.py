"""Every case of every table: value, gradient, second order, forward mode, float32, compiled. And the page that tells of it.

By default programs are interpreted, for LLVM takes its time: what each operation becomes is tested in `tests/compiler`. The
machine code of every case is run with `-m slow`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import OtherNumbersError, TraceError

from .cases import subjects, weights
from .page import page

pytest.importorskip("llvmlite")

CASES = [
    pytest.param(case, id=f"{case.name}-{number}")
    for subject in subjects()
    for number, case in enumerate(subject.cases)
]
every_case = pytest.mark.parametrize("case", [case for case in CASES if not case.values[0].elsewhere])
every_case_compiled = pytest.mark.parametrize("case", CASES)


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
def test_forward_mode_is_the_transpose_of_reverse_mode(case):
    """The dot-product test: dz · (J dx) is (Jᵀ dz) · dx."""
    tangents = [weights(x) for x in case.floats]
    z, gradients = case.value_and_gradient(*case.floats)
    _, moved = gg.jvp(case, case.floats, tuple(tangents))
    forward = sum(np.vdot(weights(part), dz) for part, dz in zip(parts(z), parts(moved), strict=True))
    backward = sum(np.vdot(dx, x) for dx, x in zip(gradients, tangents, strict=True))
    size = sum(np.vdot(np.abs(dx), np.abs(x)) for dx, x in zip(gradients, tangents, strict=True))
    assert np.real(forward) == pytest.approx(np.real(backward), rel=1e-10, abs=1e-10 * max(size, 1.0))


@every_case
def test_float32_is_treated_as_numpy_does(case):
    single = [np.complex64(x) if np.iscomplexobj(x) else np.float32(x) for x in case.floats]
    z, gradients = case.value_and_gradient(*single)
    assert list(map(np.result_type, parts(z))) == list(map(np.result_type, parts(case(*single))))
    assert [dx.dtype for dx in gradients] == [x.dtype for x in single]
    _, double = case.value_and_gradient(
        *[x.astype(np.result_type(x, float)) if np.ndim(x) else float(x) for x in single]
    )
    for dx, expected in zip(gradients, double, strict=True):
        np.testing.assert_allclose(dx, expected, rtol=2e-3, atol=2e-3)


@every_case_compiled
def test_the_program_is_the_eager_function(case):
    if not case.compiles:
        with pytest.raises(TraceError):
            _ = case.traced
        return
    program, rebuild = case.traced
    with np.errstate(all="ignore"):
        try:
            found = rebuild(program(*case.floats))
        except OtherNumbersError:  # the function itself answers
            found = gg.compile(case.value_and_gradient)(*case.floats)
        assert_same(found, case.value_and_gradient(*case.floats), rtol=1e-10)


@pytest.mark.slow
@every_case_compiled
def test_native_code_is_the_eager_function(case):
    if case.compiles:
        found = gg.compile(case.value_and_gradient)(*case.floats)
        assert_same(found, case.value_and_gradient(*case.floats), rtol=1e-10)


def test_the_page_is_current():
    written = (Path(__file__).parents[2] / "docs" / "coverage.md").read_text(encoding="utf-8")
    assert written == page(subjects()), "run python -m tests.coverage"
