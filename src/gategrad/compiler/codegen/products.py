"""Matrix products: which way each is computed, and the two ways that are written for its sizes.

Those are loops over tiles (tiny or shallow products) and calls of BLAS (a few rows or columns against a large matrix).
`unpacked.py` and `panels.py` are functions of the sizes: small products, and large ones.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Callable
from typing import Any

from gategrad.compiler.codegen.elementwise import Needs, intrinsic
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.movement import fill
from gategrad.compiler.codegen.panels import write_panels
from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.codegen.unpacked import can_overlap, write_unpacked
from gategrad.compiler.program.value import Value
from gategrad.compiler.runtime.blas_threads import limit_blas_threads
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.views import View, contiguous, view_of

__all__ = ["SMALL", "write_matmul"]

SMALL = 128**3
"""Products of at most this many multiplications read the matrices where they lie (measured)."""

_TINY = 12**3  # multiplications; up to there a product is written for its sizes, and needs no call
_SHALLOW = 64  # steps; up to there tiles take two thirds of the time of BLAS at any size (measured)
_WORTH_LAYING = 8  # rows that read a `y` which was laid out for them
_LOW, _NARROW = 32, 8  # rows and columns below which laying out the matrices takes longer than BLAS (measured)
_LOW_IF_LARGE, _LARGE = 256, 2**22  # the same where `y` has more bytes than that, and is laid out in the third cache
_CACHED = 2**20  # bytes of the second cache


def write_matmul(
    body: Body, needs: Needs, value: Value, memory: Memory, table: Table, scratch: Callable[[int], str]
) -> None:
    """The product of two matrices, or of two stacks of them, into the buffer of `value`."""
    x, y = value.inputs
    (*batch, rows, inner), columns = x.shape, y.shape[-1]
    if not value.size:
        return
    if not inner:
        fill(body, memory.pointers[value], value.size, value.dtype)
        return
    views = view_of(x), view_of(y), View(value, 0, contiguous(value.shape))
    pointers = memory.pointers[views[0].base], memory.pointers[views[1].base], memory.pointers[value]
    with contextlib.ExitStack() as nest:
        indices = [nest.enter_context(body.loop(0, n)) for n in batch]
        at = [
            body.address(pointer, value.dtype, list(zip(indices, view.strides, strict=False)), view.offset)
            for pointer, view in zip(pointers, views, strict=True)
        ]
        sizes = rows, inner, columns
        matrices = [(v.strides[-2], v.strides[-1]) for v in views]
        shallow = _is_shallow(sizes, value.dtype)
        if shallow and matrices[1][1] != 1:
            at[1], matrices[1] = _laid_in_rows(body, at[1], matrices[1], sizes, value.dtype, scratch), (columns, 1)
        small = rows * inner * columns <= SMALL and (matrices[1][1] == 1 or columns == 1)
        if small and rows * inner * columns > _TINY and can_overlap(sizes, value.dtype, memory):
            write_unpacked(body, at, matrices, sizes, value.dtype, memory, table)
        elif shallow or small:
            _tiles(body, needs, at, matrices, sizes, value.dtype, memory)
        elif _is_thin(sizes, value.dtype):
            _blas(body, at, matrices, sizes, value.dtype, table)
        else:
            write_panels(body, at, matrices, sizes, value.dtype, memory, table, scratch)


def _is_shallow(sizes: tuple[int, int, int], dtype: Any) -> bool:
    """Whether BLAS would spend its time on packing: few steps for each element, and a `y` that a cache holds."""
    rows, inner, columns = sizes
    return inner <= _SHALLOW and rows >= _WORTH_LAYING and inner * columns * dtype.itemsize <= _CACHED


def _is_thin(sizes: tuple[int, int, int], dtype: Any) -> bool:
    """Whether the matrices are used too few times to be worth laying out."""
    rows, inner, columns = sizes
    low = _LOW_IF_LARGE if inner * columns * dtype.itemsize > _LARGE else _LOW
    return rows < low or columns < _NARROW


def _laid_in_rows(
    body: Body, y: str, strides: Any, sizes: tuple[int, int, int], dtype: Any, scratch: Callable[[int], str]
) -> str:
    """A copy of `y` whose rows lie in order."""
    _, inner, columns = sizes
    laid = scratch(inner * columns * dtype.itemsize)
    with body.loop(0, inner) as k, body.loop(0, columns) as j:
        element = body.load(body.address(y, dtype, [(k, strides[0]), (j, strides[1])], 0), dtype)
        body.store(element, body.address(laid, dtype, [(k, columns), (j, 1)], 0), dtype)
    return laid


# --- tiles ---------------------------------------------------------------------------------------------------------


def _tiles(
    body: Body, needs: Needs, at: list[str], strides: list[Any], sizes: tuple[int, int, int], dtype: Any, memory: Memory
) -> None:  # fmt: skip
    rows, inner, columns = sizes
    widest = memory.lanes(dtype)
    column, chunks = 0, []
    while column < columns:
        lanes = widest
        while lanes > columns - column:
            lanes //= 2
        count = min(2, (columns - column) // lanes) if lanes == widest else 1
        repeat = (columns - column) // (lanes * count) if lanes == widest else 1
        chunks.append((column, repeat, lanes, count))
        column += repeat * lanes * count
    high = 4
    for first, last, height in ((0, rows - rows % high, high), (rows - rows % high, rows, rows % high)):
        if first >= last:
            continue
        with body.loop(first, last, height) as i:
            for start, repeat, lanes, count in chunks:
                with body.loop(start, start + repeat * lanes * count, lanes * count) as j:
                    _tile(body, needs, at, strides, inner, (i, j), (height, lanes, count), dtype)


def _tile(
    body: Body, needs: Needs, at: list[str], strides: list[Any], inner: int, place: tuple[str, str],
    form: tuple[int, int, int], dtype: Any, *, add: bool = False,
) -> None:  # fmt: skip
    """`height` rows by `count` vectors of the product, accumulated in registers over the inner axis."""
    (i, j), (height, lanes, count) = place, form
    kind = llvm_type(dtype, lanes)
    zero = body.splat(literal(0, dtype), dtype, lanes)
    slots = [[body.slot(kind, "tile", 64) for _ in range(count)] for _ in range(height)]
    for row in slots:
        for slot in row:
            body.write(f"store {kind} {zero}, ptr {slot}")
    (x_down, x_across), (y_down, y_across), (z_down, _) = strides
    with body.loop(0, inner) as k:
        right = [
            body.load(body.address(at[1], dtype, [(k, y_down), (j, y_across)], c * lanes), dtype, lanes)
            for c in range(count)
        ]
        for r in range(height):
            left = body.load(body.address(at[0], dtype, [(i, x_down), (k, x_across)], r * x_down), dtype)
            left = body.splat(left, dtype, lanes)
            for c in range(count):
                before = body.make(f"load {kind}, ptr {slots[r][c]}")
                after = intrinsic(body, needs, "fmuladd", kind, [left, right[c], before])
                body.write(f"store {kind} {after}, ptr {slots[r][c]}")
    for r in range(height):
        for c in range(count):
            total = body.make(f"load {kind}, ptr {slots[r][c]}")
            address = body.address(at[2], dtype, [(i, z_down), (j, 1)], r * z_down + c * lanes)
            if add:
                total = body.make(f"fadd {kind} {body.load(address, dtype, lanes)}, {total}")
            body.store(total, address, dtype, lanes)


# --- BLAS ------------------------------------------------------------------------------------------------------------


def _blas(body: Body, at: list[str], strides: list[Any], sizes: tuple[int, int, int], dtype: Any, table: Table) -> None:
    """One call of ?gemm. BLAS counts by columns, so it is asked for the transposed product, zᵀ = yᵀ xᵀ."""
    rows, inner, columns = sizes
    name = "dgemm" if dtype.itemsize == 8 else "sgemm"
    kind = llvm_type(dtype)
    x_turned, x_lead = _leading(strides[0], rows, inner)
    y_turned, y_lead = _leading(strides[1], inner, columns)
    routine = body.make(f"load ptr, ptr {table.address(('blas', name), functools.partial(_blas_address, name))}")
    letters = [_argument(body, "i8", str(ord("T" if t else "N"))) for t in (y_turned, x_turned)]
    counts = [_argument(body, "i32", str(n)) for n in (columns, rows, inner)]
    one, zero = (_argument(body, kind, literal(v, dtype)) for v in (1, 0))
    leads = [_argument(body, "i32", str(n)) for n in (y_lead, x_lead, columns)]
    arguments = [*letters, *counts, one, at[1], leads[0], at[0], leads[1], zero, at[2], leads[2]]
    body.write(f"call void {routine}({', '.join(f'ptr {a}' for a in arguments)})")


def _leading(strides: tuple[int, int], rows: int, columns: int) -> tuple[bool, int]:
    """Whether a matrix lies by columns, and the distance between its rows (or columns)."""
    down, across = strides
    if (across == 1 or columns == 1) and (rows == 1 or down >= columns):
        return False, max(down if rows > 1 else columns, columns, 1)
    return True, max(across if columns > 1 else rows, rows, 1)


def _argument(body: Body, kind: str, value: str) -> str:
    slot = body.slot(kind, "argument")
    body.write(f"store {kind} {value}, ptr {slot}")
    return slot


def _blas_address(name: str) -> int:
    """Where SciPy's BLAS lies in this process."""
    from scipy.linalg import cython_blas

    limit_blas_threads()
    capsule = cython_blas.__pyx_capi__[name]
    label = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", ctypes.pythonapi))
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    return int(pointer(capsule, label(capsule)))
