"""Loop kernels: a nest of loops over the domain, whole or in blocks that add up what they find.

`nest.py` says which loops there are and where elements lie, `walks.py` which pass over a row computes what, `split.py`
which loop is run in blocks; `writer.py` writes the instructions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from gategrad.compiler.codegen.blocks import Blocks, part_of
from gategrad.compiler.codegen.elementwise import Needs
from gategrad.compiler.codegen.loops.split import Split, split_of
from gategrad.compiler.codegen.loops.writer import Scratch, Writer
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.products.epilogues import Epilogue
from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.kernels import Kernel

__all__ = ["write_loops"]

_STACK = 64 * 1024
"""Bytes of rows that a block keeps on its stack; the threads of some systems have half a megabyte."""


def write_loops(
    body: Body, needs: Needs, kernel: Kernel, memory: Memory, stored: set[Value], scratch: Scratch, blocks: Blocks,
    room: Callable[[int], str],
) -> None:  # fmt: skip
    """The loops of one kernel. `stored` are the values that others need; `room` hands out so many bytes."""
    writer = Writer(body, needs, kernel, memory, stored, scratch)
    for value in writer.totals:
        writer.start(value)
    if any(loop.length == 0 for loop in writer.nest.outer_loops):
        return
    split = split_of(writer.nest, writer.walks)
    if split is None:
        writer.write()
    else:
        _InBlocks(writer, kernel, scratch, split, room).write(blocks)


class _InBlocks:
    """A kernel in blocks of the iterations of one of its loops."""

    def __init__(
        self, writer: Writer, kernel: Kernel, scratch: Scratch, split: Split, room: Callable[[int], str]
    ) -> None:
        self.writer, self.kernel, self.scratch, self.split, self.room = writer, kernel, scratch, split, room
        self.epilogue: Epilogue | None = None
        self.partial = {v: scratch(v, split.count * _apart(v)) for v in split.partial}

    def write(self, blocks: Blocks) -> None:
        writer = self.writer
        for value in self.kernel.values:
            if value.size == 1 and value in writer.stored and value not in writer.totals:
                writer.memory.keep(writer.body, value, literal(0, value.dtype))  # every block says the same
        if self.kernel.products:
            self.epilogue = Epilogue(
                writer.body, writer.needs, self.kernel.products, self.split.size, self.split.count, writer.memory,
                blocks.table, self.room,
            )  # fmt: skip
        blocks.run(writer.body, self.split.count, self._write_block)
        for value in self.split.partial:
            self._combine(value)

    def _write_block(self, body: Body, block: str) -> None:
        split, outer = self.split, self.writer
        memory = outer.memory.copy()
        for value, partial in self.partial.items():
            memory.slots.pop(value, None)
            memory.pointers[value] = body.address(partial, value.dtype, [(block, _apart(value))], 0)
        rows = _Rows(body, block, split.count, self.scratch)
        inner = Writer(body, outer.needs, self.kernel, memory, outer.stored, rows.of)
        part = part_of(body, block, split.size, inner.nest.loops[split.loop].length)
        inner.parts[split.loop] = part
        for value in split.partial:
            inner.start(value)
        with contextlib.ExitStack() as around:
            if self.epilogue is not None:
                computed = self.epilogue.computed(body, *part, memory)
                inner.places.origins = around.enter_context(computed)
            inner.write()
        for value in split.partial:
            if value.size == 1:
                total = body.make(f"load {llvm_type(value.dtype)}, ptr {memory.slots[value]}")
                body.store(total, memory.pointers[value], value.dtype)

    def _combine(self, value: Value) -> None:
        """Fold what the blocks have found, in their order."""
        writer, count = self.writer, self.split.count
        body, partial = writer.body, self.partial[value]
        if value.size == 1:
            with body.loop(0, count) as block:
                address = body.address(partial, value.dtype, [(block, _apart(value))], 0)
                writer.add_to_slot(value, writer.memory.slots[value], body.load(address, value.dtype), 1)
            return
        lanes = writer.memory.lanes(value.dtype)
        bulk = value.size - value.size % lanes
        for start, stop, width in ((0, bulk, lanes), (bulk, value.size, 1)):
            if start >= stop:
                continue
            with body.loop(start, stop, width) as i:
                total = writer.accumulator(value, width)
                with body.loop(0, count) as block:
                    address = body.address(partial, value.dtype, [(block, _apart(value)), (i, 1)], 0)
                    writer.add_to_slot(value, total, body.load(address, value.dtype, width), width)
                found = body.make(f"load {llvm_type(value.dtype, width)}, ptr {total}")
                target = body.address(writer.memory.pointers[value], value.dtype, [(i, 1)], 0)
                body.store(found, target, value.dtype, width)


class _Rows:
    """Buffers for one row, of every block its own: on its stack if they are small."""

    def __init__(self, body: Body, block: str, count: int, scratch: Scratch) -> None:
        self.body, self.block, self.count, self.scratch = body, block, count, scratch
        self.pointers: dict[Value, str] = {}
        self.room = _STACK

    def of(self, value: Value, length: int) -> str:
        if value not in self.pointers:
            nbytes = length * value.dtype.itemsize
            if nbytes <= self.room:
                self.room -= nbytes
                self.pointers[value] = self.body.slot(f"[{nbytes} x i8]", "row", 64)
            else:
                apart = -(-length // 64) * 64
                rows = self.scratch(value, self.count * apart)
                self.pointers[value] = self.body.early_address(rows, value.dtype, self.block, apart)
        return self.pointers[value]


def _apart(value: Value) -> int:
    """The elements from the totals of one block to those of the next, which another processor writes."""
    return -(-value.size // 64) * 64 if value.size > 1 else 1  # single numbers are written once, at the end
