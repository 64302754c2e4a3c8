"""Large loops in blocks: the same numbers for any number of threads, whoever calls, after a fork, up to Ctrl-C."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.runtime import pool

from .checking import tolerance

RNG = np.random.default_rng(0)
LINE = RNG.normal(size=200_003)
TABLE = RNG.normal(size=(503, 401))
BLOCK = RNG.normal(size=(41, 60, 83))
FLOATS = TABLE.astype(np.float32)
PLACES = RNG.integers(-503, 503, 2000)
COLUMNS = RNG.integers(0, 401, 2000)


def normalised(x):
    centred = x - np.mean(x, axis=1, keepdims=True)
    return centred / np.sqrt(np.mean(centred * centred, axis=1, keepdims=True) + 1e-3)


CASES = {
    "a line": (lambda x: (np.tanh(x) * 2.0,), [LINE]),
    "a line of float32": (lambda x: (np.exp(x), np.sum(x)), [np.tile(LINE.astype(np.float32), 2)]),
    "totals of a line": (lambda x: (np.sum(np.exp(x)), np.max(x), np.any(x > 3), np.all(x < 9)), [LINE]),
    "a number from outside": (lambda x, w: (np.sum(np.tanh(x) * w), np.exp(x) * (w + 1.0)), [LINE, 0.5]),
    "rows and columns": (lambda x: (np.sum(np.exp(x), 0), np.sum(np.exp(x), 1), np.sum(x)), [TABLE]),
    "columns alone": (lambda x: (np.sum(x * x, axis=0), np.max(x, axis=0)), [np.tile(TABLE, (2, 1))]),
    "truths of columns": (lambda x: (np.any(x > 2.5, axis=0), np.all(x > -2.5, axis=0)), [np.tile(TABLE, (2, 1))]),
    "few long rows": (lambda x: (np.sum(np.exp(x), axis=0),), [TABLE[:480].reshape(6, -1)]),
    "softmax": (gg.value_and_grad(lambda x: np.sum(gg.softmax(x, axis=1) ** 2)), [TABLE]),
    "softmax of float32": (gg.value_and_grad(lambda x: np.sum(gg.softmax(x, axis=1) ** 2)), [FLOATS]),
    "softmax of rows that leave the stack": (lambda x: (gg.softmax(x, axis=1),), [TABLE[:500].reshape(5, -1)]),
    "layer normalisation": (gg.value_and_grad(lambda x: np.sum(normalised(x) ** 3)), [TABLE]),
    "the middle": (lambda x: (np.sum(np.exp(x), axis=1), np.sum(x, axis=(0, 2))), [BLOCK]),
    "transposed": (lambda x: (np.transpose(np.exp(x), (2, 0, 1)) * 1.5,), [BLOCK]),
    "backwards": (lambda x: (np.exp(x[::-1, ::-2]),), [TABLE]),
    "a row for all": (lambda x, b: (np.tanh(x + b), np.sum(np.tanh(x + b), axis=0)), [TABLE, TABLE[0]]),
    "two kernels": (lambda x: (np.exp(x - np.max(x)),), [TABLE]),
    "gather": (lambda x, i: (x[i],), [TABLE, PLACES]),
    "scatter": (lambda x, i: (gg.grad(lambda x: np.sum(np.exp(x[i])))(x),), [TABLE, PLACES]),
    "scatter numbers": (lambda x, i, j: (gg.grad(lambda x: np.sum(x[i, j] ** 2))(x),), [TABLE, PLACES, COLUMNS]),
    "running sums": (lambda x: (np.cumsum(x, axis=1), np.argmax(x, axis=1)), [TABLE]),
    "running sums of columns": (
        lambda x: (np.cumsum(x, axis=0), np.cumprod(x, axis=0)),
        [TABLE[:500].reshape(100, -1)],
    ),
    "running sums of groups": (lambda x: (np.cumsum(x, axis=1),), [BLOCK]),
    "joined": (lambda x: (np.concatenate([x, x[::-1], x[:7]]), np.concatenate([x, x[:, :3]], axis=1)), [TABLE]),
    "joined lines": (lambda x: (np.concatenate([np.tanh(x), x[:5]]),), [np.tile(LINE, 4)]),
}


@pytest.fixture
def with_threads(monkeypatch):
    """Compile a function so that its loops have so many threads."""

    def compile(f, count):
        monkeypatch.setenv("GATEGRAD_NUM_THREADS", str(count))
        monkeypatch.setattr(pool, "_pools", {})
        return gg.compile(f)

    return compile


def blocks(compiled, *inputs):
    return [kernel.blocks for kernel in compiled.report(*inputs).kernels]


@pytest.mark.parametrize("name", CASES)
def test_the_numbers_do_not_depend_on_the_threads(name, with_threads):
    f, inputs = CASES[name]
    compiled = [with_threads(f, count) for count in (1, 2, 3)]
    alone, *others = [c(*inputs) for c in compiled]
    for found in others:
        for a, b in zip(found, alone, strict=True):
            np.testing.assert_array_equal(a, b)
    limit = tolerance(inputs)
    for a, b in zip(alone, f(*inputs), strict=True):
        np.testing.assert_allclose(a, b, rtol=limit, atol=limit)
    assert any(n > 1 for n in blocks(compiled[0], *inputs)) or name == "scatter numbers"


def test_the_code_does_not_depend_on_the_threads(with_threads):
    texts = {with_threads(lambda x: np.sum(np.exp(x)), count).llvm(LINE) for count in (1, 3)}
    assert len(texts) == 1


def test_small_loops_have_no_blocks():
    f = gg.compile(lambda x: x * 2.0 + 1.0)
    assert blocks(f, np.ones(10_000)) == [0]
    assert "blocks on threads" not in str(f.report(np.ones(10_000)))
    assert "blocks on threads" in str(f.report(np.ones(1_000_000)))


@pytest.mark.parametrize("length", [2**17 - 1, 2**17, 2**17 + 1, 2**17 + 31, 2**17 + 33])
def test_the_last_block_is_whole_or_not(length, with_threads):
    x = np.arange(length, dtype=np.float64)
    y, total = with_threads(lambda x: (np.exp(-x) + x, np.sum(x)), 2)(x)
    np.testing.assert_allclose(y, np.exp(-x) + x, rtol=1e-14)
    assert total == length * (length - 1) // 2


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("kind", ["gather", "scatter"])
def test_the_first_bad_index_is_the_one_that_is_told(kind, count, with_threads):
    f, (x, places) = CASES[kind]
    compiled = with_threads(f, count)
    fine = compiled(x, places)
    for first in (1999, 1200, 3):
        bad = places.copy()
        bad[first], bad[-1] = 503, -504
        told = "-504" if first == 1999 else "503"
        for _ in range(20):
            with pytest.raises(IndexError, match=f"index {told} is out of bounds for axis 0 with size 503"):
                compiled(x, bad)
    np.testing.assert_array_equal(compiled(x, places)[0], fine[0])


def test_many_threads_call_one_function(with_threads):
    f = with_threads(lambda x: (gg.softmax(x, axis=1), np.sum(np.exp(x), axis=0)), 3)
    inputs = [TABLE + n for n in range(6)]
    expected, found = [f(x) for x in inputs], [[] for _ in inputs]
    start = threading.Barrier(len(inputs))

    def call(n):
        start.wait()
        for _ in range(10):
            found[n].append(f(inputs[n]))

    threads = [threading.Thread(target=call, args=(n,)) for n in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for n, results in enumerate(found):
        assert len(results) == 10
        for result in results:
            np.testing.assert_array_equal(result[0], expected[n][0])
            np.testing.assert_array_equal(result[1], expected[n][1])


def test_donated_arrays_in_blocks(with_threads):
    def step(p, x):
        return p - 0.1 * np.exp(p) * x

    p, x = LINE.copy(), np.ones_like(LINE)
    compiled = gg.compile(step, donate="p")
    expected = step(p, x)
    assert blocks(compiled, p, x)[0] > 1
    assert compiled(p, x) is p
    np.testing.assert_allclose(p, expected, rtol=1e-13)


# --- in a process of its own -------------------------------------------------------------------------------

START = """
import os, signal, sys, threading, time
import numpy as np, gategrad as gg
f = gg.compile(lambda x: np.sum(np.exp(x), axis=1))
x = np.linspace(-1, 1, 400_000).reshape(400, 1000)
z = f(x)
forever = gg.compile(lambda x, y: np.sum(np.exp(x[:, None] * y[None, :])))  # 10¹³ exponentials
long = np.zeros(10**7), np.zeros(10**6)
"""

FORK = """
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        good = (f(x) == z).all() and (gg.compile(lambda x: np.exp(x))(x) == np.exp(x)).mean() > 0.5
        os._exit(0 if good else 1)
    children.append(child)
