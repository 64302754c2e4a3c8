"""Matrix products: which way each is computed, and the two ways that are written for its sizes.

Those are loops over tiles (tiny or shallow products) and calls of BLAS (vectors, and a few rows or columns against a large matrix).
`unpacked.py` and `panels.py` are functions of the sizes: small products, and large ones.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any

from gategrad.compiler.codegen.blocks import Blocks
from gategrad.compiler.codegen.calls.fortran import call_fortran, integer, leading, letter, real
from gategrad.compiler.codegen.elementwise import Needs, intrinsic
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.movement import copy_view, fill
from gategrad.compiler.codegen.products.few import write_few
from gategrad.compiler.codegen.products.panels import PanelRows, write_panels
from gategrad.compiler.codegen.products.tile import ALONE, Base
from gategrad.compiler.codegen.products.unpacked import UnpackedRows, can_overlap, write_unpacked
from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.program.value import Value
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.views import View, contiguous, view_of
from gategrad.compiler.schedule.ways import is_few, is_shallow, is_small, is_thin, is_vector, sizes_of

__all__ = ["Place", "Rows", "copy_in_order", "is_overlapping", "product_rows", "write_matmul", "write_product"]

Rows = Callable[[Body, str, str, str, str], None]
"""Writes the rows from the first to the second of two counters to a place, with the buffer of that number as working memory."""

_TINY = 12**3  # multiplications; up to there a product is written for its sizes, and needs no call


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a product, or a stack of them, is written, and what it is added to.

    Both are views and where their buffers begin. Every other product of a stack is written to `beside` and read, as what
    the next one is added to, from there: so that a stack can be added up where none may be added to what it is written over.
    """

    z: str
    view: View
    scale: float = 1.0
    base: tuple[str, View] | None = None
    beside: str = ""

    def lies_on_base(self) -> bool:
        """Whether elements are added to those that they are written over."""
        return self.base is not None and (self.z, self.view.strides) == (self.base[0], self.base[1].strides)


def write_matmul(
    body: Body, needs: Needs, value: Value, memory: Memory, table: Table, scratch: Callable[[int], str], blocks: Blocks
) -> None:
    """The product of two matrices, or of two stacks of them, into the buffer of `value`."""
    if not value.size:
        return
    if not value.inputs[0].shape[-1]:
        fill(body, memory.pointers[value], value.size, value.dtype)
        return
    place = Place(memory.pointers[value], View(value, 0, contiguous(value.shape)))
    write_product(body, needs, value, place, memory, table, scratch, blocks)


def write_product(
    body: Body, needs: Needs, value: Value, place: Place, memory: Memory, table: Table, scratch: Callable[[int], str],
    blocks: Blocks,
) -> None:  # fmt: skip
    """The product of two matrices, or of two stacks of them, neither of which is empty, to a place."""
    batch = value.shape[:-2]
    begins = [*[memory.beginning(view_of(x)) for x in value.inputs], (place.z, place.view)]
    if place.base is not None and not place.lies_on_base():
        begins.append(place.base)
    pointers, views = map(list, zip(*begins, strict=True))
    with contextlib.ExitStack() as nest:
        indices = [nest.enter_context(body.loop(0, n)) for n in batch]
        if place.beside:
            pointers[2:] = _to_and_fro(body, place, indices, batch)
        at = [
            body.address(pointer, value.dtype, list(zip(indices, view.strides, strict=False)), view.offset)
            for pointer, view in zip(pointers, views, strict=True)
        ]
        matrices = [(v.strides[-2], v.strides[-1]) for v in views]
        base = ALONE if place.base is None else Base(at[-1], matrices[-1][0], place.scale)
        _write_one(body, needs, value, at[:3], matrices[:3], memory, table, scratch, blocks, base)


def _to_and_fro(body: Body, place: Place, indices: list[str], batch: tuple[int, ...]) -> list[str]:
    """Where a product of a stack is written and what it is added to: the other way round from one to the next."""
    number = "0"
    for index, step in zip(indices, contiguous(batch), strict=True):
        number = body.make(f"add i64 {number}, {body.make(f'mul i64 {index}, {step}')}")
    is_odd = body.make(f"trunc i64 {number} to i1")
    pairs = ((place.beside, place.z), (place.z, place.beside))
    return [body.make(f"select i1 {is_odd}, ptr {odd}, ptr {even}") for odd, even in pairs]


def _write_one(
    body: Body, needs: Needs, value: Value, at: list[str], strides: list[Any], memory: Memory, table: Table,
    scratch: Callable[[int], str], blocks: Blocks, base: Base,
) -> None:  # fmt: skip
    """The product of two matrices that lie at the first two of these addresses, into what lies at the third."""
    rows, inner, columns = sizes = sizes_of(value)
    multiplications = rows * inner * columns
    if is_vector(value) and multiplications > _TINY:
        _copy_base(body, value, at[2], base, memory)
        _blas_vector(body, at, strides, sizes, value.dtype, table, base)
        return
    if is_few(value) and strides[1][1] == 1:
        _copy_base(body, value, at[2], base, memory)
        write_few(body, at, strides, sizes, value.dtype, memory, table, blocks, base)
        return
    shallow = is_shallow(value)
    if shallow and strides[1][1] != 1:
        at[1], strides[1] = _laid_in_rows(body, at[1], strides[1], sizes, value.dtype, scratch), (columns, 1)
    small = is_small(value) and (strides[1][1] == 1 or columns == 1)
    if small and multiplications > _TINY and can_overlap(sizes, value.dtype, memory):
        write_unpacked(body, at, strides, sizes, value.dtype, memory, table, base)
    elif shallow or small:
        _tiles(body, needs, at, strides, sizes, value.dtype, memory, base)
    elif is_thin(value):
        _copy_base(body, value, at[2], base, memory)
        _blas(body, at, strides, sizes, value.dtype, table, base)
    else:
        write_panels(body, at, strides, sizes, value.dtype, memory, table, scratch, base)


