"""NumPy's transforms as C functions, and the reasons for which they are called on the host instead."""

import numpy as np
import pytest

from gategrad.compiler.runtime import fourier


@pytest.fixture(autouse=True)
def fresh():
    """The answer is remembered: ask anew, and forget the answer of the test."""
    fourier.are_native.cache_clear()
    yield
    fourier.are_native.cache_clear()


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="its transforms are no ufuncs")
def test_the_loops_of_the_numpy_that_we_know():
    assert fourier.are_native()
    assert fourier.loop_address("fft", True) != fourier.loop_address("fft", False) != 0


@pytest.mark.parametrize(
    "change",
    [
        {"_TYPES": dict.fromkeys(fourier.LOOPS, "dd->d")},
        {"_ufunc": lambda name: np.add},
        {"_ufunc": lambda name: np.matmul},
        {"_agrees": lambda name, number: name != "irfft"},
        {"LOOPS": (*fourier.LOOPS, "gone")},
    ],
    ids=["types", "other fields", "another signature", "other numbers", "no such ufunc"],
)
def test_what_stands_in_the_way(monkeypatch, change):
    for name, value in change.items():
        monkeypatch.setattr(fourier, name, value)
    assert not fourier.are_native()
