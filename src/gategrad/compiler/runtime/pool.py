"""A pool of native threads for loops over blocks of rows.

Compiled code calls `gg_parallel(run, context, blocks, due)`, which calls `run(context, block)` once for every block
below `blocks`, in the calling thread and in those of the pool, in any order. The threads are made when the first loop
wants them, and sleep between loops. There are `GATEGRAD_NUM_THREADS` in all, with the calling one (without that, as
many as the process may use processors). One loop at a time has the pool: a second one, from another thread or from
within a block, simply runs where it is called. A forked process has no threads but the one that forked, and makes
its own with its first loop.

The answer is 0, or the status of the first block that ended with another one; blocks behind it may not have run.
The calling thread asks for signals between its blocks (`interrupts.py`), unless `due` is null.
"""

from __future__ import annotations

import ctypes
import os
import signal

from gategrad.compiler.runtime.engine import Engine, load
from gategrad.compiler.runtime.interrupts import poll
from gategrad.compiler.runtime.table import SYMBOL, Table

__all__ = ["NUM_THREADS", "PARALLEL", "parallel", "thread_count"]

NUM_THREADS = "GATEGRAD_NUM_THREADS"
"""The environment variable that says how many threads there may be."""

PARALLEL = "gg_parallel"

_FUNCTIONS = ["create", "mutex_init", "mutex_lock", "mutex_unlock", "sigmask"]
_FUNCTIONS += ["cond_init", "cond_wait", "cond_signal", "cond_broadcast"]

