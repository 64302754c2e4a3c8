"""Sums of products: written by the products themselves, onto what there is, in place or to and fro, with NumPy's numbers."""

import gc

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.module import _vector_bytes
from gategrad.compiler.codegen.products.matmul import is_overlapping
from gategrad.compiler.schedule import epilogues

from .checking import check
from .red_zones import red_zones

pytest.importorskip("llvmlite")

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape) / np.sqrt(shape[-1])


FUNCTIONS = {
    "what is given": lambda a, b, c, u, v: c + a @ b,
    "less a half": lambda a, b, c, u, v: c - 0.5 * (a @ b),
    "two products": lambda a, b, c, u, v: a @ b + u @ v,
    "a difference": lambda a, b, c, u, v: u @ v - a @ b,
    "three, and what is given": lambda a, b, c, u, v: u @ v + c - (a @ b - (a + 1.0) @ b),
    "one row": lambda a, b, c, u, v: a @ b + c[..., :1, :],
    "rows the other way round": lambda a, b, c, u, v: a @ b + c[..., ::-1, :],
    "products one after the other": lambda a, b, c, u, v: (c + a @ b) @ (np.swapaxes(c, -1, -2) @ c) + c,
    "in place": lambda a, b, c, u, v: np.tanh(c) @ np.swapaxes(c, -1, -2) @ c + a @ b,
    "in another shape": lambda a, b, c, u, v: np.ravel(c) + np.ravel(a @ b),
}
SIZES = [
    (3, 4, 5), (17, 33, 19), (100, 30, 31), (200, 64, 257), (130, 165, 129), (9, 1, 300),  # tiles and panels
    (1, 60, 50), (60, 50, 1), (700, 7, 1), (1, 1, 1), (2, 300, 333), (5, 257, 260), (40, 700, 6),  # vectors, few, BLAS
]  # fmt: skip


def matrices(stack, rows, inner, columns, dtype):
    shapes = ((rows, inner), (inner, columns), (rows, columns), (rows, inner + 1), (inner + 1, columns))
    return [normal(*stack, *shape).astype(dtype) for shape in shapes]


def sums(compiled, *inputs):
    """The kernels that are sums of products."""
    return [k for k in compiled.report(*inputs).kernels if k.products and k.domain is None]


def added(a, b, c, u, v):
    return a @ b - 3.0 * (u @ v) + c


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_products_of_all_sizes_added_to_something(sizes, dtype):
    inputs = matrices((), *sizes, dtype)
    add = gg.compile(added)
    np.testing.assert_allclose(add(*inputs), added(*inputs), rtol=0, atol=1e-13 if dtype is np.float64 else 1e-4)
    assert sums(add, *inputs) or sizes == (1, 1, 1)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_products_added_to_something(name):
    for sizes in ((17, 33, 19), (130, 165, 129)):
        f, inputs = FUNCTIONS[name], matrices((), *sizes, np.float64)
        add = gg.compile(f)
        np.testing.assert_allclose(add(*inputs), f(*inputs), rtol=0, atol=1e-11)
        assert sums(add, *inputs)