assert (f(x) == z).all()
assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
"""

FORK_WHILE_BUSY = """
stop = threading.Event()
def work():
    while not stop.is_set():
        f(x)
thread = threading.Thread(target=work)
thread.start()
for _ in range(10):
    child = os.fork()
    if child == 0:
        os._exit(0 if (f(x) == z).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
stop.set()
thread.join()
"""

EXIT = """
def work():
    while True:
        f(x)
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.1)
"""

INTERRUPT = """
def later(number):
    # after the call has begun: it never ends by itself
    threading.Timer(0.2, os.kill, (os.getpid(), number)).start()
holders = [sys.getrefcount(a) for a in long]
for _ in range(3):
    later(signal.SIGINT)
    try:
        forever(*long)
    except KeyboardInterrupt:
        pass
    else:
        raise SystemExit("nobody was interrupted")
    assert (f(x) == z).all()
assert holders == [sys.getrefcount(a) for a in long]
# a handler that does not raise runs meanwhile, and may call compiled functions
seen = []
def handler(number, frame):
    seen.append((f(x) == z).all())
    if len(seen) == 2:
        raise TimeoutError("enough")
    later(signal.SIGUSR1)
signal.signal(signal.SIGUSR1, handler)
later(signal.SIGUSR1)
try:
    forever(*long)
except TimeoutError as error:
    assert str(error) == "enough"
assert seen == [True, True]
"""

DONATED = """
def step(p, x, y):
    return np.exp(p) + np.sum(np.exp(x[:, None] * y[None, :]))
step = gg.compile(step, donate="p")
p = np.zeros(500_000)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    step(p, *long)
except KeyboardInterrupt:
    assert not p.any()
else:
    raise SystemExit("nobody was interrupted")
assert step(p, np.zeros(2), np.zeros(3)) is p and (p == 7.0).all()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork and no signals here")
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    "program",
    [FORK, FORK_WHILE_BUSY, EXIT, INTERRUPT, DONATED],
    ids=["fork", "fork while busy", "exit", "interrupt", "donated"],
)
def test_in_a_process_of_its_own(program, threads):
    environment = {**os.environ, "GATEGRAD_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", START + program]
    done = subprocess.run(command, env=environment, timeout=120, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
