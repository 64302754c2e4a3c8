"""The products that a kernel computes for itself: in each block of its rows, before the loops read them there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gategrad.compiler.codegen.blocks import smaller
from gategrad.compiler.codegen.elementwise import Needs
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.products.matmul import product_rows
from gategrad.compiler.codegen.products.unpacked import LEAST_ROWS
from gategrad.compiler.codegen.text import Body
from gategrad.compiler.codegen.thread_buffers import ThreadBuffers
from gategrad.compiler.program.value import Value
from gategrad.compiler.runtime.pool import thread_count
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.ways import is_shallow

__all__ = ["Epilogue", "rows_of_block"]

_NEAR = 2**18  # bytes of rows that stay in the second cache beside what else is read (measured, as the next)
_LOW, _HIGH = 48, 288  # rows that read all panels of a matrix, which lie in the third cache, before they are used
_ENOUGH = 4  # blocks that give some threads work, where their number has to follow from the shapes
_STEP = 12  # rows: whole tiles


def rows_of_block(products: tuple[Value, ...], rows: int, fewest: int, *, is_split: bool) -> int:
    """How many rows to compute before they are used, about `fewest` at least.

    Where blocks add something up (`is_split`), that is a matter of the shapes alone; else every thread shall have some.
    """
    row: int = sum(product.shape[1] * product.dtype.itemsize for product in products)
    if all(is_shallow(product) for product in products):
        most, step = max(_NEAR // row, LEAST_ROWS), LEAST_ROWS
    else:
        share = -(-rows // (_ENOUGH if is_split else thread_count()))
        most, step = min(max(share, _LOW), _HIGH), _STEP
    count = -(-rows // max(most, fewest))
    return -(-rows // (count * step)) * step


class Epilogue:
    """Products, and who has which rows of them."""

    def __init__(
        self, body: Body, needs: Needs, products: tuple[Value, ...], size: int, count: int, memory: Memory,
        table: Table, scratch: Callable[[int], str],
    ) -> None:  # fmt: skip
        self.buffers = ThreadBuffers(body, needs, count, scratch)
        self.writers = {
            product: product_rows(body, product, size, self.buffers.count, memory, table, scratch)
            for product in products
        }
        self.size = size + LEAST_ROWS
        self.rows = {
            product: scratch(self.buffers.count * self.size * product.shape[1] * product.dtype.itemsize)
            for product in products
        }

    @contextmanager
    def computed(self, body: Body, first: str, stop: str, memory: Memory) -> Iterator[dict[str, str]]:
        """Compute some rows, which can be read inside; yields where they lie, and which row is the first there."""
        origins: dict[str, str] = {}
        with self.buffers.taken_by(body) as buffer:
            for product, rows in self.rows.items():
                height, width = product.shape
                start = smaller(body, first, height - LEAST_ROWS)
                place = body.address(rows, product.dtype, [(buffer, self.size * width)], 0)
                self.writers[product](body, start, stop, place, buffer)
                memory.pointers[product] = place
                origins[place] = start
            yield origins
