"""Memory with a red zone on either side of every block, so that a write outside of a block is noticed.

While `red_zones()` is entered, NumPy takes the memory of its arrays from here: the inputs of a compiled call, its outputs,
its workspace. A block is filled with bytes that read as NaN, and so are its zones, with others: whoever reads what nobody has written,
or beside a block, finds numbers that spread. The zones are compared when the block is freed.
"""

import contextlib
import ctypes
import functools

import numpy as np
import pytest

from gategrad.compiler.codegen.entry import entry
from gategrad.compiler.runtime import engine, link

__all__ = ["Watch", "red_zones"]

ZONE = 256

_PATTERN = r"\A5\A5\F5\FF" * (ZONE // 4)  # NaN in single and in double precision, and no value that a program writes

_TEXT = f"""
@pattern = private constant [{ZONE} x i8] c"{_PATTERN}"
@gg_table = dso_local global [5 x ptr] [ptr @allocate, ptr @zeroed, ptr @resized, ptr @freed, ptr null]

declare ptr @aligned_alloc(i64, i64)
declare void @free(ptr)
declare i32 @memcmp(ptr, ptr, i64)
declare ptr @memcpy(ptr, ptr, i64)
declare ptr @memset(ptr, i32, i64)

; a block: its size, {ZONE} bytes of pattern, what the owner gets, {ZONE} bytes of pattern
define internal ptr @allocate(ptr %context, i64 %n) {{
  %more = add i64 %n, {64 + 2 * ZONE + 63}
  %room = and i64 %more, -64
  %block = call ptr @aligned_alloc(i64 64, i64 %room)
  %none = icmp eq ptr %block, null
  br i1 %none, label %done, label %fill
fill:
  store i64 %n, ptr %block
  %before = getelementptr i8, ptr %block, i64 64
  %memory = getelementptr i8, ptr %before, i64 {ZONE}
  %after = getelementptr i8, ptr %memory, i64 %n
  call ptr @memcpy(ptr %before, ptr @pattern, i64 {ZONE})
  call ptr @memset(ptr %memory, i32 255, i64 %n)
  call ptr @memcpy(ptr %after, ptr @pattern, i64 {ZONE})
  br label %done
done:
  %answer = phi ptr [ null, %0 ], [ %memory, %fill ]
  ret ptr %answer
}}

define internal ptr @zeroed(ptr %context, i64 %count, i64 %size) {{
  %n = mul i64 %count, %size
  %memory = call ptr @allocate(ptr %context, i64 %n)
  %none = icmp eq ptr %memory, null
  br i1 %none, label %done, label %fill
fill:
  call ptr @memset(ptr %memory, i32 0, i64 %n)
  br label %done
done:
  ret ptr %memory
}}

define internal ptr @resized(ptr %context, ptr %old, i64 %n) {{
  %memory = call ptr @allocate(ptr %context, i64 %n)
  %fresh = icmp eq ptr %old, null
  %none = icmp eq ptr %memory, null
  %skip = or i1 %fresh, %none
  br i1 %skip, label %done, label %move
move:
  %block = getelementptr i8, ptr %old, i64 -{64 + ZONE}
  %had = load i64, ptr %block
  %less = icmp ult i64 %had, %n
  %moved = select i1 %less, i64 %had, i64 %n
  call ptr @memcpy(ptr %memory, ptr %old, i64 %moved)
  call void @freed(ptr %context, ptr %old, i64 %had)
  br label %done
done:
  ret ptr %memory
}}

define internal void @freed(ptr %context, ptr %memory, i64 %unknown) {{
  %none = icmp eq ptr %memory, null
  br i1 %none, label %done, label %look
look:
  %before = getelementptr i8, ptr %memory, i64 -{ZONE}
  %block = getelementptr i8, ptr %before, i64 -64
  %n = load i64, ptr %block
  %after = getelementptr i8, ptr %memory, i64 %n
  %first = call i32 @memcmp(ptr %before, ptr @pattern, i64 {ZONE})
  %last = call i32 @memcmp(ptr %after, ptr @pattern, i64 {ZONE})
  %either = or i32 %first, %last
  %whole = icmp eq i32 %either, 0
  br i1 %whole, label %release, label %broken
broken:
  %count = load i64, ptr %context
  %counted = add i64 %count, 1
  store i64 %counted, ptr %context
  br label %release
release:
  call void @free(ptr %block)
  br label %done
done:
  ret void
}}
"""


class _Handler(ctypes.Structure):
    """NumPy's `PyDataMem_Handler`; the context of its functions is where broken zones are counted."""

    _fields_ = [
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("context", ctypes.c_void_p),
        ("functions", ctypes.c_void_p * 4),
    ]


class Watch:
    """How many blocks have been freed with a broken zone so far."""

    def __init__(self, count):
        self._count = count

    @property
    def broken(self):
        return self._count.value


@contextlib.contextmanager
def red_zones():
    """NumPy's memory has red zones in this block, and no workspace of a program is on the stack, where there are none."""
    count, capsule = _handler()
    set_handler = _numpy_function(304, ctypes.py_object, ctypes.py_object)  # PyDataMem_SetHandler
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEGRAD_CACHE_DIR", "")  # what was compiled elsewhere has its workspace on the stack
        patch.setattr(entry, "STACK_LIMIT", 64)
        patch.setattr(link, "STACK_LIMIT", 64)
        patch.setattr(link, "aligned", lambda nbytes: np.empty(nbytes, np.uint8))  # as the blocks are, up to the zone
        before = set_handler(capsule)
        try:
            yield Watch(count)
        finally:
            set_handler(before)


@functools.cache
def _handler():
    """The counter and the handler, which live as long as the process: so may arrays that come from it."""
    native = engine.load(_TEXT, level=1)
    native.keep_for_ever()
    functions = (ctypes.c_void_p * 4).from_address(native.address("gg_table"))
    count = ctypes.c_int64(0)
    handler = _Handler(b"red zones", 1, ctypes.addressof(count), functions)
    for thing in (count, handler):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
    return count, _new_capsule(ctypes.addressof(handler), _NAME, None)


_NAME = b"mem_handler"  # a capsule keeps the address of its name
_new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", ctypes.pythonapi)
)
_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def _numpy_function(place, result, *arguments):
    """A function of NumPy's C API by its position there, which never changes."""
    api = (ctypes.c_size_t * (place + 1)).from_address(_pointer(np._core.multiarray._ARRAY_API, None))
    return ctypes.PYFUNCTYPE(result, *arguments)(api[place])