@pytest.mark.parametrize("name", ["what is given", "two products", "three, and what is given", "one row"])
def test_stacks_of_products_added_to_something(name):
    for stack, *sizes in (((3,), 17, 33, 19), ((2, 3), 3, 4, 5), ((1,), 1, 60, 50)):
        f, inputs = FUNCTIONS[name], matrices(stack, *sizes, np.float64)
        np.testing.assert_allclose(gg.compile(f)(*inputs), f(*inputs), rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", [2, 20, 90])
def test_products_of_other_shapes_with_the_same_elements(n):
    a, b, c = normal(n, n), normal(n, n + 3), normal(n + 3, n)
    v = normal(n, 1)

    def f(a, b, c, v):
        row, column = np.reshape(v, (1, n)) @ a, a.T @ v
        return (
            np.reshape(row, (n, 1)) + column,
            np.reshape(a @ b, (n + 3, n)) + c @ a,
            column - np.reshape(2.0 * row, (n, 1)),
        )

    check(f, [a, b, c, v])
    assert sums(gg.compile(f), a, b, c, v)


@pytest.mark.parametrize("stack", [(3,), (2, 3)])
def test_a_stack_is_added_up_and_never_there_as_a_whole(stack):
    axes = tuple(range(len(stack)))
    for sizes in SIZES[:4]:
        a, b, *_ = matrices(stack, *sizes, np.float32)
        add = gg.compile(lambda a, b: np.sum(a @ b, axis=axes))
        np.testing.assert_allclose(add(a, b), np.sum(a @ b, axis=axes), rtol=0, atol=1e-4)
    add = gg.compile(lambda a, b: np.sum(a @ b, axis=axes))
    a, b, *_ = matrices(stack, 40, 30, 50, np.float32)
    (kernel,) = add.report(a, b).kernels
    assert kernel.operations == ("sum",)
    assert add.report(a, b).workspace < 2 * 40 * 50 * a.itemsize


def test_the_gradient_of_a_weight_of_a_stack_is_one_sum():
    w, x = normal(20, 30), normal(9, 30, 5)
    gradient = gg.compile(gg.grad(lambda w, x: np.sum(np.tanh(w @ x))))
    np.testing.assert_allclose(gradient(w, x), np.sum((1 - np.tanh(w @ x) ** 2) @ np.swapaxes(x, 1, 2), axis=0))
    assert [k.operations for k in sums(gradient, w, x)] == [("sum",)]


def test_gradients_of_a_weight_that_is_used_again_and_again_take_no_loop():
    def recurrent(w, u, x):
        h = np.zeros((8, 30))
        for row in x:
            h = np.tanh(h @ w + row @ u)
        return np.sum(h * h)

    inputs = normal(30, 30), normal(20, 30), normal(6, 8, 20)
    gradient = gg.compile(gg.grad(recurrent, (0, 1)))
    for found, expected in zip(gradient(*inputs), gg.grad(recurrent, (0, 1))(*inputs), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert not [k for k in gradient.report(*inputs).kernels if k.operations == ("add",) and not k.products]


def test_a_sum_that_other_work_is_done_on_stays_with_it():
    a, b, c, *_ = matrices((), 17, 33, 19, np.float64)
    for f in (
        lambda a, b, c: np.tanh(c + a @ b),
        lambda a, b, c: (c + a @ b, np.tanh(c + a @ b)),
        lambda a, b, c: (a @ b, c + a @ b),  # the product is asked for itself
        lambda a, b, c: np.tanh(c) + a @ b,  # what it is added to comes from the same loop
        lambda a, b, c: 2.0 * (a @ b),  # there is nothing to add
        lambda a, b, c: a @ b - c,
        lambda a, b, c: c[:, ::-1] + a @ b,  # rows that do not lie in order
    ):
        check(lambda *x, f=f: f(*x) if isinstance(f(*x), tuple) else (f(*x),), [a, b, c])
        assert not sums(gg.compile(f), a, b, c)


def test_large_products_are_added_to_rows_by_the_loop_that_reads_them(monkeypatch):
    monkeypatch.setattr(epilogues, "_LARGE", 2**17)
    a, b, c, *_ = matrices((), 331, 301, 205, np.float64)
    (kernel,) = gg.compile(lambda a, b, c: c + a @ b).report(a, b, c).kernels
    assert kernel.domain == c.shape
    assert sums(gg.compile(lambda a, b, c: c[0] + a @ b), a, b, c)


@pytest.mark.parametrize("sizes", [(17, 33, 19), (130, 165, 129), (60, 50, 1)])
def test_a_sum_over_what_is_donated(sizes):
    a, b, c, u, v = matrices((), *sizes, np.float64)
    for f in (
        lambda c, a, b, u, v: c + a @ b,
        lambda c, a, b, u, v: c - a @ b + u @ v,
        lambda c, a, b, u, v: c[::-1] + a @ b,
        lambda c, a, b, u, v: c + (c @ c.T / 100) @ c,
        lambda c, a, b, u, v: np.exp(c) @ c.T @ c + a @ b,
    ):
        given = c.copy()
        found = gg.compile(f, donate=("c",))(given, a, b, u, v)
        assert found is given
        np.testing.assert_allclose(found, f(c, a, b, u, v), rtol=1e-11, atol=1e-11)


def test_a_sum_is_written_over_what_it_alone_reads():
    a, b, c, *_ = matrices((), 200, 200, 200, np.float64)
    add = gg.compile(lambda a, b, c: np.tanh((np.tanh(c) @ c) @ c + a @ b))
    np.testing.assert_allclose(add(a, b, c), np.tanh((np.tanh(c) @ c) @ c + a @ b), rtol=1e-12, atol=1e-12)
    again = gg.compile(lambda w, x: gg.grad(lambda w: np.sum(w @ x) + np.sum(np.sin(w @ x) @ x))(w))
    w, x = normal(150, 150), normal(150, 150)
    np.testing.assert_allclose(again(w, x), gg.grad(lambda w: np.sum(w @ x) + np.sum(np.sin(w @ x) @ x))(w), rtol=1e-11)


def test_a_sum_writes_nothing_beside_its_buffers():
    a, b, c, u, v = matrices((), 17, 33, 19, np.float64)
    x, y, *_ = matrices((3,), 17, 33, 19, np.float64)
    with red_zones() as watch:
        before = watch.broken
        for f in (added, lambda a, b, c, u, v: np.sum(x @ y, axis=0) + c):
            found = gg.compile(f)(a, b, c, u, v)
            np.testing.assert_allclose(found, f(a, b, c, u, v), rtol=0, atol=1e-12)
        del found
        gc.collect()
        assert watch.broken == before


def test_nan_and_infinity_come_through():
    a, b, c, *_ = matrices((), 17, 33, 19, np.float64)
    c[3, 4], a[5, 6], c[7] = np.nan, np.inf, np.inf
    check(lambda a, b, c: (c + a @ b, c - 2.0 * (a @ b)), [a, b, c])


def test_only_small_products_write_elements_twice():
    builder = gg.compile(lambda a, b: a @ b)
    memory = Memory(_vector_bytes())
    for sizes, overlaps in (((100, 30, 31), True), ((3, 4, 5), False), ((130, 165, 129), False), ((60, 50, 1), False)):
        a, b, *_ = matrices((), *sizes, np.float64)
        (product,) = builder.program(a, b).outputs
        assert is_overlapping(product, memory) is overlaps
