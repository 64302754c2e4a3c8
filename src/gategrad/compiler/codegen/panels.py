"""Large matrix products by panels: parts of both matrices are laid out anew, so that what a tile reads lies in order.

The order of the loops is that of Goto and van de Geijn, Anatomy of high-performance matrix multiplication (2008): a
panel of `y` stays in the first cache while a block of `x`, in the second, is walked past it. That is a function for
each dtype, which knows nothing of sizes; it is loaded once, for the products of all programs, and may share its rows
among the threads of the pool. A program hands it one sheet with all there is to know.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.compiler.codegen.elementwise import Needs, intrinsic
from gategrad.compiler.codegen.library import loaded
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.strips import layout_of, room, strips_text
from gategrad.compiler.codegen.text import Body
from gategrad.compiler.codegen.tile import Form, edge_text, form_of, tile_text
from gategrad.compiler.runtime.pool import parallel, thread_count
from gategrad.compiler.runtime.table import Table

__all__ = ["write_panels"]

_PANEL = 3 * 2**13  # bytes of one panel of y, which lies in the first cache (measured, as the next)
_ROWS = 3 * 2**17  # bytes of a block of x, which lies in the second cache
_COLUMNS = 4096  # of y at a time
_SHARE = 2**22  # multiplications that are worth a thread

_POINTERS = ("x", "y", "z", "block", "panels", "lay_x", "lay_y", "parallel")
_NUMBERS = (
    "x_along", "x_across", "y_along", "y_across", "down", "rows", "inner", "columns", "high", "deep", "wide",
    "share", "room", "parts",
)  # fmt: skip
_PROGRESS = ("first_column", "first_step", "wide_now", "deep_now")
_SHEET = (*_POINTERS, *_NUMBERS, *_PROGRESS)


def write_panels(
    body: Body, at: list[str], strides: list[tuple[int, int]], sizes: tuple[int, int, int], dtype: Any,
    memory: Memory, table: Table, scratch: Callable[[int], str],
) -> None:  # fmt: skip
    """Write the product of two matrices into a third. `scratch` hands out buffers of so many bytes."""
    form = form_of(np.dtype(dtype), memory)
    rows, inner, columns = sizes
    (x_down, x_across), (y_down, y_across), (z_down, _) = strides
    parts = max(1, min(thread_count(), rows * inner * columns // _SHARE, rows // form.height))
    share = _evenly(rows, -(-rows // parts), form.height)
    parts = -(-rows // share)
    deep = _evenly(inner, _PANEL // (form.width * form.dtype.itemsize), 1)
    high = _evenly(share, _ROWS // (deep * form.dtype.itemsize), form.height)
    wide = _evenly(columns, _COLUMNS, form.width)
    of_block = room(high, form.height, deep, form)
    pointers = [*at, scratch(parts * of_block), scratch(room(wide, form.width, deep, form))]
    lay = [(form.height, layout_of(x_across, x_down)), (form.width, layout_of(y_down, y_across))]
    slots = [table.address(("strips", form, *how), functools.partial(_strips, form, *how)) for how in lay]
    pointers += [body.make(f"load ptr, ptr {slot}") for slot in slots]
    pointers += [body.make(f"load ptr, ptr {parallel(table)}") if parts > 1 else "null"]
    numbers = [x_across, x_down, y_down, y_across, z_down, *sizes, high, deep, wide, share, of_block, parts]
    sheet = body.slot(f"[{len(_SHEET)} x i64]", "sheet")
    for name, value in zip(_SHEET, [*pointers, *numbers], strict=False):
        body.write(f"store {_kind(name)} {value}, ptr {_field(body, sheet, name)}")
    product = body.make(f"load ptr, ptr {table.address(('product', form), functools.partial(_product, form))}")
    body.write(f"call void {product}(ptr {sheet})")


def _evenly(length: int, most: int, step: int) -> int:
    """The length of blocks that are as long as each other, whole steps, and about `most`."""
    count = max(1, -(-length // most))
    return -(-length // (count * step)) * step


def _kind(name: str) -> str:
    return "ptr" if name in _POINTERS else "i64"


def _field(body: Body, sheet: str, name: str) -> str:
    return body.make(f"getelementptr i64, ptr {sheet}, i64 {_SHEET.index(name)}")


# --- what is loaded once ---------------------------------------------------------------------------------------------


@functools.cache
def _strips(form: Form, width: int, layout: str) -> int:
    return loaded(strips_text(form, width, layout), "gg_strips")


@functools.cache
def _product(form: Form) -> int:
    needs: Needs = {"declarations": {}}
    texts = [tile_text(needs, form), edge_text(form), _rows_text(needs, form), _product_text(needs, form)]
    return loaded("\n".join([*texts, *needs["declarations"].values()]), "gg_product")


class _Sheet:
    """Arithmetic with the fields of the sheet."""

    def __init__(self, needs: Needs, form: Form) -> None:
        self.body, self.needs, self.form = Body(), needs, form

    def __getitem__(self, name: str) -> str:
        return self.body.make(f"load {_kind(name)}, ptr {_field(self.body, '%sheet', name)}", name)

    def note(self, **fields: str) -> None:
        for name, value in fields.items():
            self.body.write(f"store i64 {value}, ptr {_field(self.body, '%sheet', name)}")

    def times(self, a: str, b: str) -> str:
        return self.body.make(f"mul nsw i64 {a}, {b}")

    def left(self, length: str, start: str, most: str) -> str:
        """How long the block is that begins at `start`."""
        return intrinsic(self.body, self.needs, "smin", "i64", [self.body.make(f"sub nsw i64 {length}, {start}"), most])

    def place(self, pointer: str, *terms: str) -> str:
        return self.body.address(pointer, self.form.dtype, [(term, 1) for term in terms], 0)


def _product_text(needs: Needs, form: Form) -> str:
    """`@gg_product(sheet)`: panel after panel of `y`, and all rows of `x` past each."""
    sheet = _Sheet(needs, form)
    body = sheet.body
    names = ("y", "y_along", "y_across", "columns", "inner", "wide", "deep", "panels", "lay_y", "parts", "parallel")
    y, along, across, columns, inner, most_wide, most_deep, panels, lay, parts, shared = (sheet[n] for n in names)
    with body.walk("0", columns, most_wide) as first_column, body.walk("0", inner, most_deep) as first_step:
        wide, deep = sheet.left(columns, first_column, most_wide), sheet.left(inner, first_step, most_deep)
        source = sheet.place(y, sheet.times(first_step, along), sheet.times(first_column, across))
        body.write(f"call void {lay}(ptr {source}, i64 {along}, i64 {across}, i64 {wide}, i64 {deep}, ptr {panels})")
        sheet.note(first_column=first_column, first_step=first_step, wide_now=wide, deep_now=deep)
        alone, many, done = (body.name(hint) for hint in ("alone", "many", "done"))
        body.write(f"br i1 {body.make(f'icmp eq i64 {parts}, 1')}, label {alone}, label {many}")
        body.label(alone)
        body.write("call i32 @gg_rows(ptr %sheet, i64 0)")
        body.write(f"br label {done}")
        body.label(many)
        body.write(f"call i32 {shared}(ptr @gg_rows, ptr %sheet, i64 {parts}, ptr null)")
        body.write(f"br label {done}")
        body.label(done)
    body.write("ret void")
    return body.function("define void @gg_product(ptr %sheet) optsize nounwind")


def _rows_text(needs: Needs, form: Form) -> str:
    """`@gg_rows(sheet, part)`: block after block of some rows of `x`, each in tiles past all panels there are."""
    sheet = _Sheet(needs, form)
    body = sheet.body
    names = ("x", "x_along", "x_across", "z", "down", "high", "lay_x", "panels", *_PROGRESS)
    x, along, across, z, down, most_high, lay, panels, first_column, first_step, wide, deep = (sheet[n] for n in names)
    first = sheet.times("%part", sheet["share"])
    last = body.make(f"add nsw i64 {first}, {sheet.left(sheet['rows'], first, sheet['share'])}")
    block = body.make(f"getelementptr i8, ptr {sheet['block']}, i64 {sheet.times('%part', sheet['room'])}")
    add = body.make(f"icmp ne i64 {first_step}, 0")
    with body.walk(first, last, most_high) as first_row:
        high = sheet.left(last, first_row, most_high)
        source = sheet.place(x, sheet.times(first_step, along), sheet.times(first_row, across))
        body.write(f"call void {lay}(ptr {source}, i64 {along}, i64 {across}, i64 {high}, i64 {deep}, ptr {block})")
        with body.walk("0", wide, form.width) as j, body.walk("0", high, form.height) as i:
            row = body.make(f"add nsw i64 {i}, {first_row}")
            strips = [sheet.place(block, sheet.times(i, deep)), sheet.place(panels, sheet.times(j, deep))]
            strips += [sheet.place(z, sheet.times(row, down), first_column, j)]
            arguments = f"{', '.join(f'ptr {strip}' for strip in strips)}, i64 {down}, i64 {deep}, i1 {add}"
            height, width = sheet.left(high, i, str(form.height)), sheet.left(wide, j, str(form.width))
            is_high = body.make(f"icmp eq i64 {height}, {form.height}")
            is_wide = body.make(f"icmp eq i64 {width}, {form.width}")
            whole, part, done = (body.name(hint) for hint in ("whole", "part", "done"))
            body.write(f"br i1 {body.make(f'and i1 {is_high}, {is_wide}')}, label {whole}, label {part}")
            body.label(whole)
            body.write(f"call void @gg_tile({arguments})")
            body.write(f"br label {done}")
            body.label(part)
            body.write(f"call void @gg_edge({arguments}, i64 {height}, i64 {width})")
            body.write(f"br label {done}")
            body.label(done)
    body.write("ret i32 0")  # no block of a product fails
    return body.function("define internal i32 @gg_rows(ptr %sheet, i64 %part) optsize nounwind")
