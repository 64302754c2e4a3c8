"""Products of a middling size, whose tiles read the matrices where they lie.

One function for each dtype, loaded once. Where the last tile of a row or column of tiles would reach beyond the matrix
it begins earlier and writes some elements once more, so there are no tiles of other sizes. For the same reason a product
cannot be added to the matrix that it writes: elements would be added twice. It is added to another on its way.
"""

from __future__ import annotations

import functools

import numpy as np

from gategrad.compiler.codegen.elementwise import Needs, intrinsic
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.products.tile import (
    ALONE,
    Base,
    Form,
    accumulate_in_place,
    added_to_base,
    base_parameters,
)
from gategrad.compiler.codegen.resident import loaded
from gategrad.compiler.codegen.text import Body, llvm_type
from gategrad.compiler.runtime.table import Table

__all__ = ["LEAST_ROWS", "UnpackedRows", "can_overlap", "write_unpacked"]

LEAST_ROWS = 4
"""Rows of a tile: fewer than where the matrices are large, since few rows come to a multiple of more."""


def can_overlap(sizes: tuple[int, int, int], dtype: np.dtype[np.generic], memory: Memory) -> bool:
    """Whether a product is as large as a tile."""
    return sizes[0] >= LEAST_ROWS and sizes[2] >= memory.lanes(dtype)


def write_unpacked(
    body: Body, at: list[str], strides: list[tuple[int, int]], sizes: tuple[int, int, int],
    dtype: np.dtype[np.generic], memory: Memory, table: Table, base: Base,
) -> None:  # fmt: skip
    """Write the product of a matrix and one whose rows lie in order into a third, which is not its base."""
    routine = _routine(body, dtype, memory, table, has_base=base != ALONE)
    _call(body, routine, at, strides, sizes, base.given(dtype) if base != ALONE else "")


class UnpackedRows:
    """A product of a matrix and one whose rows lie in order, of which some rows are computed when they are wanted."""

    def __init__(
        self, body: Body, at: list[str], strides: list[tuple[int, int]], sizes: tuple[int, int, int],
        dtype: np.dtype[np.generic], memory: Memory, table: Table,
    ) -> None:  # fmt: skip
        self.at, self.strides, self.sizes, self.dtype = at, strides, sizes, dtype
        self.routine = _routine(body, dtype, memory, table)

    def write(self, body: Body, first: str, stop: str, z: str, buffer: str) -> None:
        """Write these rows, a tile at least, to `z`; it needs no buffer."""
        _, inner, columns = self.sizes
        x = body.address(self.at[0], self.dtype, [(first, self.strides[0][0])], 0)
        rows = body.make(f"sub nsw i64 {stop}, {first}")
        _call(body, self.routine, [x, self.at[1], z], self.strides, (rows, inner, columns))


def _routine(body: Body, dtype: np.dtype[np.generic], memory: Memory, table: Table, *, has_base: bool = False) -> str:
    form = Form(dtype, memory.lanes(dtype), LEAST_ROWS)
    slot = table.address(("unpacked", form, has_base), functools.partial(_address, form, has_base=has_base))
    return body.make(f"load ptr, ptr {slot}")


def _call(
    body: Body, routine: str, at: list[str], strides: list[tuple[int, int]], sizes: tuple[int | str, int, int],
    base: str = "",
) -> None:  # fmt: skip
    (x_down, x_across), (y_down, _), (z_down, _) = strides
    numbers = ", ".join(f"i64 {n}" for n in (x_down, x_across, y_down, z_down, *sizes))
    given = ", ".join([*[f"ptr {place}" for place in at], numbers, *[base][: bool(base)]])
    body.write(f"call void {routine}({given})")


@functools.cache
def _address(form: Form, *, has_base: bool) -> int:
    """Without a base a function of its own: to look at every tile whether there is one would take up to a twentieth (measured)."""
    needs: Needs = {"declarations": {}}
    parameters = f", {base_parameters(form)}" if has_base else ""
    texts = [_tile(needs, form, vectors, parameters) for vectors in (1, 2)] + [_product(needs, form, parameters)]
    return loaded("\n".join([*texts, *needs["declarations"].values()]), "gg_unpacked")


_MATRICES = "ptr noalias readonly %x, ptr noalias readonly %y, ptr noalias %z"
_STRIDES = "i64 %x_down, i64 %x_across, i64 %y_down, i64 %z_down"


def _tile(needs: Needs, form: Form, vectors: int, parameters: str) -> str:
    """`@gg_tile1` and `@gg_tile2`: so many vectors of columns."""
    body, dtype = Body(), form.dtype

    def row(pointer: str, down: str, r: int) -> str:
        return body.address(pointer, dtype, [(body.make(f"mul nsw i64 {down}, {r}"), 1)], 0)

    rows = [row("%x", "%x_down", r) for r in range(form.height)]

    totals = accumulate_in_place(body, needs, form, vectors, "%inner", rows)
    for r in range(form.height):
        z = row("%z", "%z_down", r)
        for c in range(vectors):
            total = added_to_base(body, needs, form, totals[r, c], r, c) if parameters else totals[r, c]
            body.store(total, body.address(z, dtype, [], c * form.lanes), dtype, form.lanes)
    body.write("ret void")
    head = f"define internal void @gg_tile{vectors}({_MATRICES}, {_STRIDES}, i64 %inner{parameters})"
    return body.function(f"{head} alwaysinline nounwind")


def _product(needs: Needs, form: Form, parameters: str) -> str:
    body, kind = Body(), llvm_type(form.dtype)

    def least(a: str, b: str) -> str:
        return intrinsic(body, needs, "smin", "i64", [a, b])

    def place(pointer: str, row: str, down: str, column: str = "0") -> str:
        return body.address(pointer, form.dtype, [(body.make(f"mul nsw i64 {row}, {down}"), 1), (column, 1)], 0)

    last_row = body.make(f"sub nsw i64 %rows, {form.height}")
    last_single = body.make(f"sub nsw i64 %columns, {form.lanes}")
    paired = body.make(f"and i64 %columns, -{form.width}")
    with body.walk("0", "%rows", form.height) as row:
        i = least(row, last_row)
        x = place("%x", i, "%x_down")
        for start, stop, width in (("0", paired, form.width), (paired, "%columns", form.lanes)):
            with body.walk(start, stop, width) as column:
                j = column if start == "0" else least(column, last_single)
                y, z = body.address("%y", form.dtype, [(j, 1)], 0), place("%z", i, "%z_down", j)
                given = f"ptr {x}, ptr {y}, ptr {z}, {_STRIDES}, i64 %inner"
                if parameters:
                    given += f", ptr {place('%base', i, '%base_down', j)}, i64 %base_down, {kind} %scale"
                body.write(f"call void @gg_tile{width // form.lanes}({given})")
    body.write("ret void")
    parameters = f"{_MATRICES}, {_STRIDES}, i64 %rows, i64 %inner, i64 %columns{parameters}"
    return body.function(f"define void @gg_unpacked({parameters}) nounwind")
