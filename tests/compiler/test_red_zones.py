"""The red zones themselves: writes beside an array are counted, NumPy works as ever, and a workspace too small is found."""

import contextlib
import ctypes
import gc

import numpy as np
import pytest

from gategrad.compiler.codegen import module
from gategrad.compiler.schedule.memory import plan
from tests.compiler.random_programs import Random, Step
from tests.compiler.red_zones import ZONE, red_zones
from tests.compiler.test_fuzz import check_gradient, check_values, failure_of


@pytest.mark.parametrize("place", [-ZONE, -1, 40, 40 + ZONE - 1])
def test_a_write_beside_an_array_is_counted(place):
    with red_zones() as watch:
        before = watch.broken
        x = np.zeros(5)
        ctypes.memset(x.ctypes.data + place, 1, 1)
        assert watch.broken == before
        del x
        assert watch.broken == before + 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_lies_beside_an_array_is_no_number(dtype):
    with red_zones():
        x = np.zeros(5, dtype)
        for start in (x.ctypes.data - ZONE, x.ctypes.data + x.nbytes):
            assert np.isnan(np.frombuffer((ctypes.c_char * ZONE).from_address(start), dtype)).all()


def test_arrays_are_numpys_own():
    with red_zones() as watch:
        before = watch.broken
        fresh, zeros = np.empty(6), np.zeros((2, 3))
        assert np.all(np.isnan(fresh))
        assert fresh.ctypes.data % 64 == 0
        assert np.all(zeros == 0)
        grown = np.arange(4.0)
        grown.resize(100, refcheck=False)
        assert np.array_equal(grown[:5], [0.0, 1.0, 2.0, 3.0, 0.0])
        grown.resize(2, refcheck=False)
        assert np.array_equal(grown, [0.0, 1.0])
        assert np.empty(0).size == 0
    del fresh, zeros, grown  # they go back to where they came from, whoever is the handler now
    assert watch.broken == before


def test_a_workspace_that_is_too_small_is_found(monkeypatch):
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", "")  # what is on the disk was planned as it should be
    program = Random((np.linspace(-1, 1, 60).reshape(12, 5),), (Step("softmax", (0,), (("axis", 0),)),), (1,))
    assert failure_of(check_values, program) is None
    assert failure_of(check_gradient, program) is None
    monkeypatch.setattr(module, "plan", lambda buffers, start: max(plan(buffers, start) - 64, 0))
    with red_zones() as watch:
        before = watch.broken
        for checks in (check_values, check_gradient):
            with contextlib.suppress(AssertionError):  # the numbers may be wrong as well
                checks(program)
        gc.collect()
        assert watch.broken > before


@pytest.mark.parametrize("name", ["sum", "max"])
@pytest.mark.parametrize(("shape", "axis"), [((5, 0), 0), ((5, 3, 0), (0, 1)), ((5, 0, 3), 0)])
def test_a_reduction_to_nothing_writes_nothing(name, shape, axis):
    step = Step(name, (0,), (("axis", axis), ("keepdims", False)))
    assert failure_of(check_values, Random((np.zeros(shape),), (step,), (1,))) is None
