"""A caching allocator: memory of large results that were let go of, kept for the next ones.

Systems hand out memory in pages that they fill with zeros when they are first touched, and large blocks go back to
them as soon as they are freed. In a loop that makes large arrays this is half of all time: 12 of the 25 ms that the
gradient of a sum over 134 MB takes (measured). So arrays of `LARGE` bytes and more that compiled functions return
are allocated through a memory handler of NumPy's (NEP 49) that keeps what it is given back, for arrays of the same
size or a little less. To everybody else they are ordinary arrays that own their data.

What is kept is bounded: `SPARE_MEMORY` bytes, a sixteenth of the machine's memory and at most a GiB unless the
environment says otherwise, in at most 16 blocks, of which the oldest leave first. Every array for which nothing is
found sends the oldest block away too, so that shapes that are no longer in use do not stay. The system may take the
pages of what is kept whenever it runs short (`MADV_FREE`), and all of it goes with the last compiled function that
returns such arrays. A handler that the user has set is used as it is.

No two arrays in a row begin at the same place of a page. A processor compares addresses by their last twelve bits
first: where one array is written a little ahead of where others are read, as it is if all begin where a page does,
each load waits for a store that it has nothing to do with, and stores past the caches are cut to pieces. Three arrays
made from three others took 13.4 ms in this way and 8.0 in the other, past the caches 166 ms and 7.5 (measured).

All of this happens under the global lock, in which NumPy allocates and frees.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import weakref
from functools import cache, partial
from typing import Any

import numpy as np

from gategrad.compiler.runtime.capacity import physical_memory
from gategrad.compiler.runtime.engine import Engine, load
from gategrad.compiler.runtime.table import SYMBOL, Table, c_function, numpy_global

__all__ = ["LARGE", "NEW_LARGE", "SPARE_MEMORY", "empty", "kept", "new_large", "serve"]

SPARE_MEMORY = "GATEGRAD_SPARE_MEMORY"
"""The environment variable that says how many bytes may be kept; 0 keeps nothing."""

LARGE = 2**20
"""Bytes from which on arrays are allocated here: below, what the C library does is as good."""

NEW_LARGE = "gg_new_large"

_MOST_BYTES = 2**30
_BLOCKS = 16

_ALIGNMENT = 64  # lines of the cache: stores past it fill them one by one
_AHEAD = 16  # bytes before an array, the last eight of which say where its block begins
_FIRST, _APART, _PLACES = 8, 33, 56  # lines of a page where arrays begin: the first lines are where those of others do
_HUGE_PAGE = 2**21  # the system is told about the whole ones of what is kept: it would cut the others to pieces

# `pointers` and `sizes` are what is kept, the oldest first: where an array begins, and how many bytes its block has from
# there on. A block has the size that the C library says it has, which is true even where somebody has written another
# shape into the array.
_TEXT = """
@pointers = internal global [{blocks} x ptr] zeroinitializer, align 64
@sizes = internal global [{blocks} x i64] zeroinitializer, align 64
@count = internal global i64 0
@made = internal global i64 0
@gg_kept = dso_local global i64 0
@gg_limit = dso_local global i64 0
@gg_capsule = dso_local global ptr null
@gg_handler = dso_local global {{ [127 x i8], i8, ptr, ptr, ptr, ptr, ptr }} {{ [127 x i8] zeroinitializer, i8 1,
  ptr null, ptr @take, ptr @take_zeros, ptr @resize, ptr @give }}, align 64

; PyArray_NewFromDescr, with our handler in the place of NumPy's own
define ptr @gg_new_large(ptr %kind, ptr %dtype, i32 %rank, ptr %shape, ptr %strides, ptr %data, i32 %flags, ptr %base) nounwind {{
  %error = alloca [3 x ptr]
  %type = getelementptr ptr, ptr %error, i64 0
  %value = getelementptr ptr, ptr %error, i64 1
  %traceback = getelementptr ptr, ptr %error, i64 2
  %make = load ptr, ptr {new}
  %get = load ptr, ptr {get}
  %set = load ptr, ptr {set}
  %release = load ptr, ptr {release}
  %before = call ptr %get()
  %broken = icmp eq ptr %before, null
  br i1 %broken, label %nothing, label %compare
nothing:
  ret ptr null
compare:
  %numpys = load ptr, ptr {default}
  %usual = icmp eq ptr %before, %numpys
  br i1 %usual, label %ours, label %theirs
theirs:
  %foreign = call ptr %make(ptr %kind, ptr %dtype, i32 %rank, ptr %shape, ptr %strides, ptr %data, i32 %flags, ptr %base)
  call void %release(ptr %before)
  ret ptr %foreign
ours:
  %capsule = load ptr, ptr @gg_capsule
  %replaced = call ptr %set(ptr %capsule)
  %refused = icmp eq ptr %replaced, null
  br i1 %refused, label %nothing, label %made
made:
  call void %release(ptr %replaced)
  %array = call ptr %make(ptr %kind, ptr %dtype, i32 %rank, ptr %shape, ptr %strides, ptr %data, i32 %flags, ptr %base)
  %fetch = load ptr, ptr {fetch}
  call void %fetch(ptr %type, ptr %value, ptr %traceback)
  %own = call ptr %set(ptr %before)
  call void %release(ptr %before)
  %kept = icmp eq ptr %own, null
  br i1 %kept, label %restore, label %back
back:
  call void %release(ptr %own)
  br label %restore
restore:  ; the exception of an array that could not be made, or none
  %put = load ptr, ptr {put}
  %t = load ptr, ptr %type
  %v = load ptr, ptr %value
  %b = load ptr, ptr %traceback
  call void %put(ptr %t, ptr %v, ptr %b)
  ret ptr %array
}}

