"""Matrix products: which way each is computed, and the two ways that are written for its sizes.

Those are loops over tiles (tiny or shallow products) and calls of BLAS (vectors, and a few rows or columns against a large matrix).
`unpacked.py` and `panels.py` are functions of the sizes: small products, and large ones.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from gategrad.compiler.codegen.blocks import Blocks
from gategrad.compiler.codegen.calls.fortran import call_fortran, integer, leading, letter, real
from gategrad.compiler.codegen.elementwise import Needs, intrinsic
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.movement import fill
from gategrad.compiler.codegen.products.few import write_few
from gategrad.compiler.codegen.products.panels import PanelRows, write_panels
from gategrad.compiler.codegen.products.unpacked import UnpackedRows, can_overlap, write_unpacked
from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.program.value import Value
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.views import View, contiguous, view_of
from gategrad.compiler.schedule.ways import is_few, is_shallow, is_small, is_thin, is_vector, sizes_of

__all__ = ["Rows", "product_rows", "write_matmul"]

Rows = Callable[[Body, str, str, str, str], None]
"""Writes the rows from the first to the second of two counters to a place, with the working memory of a desk."""

_TINY = 12**3  # multiplications; up to there a product is written for its sizes, and needs no call


def write_matmul(
    body: Body, needs: Needs, value: Value, memory: Memory, table: Table, scratch: Callable[[int], str], blocks: Blocks
) -> None:
    """The product of two matrices, or of two stacks of them, into the buffer of `value`."""
    x, y = value.inputs
    *batch, _, inner = x.shape
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
        matrices = [(v.strides[-2], v.strides[-1]) for v in views]
        _write_one(body, needs, value, at, matrices, memory, table, scratch, blocks)


def _write_one(
    body: Body, needs: Needs, value: Value, at: list[str], strides: list[Any], memory: Memory, table: Table,
    scratch: Callable[[int], str], blocks: Blocks,
) -> None:  # fmt: skip
    """The product of two matrices that lie at the first two of these addresses, into what lies at the third."""
    rows, inner, columns = sizes = sizes_of(value)
    multiplications = rows * inner * columns
    if is_vector(value) and multiplications > _TINY:
        _blas_vector(body, at, strides, sizes, value.dtype, table)
        return
    if is_few(value) and strides[1][1] == 1:
        write_few(body, at, strides, sizes, value.dtype, memory, table, blocks)
        return
    shallow = is_shallow(value)
    if shallow and strides[1][1] != 1:
        at[1], strides[1] = _laid_in_rows(body, at[1], strides[1], sizes, value.dtype, scratch), (columns, 1)
    small = is_small(value) and (strides[1][1] == 1 or columns == 1)
    if small and multiplications > _TINY and can_overlap(sizes, value.dtype, memory):
        write_unpacked(body, at, strides, sizes, value.dtype, memory, table)
    elif shallow or small:
        _tiles(body, needs, at, strides, sizes, value.dtype, memory)
    elif is_thin(value):
        _blas(body, at, strides, sizes, value.dtype, table)
    else:
        write_panels(body, at, strides, sizes, value.dtype, memory, table, scratch)


def product_rows(
    body: Body, value: Value, size: int, desks: int, memory: Memory, table: Table, scratch: Callable[[int], str]
) -> Rows:
    """Prepare a product of two matrices whose rows are computed when they are wanted, `size` of them at most."""
    views = [view_of(x) for x in value.inputs]
    sizes, dtype = sizes_of(value), value.dtype
    at = [body.address(memory.pointers[view.base], dtype, [], view.offset) for view in views]
    strides = [(view.strides[-2], view.strides[-1]) for view in views]
    if is_shallow(value) and strides[1][1] != 1:
        at[1], strides[1] = _laid_in_rows(body, at[1], strides[1], sizes, dtype, scratch), (sizes[2], 1)
    strides.append((sizes[2], 1))
    if is_shallow(value):
        return UnpackedRows(body, at, strides, sizes, dtype, memory, table).write
    return PanelRows(body, at, strides, sizes, dtype, memory, table, scratch, size, desks).write


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
    x_turned, x_lead = leading(strides[0], rows, inner)
    y_turned, y_lead = leading(strides[1], inner, columns)
    letters = [letter(body, "T" if turned else "N") for turned in (y_turned, x_turned)]
    counts = [integer(body, n) for n in (columns, rows, inner)]
    one, zero = real(body, 1, dtype), real(body, 0, dtype)
    leads = [integer(body, n) for n in (y_lead, x_lead, columns)]
    arguments = [*letters, *counts, one, at[1], leads[0], at[0], leads[1], zero, at[2], leads[2]]
    call_fortran(body, table, "blas", "gemm", dtype, arguments)


def _blas_vector(
    body: Body, at: list[str], strides: list[Any], sizes: tuple[int, int, int], dtype: Any, table: Table
) -> None:
    """One call of ?gemv: z = x y with a column y, or zᵀ = yᵀ xᵀ with a row x."""
    rows, inner, columns = sizes
    if columns == 1:
        matrix, vector, step, by_rows, (high, wide) = at[0], at[1], strides[1][0], True, (rows, inner)
        turned, lead = leading(strides[0], rows, inner)
    else:
        matrix, vector, step, by_rows, (high, wide) = at[1], at[0], strides[0][1], False, (inner, columns)
        turned, lead = leading(strides[1], inner, columns)
    # BLAS counts by columns: what lies by rows is the transposed matrix to it.
    counts = [integer(body, n) for n in ((high, wide) if turned else (wide, high))]
    one, zero, single = real(body, 1, dtype), real(body, 0, dtype), integer(body, 1)
    distance = integer(body, step if inner > 1 else 1)
    way = letter(body, "N" if turned is by_rows else "T")
    arguments = [way, *counts, one, matrix, integer(body, lead), vector, distance, zero, at[2], single]
    call_fortran(body, table, "blas", "gemv", dtype, arguments)
