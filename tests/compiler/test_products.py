"""Products of matrices that lie either way, or neither; those with few steps for each element are tiles."""

import numpy as np
import pytest

import gategrad as gg


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("rows", "inner", "columns"), [
        (7, 3, 5), (8, 3, 5), (50, 16, 33), (200, 64, 257), (130, 65, 129), (9, 1, 300),  # tiles and panels
        (1, 60, 50), (60, 50, 1), (700, 7, 1), (700, 8, 1), (1, 2, 1000), (1, 2000, 1), (2000, 1, 1),  # vectors
        (2, 300, 333), (5, 257, 260), (12, 1000, 71), (8, 33, 2000),  # few rows
    ],
)  # fmt: skip
def test_products_with_matrices_that_lie_either_way(rows, inner, columns, dtype):
    rng = np.random.default_rng(6)
    x, y = (rng.uniform(-1, 1, shape).astype(dtype) for shape in ((rows, inner), (inner, columns)))
    expected = x.astype(np.float64) @ y.astype(np.float64)
    tolerance = 1e-5 if dtype is np.float32 else 1e-13
    for f, inputs in (
        (lambda x, y: x @ y, (x, y)),
        (lambda x, y: x @ y.T, (x, y.T.copy())),
        (lambda x, y: x.T @ y.T, (x.T.copy(), y.T.copy())),
        (lambda x, y: x @ y[::-1, ::-1], (x, y[::-1, ::-1].copy())),
        (lambda x, y: x[:, ::-1] @ y, (x[:, ::-1].copy(), y)),
        (lambda x, y: x[:, ::2] @ y, (np.repeat(x, 2, axis=1), y)),
    ):
        np.testing.assert_allclose(gg.compile(f)(*inputs), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("rows", [5, 40])
def test_products_with_a_repeated_row_or_column(rows):
    rng = np.random.default_rng(8)
    x, row = rng.uniform(-1, 1, (rows, 150)), rng.uniform(-1, 1, 150)
    product = gg.compile(
        lambda x, row: (x @ np.broadcast_to(row, (70, 150)).T, np.broadcast_to(row, (rows, 150)) @ x.T)
    )
    right, left = product(x, row)
    np.testing.assert_allclose(right, np.repeat((x @ row)[:, None], 70, axis=1), rtol=1e-12)
    np.testing.assert_allclose(left, np.repeat((x @ row)[None, :], rows, axis=0), rtol=1e-12)


def test_few_rows_of_a_stack_and_of_large_matrices_in_blocks():
    rng = np.random.default_rng(9)
    x, y = rng.uniform(-1, 1, (3, 4, 200)), rng.uniform(-1, 1, (3, 200, 190))
    np.testing.assert_allclose(gg.compile(np.matmul)(x, y), x @ y, rtol=1e-12, atol=1e-13)
    x, y = rng.uniform(-1, 1, (6, 100)), rng.uniform(-1, 1, (100, 4001))
    product = gg.compile(lambda x, y: x @ y)
    assert "blocks on threads" in str(product.report(x, y))
    np.testing.assert_allclose(product(x, y), x @ y, rtol=1e-12, atol=1e-13)


def test_rows_of_the_matrix_itself():
    y = np.random.default_rng(10).uniform(-1, 1, (300, 300))
    np.testing.assert_allclose(gg.compile(lambda y: y[5:9] @ y)(y), y[5:9] @ y, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(gg.compile(lambda y: y[:, 7] @ y)(y), y[:, 7] @ y, rtol=1e-12, atol=1e-13)


def test_a_stack_of_products_lays_each_one_out():
    rng = np.random.default_rng(7)
    x, y = rng.uniform(-1, 1, (3, 20, 4)), rng.uniform(-1, 1, (3, 30, 4))
    product = gg.compile(lambda x, y: x @ np.swapaxes(y, 1, 2))
    np.testing.assert_allclose(product(x, y), x @ np.swapaxes(y, 1, 2), rtol=1e-13)
