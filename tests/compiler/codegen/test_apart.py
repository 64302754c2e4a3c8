"""Programs of many kernels, each of which is a function of its own."""

import re

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.codegen import apart as codegen
from gategrad.compiler.codegen.module import write_native
from gategrad.compiler.runtime.table import Table

RNG = np.random.default_rng(3)


@pytest.fixture
def apart(monkeypatch):
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", "")  # by limits set to other values no code on the disk is found
    monkeypatch.setattr(codegen, "_TOGETHER", 0)


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
    monkeypatch.setattr(codegen, "_TOGETHER", 0)
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


def shrinking(steps):
    def f(x):
        for n in range(steps):
            x = x[1:][::-1] + np.sum(x) * 0.01 * n  # each sum needs the whole one before, and no two are of a length
        return x

    return f


def reversing(steps):
    def f(x):
        for n in range(steps):
            x = x[::-1] + np.sum(x) * 0.01 * n
        return x

    return f


def functions(compiled, *args):
    """The names of the parts of a program that are functions of their own."""
    return set(re.findall(r"^define internal .*(@gg_part\.\d+)\(", str(native_text(compiled, *args)), re.MULTILINE))


def native_text(compiled, *args):
    return write_native(compiled.program(*args), Table()).text


def test_only_programs_of_many_kernels_are_taken_apart():
    x = np.linspace(0.0, 1.0, 73)
    few, many = gg.compile(shrinking(6)), gg.compile(shrinking(40))
    assert len(few.report(x).kernels) <= codegen._TOGETHER < len(many.report(x).kernels)
    assert not functions(few, x)
    assert len(functions(many, x)) > codegen._TOGETHER
    np.testing.assert_allclose(many(x), shrinking(40)(x), rtol=1e-12)


def test_kernels_that_do_the_same_are_one_function():
    x = np.linspace(0.0, 1.0, 33)
    for steps in (3, 40):
        compiled = gg.compile(reversing(steps))
        assert len(compiled.report(x).kernels) > 2 * steps
        assert len(functions(compiled, x)) <= 4  # the first sum, and the last step, have kernels of their own
        np.testing.assert_allclose(compiled(x), reversing(steps)(x), rtol=1e-12)


def test_a_program_of_calls_alone_is_not_optimised_itself():
    x = np.linspace(0.0, 1.0, 33)
    heads = [native_text(gg.compile(reversing(steps)), x).partition("{")[0] for steps in (3, 80)]
    assert "optnone" not in heads[0]
    assert "optnone" in heads[1]


def test_numbers_in_which_alike_kernels_differ_are_handed_over():
    def decaying(x):
        for n in range(1, 9):
            x = np.cumsum(x) * (1 / n) + n  # a cumulative sum is no part of a loop
        return x

    x = np.linspace(0.5, 1.0, 20)
    compiled = gg.compile(decaying)
    assert len(functions(compiled, x)) == 2
    np.testing.assert_allclose(compiled(x), decaying(x), rtol=1e-12)


def test_steps_that_read_parts_of_one_array_are_one_function():
    def recurrent(w, h, x):
        for step in x:
            h = np.tanh(h @ w + step)
        return np.sum(h * h)

    w, h, x = RNG.normal(size=(9, 9)) / 3, np.zeros((40, 9)), RNG.normal(size=(12, 40, 9))
    gradient = gg.compile(gg.value_and_grad(recurrent, (0, 1, 2)))
    assert len(gradient.report(w, h, x).kernels) > 36
    assert len(functions(gradient, w, h, x)) <= 9
    found, expected = gradient(w, h, x), gg.value_and_grad(recurrent, (0, 1, 2))(w, h, x)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
    for a, b in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_the_text_of_a_program_is_the_same_each_time():
    x = np.linspace(0.0, 1.0, 33)
    first, second = (native_text(gg.compile(reversing(9)), x) for _ in range(2))
    assert first == second


def test_parts_of_an_array_that_is_written_over_are_read_through_one_pointer():
    def f(x):
        for n in range(3):
            x = x.copy()
            x[1:] = np.tanh(x[:-1]) + n
        return x

    x = np.linspace(0.0, 1.0, 33)
    expected = f(x)
    np.testing.assert_allclose(gg.compile(f, donate="x")(x.copy()), expected, rtol=1e-12)


def test_kernels_in_blocks_that_do_the_same_are_one_function():
    def f(x):
        for _ in range(4):
            x = np.tanh(x - np.mean(x))
        return x

    x = RNG.normal(size=300_000)
    compiled = gg.compile(f)
    assert len(re.findall(r"^define internal i32 @gg_block\.\d+\(", native_text(compiled, x), re.MULTILINE)) <= 4
    np.testing.assert_allclose(compiled(x), f(x), rtol=1e-11)