# The mutex guards job, open, active and seen. A thread takes part in a loop only while it is open, so a loop is over
# when its blocks are done: nobody waits for threads that wake up late. `owner` is the process that the threads are
# in; -1 while they are made.
_TEXT = """
@mutex = internal global [128 x i8] zeroinitializer, align 64
@wake = internal global [128 x i8] zeroinitializer, align 64
@done = internal global [128 x i8] zeroinitializer, align 64
@busy = internal global i32 0, align 64
@next = internal global i64 0, align 64
@failed = internal global i64 0, align 64
@gg_wanted = dso_local global i64 0
@owner = internal global i32 0
@job = internal global i64 0
@open = internal global i1 false
@active = internal global i64 0
@run = internal global ptr null
@context = internal global ptr null
@blocks = internal global i64 0

define i32 @gg_parallel(ptr %run, ptr %context, i64 %blocks, ptr %due) nounwind {{
  %wanted = load i64, ptr @gg_wanted
  %alone = icmp eq i64 %wanted, 0
  %small = icmp ult i64 %blocks, 2
  %never = or i1 %alone, %small
  br i1 %never, label %inline, label %same
same:  ; in a forked process the threads are missing, and the mutex may be locked for ever
  %getpid = load ptr, ptr {getpid}
  %here = call i32 %getpid()
  %owner = load atomic i32, ptr @owner acquire, align 4
  %ours = icmp eq i32 %here, %owner
  br i1 %ours, label %try, label %begin
begin:
  %begun = icmp eq i32 %owner, -1
  br i1 %begun, label %inline, label %claim
claim:
  %claimed = cmpxchg ptr @owner, i32 %owner, i32 -1 acquire monotonic
  %first = extractvalue {{ i32, i1 }} %claimed, 1
  br i1 %first, label %start, label %inline
start:
  store atomic i32 1, ptr @busy monotonic, align 4
  call void @start(i64 %wanted)
  store atomic i32 %here, ptr @owner release, align 4
  br label %share
try:
  %exchange = cmpxchg ptr @busy, i32 0, i32 1 acquire monotonic
  %mine = extractvalue {{ i32, i1 }} %exchange, 1
  br i1 %mine, label %share, label %inline
inline:
  %none = icmp eq i64 %blocks, 0
  br i1 %none, label %out, label %step
step:
  %block = phi i64 [ 0, %inline ], [ %following, %asked ]
  %status = call i32 %run(ptr %context, i64 %block)
  %fine = icmp eq i32 %status, 0
  br i1 %fine, label %ask, label %stop
ask:
  %signalled = call i32 @ask(ptr %due)
  %quiet = icmp eq i32 %signalled, 0
  br i1 %quiet, label %asked, label %stop
asked:
  %following = add i64 %block, 1
  %more = icmp ult i64 %following, %blocks
  br i1 %more, label %step, label %out
stop:
  %why = phi i32 [ %status, %step ], [ %signalled, %ask ]
  ret i32 %why
share:
  %lock = load ptr, ptr {mutex_lock}
  %unlock = load ptr, ptr {mutex_unlock}
  call i32 %lock(ptr @mutex)
  store ptr %run, ptr @run
  store ptr %context, ptr @context
  store i64 %blocks, ptr @blocks
  store atomic i64 0, ptr @next monotonic, align 8
  store atomic i64 %blocks, ptr @failed monotonic, align 8
  %last = load i64, ptr @job
  %job = add i64 %last, 1
  store i64 %job, ptr @job
  store i1 true, ptr @open
  %broadcast = load ptr, ptr {cond_broadcast}
  call i32 %broadcast(ptr @wake)
  call i32 %unlock(ptr @mutex)
  %raised = call i32 @take(ptr %run, ptr %context, i64 %blocks, ptr %due)
  call i32 %lock(ptr @mutex)
  store i1 false, ptr @open
  br label %finish
finish:
  %active = load i64, ptr @active
  %idle = icmp eq i64 %active, 0
  br i1 %idle, label %leave, label %sleep
sleep:
  %wait = load ptr, ptr {cond_wait}
  call i32 %wait(ptr @done, ptr @mutex)
  br label %finish
leave:
  %failed = load atomic i64, ptr @failed monotonic, align 8
  call i32 %unlock(ptr @mutex)
  store atomic i32 0, ptr @busy release, align 4
  %calm = icmp eq i32 %raised, 0
  br i1 %calm, label %check, label %interrupted
interrupted:
  ret i32 %raised
check:
  %good = icmp uge i64 %failed, %blocks
  br i1 %good, label %out, label %again
again:  ; blocks that failed together have written over each other's reasons: the first one says its own once more
  %reason = call i32 %run(ptr %context, i64 %failed)
  ret i32 %reason
out:
  ret i32 0
}}

define internal i32 @ask(ptr %due) nounwind {{
  %never = icmp eq ptr %due, null
  br i1 %never, label %out, label %poll
poll:
  %function = load ptr, ptr {poll}
  %answer = call i32 %function(ptr %due)
  ret i32 %answer
out:
  ret i32 0
}}

define internal i32 @take(ptr %run, ptr %context, i64 %blocks, ptr %due) nounwind {{
  br label %claim
claim:
  %block = atomicrmw add ptr @next, i64 1 monotonic
  %some = icmp ult i64 %block, %blocks
  br i1 %some, label %work, label %out
work:
  %status = call i32 %run(ptr %context, i64 %block)
  %good = icmp eq i32 %status, 0
  br i1 %good, label %ask, label %fail
fail:
  atomicrmw umin ptr @failed, i64 %block monotonic
  store atomic i64 %blocks, ptr @next monotonic, align 8
  br label %out
ask:
  %signalled = call i32 @ask(ptr %due)
  %quiet = icmp eq i32 %signalled, 0
  br i1 %quiet, label %claim, label %stop
stop:
  store atomic i64 %blocks, ptr @next monotonic, align 8
  ret i32 %signalled
out:
  ret i32 0
}}

define internal ptr @worker(ptr %unused) nounwind {{
  %lock = load ptr, ptr {mutex_lock}
  %unlock = load ptr, ptr {mutex_unlock}
  %wait = load ptr, ptr {cond_wait}
  %signal = load ptr, ptr {cond_signal}
  call i32 %lock(ptr @mutex)
  br label %look
look:
  %seen = phi i64 [ 0, %0 ], [ %seen, %sleep ], [ %job, %tell ], [ %job, %back ]
  %open = load i1, ptr @open
  %job = load i64, ptr @job
  %new = icmp ne i64 %job, %seen
  %go = and i1 %open, %new
  br i1 %go, label %join, label %sleep
sleep:
  call i32 %wait(ptr @wake, ptr @mutex)
  br label %look
join:
  %before = load i64, ptr @active
  %more = add i64 %before, 1
  store i64 %more, ptr @active
  %run = load ptr, ptr @run
  %context = load ptr, ptr @context
  %blocks = load i64, ptr @blocks
  call i32 %unlock(ptr @mutex)
  call i32 @take(ptr %run, ptr %context, i64 %blocks, ptr null)
  call i32 %lock(ptr @mutex)
  br label %back
back:
  %now = load i64, ptr @active
  %left = sub i64 %now, 1
  store i64 %left, ptr @active
  %last = icmp eq i64 %left, 0
  br i1 %last, label %tell, label %look
tell:
  call i32 %signal(ptr @done)
  br label %look
}}

define internal void @start(i64 %count) nounwind {{
enter:
  %thread = alloca i64
  %all = alloca [128 x i8], align 16
  %before_all = alloca [128 x i8], align 16
  %mutex_init = load ptr, ptr {mutex_init}
  %cond_init = load ptr, ptr {cond_init}
  %create = load ptr, ptr {create}
  %fill = load ptr, ptr {sigfillset}
  %mask = load ptr, ptr {sigmask}
  call i32 %mutex_init(ptr @mutex, ptr null)
  call i32 %cond_init(ptr @wake, ptr null)
  call i32 %cond_init(ptr @done, ptr null)
  store i1 false, ptr @open
  store i64 0, ptr @active
  ; threads inherit the signals that are blocked: those of the user go to the threads that Python knows
  call i32 %fill(ptr %all)
  call i32 %mask(i32 {setmask}, ptr %all, ptr %before_all)
  br label %more
more:
  %made = phi i64 [ 0, %enter ], [ %next, %good ]
  %enough = icmp uge i64 %made, %count
  br i1 %enough, label %out, label %make
make:
  %status = call i32 %create(ptr %thread, ptr null, ptr @worker, ptr null)
  %failed = icmp ne i32 %status, 0
  br i1 %failed, label %out, label %good
good:
  %next = add i64 %made, 1
  br label %more
out:
  call i32 %mask(i32 {setmask}, ptr %before_all, ptr null)
  ret void
}}
"""


