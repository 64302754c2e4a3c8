"""Where CPython and NumPy keep their fields in memory, verified on live objects before anyone relies on it.

The native entry reads floats, tuples and arrays without asking the interpreter. That assumes CPython 3.11 or later
with its global lock, 64-bit pointers, and the object layouts below. They have been the same for years, but they
are no promise: `obstacle` reads known objects through these offsets, and if anything differs (or the
interpreter is another one) every compiled call takes the path through Python instead.
"""

from __future__ import annotations

import ctypes
import sys
import sysconfig
from functools import cache
from typing import Any

import numpy as np

__all__ = ["LIST_ITEMS", "OBJECT_TYPE", "SCALAR_VALUE", "SIZE", "TUPLE_ITEMS", "Ndarray", "obstacle"]

OBJECT_TYPE = 8
"""`ob_type` of any object; `ob_refcnt` comes first."""

SIZE = 16
"""`ob_size` of a tuple or list."""

TUPLE_ITEMS = tuple.__basicsize__
"""The items of a tuple lie in the object itself."""

LIST_ITEMS = 24
"""A list holds a pointer to its items."""

SCALAR_VALUE = 16
"""The number in a float, a NumPy float64 and a NumPy float32."""


class Ndarray:
    """The fields of `PyArrayObject` and of its `PyArray_Descr`."""

    DATA, NDIM, SHAPE, DESCR, FLAGS = 16, 24, 32, 56, 64
    DESCR_BYTEORDER, DESCR_NUMBER = 26, 28
    CARRAY = 0x0001 | 0x0100  # C-contiguous and aligned
    WRITEABLE = 0x0400


@cache
def obstacle() -> str | None:
    """Say why native calls are impossible in this interpreter; None if nothing stands in their way."""
    if sys.implementation.name != "cpython":
        return f"native calls need CPython, this is {sys.implementation.name}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "native calls need an interpreter with a global lock"
    if hasattr(sys, "gettotalrefcount"):
        return "native calls need a release build, this is a debug build of CPython"
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        return "native calls need 64-bit pointers"
    for kind, probe in (("list", _list_holds), ("tuple", _tuple_holds), ("scalar", _scalar_holds)):
        if not probe():
            return f"this interpreter lays out a {kind} in an unknown way"
    if not all(_array_holds(array) for array in _samples()):
        return "this NumPy lays out an array in an unknown way"
    return None


def _word(address: int) -> int:
    return ctypes.c_ssize_t.from_address(address).value


def _int(address: int) -> int:
    return ctypes.c_int32.from_address(address).value


def _tuple_holds() -> bool:
    items = (object(), object(), object())
    return _is_sequence(items, id(items) + TUPLE_ITEMS, tuple)


def _list_holds() -> bool:
    items = [object(), object(), object()]
    first = _word(id(items) + LIST_ITEMS)
    # The probe must not follow a word that is no pointer.
    return list.__basicsize__ == 40 and _is_pointer(first) and _is_sequence(items, first, list)


def _is_pointer(word: int) -> bool:
    return word > 0xFFFF and word % 8 == 0


def _is_sequence(items: Any, first: int, kind: type) -> bool:
    header = _word(id(items) + OBJECT_TYPE) == id(kind) and _word(id(items) + SIZE) == len(items)
    return header and [_word(first + 8 * k) for k in range(len(items))] == [id(item) for item in items]


def _scalar_holds() -> bool:
    doubles = all(ctypes.c_double.from_address(id(x) + SCALAR_VALUE).value == x for x in (2.5, np.float64(-7.25)))
    single = np.float32(1.5)
    return doubles and ctypes.c_float.from_address(id(single) + SCALAR_VALUE).value == 1.5


def _samples() -> list[np.ndarray[Any, Any]]:
    whole = np.arange(24.0).reshape(2, 3, 4)
    frozen = np.ones(5, np.float32)
    frozen.flags.writeable = False
    return [whole, whole[:, ::2], whole.T, frozen, np.array(1.0), np.zeros((0, 3), np.int64), np.ones(3, ">f8")]


def _array_holds(array: np.ndarray[Any, Any]) -> bool:
    at, dtype, flags = id(array), array.dtype, array.flags
    if _word(at + Ndarray.DESCR) != id(dtype) or _int(at + Ndarray.NDIM) != array.ndim:
        return False
    shape, bits = _word(at + Ndarray.SHAPE), _int(at + Ndarray.FLAGS)
    if array.ndim and not _is_pointer(shape):
        return False
    return (
        _word(at + Ndarray.DATA) == array.ctypes.data
        and [_word(shape + 8 * axis) for axis in range(array.ndim)] == list(array.shape)
        and _int(id(dtype) + Ndarray.DESCR_NUMBER) == dtype.num
        and ctypes.c_char.from_address(id(dtype) + Ndarray.DESCR_BYTEORDER).value == dtype.byteorder.encode()
        and (bits & Ndarray.CARRAY == Ndarray.CARRAY) == (flags.c_contiguous and flags.aligned)
        and bool(bits & Ndarray.WRITEABLE) == flags.writeable
    )
