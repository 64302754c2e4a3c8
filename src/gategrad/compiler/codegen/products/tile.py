"""The tile of a large product: a few rows by two vectors of sums that stay in registers while both strips go by.

It is one function for each dtype, whatever the sizes of the matrices.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from gategrad.compiler.codegen.elementwise import Needs, intrinsic
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.text import Body, literal, llvm_type

__all__ = ["Form", "accumulate_in_place", "edge_text", "form_of", "tile_text"]

_VECTORS = 2


@dataclasses.dataclass(frozen=True)
class Form:
    """How large a tile is: sums, two vectors of `y` and a number of `x` in all registers."""

    dtype: np.dtype[np.generic]
    lanes: int
    height: int

    @property
    def width(self) -> int:
        """The number of columns."""
        return _VECTORS * self.lanes


def form_of(dtype: np.dtype[np.generic], memory: Memory) -> Form:
    """The tile for this processor: 512-bit vectors come with 32 registers, shorter ones, here, with 16."""
    return Form(dtype, memory.lanes(dtype), 12 if memory.vector_bytes == 64 else 6)


def _accumulate(
    body: Body, needs: Needs, form: Form, vectors: int, depth: str,
    place_of_x: Callable[[str], list[str]], place_of_y: Callable[[str], str],
) -> dict[tuple[int, int], str]:  # fmt: skip
    """The sums of a tile, by row and vector; at step k a number for each row of `x`, and vectors of `y` in order."""
    dtype, lanes = form.dtype, form.lanes
    kind = llvm_type(dtype, lanes)
    sums = {(r, c): body.slot(kind, "sum", 64) for r in range(form.height) for c in range(vectors)}
    for slot in sums.values():
        body.write(f"store {kind} {body.splat(literal(0, dtype), dtype, lanes)}, ptr {slot}")
    with body.walk("0", depth) as k:
        start = place_of_y(k)
        y = [body.load(body.address(start, dtype, [], c * lanes), dtype, lanes) for c in range(vectors)]
        for r, place in enumerate(place_of_x(k)):
            x = body.splat(body.load(place, dtype), dtype, lanes)
            for c in range(vectors):
                before = body.make(f"load {kind}, ptr {sums[r, c]}")
                after = intrinsic(body, needs, "fmuladd", kind, [x, y[c], before])
                body.write(f"store {kind} {after}, ptr {sums[r, c]}")
    return {place: body.make(f"load {kind}, ptr {slot}") for place, slot in sums.items()}


def accumulate_in_place(
    body: Body, needs: Needs, form: Form, vectors: int, depth: str, rows: list[str]
) -> dict[tuple[int, int], str]:
    """The sums of a tile whose matrices are read where they lie: `rows` of `x`, from `%x`, and `%y` from its first step on.

    From one step to the next it is `%x_across` elements in `x`, and `%y_down` in `y`.
    """

    def place_of_x(k: str) -> list[str]:
        step = body.make(f"mul nsw i64 {k}, %x_across")
        return [body.address(x, form.dtype, [(step, 1)], 0) for x in rows]

    def place_of_y(k: str) -> str:
        return body.address("%y", form.dtype, [(body.make(f"mul nsw i64 {k}, %y_down"), 1)], 0)

    return _accumulate(body, needs, form, vectors, depth, place_of_x, place_of_y)


def tile_text(needs: Needs, form: Form) -> str:
    """`@gg_tile(x, y, z, down, depth, add)` writes, or adds, the product of two strips to a whole tile of `z`.

    Rows of `z` lie `down` elements apart; the strips have `depth` steps.
    """
    body, dtype, lanes = Body(), form.dtype, form.lanes
    kind = llvm_type(dtype, lanes)
    needs["declarations"]["prefetch"] = "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"
    for r in range(form.height):
        body.write(f"call void @llvm.prefetch.p0(ptr {_row(body, form, r)}, i32 1, i32 3, i32 1)")

    def place_of_x(k: str) -> list[str]:
        return [body.address("%x", dtype, [(k, form.height)], r) for r in range(form.height)]

    def place_of_y(k: str) -> str:
        return body.address("%y", dtype, [(k, form.width)], 0)

    totals = _accumulate(body, needs, form, _VECTORS, "%depth", place_of_x, place_of_y)
    onto, over = body.name("onto"), body.name("over")
    body.write(f"br i1 %add, label {onto}, label {over}")
    for label, is_added in ((onto, True), (over, False)):
        body.label(label)
        for (r, c), total in totals.items():
            place = body.address(_row(body, form, r), dtype, [], c * lanes)
            if is_added:
                total = body.make(f"fadd {kind} {body.load(place, dtype, lanes)}, {total}")
            body.store(total, place, dtype, lanes)
        body.write("ret void")
    return body.function(f"define internal void @gg_tile({_PARAMETERS}) noinline nounwind")


def _row(body: Body, form: Form, r: int) -> str:
    return body.address("%z", form.dtype, [(body.make(f"mul nsw i64 %down, {r}"), 1)], 0)


def edge_text(form: Form) -> str:
    """`@gg_edge(…, rows, columns)` is like the tile, but only its first rows and columns are there."""
    body, dtype, kind = Body(), form.dtype, llvm_type(form.dtype)
    whole = body.slot(f"[{form.height * form.width} x {kind}]", "whole", 64)
    body.write(f"call void @gg_tile(ptr %x, ptr %y, ptr {whole}, i64 {form.width}, i64 %depth, i1 false)")
    with body.walk("0", "%rows") as i, body.walk("0", "%columns") as j:
        place = body.address("%z", dtype, [(body.make(f"mul nsw i64 {i}, %down"), 1), (j, 1)], 0)
        new = body.load(body.address(whole, dtype, [(i, form.width), (j, 1)], 0), dtype)
        total = body.make(f"fadd {kind} {body.load(place, dtype)}, {new}")
        body.store(body.make(f"select i1 %add, {kind} {total}, {kind} {new}"), place, dtype)
    body.write("ret void")
    head = f"define internal void @gg_edge({_PARAMETERS}, i64 %rows, i64 %columns)"
    return body.function(f"{head} noinline optsize nounwind")


_PARAMETERS = "ptr noalias readonly %x, ptr noalias readonly %y, ptr noalias %z, i64 %down, i64 %depth, i1 %add"
