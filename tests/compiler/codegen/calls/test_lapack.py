"""Every operation of linear algebra, interpreted and native, against NumPy: sizes, stacks, transposes, precisions."""

import numpy as np
import pytest

from gategrad.compiler import compile as compiler
from gategrad.compiler.program.ops import OPS
from tests.compiler.checking import check

pytest.importorskip("llvmlite")

L = np.linalg
SHAPES = [(1, 1), (40, 40), (0, 0), (2, 0, 3, 3), (2, 3, 5, 5)]


def matrices(*shape, dtype=np.float64):
    rng = np.random.default_rng(sum(shape))
    return (rng.normal(size=shape) + 2.0 * np.sqrt(shape[-1]) * np.eye(*shape[-2:])).astype(dtype)


def turned(x):
    return np.swapaxes(x, -1, -2)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_square_matrices(shape):
    def f(x, y, v):
        spd = x @ turned(x) + np.eye(shape[-1])
        factor = L.cholesky(spd)
        return (
            factor, L.cholesky(spd, upper=True), L.solve(x, y), L.solve(turned(x), y), L.solve(x, v), L.solve(turned(x), v),
            L.solve(factor, y), L.solve(turned(factor), y), L.solve(factor, v), L.solve(turned(factor), v), L.inv(x),
            L.inv(turned(x)), *L.slogdet(x), L.det(x / np.sqrt(max(shape[-1], 1))), *L.eigh(spd), L.eigvalsh(x, UPLO="U"),
        )  # fmt: skip

    y = matrices(*shape[:-1], 3)
    check(f, (matrices(*shape), y, np.arange(1.0, 1.0 + shape[-1])))


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3), (2, 5, 3), (2, 3, 5), (3, 0), (30, 20)], ids=str)
def test_matrices_that_are_not_square(shape):
    def f(x):
        short = L.svd(x, full_matrices=False)
        return *L.qr(x), *L.qr(turned(x)), *short, L.svdvals(x), L.qr(x, mode="r"), L.svd(turned(x), compute_uv=False)

    check(f, (matrices(*shape),))


def test_single_precision_and_integers():
    def f(x, k):
        spd = x @ turned(x)
        return L.cholesky(spd), L.solve(x, turned(x)), L.inv(x), *L.slogdet(x), L.eigvalsh(spd), *L.qr(x), L.inv(k)

    check(f, (matrices(2, 6, 6, dtype=np.float32), np.array([[1, 2], [3, 5]])))


def test_a_stack_is_solved_for_one_matrix_and_one_for_a_stack():
    x, y = matrices(4, 4), matrices(3, 4, 2)
    check(lambda x, y: (L.solve(x, y), L.solve(y @ turned(y) + x, x), L.solve(L.cholesky(x @ x.T), y)), (x, y))


def test_what_is_read_where_it_lies_and_what_is_laid_out_anew():
    """Slices, every other row, reversed ones, broadcast ones."""

    def f(x):
        return (
            L.inv(x[1:5, 2:6]), L.solve(x[::2, ::2], x[::2, 1:3]), L.cholesky((x @ x.T)[::-1, ::-1]),
            L.inv(np.broadcast_to(x, (2, 6, 6))), L.solve(L.cholesky(x @ x.T)[:3, :3], x[::-2, :2]),
        )  # fmt: skip

    check(f, (matrices(6, 6),))


def test_exchanged_rows():
    """Zeros on the diagonal, so that elimination must exchange rows, in cycles longer than two as well."""
    x = np.roll(np.diag([2.0, 3.0, 5.0, 7.0, 11.0]), 2, axis=1) + 0.01 * matrices(5, 5)
    check(lambda x: (L.solve(x, x.T), L.solve(x.T, x), L.inv(x), *L.slogdet(x), L.det(x)), (x,))


def test_interpreted_factors_are_lapacks():
    lu_factor = pytest.importorskip("scipy.linalg").lu_factor
    for x in (matrices(6, 6), np.roll(matrices(5, 5), 2, axis=0), np.ones((3, 3))):
        with np.errstate(all="ignore"):
            factors, places = lu_factor(x, check_finite=False) if L.matrix_rank(x) == len(x) else (None, None)
        n, packed = len(x), OPS["lu"].evaluate(x)
        if factors is not None:
            np.testing.assert_allclose(packed[: n * n].reshape(n, n).T, factors, rtol=1e-12, atol=1e-14)
            np.testing.assert_array_equal(packed[n * n :], places)
        else:
            assert 0.0 in np.diagonal(packed[: n * n].reshape(n, n))


def test_names_are_in_the_text_and_the_report():
    f = compiler.compile(lambda x: L.inv(x) @ L.cholesky(x))
    x = np.eye(3)
    assert "v0 = lu(x)" in str(f.program(x)) and "lu_inverse(v0)" in str(f.program(x))
    assert "cholesky  (alone, reads 72 B, writes 72 B)" in str(f.report(x)) and f.report(x).callbacks == ()
