"""The addresses that native code needs from this process.

Machine code is cached on disk and run by other processes, where Python, NumPy and every object lie elsewhere. So the
code contains no address: it loads what it needs from a table of its own, `@gg_table`, which is filled after loading.
The text of the code depends on the order of the slots only, never on what is in them.

What finds an address is a callable that can be pickled, where that is possible at all: so the recipe of a table can be
kept beside the code, and another process fills the table without writing the text again.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

__all__ = ["SYMBOL", "Slot", "Table", "c_function", "numpy_global", "python_function"]

SYMBOL = "gg_table"

_NUMPY_NAMES = {
    "PyArray_Scalar": 60, "PyArray_NewFromDescr": 94, "PyDataMem_SetHandler": 304, "PyDataMem_GetHandler": 305,
    "PyDataMem_DefaultHandler": 306,
}  # fmt: skip
"""Positions in NumPy's C API table; they are part of its ABI and never change."""

Slot = tuple[str | None, Callable[[], int]]
"""The key of a slot if others may bind it, and what finds its address."""


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

    def __len__(self) -> int:
        return len(self._resolvers)

    @property
    def objects(self) -> list[object]:
        """The objects whose addresses are in the table: they must live as long as the code."""
        return [find.value for find in self._resolvers if isinstance(find, _Object)]

    def function(self, name: str) -> str:
        """Say where the address of a C function of Python (`Py...`) or NumPy (`PyArray_...`, `PyDataMem_...`) will be."""
        return self.address(name, partial(c_function, name))

    def object(self, value: object) -> str:
        """Say where the address of a Python object will be; the table keeps the object alive."""
        return self.address(("object", id(value)), _Object(value))

    def elements(self, array: np.ndarray[Any, Any]) -> str:
        """Say where the address of an array's elements will be; the table keeps the array alive."""
        return self.address(("elements", id(array)), _Elements(array))

    def address(self, key: Hashable, resolve: Callable[[], int] | None = None) -> str:
        """Say where the address that `resolve()` finds at load time will be: a BLAS routine, a buffer.

        Without `resolve`, somebody else has to `bind` the key before the code is loaded.
        """
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = len(self._resolvers)
            self._resolvers.append(resolve or partial(_unbound, str(key)))
        return f"getelementptr inbounds (ptr, ptr @{SYMBOL}, i64 {slot})"

    def bind(self, key: Hashable, resolve: Callable[[], int]) -> None:
        """Say how the address of `key` is found, if any code has asked for it."""
        if key in self._slots:
            self._resolvers[self._slots[key]] = resolve

    def recipe(self, given: Sequence[Any]) -> list[Slot]:
        """How every address is found, to be pickled: the objects among `given` by their number there."""
        numbers = {id(value): n for n, value in reversed(list(enumerate(given)))}
        keys = [key if isinstance(key, str) else None for key in self._slots]
        found: list[Slot] = []
        for key, find in zip(keys, self._resolvers, strict=True):
            known = isinstance(find, _Object) and id(find.value) in numbers
            found.append((key, _Given(numbers[id(find.value)]) if known else find))  # type: ignore[attr-defined]
        return found

    @staticmethod
    def made(recipe: Iterable[Slot], given: Sequence[Any]) -> Table:
        """The table of a recipe, with these objects in the place of those that were given when it was written."""
        table = Table()
        for number, (key, find) in enumerate(recipe):
            found = _Object(given[find.number]) if isinstance(find, _Given) else find
            table.address(number if key is None else key, found)
        return table

    def definition(self) -> str:
        """Write the table itself; to be emitted last, when all slots are known."""
        return f"@{SYMBOL} = dso_local global [{max(len(self), 1)} x ptr] zeroinitializer, align 64"

    def fill(self, address: int) -> None:
        """Find every address in this process and write it into the loaded table."""
        words = (ctypes.c_size_t * len(self)).from_address(address)
        for slot, resolve in enumerate(self._resolvers):
            words[slot] = resolve()


class _Object:
    """The address of an object, which lives as long as the table."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __call__(self) -> int:
        return id(self.value)


class _Elements:
    """The address of an array's elements, which live as long as the table."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array

    def __call__(self) -> int:
        return int(self.array.ctypes.data)


class _Given:
    """In a recipe: the object with this number among those that whoever makes the table has at hand."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self) -> int:
        raise LookupError(f"the object {self.number} of a recipe was not given")


def _unbound(key: str) -> int:
    raise LookupError(f"nothing was bound to the table slot {key!r}")


def c_function(name: str) -> int:
    """Find a function of Python's or NumPy's C API in this process."""
    return int(_numpy_api()[_NUMPY_NAMES[name]]) if name in _NUMPY_NAMES else python_function(name)


def numpy_global(name: str) -> int:
    """The value of a pointer that NumPy's C API exports."""
    return ctypes.c_size_t.from_address(c_function(name)).value


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
    return (ctypes.c_size_t * (max(_NUMPY_NAMES.values()) + 1)).from_address(unwrap(capsule, None))
