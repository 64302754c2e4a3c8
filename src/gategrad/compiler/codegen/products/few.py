"""A few rows times a large matrix whose rows lie in order: it is read once, a few of its rows at a time, and never laid out anew.

What is computed so far is added to, vector by vector, in a cache. One function for each dtype, loaded once; blocks of
columns run on threads.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from gategrad.compiler.codegen.blocks import Blocks
from gategrad.compiler.codegen.elementwise import Needs, intrinsic
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.products.tile import ALONE, Base, Form, accumulate_in_place
from gategrad.compiler.codegen.resident import loaded
from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.runtime.table import Table

__all__ = ["write_few"]

_HEIGHT = 4
_STEPS = 8  # rows of `y` that are read side by side (measured)
_COLUMNS = 512  # of a block at least


def write_few(
    body: Body, at: list[str], strides: list[tuple[int, int]], sizes: tuple[int, int, int],
    dtype: np.dtype[np.generic], memory: Memory, table: Table, blocks: Blocks, base: Base,
) -> None:  # fmt: skip
    """Write the product of a matrix of few rows and one whose rows lie in order into a third, or add it if that is the base."""
    rows, inner, columns = sizes
    form = Form(dtype, memory.lanes(dtype), _HEIGHT)
    routine = body.make(f"load ptr, ptr {table.address(('few', form), functools.partial(_address, form))}")
    (x_down, x_across), (y_down, _), (z_down, _) = strides

    def part(inner_body: Body, first: int | str, stop: int | str) -> None:
        width = inner_body.number("sub", stop, first)
        y, z = (inner_body.address(pointer, dtype, [(str(first), 1)], 0) for pointer in at[1:])
        numbers = ", ".join(f"i64 {n}" for n in (x_down, x_across, y_down, z_down, rows, inner, width))
        how = f"i1 {str(base != ALONE).lower()}, {llvm_type(dtype)} {literal(base.scale, dtype)}"
        inner_body.write(f"call void {routine}(ptr {at[0]}, ptr {y}, ptr {z}, {numbers}, {how})")

    blocks.over(body, columns, rows * inner * columns // 4, part, most=columns // _COLUMNS)


@functools.cache
def _address(form: Form) -> int:
    needs: Needs = {"declarations": {}}
    single = dataclasses.replace(form, lanes=1)
    texts = [_tile(needs, form, 2), _tile(needs, form, 1), _tile(needs, single, 1), _product(needs, form)]
    return loaded("\n".join([*texts, *needs["declarations"].values()]), "gg_few")


_MATRICES = "ptr noalias readonly %x, ptr noalias readonly %y, ptr noalias %z"
_STRIDES = "i64 %x_down, i64 %x_across, i64 %y_down, i64 %z_down"


def _tile(needs: Needs, form: Form, vectors: int) -> str:
    """`@gg_tile<columns>(…, rows, steps, add, scale)`: a few rows, of which there may be less, by so many columns."""
    body, dtype = Body(), form.dtype
    last = body.make("sub nsw i64 %rows, 1")
    rows = [intrinsic(body, needs, "smin", "i64", [str(r), last]) for r in range(form.height)]
    starts = [body.address("%x", dtype, [(body.make(f"mul nsw i64 %x_down, {r}"), 1)], 0) for r in rows]

    totals = accumulate_in_place(body, needs, form, vectors, "%steps", starts)
    for r in range(form.height):
        z = body.address("%z", dtype, [(body.make(f"mul nsw i64 %z_down, {r}"), 1)], 0)
        onto, over, done = (body.name(hint) for hint in ("onto", "over", "done"))
        with body.only(body.make(f"icmp slt i64 {r}, %rows")):
            body.write(f"br i1 %add, label {onto}, label {over}")
            for label, is_added in ((onto, True), (over, False)):
                body.label(label)
                for c in range(vectors):
                    place, total = body.address(z, dtype, [], c * form.lanes), totals[r, c]
                    if is_added:
                        scale, before = body.splat("%scale", dtype, form.lanes), body.load(place, dtype, form.lanes)
                        total = intrinsic(body, needs, "fmuladd", llvm_type(dtype, form.lanes), [total, scale, before])
                    body.store(total, place, dtype, form.lanes)
                body.write(f"br label {done}")
            body.label(done)
    body.write("ret void")
    parameters = f"{_MATRICES}, {_STRIDES}, i64 %rows, i64 %steps, i1 %add, {llvm_type(dtype)} %scale"
    head = f"define internal void @gg_tile{vectors * form.lanes}({parameters})"
    return body.function(f"{head} alwaysinline nounwind")


def _product(needs: Needs, form: Form) -> str:
    """Some rows of `y` after the others; past these, all rows of `x`, in tiles along the columns."""
    body, dtype = Body(), form.dtype

    def place(pointer: str, *terms: tuple[str, str]) -> str:
        return body.address(pointer, dtype, [(body.make(f"mul nsw i64 {n}, {step}"), 1) for n, step in terms], 0)

    paired, single = (body.make(f"and i64 %columns, -{n}") for n in (form.width, form.lanes))
    with body.walk("0", "%inner", _STEPS) as k:
        steps = intrinsic(body, needs, "smin", "i64", [body.make(f"sub nsw i64 %inner, {k}"), str(_STEPS)])
        add = body.make(f"or i1 %add, {body.make(f'icmp ne i64 {k}, 0')}")
        y_rows = place("%y", (k, "%y_down"))
        with body.walk("0", "%rows", form.height) as i:
            rows = body.make(f"sub nsw i64 %rows, {i}")
            x, z_rows = place("%x", (i, "%x_down"), (k, "%x_across")), place("%z", (i, "%z_down"))
            for start, stop, width in (
                ("0", paired, form.width),
                (paired, single, form.lanes),
                (single, "%columns", 1),
            ):
                with body.walk(start, stop, width) as j:
                    y, z = place(y_rows, (j, "1")), place(z_rows, (j, "1"))
                    numbers = f"{_STRIDES}, i64 {rows}, i64 {steps}, i1 {add}, {llvm_type(dtype)} %scale"
                    body.write(f"call void @gg_tile{width}(ptr {x}, ptr {y}, ptr {z}, {numbers})")
    body.write("ret void")
    parameters = f"{_MATRICES}, {_STRIDES}, i64 %rows, i64 %inner, i64 %columns, i1 %add, {llvm_type(dtype)} %scale"
    return body.function(f"define void @gg_few({parameters}) nounwind")
