"""Matrix products: tiles, panels and BLAS give NumPy's answers, whatever lies where."""

import numpy as np
import pytest

from gategrad.compiler.codegen import products
from tests.compiler.checking import check

pytest.importorskip("llvmlite")

SIZES = [
    (1, 1, 1), (3, 5, 2), (4, 8, 16), (7, 9, 33), (8, 300, 64), (264, 257, 96), (520, 64, 40), (16, 520, 71),
]  # fmt: skip


def turned(x):
    """The same numbers, lying by columns."""
    return np.ascontiguousarray(np.swapaxes(x, -1, -2))


def matrices(rows, inner, columns, dtype, batch=()):
    rng = np.random.default_rng(rows + inner + columns)
    return [rng.uniform(-1, 1, (*batch, *shape)).astype(dtype) for shape in ((rows, inner), (inner, columns))]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("small", [0, products.SMALL], ids=["large", "small"])
def test_every_way_matrices_lie(sizes, dtype, small, monkeypatch):
    monkeypatch.setattr(products, "SMALL", small)
    x, y = matrices(*sizes, dtype)
    check(lambda x, y: (x @ y,), [x, y])
    check(lambda x, y: (x.T @ y, x.T @ y + 1), [turned(x), y])
    check(lambda x, y: (x @ y.T,), [x, turned(y)])
    check(lambda x, y: (x.T @ y.T,), [turned(x), turned(y)])


@pytest.mark.parametrize("small", [0, products.SMALL], ids=["large", "small"])
def test_stacks_of_matrices(small, monkeypatch):
    monkeypatch.setattr(products, "SMALL", small)
    check(lambda x, y: (x @ y, x[0] @ y, x @ y[1]), matrices(16, 40, 64, np.float64, (3,)))


def test_nothing_to_add_up():
    check(lambda x, y: (x @ y,), [np.zeros((8, 0)), np.zeros((0, 32))])
