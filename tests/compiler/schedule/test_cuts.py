"""Kernels of very many operations become several, wherever little crosses."""

import re

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.codegen.module import write_native
from gategrad.compiler.passes import optimise
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule import cuts
from gategrad.compiler.schedule.cuts import LONG_KERNEL, cut_long_kernels
from gategrad.compiler.schedule.kernels import group
from gategrad.compiler.trace.tracing import trace

RNG = np.random.default_rng(11)


def solver(steps):
    """The classical Runge-Kutta method on an array."""

    def slope(y, k):
        return np.sin(y) * k - 0.1 * y

    def loss(y, k):
        for _ in range(steps):
            a = slope(y, k)
            b = slope(y + 0.05 * a, k)
            c = slope(y + 0.05 * b, k)
            d = slope(y + 0.1 * c, k)
            y = y + 0.1 / 6 * (a + 2 * b + 2 * c + d)
        return np.sum(y * y), np.max(y)

    return loss


def gradient(steps):
    return gg.value_and_grad(lambda y, k: solver(steps)(y, k)[0], (0, 1))


def traced(steps):
    """The program of the gradient, which nobody compiles."""
    specs = [((30,), np.dtype(float))] * 2
    program, _ = trace(gradient(steps), lambda symbols: (symbols, {}), specs, ["y", "k"], "f")
    return optimise(program)


def test_a_long_kernel_is_cut_and_its_pieces_compute_the_same():
    y, k = RNG.normal(size=30), RNG.normal(size=30)
    compiled = gg.compile(gradient(6))
    assert len(compiled.report(y, k).kernels) > 3
    value, (dy, dk) = compiled(y, k)
    expected = gradient(6)(y, k)
    np.testing.assert_allclose(value, expected[0], rtol=1e-12)
    np.testing.assert_allclose(dy, expected[1][0], rtol=1e-10)
    np.testing.assert_allclose(dk, expected[1][1], rtol=1e-10)


def test_the_pieces_of_repeated_steps_are_the_same():
    native = write_native(traced(32), Table())
    assert len(native.kernels) > 30
    assert len(re.findall(r"^define internal void @gg_part", native.text, re.MULTILINE)) < 10


def test_pieces_are_in_order_and_none_is_lost():
    (kernel,) = group(traced(12))
    pieces = cut_long_kernels([kernel])
    assert [v for piece in pieces for v in piece.values] == kernel.values
    assert max(len(piece.values) for piece in pieces) < LONG_KERNEL
    assert {v for piece in pieces for v in piece.finished} == kernel.finished


@pytest.mark.parametrize("most", [0, 10**9])
def test_what_would_come_from_far_away_is_not_cut(most, monkeypatch):
    (kernel,) = group(traced(12))
    monkeypatch.setattr(cuts, "_NEAR_BYTES", most)
    assert (cut_long_kernels([kernel]) == [kernel]) is (most == 0)


def test_short_kernels_stay_whole():
    kernels = group(traced(2))
    assert cut_long_kernels(kernels) == kernels


def test_reductions_and_broadcasts_in_long_kernels():
    def f(x, w):
        for n in range(53):
            x = x * w + x / (n + 1.0) - np.sqrt(np.abs(x))
        return np.sum(x, axis=0), np.sum(x, axis=1), np.max(x), x

    x, w = RNG.normal(size=(5, 7)), RNG.normal(size=7)
    compiled = gg.compile(f)
    assert len(compiled.report(x, w).kernels) > 2
    for a, b in zip(compiled(x, w), f(x, w), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