define internal ptr @take(ptr %unused, i64 %bytes) nounwind {{
enter:
  %count = load i64, ptr @count
  br label %look
look:
  %left = phi i64 [ %count, %enter ], [ %place, %compare ]
  %none = icmp eq i64 %left, 0
  br i1 %none, label %miss, label %compare
compare:
  %place = sub i64 %left, 1
  %at = getelementptr i64, ptr @sizes, i64 %place
  %size = load i64, ptr %at
  %excess = sub i64 %size, %bytes
  %eighth = lshr i64 %bytes, 3
  %fits = icmp ule i64 %excess, %eighth  ; without sign: a smaller block has a huge excess
  br i1 %fits, label %found, label %look
found:
  %again = call ptr @remove(i64 %place)
  ret ptr %again
miss:
  call void @drop()
  br label %fresh
fresh:
  %allocate = load ptr, ptr {allocate}
  %room = add i64 %bytes, {room}
  %new = call ptr %allocate(i64 %room)
  %full = icmp eq ptr %new, null
  br i1 %full, label %retry, label %advise
retry:
  %rest = load i64, ptr @count
  %some = icmp ne i64 %rest, 0
  br i1 %some, label %miss, label %nothing
nothing:
  ret ptr null
advise:  ; small pages that the C library had here before would stay small for as long as the block is used
  %array = call ptr @place(ptr %new)
  call void @tell(ptr %array, i64 %bytes, i64 {huge_page}, i64 {drop})
  call void @tell(ptr %array, i64 %bytes, i64 {page}, i64 {huge})
  ret ptr %array
}}

; where in a new block an array begins, which is each time at another line of a page; before it, where the block does
define internal ptr @place(ptr %block) nounwind {{
  %made = load i64, ptr @made
  %more = add i64 %made, 1
  store i64 %more, ptr @made
  %far = mul i64 %made, {apart}
  %turn = urem i64 %far, {places}
  %line = add i64 %turn, {first}
  %wanted = mul i64 %line, {alignment}
  %number = ptrtoint ptr %block to i64
  %least = add i64 %number, {ahead}
  %distance = sub i64 %wanted, %least
  %forward = and i64 %distance, 4095
  %skipped = add i64 %forward, {ahead}
  %array = getelementptr i8, ptr %block, i64 %skipped
  %note = getelementptr i8, ptr %array, i64 -8
  store ptr %block, ptr %note
  ret ptr %array
}}

define internal ptr @block_of(ptr %array) nounwind {{
  %note = getelementptr i8, ptr %array, i64 -8
  %block = load ptr, ptr %note
  ret ptr %block
}}

; the bytes of a block from the beginning of its array on
define internal i64 @size_of(ptr %array) nounwind {{
  %block = call ptr @block_of(ptr %array)
  %measure = load ptr, ptr {measure}
  %whole = call i64 %measure(ptr %block)
  %start = ptrtoint ptr %block to i64
  %number = ptrtoint ptr %array to i64
  %skipped = sub i64 %number, %start
  %bytes = sub i64 %whole, %skipped
  ret i64 %bytes
}}

define internal void @let_go(ptr %array) nounwind {{
  %block = call ptr @block_of(ptr %array)
  %release = load ptr, ptr {free}
  call void %release(ptr %block)
  ret void
}}

