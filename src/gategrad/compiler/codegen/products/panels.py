"""Large matrix products by panels: parts of both matrices are laid out anew, so that what a tile reads lies in order.

As with Goto and van de Geijn, Anatomy of high-performance matrix multiplication (2008), a panel of `y` stays in the
first cache while a block of `x`, in the second, is walked past it. Panels are laid out for as many steps at once as the
third cache holds, and a block of rows takes all of these steps before the next one begins: so its part of the product
is soon complete, and whoever asked for it can use it while it is in cache (`epilogues.py`). There is one set of functions
for each dtype, which know nothing of sizes; they are loaded once, for the products of all programs, and may share the rows
among the threads of the pool. A program hands them one sheet with all there is to know.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.compiler.codegen.elementwise import Needs, intrinsic
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.products.strips import layout_of, room, strips_text
from gategrad.compiler.codegen.products.tile import ALONE, Base, Form, edge_text, form_of, tile_text
from gategrad.compiler.codegen.resident import loaded, resident
from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.runtime.engine import Engine
from gategrad.compiler.runtime.pool import parallel, thread_count
from gategrad.compiler.runtime.table import Table

__all__ = ["PanelRows", "write_panels"]

_PANEL = 3 * 2**13  # bytes of one panel of y, which lies in the first cache (measured, as the next)
_ROWS = 3 * 2**17  # bytes of a block of x, which lies in the second cache
_COLUMNS = 4096  # of y at a time
_FEW = 256  # of y at a time where one block has all rows: its panels are read once, and stay in the second cache until then
_LAID = 2**24  # bytes of y that are laid out at once, if one step of panels has less
_LINE = 64  # bytes that caches hand on at once
_SHARE = 2**22  # multiplications that are worth a thread

_POINTERS = ("x", "y", "z", "base", "blocks", "panels", "lay_x", "lay_y", "parallel")
_NUMBERS = (
    "x_along", "x_across", "y_along", "y_across", "down", "rows", "inner", "columns", "high", "deep", "wide", "far",
    "share", "room", "parts", "base_down",
)  # fmt: skip
_PROGRESS = ("first_column", "first_step", "wide_now", "far_now")
_SHEET = (*_POINTERS, "scale", *_NUMBERS, *_PROGRESS)

Strides = list[tuple[int, int]]


@dataclasses.dataclass(frozen=True)
class Plan:
    """The sizes of the parts of a product."""

    form: Form
    parts: int  # shares of the rows, which threads compute
    share: int  # rows of a share
    high: int  # rows of a block of x
    deep: int  # steps of a panel
    wide: int  # columns that are laid out at once
    far: int  # steps that are laid out at once

    @property
    def of_panels(self) -> int:
        """Bytes of what is laid out of y at once."""
        return room(self.wide, self.form.width, self.far, self.form)

    @property
    def of_block(self) -> int:
        """Bytes of a block of x."""
        return room(self.high, self.form.height, self.deep, self.form)


def write_panels(
    body: Body, at: list[str], strides: Strides, sizes: tuple[int, int, int], dtype: Any,
    memory: Memory, table: Table, scratch: Callable[[int], str], base: Base,
) -> None:  # fmt: skip
    """Write the product of two matrices into a third, which may be its base. `scratch` hands out buffers of so many bytes."""
    form = form_of(np.dtype(dtype), memory)
    plan = _plan(form, sizes)
    pointers = {"z": at[2], "blocks": scratch(plan.parts * plan.of_block), "panels": scratch(plan.of_panels)}
    if plan.parts > 1:
        pointers["parallel"] = body.make(f"load ptr, ptr {parallel(table)}")
    sheet = _sheet(body, at, strides, sizes, plan, table, pointers, base)
    body.write(f"call void {_routine(body, table, form, 'gg_product')}(ptr {sheet})")


def _plan(form: Form, sizes: tuple[int, int, int]) -> Plan:
    rows, inner, columns = sizes
    parts = max(1, min(thread_count(), rows * inner * columns // _SHARE, rows // form.height))
    share = _evenly(rows, -(-rows // parts), form.height)
    deep = _deep(form, inner)
    high = _evenly(share, _ROWS // (deep * form.dtype.itemsize), form.height)
    wide = _evenly(columns, _COLUMNS if high < share else _FEW, form.width)
    far = deep * max(1, min(_LAID // (deep * wide * form.dtype.itemsize), -(-inner // deep)))
    return Plan(form, -(-rows // share), share, high, deep, wide, far)


def _deep(form: Form, inner: int) -> int:
    return _evenly(inner, _PANEL // (form.width * form.dtype.itemsize), 1)


def _evenly(length: int, most: int, step: int) -> int:
    """The length of blocks that are as long as each other, whole steps, and about `most`."""
    count = max(1, -(-length // most))
    return -(-length // (count * step)) * step


def _sheet(
    body: Body, at: list[str], strides: Strides, sizes: tuple[int, int, int], plan: Plan, table: Table,
    pointers: dict[str, str], base: Base,
) -> str:  # fmt: skip
    """Write all there is to know about a product where its functions find it."""
    form = plan.form
    (x_down, x_across), (y_down, y_across), (z_down, _) = strides
    lay = [(form.height, layout_of(x_across, x_down)), (form.width, layout_of(y_down, y_across))]
    slots = [table.address(("strips", form, *how), functools.partial(_strips, form, *how)) for how in lay]
    lay_x, lay_y = [body.make(f"load ptr, ptr {slot}") for slot in slots]
    given = {"x": at[0], "y": at[1], "base": base.at, "lay_x": lay_x, "lay_y": lay_y, "parallel": "null", **pointers}
    numbers = [x_across, x_down, y_down, y_across, z_down, *sizes, plan.high, plan.deep, plan.wide, plan.far]
    numbers += [plan.share, plan.of_block, plan.parts, base.down]
    given["scale"] = literal(base.scale, form.dtype)
    sheet = body.slot(f"[{len(_SHEET)} x i64]", "sheet")
    for name, value in [*given.items(), *zip(_NUMBERS, numbers, strict=True)]:
        body.write(f"store {_kind(name, form)} {value}, ptr {_field(body, sheet, name)}")
    return sheet


def _kind(name: str, form: Form) -> str:
    return "ptr" if name in _POINTERS else llvm_type(form.dtype) if name == "scale" else "i64"


def _field(body: Body, sheet: str, name: str) -> str:
    return body.make(f"getelementptr i64, ptr {sheet}, i64 {_SHEET.index(name)}")


# --- some rows at a time ---------------------------------------------------------------------------------------------


class PanelRows:
    """A product whose rows are computed when they are wanted; all of `y` is laid out before."""

    def __init__(
        self, body: Body, at: list[str], strides: Strides, sizes: tuple[int, int, int], dtype: Any,
        memory: Memory, table: Table, scratch: Callable[[int], str], size: int, buffers: int,
    ) -> None:  # fmt: skip
        form = form_of(np.dtype(dtype), memory)
        rows, inner, columns = sizes
        wide = -(-columns // form.width) * form.width
        deep = _deep(form, inner)
        self.plan = plan = Plan(form, 1, rows, -(-size // form.height) * form.height, deep, wide, inner)
        self.blocks = scratch(buffers * plan.of_block)
        self.sheet = _sheet(
            body, at, strides, sizes, plan, table,
            {"z": "null", "blocks": "null", "panels": scratch(plan.of_panels)}, ALONE,
        )  # fmt: skip
        self.rows = _routine(body, table, form, "gg_rows")
        zeros = {"first_column": 0, "first_step": 0, "wide_now": columns, "far_now": inner}
        for name, value in zeros.items():
            body.write(f"store i64 {value}, ptr {_field(body, self.sheet, name)}")
        body.write(f"call void {_routine(body, table, form, 'gg_panels')}(ptr {self.sheet})")

    def write(self, body: Body, first: str, stop: str, z: str, buffer: str) -> None:
        """Write these rows to `z`, with the buffer of that number as working memory."""
        block = body.address(self.blocks, np.dtype(np.int8), [(buffer, self.plan.of_block)], 0)
        body.write(f"call void {self.rows}(ptr {self.sheet}, i64 {first}, i64 {stop}, ptr {z}, ptr {block})")


# --- what is loaded once ---------------------------------------------------------------------------------------------


@functools.cache
def _strips(form: Form, width: int, layout: str) -> int:
    return loaded(strips_text(form, width, layout), "gg_strips")


def _routine(body: Body, table: Table, form: Form, symbol: str) -> str:
    """The address of one of the functions that work with a sheet."""
    slot = table.address((symbol, form), functools.partial(_address, form, symbol))
    return body.make(f"load ptr, ptr {slot}")


def _address(form: Form, symbol: str) -> int:
    return _engine(form).address(symbol)


@functools.cache
def _engine(form: Form) -> Engine:
    needs: Needs = {"declarations": {}}
    texts = [tile_text(needs, form), edge_text(needs, form), _panels_text(needs, form), _rows_text(needs, form)]
    texts += [_share_text(needs, form), _product_text(needs, form)]
    return resident("\n".join([*texts, *needs["declarations"].values()]))


class _Sheet:
    """Arithmetic with the fields of the sheet."""

    def __init__(self, needs: Needs, form: Form) -> None:
        self.body, self.needs, self.form = Body(), needs, form

    def __getitem__(self, name: str) -> str:
        return self.body.make(f"load {_kind(name, self.form)}, ptr {_field(self.body, '%sheet', name)}", name)

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
    """`@gg_product(sheet)`: so much of `y` as is laid out at once, and all rows of `x` past it, then the next."""
    sheet = _Sheet(needs, form)
    body = sheet.body
    names = ("columns", "inner", "wide", "far", "parts", "parallel")
    columns, inner, most_wide, most_far, parts, shared = (sheet[n] for n in names)
    with body.walk("0", columns, most_wide) as first_column, body.walk("0", inner, most_far) as first_step:
        wide, far = sheet.left(columns, first_column, most_wide), sheet.left(inner, first_step, most_far)
        sheet.note(first_column=first_column, first_step=first_step, wide_now=wide, far_now=far)
        body.write("call void @gg_panels(ptr %sheet)")
        alone, many, done = (body.name(hint) for hint in ("alone", "many", "done"))
        body.write(f"br i1 {body.make(f'icmp eq i64 {parts}, 1')}, label {alone}, label {many}")
        body.label(alone)
        body.write("call i32 @gg_share(ptr %sheet, i64 0)")
        body.write(f"br label {done}")
        body.label(many)
        body.write(f"call i32 {shared}(ptr @gg_share, ptr %sheet, i64 {parts}, ptr null)")
        body.write(f"br label {done}")
        body.label(done)
    body.write("ret void")
    return body.function("define void @gg_product(ptr %sheet) optsize nounwind")


def _panels_text(needs: Needs, form: Form) -> str:
    """`@gg_panels(sheet)` lays out the columns and steps of `y` that are next, as many steps at a time as a panel has."""
    sheet = _Sheet(needs, form)
    body = sheet.body
    names = ("y", "y_along", "y_across", "deep", "wide", "panels", "lay_y", *_PROGRESS)
    y, along, across, most_deep, most_wide, panels, lay, first_column, first_step, wide, far = (sheet[n] for n in names)
    corner = sheet.place(y, sheet.times(first_step, along), sheet.times(first_column, across))
    with body.walk("0", far, most_deep) as step:
        deep = sheet.left(far, step, most_deep)
        source, target = (
            sheet.place(corner, sheet.times(step, along)),
            sheet.place(panels, sheet.times(step, most_wide)),
        )
        body.write(f"call void {lay}(ptr {source}, i64 {along}, i64 {across}, i64 {wide}, i64 {deep}, ptr {target})")
    body.write("ret void")
    return body.function("define void @gg_panels(ptr %sheet) optsize nounwind")


def _share_text(needs: Needs, form: Form) -> str:
    """`@gg_share(sheet, part)`: the rows that one thread computes."""
    sheet = _Sheet(needs, form)
    body = sheet.body
    first = sheet.times("%part", sheet["share"])
    last = body.make(f"add nsw i64 {first}, {sheet.left(sheet['rows'], first, sheet['share'])}")
    block = body.make(f"getelementptr i8, ptr {sheet['blocks']}, i64 {sheet.times('%part', sheet['room'])}")
    z = sheet.place(sheet["z"], sheet.times(first, sheet["down"]))
    body.write(f"call void @gg_rows(ptr %sheet, i64 {first}, i64 {last}, ptr {z}, ptr {block})")
    body.write("ret i32 0")
    return body.function("define internal i32 @gg_share(ptr %sheet, i64 %part) optsize nounwind")


def _rows_text(needs: Needs, form: Form) -> str:
    """`@gg_rows(sheet, first, last, z, block)`: these rows, of which the first lies at `z`, past all panels there are.

    Block after block of `x` takes step after step, in tiles.
    """
    sheet = _Sheet(needs, form)
    body = sheet.body
    names = ("x", "x_along", "x_across", "down", "high", "deep", "wide", "lay_x", "panels", *_PROGRESS)
    x, along, across, down, most_high, most_deep, most_wide, lay, panels, first_column, first_step, wide, far = (
        sheet[n] for n in names
    )
    under, under_down, scale = (sheet[n] for n in ("base", "base_down", "scale"))
    with body.walk("%first", "%last", most_high) as first_row, body.walk("0", far, most_deep) as step:
        high, deep = sheet.left("%last", first_row, most_high), sheet.left(far, step, most_deep)
        at_step = body.make(f"add nsw i64 {first_step}, {step}")
        is_first = body.make(f"icmp eq i64 {at_step}, 0")
        alone = body.make(f"and i1 {is_first}, {body.make(f'icmp eq ptr {under}, null')}")
        base_down = body.make(f"select i1 {is_first}, i64 {under_down}, i64 {down}")
        source = sheet.place(x, sheet.times(at_step, along), sheet.times(first_row, across))
        body.write(f"call void {lay}(ptr {source}, i64 {along}, i64 {across}, i64 {high}, i64 {deep}, ptr %block)")
        laid = sheet.place(panels, sheet.times(step, most_wide))
        above = body.make(f"sub nsw i64 {first_row}, %first")
        ahead = body.make(f"sdiv i64 {sheet.times(deep, str(form.width))}, {high}")
        with body.walk("0", wide, form.width) as j, body.walk("0", high, form.height) as i:
            row = body.make(f"add nsw i64 {i}, {above}")
            strips = [sheet.place("%block", sheet.times(i, deep)), sheet.place(laid, sheet.times(j, deep))]
            z = sheet.place("%z", sheet.times(row, down), first_column, j)
            at_row = body.make(f"add nsw i64 {first_row}, {i}")
            below = sheet.place(under, sheet.times(at_row, under_down), first_column, j)
            base = body.make(f"select i1 {alone}, ptr null, ptr {_either(body, is_first, below, z)}")
            arguments = ", ".join([*[f"ptr {place}" for place in (*strips, z)], f"i64 {down}, i64 {deep}"])
            arguments += f", ptr {base}, i64 {base_down}, {llvm_type(form.dtype)} {scale}"
            height, width = sheet.left(high, i, str(form.height)), sheet.left(wide, j, str(form.width))
            is_high = body.make(f"icmp eq i64 {height}, {form.height}")
            is_wide = body.make(f"icmp eq i64 {width}, {form.width}")
            whole, part, done = (body.name(hint) for hint in ("whole", "part", "done"))
            _prefetch(sheet, sheet.place(laid, sheet.times(body.plus(j, form.width), deep)), i, ahead)
            body.write(f"br i1 {body.make(f'and i1 {is_high}, {is_wide}')}, label {whole}, label {part}")
            body.label(whole)
            body.write(f"call void @gg_tile({arguments})")
            body.write(f"br label {done}")
            body.label(part)
            body.write(f"call void @gg_edge({arguments}, i64 {height}, i64 {width})")
            body.write(f"br label {done}")
            body.label(done)
    body.write("ret void")
    head = "define void @gg_rows(ptr %sheet, i64 %first, i64 %last, ptr %z, ptr %block)"
    return body.function(f"{head} optsize nounwind")


def _either(body: Body, condition: str, yes: str, no: str) -> str:
    return body.make(f"select i1 {condition}, ptr {yes}, ptr {no}")


def _prefetch(sheet: _Sheet, panel: str, row: str, share: str) -> None:
    """Ask for what the tiles of these rows leave to the next panel: as large a part of it as they are of the block."""
    body, form = sheet.body, sheet.form
    sheet.needs["declarations"]["prefetch"] = "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"
    start = sheet.times(row, share)
    stop = body.make(f"add nsw i64 {start}, {sheet.times(share, str(form.height))}")
    with body.walk(start, stop, _LINE // form.dtype.itemsize) as place:
        body.write(f"call void @llvm.prefetch.p0(ptr {sheet.place(panel, place)}, i32 0, i32 2, i32 1)")
