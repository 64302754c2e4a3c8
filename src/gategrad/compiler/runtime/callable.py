"""Function objects that CPython calls without a detour: a call jumps straight into compiled code.

`native_type(Base)` makes a subclass of an ordinary Python class whose instances carry, behind the fields of the
base, the address of a native entry (a *vectorcall*) and a reference to what keeps the code alive. As long as there
is no address, and whenever the entry meets arguments that it was not compiled for, the call goes to the method
`slow(self, *args, **kwargs)` of the class, which may compile something and `install` it.

Everything else about the class (attributes, methods, pickling, subclasses, weak references) is Python's.
"""

from __future__ import annotations

import ctypes
import weakref
from functools import cache
from types import MethodType
from typing import Any, Protocol

from gategrad.compiler.runtime.engine import Engine, load
from gategrad.compiler.runtime.layout import SIZE, obstacle
from gategrad.compiler.runtime.table import Table

__all__ = ["MISMATCH", "Callable", "Code", "install", "installed", "native_type", "point", "slow_address"]


MISMATCH: Any = object()
"""What code answers to arguments that it was not compiled for."""


class Code(Protocol):
    """Something that holds loaded machine code. `entry` is its address, or 0 if it can be called by `answer` alone."""

    @property
    def entry(self) -> int: ...

    def answer(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the code if the arguments match, else return MISMATCH."""


class Callable:
    """The base of function objects. Calls are answered by the installed code, or else by `slow`."""

    _code: Code | None = None

    def slow(self, /, *args: Any, **kwargs: Any) -> Any:
        """Answer a call that no installed code was made for."""
        raise NotImplementedError

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        # Native calls do not come here. Those through Python do, and those of subclasses of native types.
        code = installed(self)
        if code is not None:
            answer = code.answer(args, kwargs)
            if answer is not MISMATCH:
                return answer
        return self.slow(*args, **kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind like a function, so that a compiled function can be a method."""
        return self if instance is None else MethodType(self, instance)


# --- the type --------------------------------------------------------------------------------------------

_T_OBJECT_EX, _T_PYSSIZET, _READONLY = 16, 19, 1
_TP_MEMBERS = 72  # the number of the slot in CPython's typeslots.h, part of the stable ABI
_DEFAULT, _BASETYPE, _HAVE_VECTORCALL, _METHOD_DESCRIPTOR = 0, 1 << 10, 1 << 11, 1 << 17
_CODE = "_code"
_ADDED = 16  # bytes that the native type adds: the address, and the reference to the code


class _Member(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


class _Slot(ctypes.Structure):
    _fields_ = (("slot", ctypes.c_int), ("value", ctypes.c_void_p))


class _Spec(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    )


_natives: weakref.WeakSet[type] = weakref.WeakSet()
_specs: list[Any] = []  # CPython may refer to the texts in a spec for as long as the type lives


def native_type(base: type[Callable]) -> type[Callable]:
    """Make the native subclass of `base`; `base` itself where native calls are impossible."""
    if obstacle() is not None:
        return base
    entry, code = base.__basicsize__, base.__basicsize__ + 8
    members = (_Member * 3)(
        _Member(b"__vectorcalloffset__", _T_PYSSIZET, entry, _READONLY, None),
        # A member of this type is visited by the garbage collector and released with the instance.
        _Member(_CODE.encode(), _T_OBJECT_EX, code, 0, None),
    )
    # Without an address CPython falls back on tp_call, which is inherited from the base: it runs `__call__`.
    slots = (_Slot * 2)(_Slot(_TP_MEMBERS, ctypes.cast(members, ctypes.c_void_p)))
    # METHOD_DESCRIPTOR: `x.f(y)` calls f(x, y) without making a bound method first.
    flags = _DEFAULT | _BASETYPE | _HAVE_VECTORCALL | _METHOD_DESCRIPTOR
    name = f"{base.__module__}.{base.__qualname__}".encode()
    spec = _Spec(name, base.__basicsize__ + _ADDED, 0, flags, slots)
    _specs.append((spec, members, slots, name))
    make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(_Spec), ctypes.py_object)(
        ("PyType_FromSpecWithBases", ctypes.pythonapi)
    )
    native: type[Callable] = make(ctypes.byref(spec), (base,))
    native.__doc__ = base.__doc__
    _natives.add(native)
    return native


def installed(function: Callable) -> Code | None:
    """The code that calls of this function object run now, if any."""
    return getattr(function, _CODE, None)


def install(function: Callable, code: Code | None) -> None:
    """Send calls to `code` from now on (None: to `slow`); calls that are under way finish in the code they are in."""
    before = installed(function)  # lives until the address has been replaced
    point(function, 0 if code is None else code.entry)
    if code is not None:
        function._code = code
    elif before is not None:
        del function._code


def point(function: Callable, entry: int) -> None:
    """Write the address that calls jump to, in one store; who keeps the code there alive is the caller's affair."""
    for kind in type(function).__mro__:
        if kind in _natives:
            offset = kind.__basicsize__ - _ADDED
            ctypes.c_size_t.from_address(id(function) + offset).value = entry
            return


# --- from native code back into Python -------------------------------------------------------------------

_SLOW_TEXT = """
define ptr @gg_slow(ptr %self, ptr %args, i64 %nargsf, ptr %kwnames) nounwind {{
  %method = load ptr, ptr {name}
  %call = load ptr, ptr {call}
  %count = and i64 %nargsf, 9223372036854775807
  %more = add i64 %count, 1
  %lent = icmp slt i64 %nargsf, 0
  br i1 %lent, label %borrow, label %copy
borrow:  ; the caller lets us write the place before its arguments
  %before = getelementptr ptr, ptr %args, i64 -1
  %theirs = load ptr, ptr %before
  store ptr %self, ptr %before
  %answer = call ptr %call(ptr %method, ptr %before, i64 %more, ptr %kwnames)
  store ptr %theirs, ptr %before
  ret ptr %answer
copy:
  %nameless = icmp eq ptr %kwnames, null
  br i1 %nameless, label %allocate, label %named
named:
  %size = getelementptr i8, ptr %kwnames, i64 {size}
  %names = load i64, ptr %size
  br label %allocate
allocate:
  %extra = phi i64 [ 0, %copy ], [ %names, %named ]
  %items = add i64 %count, %extra
  %bytes = shl i64 %items, 3
  %room = add i64 %bytes, 8
  %malloc = load ptr, ptr {malloc}
  %block = call ptr %malloc(i64 %room)
  %full = icmp eq ptr %block, null
  br i1 %full, label %no_memory, label %fill
fill:
  store ptr %self, ptr %block
  %rest = getelementptr ptr, ptr %block, i64 1
  call void @llvm.memcpy.p0.p0.i64(ptr %rest, ptr %args, i64 %bytes, i1 false)
  %result = call ptr %call(ptr %method, ptr %block, i64 %more, ptr %kwnames)
  %free = load ptr, ptr {free}
  call void %free(ptr %block)
  ret ptr %result
no_memory:
  %raise = load ptr, ptr {raise_}
  %null = call ptr %raise()
  ret ptr null
}}
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
"""


@cache
def _slow_engine() -> tuple[Engine, Table]:
    table = Table()
    text = _SLOW_TEXT.format(
        name=table.object("slow"),
        call=table.function("PyObject_VectorcallMethod"),
        malloc=table.function("PyMem_RawMalloc"),
        free=table.function("PyMem_RawFree"),
        raise_=table.function("PyErr_NoMemory"),
        size=SIZE,
    )
    engine = load(text + table.definition(), level=1)
    engine.keep_for_ever()
    table.fill(engine.address("gg_table"))
    return engine, table


def slow_address() -> int:
    """The address of the native function that calls the method `slow` of a function object."""
    return _slow_engine()[0].address("gg_slow")
