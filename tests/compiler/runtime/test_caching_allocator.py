"""Memory of large results, kept for the next ones."""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.runtime import caching_allocator
from gategrad.compiler.runtime.layout import obstacle

pytestmark = pytest.mark.skipif(
    obstacle() is not None or not sys.platform.startswith("linux"), reason="nothing is kept here"
)

N = caching_allocator.LARGE // 8 + 1000  # elements of an array that is large, but not by much


@pytest.fixture
def scaled():
    """A compiled function with a large result; what earlier tests have left is given back."""
    gc.collect()
    caching_allocator.empty()
    function = gg.compile(lambda x, a: x * a)
    function(np.ones(N), 1.0)
    caching_allocator.empty()
    return function


def address(array):
    return array.ctypes.data


def test_the_memory_of_a_result_is_used_again(scaled):
    x = np.arange(N) * 1.0
    z = scaled(x, 2.0)
    where = address(z)
    del z
    assert caching_allocator.kept() >= N * 8
    z = scaled(x, 3.0)
    assert address(z) == where
    assert caching_allocator.kept() == 0
    assert np.array_equal(z, x * 3.0)


def test_results_own_their_data_and_begin_where_lines_do(scaled):
    z = scaled(np.ones(N), 2.0)
    assert z.flags.owndata
    assert z.flags.writeable
    assert z.base is None
    assert address(z) % 64 == 0
    assert np._core.multiarray.get_handler_name(z) == "gategrad"
    assert np._core.multiarray.get_handler_name() == "default_allocator"
    assert np._core.multiarray.get_handler_name(np.empty(N)) == "default_allocator"


def test_results_begin_at_different_lines_of_a_page(scaled):
    alive = [scaled(np.ones(N), float(k)) for k in range(8)]
    places = sorted(address(z) % 4096 for z in alive)
    assert min(np.diff(places)) >= 128
    assert places[0] >= 512


