"""Loops as text: each counter once and in order, written one by one or not, with bounds that are known or not."""

import ctypes

import numpy as np
import pytest

from gategrad.compiler.codegen.text import Body
from gategrad.compiler.runtime import engine

pytest.importorskip("llvmlite")


def counted(counters, first=0, last=0):
    """What counters a loop has, in their order, if %first and %last are these."""
    body = Body()
    place = body.slot("i64", "place")
    body.write(f"store i64 0, ptr {place}")
    for counter in counters(body):
        now = body.make(f"load i64, ptr {place}")
        body.store(counter, body.address("%z", np.dtype(np.int64), [(now, 1)], 0), np.dtype(np.int64), 1)
        body.write(f"store i64 {body.make(f'add i64 {now}, 1')}, ptr {place}")
    body.write(f"ret i64 {body.make(f'load i64, ptr {place}')}")
    text = body.function("define i64 @count(ptr %z, i64 %first, i64 %last)")
    code = engine.load(text, level=0)
    count = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(code.address("count"))
    found = np.full(100, -1)
    return found[: count(found.ctypes.data, first, last)].tolist(), text


@pytest.mark.parametrize("step", [1, 3, 4])
@pytest.mark.parametrize("stop", [0, 1, 2, 3, 7, 8, 9, 24, 25, 33])
def test_each(stop, step):
    found, text = counted(lambda body: body.each(0, stop, step))
    assert found == list(range(0, stop, step))
    assert ("br i1" in text) == (stop > 8 * step)  # up to eight are written one by one


@pytest.mark.parametrize(("first", "last"), [(0, 0), (3, 3), (3, 2), (2, 3), (5, 40)])
def test_each_between_bounds_that_are_known_when_it_runs(first, last):
    found, _ = counted(lambda body: body.each("%first", "%last"), first, last)
    assert found == list(range(first, last))
    found, _ = counted(lambda body: body.each(first, "%last"), first, last)
    assert found == list(range(first, last))
