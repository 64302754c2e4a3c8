"""Stores past the caches: where they are written, and that the numbers are the same."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.codegen.loops import streams
from gategrad.compiler.runtime.engine import is_x86
from gategrad.compiler.schedule import kernels

pytestmark = pytest.mark.skipif(not is_x86(), reason="this processor has no such stores")

N = 5003  # elements: no multiple of a vector


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Arrays are large from 8 kB on."""
    monkeypatch.setattr(streams, "PAST_CACHES", 2**13)
    monkeypatch.setattr(kernels, "PAST_CACHES", 2**13)
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", str(tmp_path))


def written_past_caches(function, *args):
    return "!nontemporal" in gg.compile(function).llvm(*args)


X = np.linspace(-1.0, 1.0, N)
M = np.linspace(-1.0, 1.0, 60 * 70).reshape(60, 70)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (lambda x: x * 2.0 + 1.0, (X,)),
        (lambda x: x * 2.0, (X.astype(np.float32),)),
        (lambda x, y: x + y, (M, M[0])),
        (lambda x, y: (x + y, np.sum(x + y)), (M, M[:, :1])),
        (lambda x: np.broadcast_to(np.sum(x, axis=1, keepdims=True), (60, 70)) - x, (M,)),
        (gg.value_and_grad(lambda x: np.sum(x * x)), (M,)),
        (gg.value_and_grad(lambda x: np.sum(np.sum(x, axis=0) ** 2)), (M,)),
    ],
    ids=["line", "float32", "rows", "with a sum", "after a sum", "gradient", "columns"],
)
def test_one_large_array_is_written_past_the_caches(function, args):
    assert written_past_caches(function, *args)
    for ours, theirs in zip(_arrays(gg.compile(function)(*args)), _arrays(function(*args)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (lambda x: x * 2.0, (X[:1000],)),
        (lambda x: np.tanh(x), (X,)),
        (lambda x: x > 0.0, (np.repeat(X, 8),)),
        (lambda x: np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True), (M,)),
    ],
    ids=["small", "dear", "truth values", "read again"],
)
def test_others_are_not(function, args):
    assert not written_past_caches(function, *args)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (lambda x: (x * 2.0, x + 1.0, x - 1.0), (X,)),
        (lambda x: (x * 2.0, x + 1.0), (X.astype(np.float32),)),
        (lambda x, y: (x * y, x + y, np.sum(x * x)), (np.repeat(M, 9, axis=1), np.repeat(M, 9, axis=1)[:, :1])),
        (lambda x: (x > 0.0, x * 2.0), (X,)),
    ],
    ids=["lines", "float32", "rows", "truth values among them"],
)
def test_several_arrays_are_put_on_the_stack_first(function, args):
    text = gg.compile(function).llvm(*args)
    numbers = all(z.dtype != bool for z in _arrays(function(*args)))
    assert ("!nontemporal" in text) == (f"alloca [{streams.STAGED} x i8]" in text) == numbers
    for ours, theirs in zip(_arrays(gg.compile(function)(*args)), _arrays(function(*args)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_what_is_spread_alone_has_a_loop_of_its_own():
    gradient = gg.compile(gg.value_and_grad(lambda x: np.sum(np.sum(x, axis=0) ** 2)))
    assert "\n  1. sum  (over (60, 70)," in str(gradient.report(M))


def test_where_an_input_is_written_over_nothing_is_saved():
    step = gg.compile(lambda x: x * 2.0, donate=("x",))
    assert "!nontemporal" not in step.llvm(X.copy())


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_arrays_may_lie_anywhere(shift):
    into = gg.compile(lambda target, x: x * 2.0 + 0.0 * x[0], donate=("target",))
    target = np.zeros(N + 8)[shift : N + shift]
    assert "!nontemporal" in into.llvm(target, X)
    result = into(target, X)
    assert result is target
    assert np.array_equal(result, X * 2.0 + 0.0 * X[0])


def _arrays(result):
    return result if isinstance(result, tuple) else (result,)