def test_small_results_are_numpys_own(scaled):
    z = gg.compile(lambda x: x + 1.0)(np.ones(caching_allocator.LARGE // 8 - 1))
    assert np._core.multiarray.get_handler_name(z) == "default_allocator"
    del z
    assert caching_allocator.kept() == 0


def test_what_is_alive_is_never_handed_out(scaled):
    x = np.ones(N)
    alive = [scaled(x, float(k)) for k in range(5)]
    views = [alive.pop()[::2], memoryview(alive.pop()), alive.pop().view(np.int64)]
    assert len({address(z) for z in alive}) == 2
    for k in range(20):
        scaled(x, 100.0 + k)
    assert [z[0] for z in alive] == [0.0, 1.0]
    assert views[0][7] == 4.0
    assert views[1][9] == 3.0
    assert views[2].view(np.float64)[11] == 2.0


def test_other_sizes_do_not_fit(scaled):
    scaled(np.ones(N), 2.0)
    longer = gg.compile(lambda x: x + 1.0)(np.ones(N + N // 2))
    assert longer.size == N + N // 2
    assert caching_allocator.kept() == 0  # what did not fit made room
    where = address(scaled(np.ones(N), 2.0))
    assert address(gg.compile(lambda x: x + 1.0)(np.ones(N - 500))) == where


def test_resize_and_pickle(scaled):
    z = scaled(np.arange(N) * 1.0, 2.0)
    copied = pickle.loads(pickle.dumps(z))
    z.resize(2 * N, refcheck=False)
    assert np.array_equal(z[:N], copied)
    assert not z[N:].any()
    z.resize(3, refcheck=False)
    assert z.tolist() == [0.0, 2.0, 4.0]
    del z
    assert caching_allocator.kept() == 0  # so small a block is not worth keeping
    assert np.array_equal(scaled(np.ones(N), 5.0), np.full(N, 5.0))


def test_an_array_that_was_given_another_shape_is_kept_at_its_true_size(scaled):
    z = scaled(np.ones(N), 2.0)
    z.shape = (2, N // 2)
    z.dtype = np.int32
    del z
    assert N * 8 <= caching_allocator.kept() < N * 8 + 2**16


def test_it_is_bounded(scaled):
    alive = [scaled(np.ones(N), float(k)) for k in range(40)]
    alive.clear()
    assert N * 8 <= caching_allocator.kept() <= 16 * (N * 8 + 2**16)


def test_it_goes_with_the_last_function():
    script = f"""
import gc, numpy as np, gategrad as gg
from gategrad.compiler.runtime import caching_allocator
f, g = gg.compile(lambda x: x * 2.0), gg.compile(lambda x: x + 2.0)
x = np.ones({N})
f(x), g(x)
assert caching_allocator.kept()
del f
gc.collect()
assert caching_allocator.kept()
del g
gc.collect()
assert caching_allocator.kept() == 0
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_environment_says_how_much(monkeypatch):
    monkeypatch.setenv(caching_allocator.SPARE_MEMORY, "3000000")
    assert caching_allocator._limit() == 3_000_000
    monkeypatch.setenv(caching_allocator.SPARE_MEMORY, "much")
    with pytest.raises(ValueError, match="GATEGRAD_SPARE_MEMORY must be a number of bytes, not 'much'"):
        caching_allocator._limit()
    monkeypatch.delenv(caching_allocator.SPARE_MEMORY)
    assert 0 < caching_allocator._limit() <= 2**30


def test_nothing_is_kept_if_it_says_so():
    script = f"""
import numpy as np, gategrad as gg
from gategrad.compiler.runtime import caching_allocator
z = gg.compile(lambda x: x * 2.0)(np.ones({N}))
assert (z == 2.0).all()
assert np._core.multiarray.get_handler_name(z) == "default_allocator"
del z
assert caching_allocator.kept() == 0
caching_allocator.empty()
"""
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, caching_allocator.SPARE_MEMORY: "0"})


def test_threads_have_results_of_their_own(scaled):
    wrong = []

    def work(k):
        x = np.full(N, float(k))
        for step in range(30):
            z = scaled(x, float(step))
            if not (z == k * step).all():
                wrong.append((k, step))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_process_has_a_copy(scaled):
    kept = scaled(np.ones(N), 7.0)
    scaled(np.ones(N), 8.0)
    child = os.fork()
    if not child:
        z = scaled(np.ones(N), 9.0)
        os._exit(0 if (z == 9.0).all() and (kept == 7.0).all() else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert (kept == 7.0).all()
    assert (scaled(np.ones(N), 3.0) == 3.0).all()


def test_calls_that_raise_leave_their_memory_behind():
    take = gg.compile(lambda x, i: (x * 2.0, x[i]))
    x = np.ones(N)
    take(x, np.array([0]))
    caching_allocator.empty()
    with pytest.raises(IndexError):
        take(x, np.array([N]))
    assert caching_allocator.kept() >= N * 8
    doubled, _ = take(x, np.array([1]))
    assert (doubled == 2.0).all()


def test_donated_arrays_that_were_results(scaled):
    step = gg.compile(lambda x: x + 1.0, donate=("x",))
    x = scaled(np.ones(N), 1.0)
    where = address(x)
    for _ in range(3):
        x = step(x)
    assert address(x) == where
    assert (x == 4.0).all()


def test_no_memory_is_an_error_that_can_be_survived():
    script = f"""
import resource, numpy as np, gategrad as gg
from gategrad.compiler.runtime import caching_allocator
f = gg.compile(lambda x: x * 2.0)
big = gg.compile(lambda x: np.broadcast_to(x, (400, {N})) * 1.0)
x = np.ones({N})
big(x), f(x)
assert caching_allocator.kept() > 400 * {N} * 8
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used, used))
alive = []
try:
    while True:
        alive.append(big(x))
except MemoryError:
    pass
assert alive and alive[0].min() == alive[0].max() == 1.0
alive.clear()
assert big(x)[7, 7] == 1.0 and f(x)[7] == 2.0
"""
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "GATEGRAD_NUM_THREADS": "1"})


def test_tracemalloc_sees_results_but_not_what_is_kept(scaled):
    tracemalloc.start()
    try:
        z = scaled(np.ones(N), 2.0)
        with_it = tracemalloc.get_traced_memory()[0]
        del z
        without = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert with_it - without >= N * 8


def test_a_handler_of_the_user_is_used(scaled):
    handler = np._core.multiarray.get_handler_name
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(
        caching_allocator.c_function("PyDataMem_SetHandler")
    )
    theirs = _capsule_of_their_own()
    before = set_handler(theirs)
    try:
        z = scaled(np.ones(N), 2.0)
        assert handler(z) == "theirs"
        assert handler() == "theirs"
    finally:
        set_handler(before)
    assert handler(scaled(np.ones(N), 2.0)) == "gategrad"
    assert (z == 2.0).all()


def _capsule_of_their_own():
    """NumPy's handler under another name, which lives as long as the process."""
    unwrap = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
        ("PyCapsule_New", ctypes.pythonapi)
    )
    numpys = unwrap(caching_allocator.numpy_global("PyDataMem_DefaultHandler"), b"mem_handler")
    _kept.append(ctypes.create_string_buffer(ctypes.string_at(numpys, 128 + 40)))
    ctypes.memmove(_kept[-1], b"theirs\0", 7)
    return make(ctypes.addressof(_kept[-1]), _NAME, None)


_kept: list[ctypes.Array[ctypes.c_char]] = []
_NAME = b"mem_handler"
