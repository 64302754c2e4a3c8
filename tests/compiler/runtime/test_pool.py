"""The pool: every block exactly once, whoever calls, also after a fork."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from gategrad.compiler.codegen.entry.signature import Array, Signature
from gategrad.compiler.runtime.callable import install
from gategrad.compiler.runtime.link import link
from gategrad.compiler.runtime.pool import parallel, thread_count
from gategrad.compiler.runtime.table import Table

from ..programs import Function

BLOCKS = 1000


def counting(blocks=BLOCKS, nested=False):
    """A function whose program adds one to z[block] for every block, in parallel; z comes back over its input."""
    table = Table()
    slot = parallel(table)
    inner = "@block" if not nested else "@outer"
    program = f"""
define i32 @gg_program(ptr %x, ptr %z, ptr %workspace) {{
  %parallel = load ptr, ptr {slot}
  %status = call i32 %parallel(ptr {inner}, ptr %z, i64 {blocks}, ptr null)
  ret i32 %status
}}
define i32 @outer(ptr %z, i64 %block) {{
  %parallel = load ptr, ptr {slot}
  %at = getelementptr double, ptr %z, i64 %block
  call i32 %parallel(ptr @block, ptr %at, i64 1, ptr null)
  %status = call i32 %parallel(ptr @nothing, ptr %at, i64 5, ptr null)
  ret i32 %status
}}
define i32 @nothing(ptr %z, i64 %block) {{
  ret i32 0
}}
define i32 @block(ptr %z, i64 %block) {{
  %at = getelementptr double, ptr %z, i64 %block
  %before = load double, ptr %at
  %after = fadd double %before, 1.0
  store double %after, ptr %at
  ret i32 0
}}"""
    leaf = Array(np.dtype(np.float64), (max(blocks, 1),))
    signature = Signature((leaf,), Array(leaf.dtype, leaf.shape, over=0), releases_gil=True)
    f = Function()
    install(f, link(program, signature, table))
    return f


@pytest.mark.parametrize("blocks", [0, 1, 2, 3, BLOCKS])
@pytest.mark.parametrize("nested", [False, True])
def test_every_block_runs_exactly_once(blocks, nested):
    f = counting(blocks, nested)
    z = np.zeros(max(blocks, 1))
    for _ in range(200):
        f(z)
    np.testing.assert_array_equal(z, 200.0 if blocks else 0.0)


def test_many_threads_may_call_at_once():
    f = counting()
    results = [np.zeros(BLOCKS) for _ in range(6)]

    def call(z):
        for _ in range(200):
            f(z)

    threads = [threading.Thread(target=call, args=(z,)) for z in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    np.testing.assert_array_equal(results, 200.0)


def test_the_number_of_threads(monkeypatch):
    monkeypatch.setenv("GATEGRAD_NUM_THREADS", "3")
    assert thread_count() == 3
    monkeypatch.setenv("GATEGRAD_NUM_THREADS", "0")
    assert thread_count() == 1
    monkeypatch.delenv("GATEGRAD_NUM_THREADS")
    assert 1 <= thread_count() <= (os.cpu_count() or 1)
    monkeypatch.setenv("GATEGRAD_NUM_THREADS", "many")
    with pytest.raises(ValueError, match="GATEGRAD_NUM_THREADS must be a number, not 'many'"):
        thread_count()


IN_A_PROCESS = """
import os, sys
sys.path.insert(0, {root!r})
import numpy as np
from tests.compiler.runtime.test_pool import counting

def tasks():
    return len(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else 0

before = tasks()
f = counting()
assert tasks() == before  # nobody is woken before there is work
f(np.zeros(1000))
if before:
    assert tasks() - before == {workers}, tasks() - before
for _ in range(50):
    z = np.zeros(1000)
    f(z)
    assert (z == 1.0).all()
{more}
"""

FORK = """
child = os.fork()
before = tasks()
z = np.zeros(1000)
f(z)
counting()(z)
good = (z == 2.0).all()
if child == 0 and before:  # the child has made threads of its own, once
    good = good and tasks() - before == {workers}
if child == 0:
    os._exit(0 if good else 1)
assert good
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("more", ["", FORK], ids=["", "fork"])
def test_in_a_process_of_its_own(threads, more):
    if more and not hasattr(os, "fork"):
        pytest.skip("no fork here")
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
    more = more.format(workers=threads - 1)
    program = IN_A_PROCESS.format(root=root, workers=threads - 1, more=more)
    environment = {**os.environ, "GATEGRAD_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, env=environment, timeout=120, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_threads_of_the_pool_leave_signals_to_python():
    program = IN_A_PROCESS.format(
        root=os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..")),
        workers=2,
        more="""
masks = []
for task in os.listdir("/proc/self/task"):
    with open(f"/proc/self/task/{task}/status") as status:
        masks += [int(line.split()[1], 16) for line in status if line.startswith("SigBlk")]
interrupt = 1 << (2 - 1)
assert sum(bool(mask & interrupt) for mask in masks) == 2, masks
""",
    )
    environment = {**os.environ, "GATEGRAD_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, timeout=120, stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