define internal void @give(ptr %unused, ptr %array, i64 %unsure) nounwind {{
  %bytes = call i64 @size_of(ptr %array)
  %large = icmp uge i64 %bytes, {large}
  %limit = load i64, ptr @gg_limit
  %small = icmp ule i64 %bytes, %limit
  %keep = and i1 %large, %small
  br i1 %keep, label %room, label %free
free:
  call void @let_go(ptr %array)
  ret void
room:
  %count = load i64, ptr @count
  %kept = load i64, ptr @gg_kept
  %after = add i64 %kept, %bytes
  %many = icmp uge i64 %count, {blocks}
  %much = icmp ugt i64 %after, %limit
  %over = or i1 %many, %much
  br i1 %over, label %shed, label %store
shed:
  call void @drop()
  br label %room
store:
  %pointer = getelementptr ptr, ptr @pointers, i64 %count
  store ptr %array, ptr %pointer
  %size = getelementptr i64, ptr @sizes, i64 %count
  store i64 %bytes, ptr %size
  %more = add i64 %count, 1
  store i64 %more, ptr @count
  store i64 %after, ptr @gg_kept
  call void @tell(ptr %array, i64 %bytes, i64 {huge_page}, i64 {unused})
  ret void
}}

; give the system advice on the pages that lie in an array as a whole; -1 is none
define internal void @tell(ptr %array, i64 %bytes, i64 %page, i64 %advice) nounwind {{
  %number = ptrtoint ptr %array to i64
  %end = add i64 %number, %bytes
  %less = sub i64 %page, 1
  %above = add i64 %number, %less
  %mask = sub i64 0, %page
  %first = and i64 %above, %mask
  %stop = and i64 %end, %mask
  %some = icmp ugt i64 %stop, %first
  %any = icmp sge i64 %advice, 0
  %whole = and i1 %some, %any
  br i1 %whole, label %say, label %out
say:
  %start = inttoptr i64 %first to ptr
  %span = sub i64 %stop, %first
  %number.of.advice = trunc i64 %advice to i32
  %advise = load ptr, ptr {advise}
  call i32 %advise(ptr %start, i64 %span, i32 %number.of.advice)
  br label %out
out:
  ret void
}}

define internal ptr @take_zeros(ptr %unused, i64 %count, i64 %size) nounwind {{
  %calloc = load ptr, ptr {calloc}
  %bytes = mul i64 %count, %size  ; as NumPy has done to know the size of the array
  %room = add i64 %bytes, {room}
  %new = call ptr %calloc(i64 %room, i64 1)
  %full = icmp eq ptr %new, null
  br i1 %full, label %nothing, label %some
nothing:
  ret ptr null
some:
  %array = call ptr @place(ptr %new)
  ret ptr %array
}}

define internal ptr @resize(ptr %unused, ptr %array, i64 %bytes) nounwind {{
  %new = call ptr @take(ptr null, i64 %bytes)
  %full = icmp eq ptr %new, null
  br i1 %full, label %nothing, label %move
nothing:
  ret ptr null
move:
  %before = call i64 @size_of(ptr %array)
  %less = call i64 @llvm.umin.i64(i64 %before, i64 %bytes)
  call void @llvm.memcpy.p0.p0.i64(ptr %new, ptr %array, i64 %less, i1 false)
  call void @let_go(ptr %array)
  ret ptr %new
}}

declare i64 @llvm.umin.i64(i64, i64)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

; take an array's memory out of the list
define internal ptr @remove(i64 %place) nounwind {{
enter:
  %pointer = getelementptr ptr, ptr @pointers, i64 %place
  %array = load ptr, ptr %pointer
  %at = getelementptr i64, ptr @sizes, i64 %place
  %bytes = load i64, ptr %at
  %kept = load i64, ptr @gg_kept
  %rest = sub i64 %kept, %bytes
  store i64 %rest, ptr @gg_kept
  %count = load i64, ptr @count
  %fewer = sub i64 %count, 1
  store i64 %fewer, ptr @count
  br label %loop
loop:
  %i = phi i64 [ %place, %enter ], [ %next, %move ]
  %behind = icmp ult i64 %i, %fewer
  br i1 %behind, label %move, label %out
move:
  %next = add i64 %i, 1
  %from.pointer = getelementptr ptr, ptr @pointers, i64 %next
  %to.pointer = getelementptr ptr, ptr @pointers, i64 %i
  %p = load ptr, ptr %from.pointer
  store ptr %p, ptr %to.pointer
  %from.size = getelementptr i64, ptr @sizes, i64 %next
  %to.size = getelementptr i64, ptr @sizes, i64 %i
  %s = load i64, ptr %from.size
  store i64 %s, ptr %to.size
  br label %loop
out:
  ret ptr %array
}}

; give the oldest block back, if there is one
define internal void @drop() nounwind {{
  %count = load i64, ptr @count
  %none = icmp eq i64 %count, 0
  br i1 %none, label %out, label %oldest
oldest:
  %array = call ptr @remove(i64 0)
  call void @let_go(ptr %array)
  br label %out
out:
  ret void
}}