def thread_count() -> int:
    """How many threads a loop may use, the calling one included."""
    chosen = os.environ.get(NUM_THREADS, "")
    if chosen:
        try:
            return max(int(chosen), 1)
        except ValueError:
            raise ValueError(f"{NUM_THREADS} must be a number, not {chosen!r}") from None
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def parallel(table: Table) -> str:
    """Say where the address of `i32 gg_parallel(ptr run, ptr context, i64 blocks, ptr due)` will be."""
    return table.address(PARALLEL, _parallel)


def _parallel() -> int:
    return _pool().address(PARALLEL)


_pools: dict[str, Engine] = {}  # the one there is; its threads are made by its first loop


def _pool() -> Engine:
    # Two threads may both make one, but only one of the two is ever used.
    return _pools.get(PARALLEL) or _pools.setdefault(PARALLEL, _make())


def _make() -> Engine:
    table = Table()
    library = ctypes.CDLL(None) if os.name == "posix" else None
    slots = {name: _slot(table, library, f"pthread_{name}") for name in _FUNCTIONS}
    slots |= {name: _slot(table, library, name) for name in ("getpid", "sigfillset")}
    text = _TEXT.format(**slots, poll=poll(table), setmask=int(getattr(signal, "SIG_SETMASK", 0)))
    engine = load(text + table.definition(), level=2)
    engine.keep_for_ever()  # threads sleep in it
    table.fill(engine.address(SYMBOL))
    workers = thread_count() - 1 if library is not None else 0
    ctypes.c_int64.from_address(engine.address("gg_wanted")).value = workers
    return engine


def _slot(table: Table, library: ctypes.CDLL | None, name: str) -> str:
    def resolve() -> int:
        return 0 if library is None else ctypes.cast(library[name], ctypes.c_void_p).value or 0

    return table.address(name, resolve)
