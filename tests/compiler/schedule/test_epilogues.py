"""Products that one kernel alone reads: computed there, some rows at a time, with NumPy's numbers and never as a whole."""

from __future__ import annotations

import re

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.runtime import pool
from tests.compiler.checking import check, tolerance

pytest.importorskip("llvmlite")

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape) / np.sqrt(shape[-1])


DEEP = normal(331, 301), normal(301, 205), normal(205), normal(331, 205)  # 205 columns are no whole tiles
SHALLOW = normal(1003, 7), normal(7, 101), normal(101), normal(1003, 101)


def nearest(x, y, b, z):
    distances = b - 2 * x @ y
    return np.argmin(distances, axis=1), np.min(distances, axis=1)


def loss(x, y, b, z):
    return np.mean(gg.logsumexp(x @ y + b, axis=1) * z[:, 0])


FUNCTIONS = {
    "bias and activation": lambda x, y, b, z: (np.tanh(x @ y + b),),
    "relu and its mask": lambda x, y, b, z: (np.maximum(x @ y + b, 0.0), x @ y + b > 0),
    "the gradient of an activation": lambda x, y, b, z: ((1 - z * z) * (x @ y),),
    "a sum with another matrix": lambda x, y, b, z: (x @ y + z,),
    "a sum of products": lambda x, y, b, z: (x @ y + 0.5 * ((x + 1.0) @ y) - z,),
    "columns": lambda x, y, b, z: (np.sum(x @ y, axis=0), np.max(x @ y * z, axis=0)),
    "columns and rows": lambda x, y, b, z: (np.sum(np.exp(x @ y), axis=0), np.sum(np.exp(x @ y), axis=1)),
    "all": lambda x, y, b, z: (np.sum((x @ y - z) ** 2), np.max(x @ y)),
    "softmax": lambda x, y, b, z: (gg.softmax(x @ y + b, axis=1),),
    "the nearest": nearest,
    "a loss and its gradients": lambda x, y, b, z: gg.value_and_grad(loss, (0, 1, 2))(x, y, b, z)[1],
}


def joined(compiled, *inputs):
    """How many products are computed by what reads them, and how many stand alone."""
    kernels = compiled.report(*inputs).kernels
    return sum(k.products for k in kernels), sum(k.operations == ("matmul",) for k in kernels)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", ["deep", "shallow"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_follows_a_product(name, kind, dtype, monkeypatch):
    monkeypatch.setattr("gategrad.compiler.schedule.epilogues._LARGE", 2**17)
    f, inputs = FUNCTIONS[name], [x.astype(dtype) for x in (DEEP if kind == "deep" else SHALLOW)]
    check(f, inputs)
    assert joined(gg.compile(f), *inputs)[0] >= 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_matrices_that_lie_by_columns(dtype):
    for x, y in (normal(301, 331), normal(505, 301)), (normal(7, 1003), normal(101, 7)):
        x, y = x.astype(dtype), y.astype(dtype)
        check(lambda x, y: (np.tanh(x.T @ y.T),), [x, y])
        check(lambda x, y: (np.tanh(x.T[::-1] @ y.T[:, ::-1]),), [x, y])
        assert joined(gg.compile(lambda x, y: np.tanh(x.T @ y.T)), x, y) == (1, 0) or dtype is np.float32


def test_the_report_tells_and_the_product_takes_no_memory():
    x, y, b, _ = normal(5000, 16), normal(16, 500), normal(500), None
    report = gg.compile(lambda x, y, b: np.min(x @ y + b, axis=1)).report(x, y, b)
    assert re.search(r"1\. product with epilogue: add, min  \(over \(5000, 500\), \d+ blocks on threads, ", str(report))
    assert report.workspace < 5000 * 500 * 8 / 4
    assert report.kernels[0].bytes_read == sum(a.nbytes for a in (x, y, b))
    two = gg.compile(lambda x, y, b: x @ y + (x + 1.0) @ y).report(x, y, b)
    assert "2 products with epilogue: add  (" in str(two)