define void @gg_empty() nounwind {{
  br label %look
look:
  %count = load i64, ptr @count
  %none = icmp eq i64 %count, 0
  br i1 %none, label %out, label %one
one:
  call void @drop()
  br label %look
out:
  ret void
}}
"""


def new_large() -> int:
    """The address of `PyArray_NewFromDescr` for large arrays: NumPy's own where no memory can be kept."""
    engine = _engine()
    return c_function("PyArray_NewFromDescr") if engine is None else engine.address(NEW_LARGE)


def kept() -> int:
    """How many bytes are kept at the moment."""
    engine = _engine()
    return 0 if engine is None else ctypes.c_int64.from_address(engine.address("gg_kept")).value


def empty() -> None:
    """Give back everything that is kept."""
    engine = _engine()
    if engine is not None:
        ctypes.PYFUNCTYPE(None)(engine.address("gg_empty"))()


_served: set[object] = set()


def serve(code: Engine) -> None:
    """Say that this code makes large arrays: memory is kept as long as there is such code."""
    mark = object()
    _served.add(mark)
    weakref.finalize(code, _leave, mark).atexit = False


def _leave(mark: object) -> None:
    _served.discard(mark)
    if not _served:
        empty()


def _limit() -> int:
    chosen = os.environ.get(SPARE_MEMORY, "")
    if not chosen:
        return min(_memory() // 16, _MOST_BYTES)
    try:
        return max(int(chosen), 0)
    except ValueError:
        raise ValueError(f"{SPARE_MEMORY} must be a number of bytes, not {chosen!r}") from None


def _memory() -> int:
    """The bytes of memory that this process may have; `MADV_FREE` gives nothing back of what a limit of its own counts."""
    import resource

    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    there = physical_memory() or 0
    return there if allowed == resource.RLIM_INFINITY else min(there, allowed)


# --- the handler

_NAME, _CAPSULE = b"gategrad", ctypes.create_string_buffer(b"mem_handler")  # the capsule refers to its name

_C = {
    "allocate": "malloc", "calloc": "calloc", "free": "free", "measure": "malloc_usable_size", "advise": "madvise",
}  # fmt: skip
_PYTHON = {
    "new": "PyArray_NewFromDescr", "get": "PyDataMem_GetHandler", "set": "PyDataMem_SetHandler",
    "release": "Py_DecRef", "fetch": "PyErr_Fetch", "put": "PyErr_Restore",
}  # fmt: skip


@cache
def _engine() -> Engine | None:
    """The code of the handler; None where nothing may be kept, and on systems where this was not tried."""
    limit = _limit() if sys.platform.startswith("linux") else 0
    library = ctypes.CDLL(None) if limit else None
    if library is None or not all(hasattr(library, symbol) for symbol in _C.values()):
        return None
    table = Table()
    slots = {name: table.address(name, partial(_address, library, symbol)) for name, symbol in _C.items()}
    slots |= {name: table.function(symbol) for name, symbol in _PYTHON.items()}
    slots["default"] = table.address("default", partial(numpy_global, "PyDataMem_DefaultHandler"))
    engine = load(_TEXT.format(**slots, **_numbers()) + table.definition(), level=2)
    engine.keep_for_ever()  # arrays refer to it
    table.fill(engine.address(SYMBOL))
    handler = engine.address("gg_handler")
    ctypes.memmove(handler, _NAME, len(_NAME))
    ctypes.c_int64.from_address(engine.address("gg_limit")).value = limit
    ctypes.c_size_t.from_address(engine.address("gg_capsule")).value = _new_capsule(handler)
    return engine


def _numbers() -> dict[str, int]:
    # NumPy asks for huge pages for its own arrays, unless it has been told not to.
    huge = getattr(np._core.multiarray, "_get_madvise_hugepage", lambda: True)()  # type: ignore[attr-defined]
    advice = {"huge": "MADV_HUGEPAGE", "drop": "MADV_DONTNEED"} if huge else {}
    return {
        "blocks": _BLOCKS, "large": LARGE, "alignment": _ALIGNMENT, "page": mmap.PAGESIZE, "huge_page": _HUGE_PAGE,
        "ahead": _AHEAD, "room": _AHEAD + 4095, "first": _FIRST, "apart": _APART, "places": _PLACES,
        "unused": getattr(mmap, "MADV_FREE", -1), "huge": -1, "drop": -1,
    } | {name: getattr(mmap, symbol, -1) for name, symbol in advice.items()}  # fmt: skip


def _address(library: ctypes.CDLL, symbol: str) -> int:
    return ctypes.cast(library[symbol], ctypes.c_void_p).value or 0


def _new_capsule(handler: int) -> int:
    """The address of a new capsule, which is never freed."""
    make: Any = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(
        ("PyCapsule_New", ctypes.pythonapi)
    )
    return int(make(handler, ctypes.addressof(_CAPSULE), None))
