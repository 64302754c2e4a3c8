"""Matrix products: tiles, panels and BLAS give NumPy's answers, whatever lies where."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.codegen.products import panels
from gategrad.compiler.schedule import ways
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


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch):
    """Limits are set to other values here, by which no code on the disk is found."""
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", "")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("small", [0, ways.SMALL], ids=["large", "small"])
def test_every_way_matrices_lie(sizes, dtype, small, monkeypatch):
    monkeypatch.setattr(ways, "SMALL", small)
    x, y = matrices(*sizes, dtype)
    check(lambda x, y: (x @ y,), [x, y])
    check(lambda x, y: (x.T @ y, x.T @ y + 1), [turned(x), y])
    check(lambda x, y: (x @ y.T,), [x, turned(y)])
    check(lambda x, y: (x.T @ y.T,), [turned(x), turned(y)])


@pytest.fixture
def by_panels(monkeypatch):
    """Every product by panels, in blocks so small that there are several, whole and not, along each axis."""
    for name in ("SMALL", "_SHALLOW", "_LOW", "_NARROW"):
        monkeypatch.setattr(ways, name, 0)
    for name, limit in (("_PANEL", 640), ("_ROWS", 4000), ("_COLUMNS", 40), ("_FEW", 24), ("_LAID", 9000)):
        monkeypatch.setattr(panels, name, limit)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (5, 3, 7), (12, 20, 32), (61, 47, 101)], ids=str)
def test_panels_of_any_size_lying_any_way(sizes, dtype, threads, by_panels, monkeypatch):
    monkeypatch.setattr(panels, "thread_count", lambda: threads)
    monkeypatch.setattr(panels, "_SHARE", 1)
    x, y = matrices(*sizes, dtype)
    check(
        lambda x, xt, y, yt: (x @ y, xt.T @ y, x @ yt.T, xt.T @ yt.T, x[::-1] @ y[:, ::-1]),
        [x, turned(x), y, turned(y)],
    )


def test_a_stack_by_panels_and_a_repeated_row(by_panels):
    x, y = matrices(16, 40, 64, np.float64, (3,))
    check(lambda x, y: (x @ y, np.broadcast_to(x[0, :1], (16, 40)) @ y[1], x @ y[1]), [x, y])


def test_what_is_not_finite_stays_in_its_row_and_column(by_panels):
    x, y = matrices(13, 9, 17, np.float64)
    x[12, 3], y[2, 16] = np.nan, np.inf  # in the last row and column, which the last strips repeat
    found = gg.compile(lambda x, y: x @ y)(x, y)
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(x @ y))


@pytest.mark.parametrize("small", [0, ways.SMALL], ids=["large", "small"])
def test_stacks_of_matrices(small, monkeypatch):
    monkeypatch.setattr(ways, "SMALL", small)
    check(lambda x, y: (x @ y, x[0] @ y, x @ y[1]), matrices(16, 40, 64, np.float64, (3,)))


def test_nothing_to_add_up():
    check(lambda x, y: (x @ y,), [np.zeros((8, 0)), np.zeros((0, 32))])