@pytest.mark.parametrize(
    ("f", "products"),
    [
        (lambda x, y: (x @ y, np.tanh(x @ y)), "the product is a result"),
        (lambda x, y: (np.tanh(x @ y) + (np.tanh(x @ y))[::-1],), "rows are read in another order"),
        (lambda x, y: (np.sum(x @ y) + x @ y,), "it is needed twice"),
        (lambda x, y: (np.tanh((x @ y)[1:]),), "a part is read"),
        (lambda x, y: (np.tanh(np.stack([x, x]) @ y),), "a stack"),
    ],
    ids=lambda p: p if isinstance(p, str) else "",
)
def test_other_products_are_computed_as_a_whole(f, products):
    x, y = normal(300, 90), normal(90, 300)
    check(f, [x, y])
    kept = joined(gg.compile(f), x, y)
    assert kept == (0, 1) or products == "rows are read in another order"


def test_small_products_have_no_blocks():
    f = gg.compile(lambda x, y: np.tanh(x @ y))
    assert joined(f, normal(200, 90), normal(90, 200)) == (0, 1)
    check(lambda x, y: (np.tanh(x @ y),), [np.zeros((0, 5)), np.zeros((5, 4000))])
    check(lambda x, y: (np.tanh(x @ y) + 1.0,), [np.zeros((300, 0)), np.zeros((0, 300))])


# --- threads --------------------------------------------------------------------------------------------------


@pytest.fixture
def with_threads(monkeypatch):
    """Compile a function so that the pool has so many threads."""

    def compile(f, count, **options):
        monkeypatch.setenv("GATEGRAD_NUM_THREADS", str(count))
        monkeypatch.setattr(pool, "_pools", {})
        return gg.compile(f, **options)

    return compile


@pytest.mark.parametrize("name", ["columns and rows", "softmax", "the nearest", "a loss and its gradients"])
@pytest.mark.parametrize("kind", ["deep", "shallow"])
def test_the_numbers_do_not_depend_on_the_threads(name, kind, with_threads):
    f, inputs = FUNCTIONS[name], DEEP if kind == "deep" else SHALLOW
    alone, *others = [with_threads(f, count)(*inputs) for count in (1, 2, 3)]
    for found in others:
        for a, b in zip(found, alone, strict=True):
            np.testing.assert_array_equal(a, b)


def test_more_threads_than_desks(with_threads, monkeypatch):
    x, y, b, _ = SHALLOW
    expected = np.tanh(x @ y + b)
    with_threads(lambda x: np.tanh(x), 4)(normal(400, 1000))
    monkeypatch.setenv("GATEGRAD_NUM_THREADS", "1")  # the pool has its threads
    f = gg.compile(lambda x, y, b: np.tanh(x @ y + b))
    for _ in range(50):
        np.testing.assert_allclose(f(x, y, b), expected, rtol=1e-13)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_products_alone_share_their_rows(count, with_threads):
    x, y = normal(300, 256), normal(256, 310)
    f = with_threads(lambda x, y: x @ y, count)
    for _ in range(20):
        np.testing.assert_allclose(f(x, y), x @ y, rtol=1e-12, atol=1e-12)


# --- donated arrays -------------------------------------------------------------------------------------------


def test_a_step_of_descent_is_written_over_its_matrix():
    w, x, dz = normal(260, 270), normal(500, 260), normal(500, 270)
    expected = w - 0.1 * (x.T @ dz)
    step = gg.compile(lambda w, x, dz: w - 0.1 * (x.T @ dz), donate=("w",))
    assert step(w, x, dz) is w
    np.testing.assert_allclose(w, expected, rtol=1e-12, atol=1e-14)


def test_a_product_that_reads_what_is_written_over():
    w = normal(290, 290)
    expected = w + w @ w
    step = gg.compile(lambda w: w + w @ w, donate=("w",))
    assert joined(step, w) == (1, 0)
    assert step(w) is w
    np.testing.assert_allclose(w, expected, rtol=tolerance([w]), atol=1e-12)
