"""Calls of BLAS and LAPACK: their routines are Fortran's, which take everything by address."""

from __future__ import annotations

import ctypes
import functools
import importlib
from typing import Any

from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.runtime.blas_threads import limit_blas_threads
from gategrad.compiler.runtime.table import Table

__all__ = ["address_of", "call_fortran", "integer", "leading", "letter", "real"]


def call_fortran(body: Body, table: Table, library: str, name: str, dtype: Any, arguments: list[str]) -> None:
    """Call a routine of SciPy's `blas` or `lapack`, for matrices of this precision; all arguments are addresses."""
    name = ("d" if dtype.itemsize == 8 else "s") + name
    slot = table.address((library, name), functools.partial(address_of, library, name))
    routine = body.make(f"load ptr, ptr {slot}")
    body.write(f"call void {routine}({', '.join(f'ptr {a}' for a in arguments)})")


def letter(body: Body, text: str) -> str:
    """A letter, which says how a matrix is to be taken."""
    return _stored(body, "i8", str(ord(text)))


def integer(body: Body, number: int) -> str:
    """A size, or a distance between columns."""
    return _stored(body, "i32", str(number))


def real(body: Body, number: float, dtype: Any) -> str:
    """A number in the precision of the matrices."""
    return _stored(body, llvm_type(dtype), literal(number, dtype))


def leading(strides: tuple[int, int], rows: int, columns: int) -> tuple[bool, int]:
    """Whether a matrix lies by columns, and the distance between its rows (or columns)."""
    down, across = strides
    if (across == 1 or columns == 1) and (rows == 1 or down >= columns):
        return False, max(down if rows > 1 else columns, columns, 1)
    return True, max(across if columns > 1 else rows, rows, 1)


def _stored(body: Body, kind: str, value: str) -> str:
    slot = body.slot(kind, "argument")
    body.write(f"store {kind} {value}, ptr {slot}")
    return slot


def address_of(library: str, name: str) -> int:
    """Where the routine of SciPy's library lies in this process."""
    limit_blas_threads()
    capsule = importlib.import_module(f"scipy.linalg.cython_{library}").__pyx_capi__[name]
    label = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", ctypes.pythonapi))
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    return int(pointer(capsule, label(capsule)))
