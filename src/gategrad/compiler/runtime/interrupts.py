"""Ctrl-C while native code runs: long programs ask Python now and then whether a signal has come.

Only Python can handle a signal, in its main thread and under its global lock. So compiled code calls
`gg_poll(due)` between kernels and between the blocks of large loops. That reads a clock, and once in `INTERVAL` it
takes the lock and lets Python run the handlers. If one raises (`KeyboardInterrupt`, as a rule), the program ends with
the status `RAISED`, and its entry passes the exception on. `due` points to the time of the next question; a program
sets it to zero when it starts.
"""

from __future__ import annotations

import ctypes
import os
import time
from functools import cache

from gategrad.compiler.codegen.entry.entry import RAISED
from gategrad.compiler.runtime.engine import Engine, load
from gategrad.compiler.runtime.table import SYMBOL, Table

__all__ = ["INTERVAL", "poll"]

INTERVAL = 50_000_000
"""Nanoseconds between two questions. Taking the lock from a busy Python thread costs 5 ms at worst, a tenth of it."""

# The lock may be held already (programs that call Python keep it): PyGILState_Ensure finds out.
_TEXT = """
define i32 @gg_poll(ptr %due) nounwind {{
  %time = alloca [2 x i64]
  %clock = load ptr, ptr {clock}
  %timeless = icmp eq ptr %clock, null
  br i1 %timeless, label %good, label %read
read:
  call i32 %clock(i32 {monotonic}, ptr %time)
  %seconds = load i64, ptr %time
  %second = getelementptr i64, ptr %time, i64 1
  %rest = load i64, ptr %second
  %whole = mul i64 %seconds, 1000000000
  %now = add i64 %whole, %rest
  %before = load i64, ptr %due
  %early = icmp slt i64 %now, %before
  br i1 %early, label %good, label %late
late:
  %next = add i64 %now, {interval}
  store i64 %next, ptr %due
  %first = icmp eq i64 %before, 0
  br i1 %first, label %good, label %ask
ask:
  %ensure = load ptr, ptr {ensure}
  %check = load ptr, ptr {check}
  %release = load ptr, ptr {release}
  %state = call i32 %ensure()
  %raised = call i32 %check()
  call void %release(i32 %state)
  %fine = icmp eq i32 %raised, 0
  br i1 %fine, label %good, label %bad
good:
  ret i32 0
bad:
  ret i32 {status}
}}
"""


def poll(table: Table) -> str:
    """Say where the address of `i32 gg_poll(ptr due)` will be."""
    return table.address("gg_poll", _poll)


def _poll() -> int:
    return _engine().address("gg_poll")


@cache
def _engine() -> Engine:
    table = Table()
    text = _TEXT.format(
        clock=table.address("clock_gettime", _clock),
        monotonic=getattr(time, "CLOCK_MONOTONIC", 0),
        interval=INTERVAL,
        ensure=table.function("PyGILState_Ensure"),
        check=table.function("PyErr_CheckSignals"),
        release=table.function("PyGILState_Release"),
        status=RAISED,
    )
    engine = load(text + table.definition(), level=2)
    engine.keep_for_ever()
    table.fill(engine.address(SYMBOL))
    return engine


def _clock() -> int:
    """Where the C library's clock is; 0 if there is none, and nobody is interrupted."""
    if os.name != "posix":
        return 0
    return ctypes.cast(ctypes.CDLL(None).clock_gettime, ctypes.c_void_p).value or 0
