"""The addresses that native code needs from this process.

Machine code is cached on disk and run by other processes, where Python, NumPy and every object lie elsewhere. So the
code contains no address: it loads what it needs from a table of its own, `@gg_table`, which is filled after loading.
The text of the code depends on the order of the slots only, never on what is in them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Hashable
from functools import cache

import numpy as np

__all__ = ["SYMBOL", "Table", "python_function"]

SYMBOL = "gg_table"

_NUMPY_FUNCTIONS = {"PyArray_Scalar": 60, "PyArray_NewFromDescr": 94}
"""Positions in NumPy's C API table; they are part of its ABI and never change."""


class Table:
    """Slots for addresses, in the order in which they were asked for; the same thing gets the same slot.

    >>> table = Table()
    >>> table.function("PyTuple_New")
    'getelementptr inbounds (ptr, ptr @gg_table, i64 0)'
    >>> print(table.definition())
    @gg_table = dso_local global [1 x ptr] zeroinitializer, align 64
    """

    def __init__(self) -> None:
        self._slots: dict[Hashable, int] = {}
        self._resolvers: list[Callable[[], int]] = []
        self._objects: list[object] = []

    def __len__(self) -> int:
        return len(self._resolvers)

    @property
    def objects(self) -> list[object]:
        """The objects whose addresses are in the table: they must live as long as the code."""
        return self._objects

    def function(self, name: str) -> str:
        """Say where the address of a C function of Python (`Py...`) or NumPy (`PyArray_...`) will be."""
        return self.address(name, lambda: _c_function(name))

    def object(self, value: object) -> str:
        """Say where the address of a Python object will be; the table keeps the object alive."""
        key = ("object", id(value))
        if key not in self._slots:
            self._objects.append(value)
        return self.address(key, lambda: id(value))

    def address(self, key: Hashable, resolve: Callable[[], int] | None = None) -> str:
        """Say where the address that `resolve()` finds at load time will be: a BLAS routine, a buffer.

        Without `resolve`, somebody else has to `bind` the key before the code is loaded.
        """
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = len(self._resolvers)
            self._resolvers.append(resolve or _unbound(key))
        return f"getelementptr inbounds (ptr, ptr @{SYMBOL}, i64 {slot})"

    def bind(self, key: Hashable, resolve: Callable[[], int]) -> None:
        """Say how the address of `key` is found, if any code has asked for it."""
        if key in self._slots:
            self._resolvers[self._slots[key]] = resolve

    def definition(self) -> str:
        """Write the table itself; to be emitted last, when all slots are known."""
        return f"@{SYMBOL} = dso_local global [{max(len(self), 1)} x ptr] zeroinitializer, align 64"

    def fill(self, address: int) -> None:
        """Find every address in this process and write it into the loaded table."""
        words = (ctypes.c_size_t * len(self)).from_address(address)
        for slot, resolve in enumerate(self._resolvers):
            words[slot] = resolve()


def _unbound(key: object) -> Callable[[], int]:
    def resolve() -> int:
        raise LookupError(f"nothing was bound to the table slot {key!r}")

    return resolve


def _c_function(name: str) -> int:
    if name.startswith("PyArray_"):
        return int(_numpy_api()[_NUMPY_FUNCTIONS[name]])
    return python_function(name)


def python_function(name: str) -> int:
    """Find a function of Python's C API in this process."""
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


@cache
def _numpy_api() -> ctypes.Array[ctypes.c_size_t]:
    # NumPy hands its C API to extension modules as a capsule that holds a table of pointers.
    capsule = np._core.multiarray._ARRAY_API  # type: ignore[attr-defined]
    unwrap = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    return (ctypes.c_size_t * (max(_NUMPY_FUNCTIONS.values()) + 1)).from_address(unwrap(capsule, None))