def is_overlapping(product: Value, memory: Memory) -> bool:
    """Whether tiles may write some elements of a product twice, so that it cannot be added to what it is written over."""
    rows, inner, columns = sizes = sizes_of(product)
    tiny = rows * inner * columns <= _TINY
    return is_small(product) and not (tiny or is_vector(product)) and can_overlap(sizes, product.dtype, memory)


def _copy_base(body: Body, product: Value, z: str, base: Base, memory: Memory) -> None:
    """Put what a product is added to where it is written, unless it lies there."""
    if base.at not in ("null", z):
        rows, _, columns = sizes_of(product)
        copy_in_order(body, memory, base.at, View(product, 0, (base.down, 1)), (rows, columns), z)


def copy_in_order(body: Body, memory: Memory, source: str, view: View, shape: tuple[int, ...], target: str) -> None:
    """Copy what lies at an address, in the arrangement of a view, to another address."""
    there = memory.copy()
    there.pointers[view.base] = source
    copy_view(body, there, view, shape, target, contiguous(shape), 0, view.base.dtype)


def product_rows(
    body: Body, value: Value, size: int, buffers: int, memory: Memory, table: Table, scratch: Callable[[int], str]
) -> Rows:
    """Prepare a product of two matrices whose rows are computed when they are wanted, `size` of them at most."""
    begins = [memory.beginning(view_of(x)) for x in value.inputs]
    sizes, dtype = sizes_of(value), value.dtype
    at = [body.address(pointer, dtype, [], view.offset) for pointer, view in begins]
    strides = [(view.strides[-2], view.strides[-1]) for _, view in begins]
    if is_shallow(value) and strides[1][1] != 1:
        at[1], strides[1] = _laid_in_rows(body, at[1], strides[1], sizes, dtype, scratch), (sizes[2], 1)
    strides.append((sizes[2], 1))
    if is_shallow(value):
        return UnpackedRows(body, at, strides, sizes, dtype, memory, table).write
    return PanelRows(body, at, strides, sizes, dtype, memory, table, scratch, size, buffers).write


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
    body: Body, needs: Needs, at: list[str], strides: list[Any], sizes: tuple[int, int, int], dtype: Any, memory: Memory,
    base: Base,
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
                    _tile(body, needs, at, strides, inner, (i, j), (height, lanes, count), dtype, base)


def _tile(
    body: Body, needs: Needs, at: list[str], strides: list[Any], inner: int, place: tuple[str, str],
    form: tuple[int, int, int], dtype: Any, base: Base,
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
            if base.at != "null":
                below = body.address(base.at, dtype, [(i, base.down), (j, 1)], r * base.down + c * lanes)
                scale = body.splat(literal(base.scale, dtype), dtype, lanes)
                total = intrinsic(body, needs, "fmuladd", kind, [total, scale, body.load(below, dtype, lanes)])
            body.store(total, address, dtype, lanes)


# --- BLAS ------------------------------------------------------------------------------------------------------------


def _blas(
    body: Body, at: list[str], strides: list[Any], sizes: tuple[int, int, int], dtype: Any, table: Table, base: Base
) -> None:
    """One call of ?gemm. BLAS counts by columns, so it is asked for the transposed product, zᵀ = yᵀ xᵀ."""
    rows, inner, columns = sizes
    x_turned, x_lead = leading(strides[0], rows, inner)
    y_turned, y_lead = leading(strides[1], inner, columns)
    letters = [letter(body, "T" if turned else "N") for turned in (y_turned, x_turned)]
    counts = [integer(body, n) for n in (columns, rows, inner)]
    scale, keep = real(body, base.scale, dtype), real(body, base.at != "null", dtype)
    leads = [integer(body, n) for n in (y_lead, x_lead, columns)]
    arguments = [*letters, *counts, scale, at[1], leads[0], at[0], leads[1], keep, at[2], leads[2]]
    call_fortran(body, table, "blas", "gemm", dtype, arguments)


def _blas_vector(
    body: Body, at: list[str], strides: list[Any], sizes: tuple[int, int, int], dtype: Any, table: Table, base: Base
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
    scale, keep, single = real(body, base.scale, dtype), real(body, base.at != "null", dtype), integer(body, 1)
    distance = integer(body, step if inner > 1 else 1)
    way = letter(body, "N" if turned is by_rows else "T")
    arguments = [way, *counts, scale, matrix, integer(body, lead), vector, distance, keep, at[2], single]
    call_fortran(body, table, "blas", "gemv", dtype, arguments)
