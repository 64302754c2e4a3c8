"""What moves elements, in red zones: rows read backwards, joined a row at a time, along axes of length 1, extremes of integers."""

import numpy as np
import pytest

from gategrad.compiler.codegen import movement
from tests.compiler.checking import check
from tests.compiler.red_zones import red_zones

pytest.importorskip("llvmlite")


@pytest.fixture(autouse=True)
def zones(unoptimised):
    with red_zones() as watch:
        before = watch.broken
        yield
    assert watch.broken == before


def ascending(*shape, dtype=np.float64):
    return (np.arange(np.prod(shape)) % 251).reshape(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, np.bool_])
@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 33])
def test_rows_read_backwards(length, dtype):
    x = ascending(3, length, dtype=dtype)
    check(lambda x: (x[:, ::-1] * x, x[::-1] + x[:, ::-1], np.sum(x[:, ::-1] * x, axis=1), x[:, -2::-2] * True), [x])


@pytest.mark.parametrize("near", [8, 4096])
@pytest.mark.parametrize("lengths", [(3, 5), (1, 1, 1), (7, 1, 16), (4, 0, 9, 2)])
def test_joined_a_row_at_a_time(lengths, near, monkeypatch):
    monkeypatch.setattr(movement, "_NEAR", near)
    parts = [ascending(6, n) for n in lengths]
    check(lambda *parts: (np.concatenate(parts, axis=1), np.concatenate(parts[::-1], axis=-1).T), parts)
    check(lambda *parts: (np.concatenate([p * 2 for p in parts] + [p[::-1] for p in parts], axis=1),), parts)
    deep = [ascending(2, n, 3) for n in lengths]
    check(lambda *parts: (np.concatenate(parts, axis=1), np.concatenate([p.T for p in parts], axis=1)), deep)


def all_along(axis):
    """Whatever there is to do along one axis."""
    folds = (np.sum, np.max, np.var, np.argmax, np.cumsum, np.sort, np.flip)

    def f(x):
        joined = [np.concatenate([x, x], axis), np.stack([x, x], axis), np.repeat(x, 2, axis), np.roll(x, 1, axis)]
        centred = np.mean(x * x, axis, keepdims=True) - x
        return (*[fold(x, axis) for fold in folds], *joined, centred, np.diff(x, axis=axis), x.T + x.T)

    return f


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 9), (9, 1), (1, 5, 1), (4, 1, 6), (1, 1, 1)])
def test_axes_of_length_1(shape):
    for axis in range(len(shape)):
        check(all_along(axis), [np.sin(ascending(*shape))])


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.int8, np.uint8, np.uint64])
def test_places_of_extremes_of_integers(dtype):
    """The largest and the smallest that there are, twice, and nothing that a float would make of them."""
    ends = np.iinfo(dtype)
    x = np.array([[5, ends.max - 1, ends.max, ends.max], [ends.min, 3, ends.min, ends.min + 1], [0, 0, 0, 0]], dtype)
    check(lambda x: tuple([find(x, axis) for find in (np.argmax, np.argmin) for axis in (None, 0, 1)]), [x])
    check(lambda x: (np.max(x, 0), np.min(x, 1), np.sort(x, 0), np.argsort(x, 1, kind="stable")), [x])
