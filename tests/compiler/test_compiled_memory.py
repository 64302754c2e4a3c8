"""Calls and compilations leave no memory behind."""

import gc
import resource
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.runtime import engine

pytest.importorskip("llvmlite")

CALLS = 100_000
X = np.arange(6.0).reshape(2, 3)

FUNCTIONS = {
    "number": (lambda x: x * x + 1.0, (3.0,)),
    "float32": (lambda x: x * x + x, (np.float32(3),)),
    "array": (lambda x: np.tanh(x) + 1.0, (X,)),
    "containers": (lambda p: {"a": [p["a"] * 2.0, np.sum(p["a"])], "b": (p["b"], None)}, ({"a": X, "b": 1.5},)),
    "large workspace": (lambda x: np.sum(np.sort(np.concatenate([x, x]))), (X,)),
    "gradients": (gg.value_and_grad(lambda x, y: np.sum(np.exp(x) * y), (0, 1)), (X, X)),
}


def resident():
    """The most memory that the process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_calls_leave_nothing_behind(name):
    f, arguments = FUNCTIONS[name]
    compiled = gg.compile(f)
    many = CALLS if name in ("number", "array") else CALLS // 20
    for _ in range(100):
        compiled(*arguments)
    gc.collect()
    blocks, peak = sys.getallocatedblocks(), resident()
    for _ in range(many):
        compiled(*arguments)
    gc.collect()
    assert sys.getallocatedblocks() - blocks < 100
    assert resident() - peak < 20 * many + 2_000_000  # one array or number left by each call would be more


def test_numpy_data_is_given_back():
    f = gg.compile(lambda x: (x + 1.0, [np.sum(x, axis=0)]))
    x = np.ones((50, 40))
    f(x)
    tracemalloc.start()
    try:
        f(x)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(300):
            f(x)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < x.nbytes  # NumPy reports its data there
        kept = f(x)
        assert tracemalloc.get_traced_memory()[0] - before >= kept[0].nbytes
    finally:
        tracemalloc.stop()


def compile_and_forget(count, programs):
    """Compile so many functions, of which so many are different programs: the others come from the cache on disk."""
    for n in range(count):
        f = gg.compile(lambda x, n=n % programs: np.sum(x * float(n)) + n)
        assert f(X) == 16.0 * (n % programs)


def growth(count, programs=5):
    compile_and_forget(100, programs)
    gc.collect()
    before = mapped()
    compile_and_forget(count, programs)
    gc.collect()
    return mapped() - before


def mapped():
    """The resident memory of the process now, in bytes."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        pytest.skip("this system does not tell how much memory a process uses")
    return int(pages) * resource.getpagesize()


def test_functions_that_are_gone_leave_no_machine_code():
    # Each has two pages at least, one of code and one of data.
    assert growth(300) < 300 * resource.getpagesize()


def test_all_code_is_unloaded_with_its_function():
    gc.collect()
    before = len(engine._loaded)
    compile_and_forget(30, 30)
    gc.collect()
    assert len(engine._loaded) <= before


@pytest.mark.slow
def test_ten_thousand_functions_leave_no_machine_code():
    assert growth(10_000) < 10_000 * resource.getpagesize() // 4
