"""Compiled functions and Python's threads: long calls let others run, and any number may be inside at once."""

import sys
import threading
import time

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.codegen.module import write_native
from gategrad.compiler.runtime.table import Table

pytest.importorskip("llvmlite")


@pytest.fixture
def patient():
    """Nobody is interrupted: threads change only where one of them lets go of the global lock."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000.0)
    yield
    sys.setswitchinterval(before)


def ticks_during(call):
    """How often another thread came round its loop while the call ran."""
    ticks, over, going = [0], threading.Event(), threading.Event()

    def tick():
        while not over.is_set():
            ticks[0] += 1
            going.set()
            time.sleep(0)

    ticker = threading.Thread(target=tick)
    ticker.start()
    going.wait()
    before = ticks[0]
    call()
    during = ticks[0] - before
    over.set()
    ticker.join()
    return during


def releases_gil(f, *args):
    return write_native(gg.compile(f).program(*args), Table()).releases_gil


def test_other_threads_run_during_a_long_call(patient):
    f = gg.compile(lambda x: np.sum(np.tanh(np.sin(x))))
    x = np.linspace(0, 1, 3_000_000)
    f(x)
    assert any(ticks_during(lambda: f(x)) for _ in range(20))


def test_no_other_thread_runs_during_a_short_call(patient):
    f = gg.compile(lambda x: np.sum(np.tanh(np.sin(x))))
    x = np.linspace(0, 1, 30)
    f(x)
    assert not any(ticks_during(lambda: f(x)) for _ in range(20))


def test_what_is_long_and_what_calls_python():
    x = np.ones(60_000)
    assert not releases_gil(lambda x: x + 1.0, x)
    assert releases_gil(lambda x: np.sum(x * 2.0 + 1.0), x)
    assert not releases_gil(lambda x: x @ x, np.ones((40, 40)))
    assert releases_gil(lambda x: x @ x, np.ones((80, 80)))
    assert not releases_gil(lambda x: np.spacing(x), np.ones((400, 400)))
    assert releases_gil(lambda x: np.fft.fft(x), np.ones((400, 400)))
    assert not releases_gil(lambda x: np.fft.fft(x), np.ones((4, 400)))


def test_eight_threads_in_one_function_at_once():
    def f(x, w):
        hidden = np.tanh(x @ w)
        return np.sum(hidden * hidden), hidden @ w

    compiled, rng = gg.compile(f), np.random.default_rng(0)
    x, w = rng.normal(size=(8, 90, 70)), rng.normal(size=(70, 70))
    start, found = threading.Barrier(8), [[] for _ in range(8)]

    def call(n):
        start.wait()
        for _ in range(8):
            found[n].append(compiled(x[n], w))

    threads = [threading.Thread(target=call, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(8):
        total, product = compiled(x[n], w)
        np.testing.assert_allclose(total, f(x[n], w)[0], rtol=1e-12)
        assert len(found[n]) == 8
        for z in found[n]:
            assert z[0] == total
            np.testing.assert_array_equal(z[1], product)


def test_eight_threads_with_shapes_of_their_own():
    compiled = gg.compile(gg.grad(lambda x: np.sum(np.tanh(x) ** 2)))
    start, found = threading.Barrier(8), [None] * 8

    def call(n):
        start.wait()
        found[n] = [compiled(np.full(length, 0.5)) for length in range(1, 4 + n % 3)]

    threads = [threading.Thread(target=call, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    slope = 2 * np.tanh(0.5) / np.cosh(0.5) ** 2
    for n in range(8):
        for length, z in enumerate(found[n], 1):
            np.testing.assert_allclose(z, np.full(length, slope), rtol=1e-13)
