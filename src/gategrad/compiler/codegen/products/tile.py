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

__all__ = [
    "ALONE",
    "Base",
    "Form",
    "accumulate_in_place",
    "added_to_base",
    "base_parameters",
    "edge_text",
    "form_of",
    "tile_text",
]

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


@dataclasses.dataclass(frozen=True)
class Base:
    """What a product is added to, as its elements are written: a matrix with its rows in order, `down` elements apart.

    Before, the product is multiplied by `scale`, which is 1 where there is no matrix ("null").
    """

    at: str = "null"
    down: int = 0
    scale: float = 1.0

    def given(self, dtype: np.dtype[np.generic]) -> str:
        """The arguments for `base_parameters`."""
        return f"ptr {self.at}, i64 {self.down}, {llvm_type(dtype)} {literal(self.scale, dtype)}"


ALONE = Base()
"""A product that is written as it is."""


def base_parameters(form: Form) -> str:
    """The parameters of a function that adds what it computes to a matrix, which may be the one that it writes."""
    return f"ptr %base, i64 %base_down, {llvm_type(form.dtype)} %scale"


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


def added_to_base(body: Body, needs: Needs, form: Form, total: str, r: int, c: int) -> str:
    """What the base has in row `r` and vector `c` of a tile, and the scaled sum, together."""
    dtype, lanes = form.dtype, form.lanes
    before = body.load(body.address(_row(body, form, "%base", "%base_down", r), dtype, [], c * lanes), dtype, lanes)
    scale = body.splat("%scale", dtype, lanes)
    return intrinsic(body, needs, "fmuladd", llvm_type(dtype, lanes), [total, scale, before])


def tile_text(needs: Needs, form: Form) -> str:
    """`@gg_tile(x, y, z, down, depth, base…)` writes the product of two strips, or adds it, to a whole tile of `z`.

    Rows of `z` lie `down` elements apart; the strips have `depth` steps.
    """
    body, dtype = Body(), form.dtype
    needs["declarations"]["prefetch"] = "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"
    for r in range(form.height):
        for pointer, down in (("%z", "%down"), ("%base", "%base_down")):
            body.write(f"call void @llvm.prefetch.p0(ptr {_row(body, form, pointer, down, r)}, i32 1, i32 3, i32 1)")

    def place_of_x(k: str) -> list[str]:
        return [body.address("%x", dtype, [(k, form.height)], r) for r in range(form.height)]

    def place_of_y(k: str) -> str:
        return body.address("%y", dtype, [(k, form.width)], 0)

    totals = _accumulate(body, needs, form, _VECTORS, "%depth", place_of_x, place_of_y)
    over, onto = body.name("over"), body.name("onto")
    body.write(f"br i1 {body.make('icmp eq ptr %base, null')}, label {over}, label {onto}")
    for label in (over, onto):
        body.label(label)
        for (r, c), total in totals.items():
            place = body.address(_row(body, form, "%z", "%down", r), dtype, [], c * form.lanes)
            whole = total if label is over else added_to_base(body, needs, form, total, r, c)
            body.store(whole, place, dtype, form.lanes)
        body.write("ret void")
    return body.function(f"define internal void @gg_tile({_parameters(form)}) noinline nounwind")


def _row(body: Body, form: Form, pointer: str, down: str, r: int) -> str:
    return body.address(pointer, form.dtype, [(body.make(f"mul nsw i64 {down}, {r}"), 1)], 0)


def edge_text(needs: Needs, form: Form) -> str:
    """`@gg_edge(…, rows, columns)` is like the tile, but only its first rows and columns are there."""
    body, dtype, kind = Body(), form.dtype, llvm_type(form.dtype)
    whole = body.slot(f"[{form.height * form.width} x {kind}]", "whole", 64)
    body.write(
        f"call void @gg_tile(ptr %x, ptr %y, ptr {whole}, i64 {form.width}, i64 %depth, ptr null, i64 0, {kind} 0.0)"
    )
    alone = body.make("icmp eq ptr %base, null")
    base = body.make(f"select i1 {alone}, ptr %z, ptr %base")
    base_down = body.make(f"select i1 {alone}, i64 %down, i64 %base_down")
    with body.walk("0", "%rows") as i, body.walk("0", "%columns") as j:
        place = body.address("%z", dtype, [(body.make(f"mul nsw i64 {i}, %down"), 1), (j, 1)], 0)
        below = body.address(base, dtype, [(body.make(f"mul nsw i64 {i}, {base_down}"), 1), (j, 1)], 0)
        new = body.load(body.address(whole, dtype, [(i, form.width), (j, 1)], 0), dtype)
        total = intrinsic(body, needs, "fmuladd", kind, [new, "%scale", body.load(below, dtype)])
        body.store(body.make(f"select i1 {alone}, {kind} {new}, {kind} {total}"), place, dtype)
    body.write("ret void")
    head = f"define internal void @gg_edge({_parameters(form)}, i64 %rows, i64 %columns)"
    return body.function(f"{head} noinline optsize nounwind")


def _parameters(form: Form) -> str:
    return f"ptr noalias readonly %x, ptr noalias readonly %y, ptr %z, i64 %down, i64 %depth, {base_parameters(form)}"
