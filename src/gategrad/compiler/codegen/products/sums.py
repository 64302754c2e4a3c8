"""Sums of products: each is written onto those before, and the first onto what there is beside products."""

from __future__ import annotations

import math
from collections.abc import Callable

from gategrad.compiler.codegen.blocks import Blocks
from gategrad.compiler.codegen.elementwise import Needs
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.movement import fill
from gategrad.compiler.codegen.products.matmul import Place, copy_in_order, is_overlapping, write_product
from gategrad.compiler.codegen.text import Body
from gategrad.compiler.program.value import Value
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.kernels import Sum
from gategrad.compiler.schedule.views import View, contiguous, view_of

__all__ = ["write_sum"]


def write_sum(
    body: Body, needs: Needs, sum_: Sum, result: Value, memory: Memory, table: Table, scratch: Callable[[int], str],
    blocks: Blocks,
) -> None:  # fmt: skip
    """The sum into the buffer of `result`.

    A product that would write elements twice is not written over what it is added to: such go to and fro between that
    buffer and another, so that the last one is written where it belongs.
    """
    if sum_.is_of_stack:
        _write_stack(body, needs, sum_.terms[0].product, result, memory, table, scratch, blocks)
        return
    z = memory.pointers[result]
    base = None
    if sum_.base is not None:
        base = memory.beginning(view_of(sum_.base))
    moves = [is_overlapping(term.product, memory) for term in sum_.terms]
    moves[0] = moves[0] and base is not None and base[0] == z
    beside = scratch(result.size * result.dtype.itemsize) if any(moves) else z
    here, there = (z, beside) if sum(moves[1:]) % 2 == 0 else (beside, z)
    if moves[0] and here == z and sum_.base is not None:
        base = beside, View(result, 0, contiguous(sum_.base.shape))
        copy_in_order(body, memory, z, base[1], sum_.base.shape, beside)
    summed = None
    for term, is_moved in zip(sum_.terms, [False, *moves[1:]], strict=True):
        if is_moved:
            here, there = there, here
        order = View(
            result, 0, contiguous(term.product.shape)
        )  # a row may be added to a column: their elements are the same
        place = Place(here, order, term.scale, base if summed is None else (summed, order))
        write_product(body, needs, term.product, place, memory, table, scratch, blocks)
        summed = here


def _write_stack(
    body: Body, needs: Needs, product: Value, result: Value, memory: Memory, table: Table,
    scratch: Callable[[int], str], blocks: Blocks,
) -> None:  # fmt: skip
    """All products of a stack, added up from zero."""
    z = memory.pointers[result]
    *batch, rows, columns = product.shape
    order = View(result, 0, (*[0] * len(batch), *contiguous((rows, columns))))
    even, odd = z, ""
    if is_overlapping(product, memory):
        beside = scratch(result.size * result.dtype.itemsize)
        even, odd = (z, beside) if math.prod(batch) % 2 else (beside, z)
    fill(body, odd or even, result.size, result.dtype)
    place = Place(even, order, 1.0, (odd or even, order), odd)
    write_product(body, needs, product, place, memory, table, scratch, blocks)
