"""Programs of many kernels, each of which is a function of its own."""

import re

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.codegen import module

RNG = np.random.default_rng(3)


@pytest.fixture
def apart(monkeypatch):
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", "")  # by limits set to other values no code on the disk is found
    monkeypatch.setattr(module, "_TOGETHER", 0)


def normalised(x, w):
    mean = np.mean(x)  # a single number, which other kernels read
    spread = np.sqrt(np.mean((x - mean) ** 2))
    rows = np.sum((x - mean) / spread * w, axis=1)
    return rows, mean, spread, np.any(rows > 0.5), np.cumsum(rows) * mean


def softmax(x, w):
    z = x - np.max(x, axis=1, keepdims=True)
    p = np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)
    return np.sum(p * w), np.sum(p, axis=0), np.argmax(p, axis=1)


@pytest.mark.parametrize("f", [normalised, softmax])
@pytest.mark.parametrize("shape", [(7, 5), (400, 300)])  # the larger one runs in blocks
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_kernels_apart_compute_what_they_compute_together(f, shape, dtype, monkeypatch):
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", "")
    x, w = RNG.normal(size=shape).astype(dtype), RNG.normal(size=shape[1]).astype(dtype)
    together = gg.compile(f)(x, w)
    monkeypatch.setattr(module, "_TOGETHER", 0)
    compiled = gg.compile(f)
    for a, b in zip(compiled(x, w), together, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
    assert "@gg_part." in compiled.llvm(x, w)


def test_derivatives_of_kernels_apart(apart):
    x, w = RNG.normal(size=(6, 4)), RNG.normal(size=4)
    found = gg.compile(gg.value_and_grad(lambda x, w: softmax(x, w)[0] + normalised(x, w)[2], (0, 1)))(x, w)
    expected = gg.value_and_grad(lambda x, w: softmax(x, w)[0] + normalised(x, w)[2], (0, 1))(x, w)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
    for a, b in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_only_programs_of_many_kernels_are_taken_apart():
    def chain(steps):
        def f(x):
            for n in range(steps):
                x = x[::-1] + np.sum(x) * 0.01 * n  # each sum needs the whole one before
            return x

        return f

    x = np.linspace(0.0, 1.0, 33)
    few, many = gg.compile(chain(6)), gg.compile(chain(40))
    assert len(few.report(x).kernels) <= module._TOGETHER < len(many.report(x).kernels)
    assert "@gg_part." not in few.llvm(x)
    assert len(re.findall(r"^define .*@gg_part\.", many.llvm(x), re.MULTILINE)) > module._TOGETHER
    np.testing.assert_allclose(many(x), chain(40)(x), rtol=1e-12)
    assert "@gg_part." not in many.llvm(x[:2])  # so short that there is no loop to take apart
    np.testing.assert_allclose(many(x[:2]), chain(40)(x[:2]), rtol=1e-12)
