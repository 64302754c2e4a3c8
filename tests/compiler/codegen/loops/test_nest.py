"""The order of loops: what lies across the rows is read in strips, whatever is left over at their ends."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.codegen.loops import nest

SHAPES = [
    ((300, 301), (1, 0)),
    ((1001, 7), (1, 0)),
    ((3, 1000), (1, 0)),
    ((41, 10, 641), (2, 1, 0)),
    ((41, 9, 43), (2, 0, 1)),
    ((5, 300, 70), (0, 2, 1)),
    ((8, 8, 8, 32), (3, 1, 2, 0)),
    ((900, 1000), (1, 0)),  # large enough for threads
]


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", str(tmp_path))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("shape", "axes"), SHAPES)
def test_what_is_transposed_is_the_same_in_any_order(shape, axes, dtype):
    x = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    y = np.transpose(x, axes)[::-1] + 1
    assert np.array_equal(gg.compile(lambda x: np.transpose(x, axes) * 2.0)(x), np.transpose(x, axes) * 2.0)
    both = gg.compile(lambda x, y: (np.transpose(x, axes) * y, np.transpose(x, axes) - y))(x, y)
    assert np.array_equal(both[0], np.transpose(x, axes) * y)
    assert np.array_equal(both[1], np.transpose(x, axes) - y)


@pytest.mark.parametrize(
    ("function", "shape", "expected"),
    [
        (lambda x: x.T * 2.0, (900, 1000), [0]),
        (lambda x: np.transpose(x, (2, 1, 0)) * 2.0, (41, 10, 641), [0]),
        (lambda x: np.transpose(x, (0, 2, 1)) * 2.0, (5, 300, 70), [1]),
        (lambda x: x * 2.0, (900, 1000), [None]),
        (lambda x: x.T * 2.0, (20, 30), [None]),
        (lambda x: np.sum(x.T * 2.0, axis=1), (900, 1000), [None]),
    ],
    ids=["matrix", "turned round", "matrices", "in order", "small", "folded"],
)
def test_only_where_lines_would_be_read_again_and_again(function, shape, expected, monkeypatch):
    found, crossing = [], nest.Nest.crossing.fget
    monkeypatch.setattr(nest.Nest, "crossing", property(lambda self: found.append(crossing(self)) or found[-1]))
    gg.compile(function)(np.ones(shape))
    assert sorted(set(found), key=str) == expected
