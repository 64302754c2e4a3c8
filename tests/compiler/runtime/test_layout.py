"""The reasons for which native calls are given up."""

from __future__ import annotations

import ctypes
import sys
import sysconfig
from types import SimpleNamespace

import numpy as np
import pytest

from gategrad.compiler.runtime import layout
from gategrad.compiler.runtime.layout import Ndarray, obstacle


@pytest.fixture
def fresh():
    """The answer is remembered: ask anew, and forget the answer of the test."""
    obstacle.cache_clear()
    yield
    obstacle.cache_clear()


def test_nothing_stands_in_the_way_of_the_interpreters_we_know():
    if sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert obstacle() is None


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("sys.implementation", SimpleNamespace(name="pypy")), "native calls need CPython, this is pypy"),
        (("sysconfig.get_config_var", lambda name: 1), "native calls need an interpreter with a global lock"),
        (("ctypes.sizeof", lambda kind: 4), "native calls need 64-bit pointers"),
        (("TUPLE_ITEMS", 32), "this interpreter lays out a tuple in an unknown way"),
        (("LIST_ITEMS", 16), "this interpreter lays out a list in an unknown way"),
        (("SCALAR_VALUE", 8), "this interpreter lays out a scalar in an unknown way"),
        (("Ndarray.DATA", 24), "this NumPy lays out an array in an unknown way"),
        (("Ndarray.WRITEABLE", 1), "this NumPy lays out an array in an unknown way"),
        (("Ndarray.DESCR_NUMBER", 32), "this NumPy lays out an array in an unknown way"),
        (("Ndarray.DESCR_BYTEORDER", 24), "this NumPy lays out an array in an unknown way"),
    ],
)
def test_what_stands_in_the_way(monkeypatch, fresh, change, text):
    name, value = change
    monkeypatch.setattr(f"gategrad.compiler.runtime.layout.{name}", value)
    assert obstacle() == text


def test_a_debug_build(monkeypatch, fresh):
    monkeypatch.setattr(sys, "gettotalrefcount", lambda: 0, raising=False)
    assert obstacle() == "native calls need a release build, this is a debug build of CPython"


def test_fields_of_an_array():
    x = np.zeros((2, 3), np.float32)
    assert ctypes.c_ssize_t.from_address(id(x) + Ndarray.DATA).value == x.ctypes.data
    assert layout._array_holds(x)
