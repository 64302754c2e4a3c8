"""Values and constants: what may travel, what it looks like, and what could change behind a gate's back."""

from __future__ import annotations

import numpy as np
import pytest

from gategrad.constant import Constant, may_change
from gategrad.errors import StaleError
from gategrad.values import as_value, lock, own, spec_of


def test_specs():
    assert spec_of(2.0) is None and spec_of(3) is None
    assert spec_of(np.zeros((2, 3), np.float32)) == ((2, 3), np.dtype(np.float32))
    assert spec_of(np.float32(1)) == ((), np.dtype(np.float32))


@pytest.mark.parametrize("value", [1, True, 2.5, 1j, np.float32(1), np.arange(3), np.array([True])], ids=repr)
def test_numbers_and_arrays_travel_as_they_are(value):
    assert as_value(value, None, 0) is value


def test_lists_become_arrays():
    np.testing.assert_array_equal(as_value([1, 2], None, 0), np.array([1, 2]))
    np.testing.assert_array_equal(as_value(((1.0, 2.0),), None, 0), np.array([[1.0, 2.0]]))


def test_own_copies():
    a = np.arange(3.0)
    b = lock(own(a))
    assert not np.may_share_memory(a, b) and a.flags.writeable and not b.flags.writeable


def test_what_may_change():
    a = np.arange(6.0)
    frozen = a.view()
    frozen.flags.writeable = False
    assert may_change(a) and may_change(frozen) and may_change(np.broadcast_to(a, (2, 6)))
    a.flags.writeable = False
    assert not may_change(a) and not may_change(frozen) and not may_change(a.reshape(2, 3).T)
    assert not may_change(np.frombuffer(b"12345678")) and may_change(np.frombuffer(bytearray(8)))


@pytest.mark.parametrize("shape", [(0,), (), (3,), (1024,), (1025,), (300, 7), (20, 30, 4)])
@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_every_element_counts(shape, order):
    a = np.random.default_rng(0).normal(size=(*shape, 2))[..., 0] if order == "strided" else np.ones(shape, order=order)
    constant = Constant(a)
    constant.verify("Multiply", 0)
    for flat in {0, a.size // 2, a.size - 1} if a.size else ():
        index = np.unravel_index(flat, shape)
        before = a[index].copy()
        a[index] = np.nextafter(before, 9.0)
        with pytest.raises(StaleError, match=r"input 0 of Multiply, an array of shape \(.*\), was written into"):
            constant.verify("Multiply", 0)
        a[index] = before
        constant.verify("Multiply", 0)


def test_two_rows_that_change_places():
    a = np.random.default_rng(0).normal(size=(500, 8))
    constant = Constant(a)
    a[[3, 400]] = a[[400, 3]]
    with pytest.raises(StaleError):
        constant.verify("Matmul", 1)


def test_nan_is_equal_to_itself_here():
    Constant(np.full(1000, np.nan)).verify("Multiply", 0)
