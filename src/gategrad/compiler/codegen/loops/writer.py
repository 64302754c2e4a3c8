"""The instructions of a nest of loops: the innermost in vectors, each row walked in as few passes as it takes.

`nest.py` says which loops there are and where elements lie, `walks.py` which pass over a row computes what, `folds.py`
how elements are folded together, `streams.py` what is written past the caches.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from gategrad.compiler.codegen.blocks import larger, smaller
from gategrad.compiler.codegen.elementwise import CALLS, Needs, lower
from gategrad.compiler.codegen.loops.folds import across, combine, neutral
from gategrad.compiler.codegen.loops.nest import ROWS, Loop, Nest, Strides
from gategrad.compiler.codegen.loops.places import Places
from gategrad.compiler.codegen.loops.streams import STAGED, end_streams, store_past_caches, streams_of
from gategrad.compiler.codegen.loops.walks import Walks
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.text import Body, llvm_type
from gategrad.compiler.program.ops import REDUCTIONS
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.kernels import Kernel
from gategrad.compiler.schedule.views import view_of

__all__ = ["Scratch", "Writer"]

Scratch = Callable[[Value, int], str]
"""Hands out a buffer for so many elements of a value, the same one each time."""


class Writer:
    """Writes the loops of one kernel, or of one block of it."""

    def __init__(
        self, body: Body, needs: Needs, kernel: Kernel, memory: Memory, stored: set[Value], scratch: Scratch
    ) -> None:
        self.body, self.needs, self.memory, self.stored = body, needs, memory, stored
        self.values = kernel.values
        self.nest = Nest(kernel, memory, stored)
        self.walks = Walks(self.nest, stored)
        self.places = Places(body, self.nest, scratch)
        self.streams = streams_of(self.nest, self.walks, stored, memory)
        self.rows: dict[Value, str] = {}  # values of the current row, by register
        # of loops of which not all iterations are ours: the first one, and where ours end
        self.parts: dict[int, tuple[str, str]] = {}
        self.totals = [v for v in self.values if v.op.name in REDUCTIONS and not self.nest.known_inside(v)]

    def write(self) -> None:
        """The loops; the reductions that end with them have been started."""
        outer = self.nest.outer_loops
        with contextlib.ExitStack() as around:
            for number, loop in enumerate(outer[:-1]):
                self.places.indices[number] = around.enter_context(self.loop(number, 0, loop.length))
            if outer:
                self._last_outer_loop(outer[-1], len(outer) - 1)
            else:
                self._row(1)
        if self.streams:
            end_streams(self.body, self.needs)

    def loop(self, number: int, start: int, stop: int, step: int = 1) -> AbstractContextManager[str]:
        """Iterations of one of the loops, as far as they are ours."""
        return self.body.loop(*self.bounds(number, start, stop), step)

    def bounds(self, number: int, start: int, stop: int) -> tuple[int | str, int | str]:
        """Where such iterations begin and end."""
        if number not in self.parts:
            return start, stop
        first, end = self.parts[number]
        return first if start == 0 else larger(self.body, first, start), smaller(self.body, end, stop)

    @contextlib.contextmanager
    def _strip(self, number: int) -> Iterator[None]:
        """Some iterations of a loop, again and again until all are done: what is inside has the others between them."""
        whole = self.parts.get(number)
        with self.body.loop(*self.bounds(number, 0, self.nest.loops[number].length), self.nest.strip) as begin:
            end = self.body.plus(begin, self.nest.strip)
            self.parts[number] = begin, end if whole is None else smaller(self.body, end, whole[1])
            yield
        self.parts.pop(number)
        if whole is not None:
            self.parts[number] = whole

    def _last_outer_loop(self, loop: Loop, number: int) -> None:
        bulk = loop.length - loop.length % ROWS if self.nest.only_folds_columns and not self.streams else 0
        for start, stop, rows in ((0, bulk, ROWS), (bulk, loop.length, 1)):
            if start < stop:
                with self.loop(number, start, stop, rows) as i:
                    self.places.indices[number] = i
                    self._row(rows)

    def start(self, value: Value) -> None:
        """Set the accumulator of a reduction that ends with the kernel to its neutral element."""
        if value.size == 1:
            self.memory.keep(self.body, value, neutral(value))
            return
        if not value.size:  # a loop runs at least once
            return
        with self.body.loop(0, value.size) as i:
            address = self.body.address(self.memory.pointers[value], value.dtype, [(i, 1)], 0)
            self.body.store(neutral(value), address, value.dtype)

    # --- a row

    def _row(self, rows: int) -> None:
        """The walks of one row, or the one walk of several."""
        self.rows = {}
        for stage in range(self.walks.count):
            self._row_values(stage)
            self._walk(stage, rows)
        for value in self.values:
            if value.op.name in REDUCTIONS and not self.nest.reads_full(value):
                self._add_to_total(value, self._row_operand(value.inputs[0], value))
            elif value in self.stored and value in self.rows and value.size == 1:
                self.memory.keep(self.body, value, self.rows[value])

    def _row_values(self, stage: int) -> None:
        """What is computed once for the row, between its walks."""
        for value in self.values:
            if self.walks.stage[value] == stage and not self.nest.is_full(value) and value.op.name not in REDUCTIONS:
                operands = [self._row_operand(x, value) for x in value.inputs]
                self._keep_row(value, self.lower(value, operands, 1))

    def _keep_row(self, value: Value, register: str) -> None:
        self.rows[value] = register
        if value in self.stored and value.size != 1:
            self.body.store(register, self._address_of_row(value), value.dtype)

    def _address_of_row(self, value: Value) -> str:
        strides = self.nest.own_strides(value)
        return self.places.of_row(self.memory.pointers[value], strides, value.dtype)

    def _row_operand(self, x: Value, user: Value) -> str:
        base = view_of(x).base
        if base in self.rows:
            return self.rows[base]
        number = self.memory.number(self.body, base)
        return number if number is not None else self.load(x, user, 1)

    # --- a walk

    def _walk(self, stage: int, rows: int) -> None:
        sinks = self.walks.sinks(stage)
        if not sinks:
            return
        wanted = self.walks.wanted(sinks, stage)
        folds = [v for v in sinks if v.op.name in REDUCTIONS and self.nest.folds_row(v)]
        if not self.nest.row_length:
            for value in folds:
                self._finish_fold(value, {1: [self.accumulator(value, 1)]})
            return
        *middle, last = self.nest.inner_loops or [Loop(1, ())]
        lanes = self.nest.lanes
        bulk = last.length - last.length % lanes
        wide, unroll = _unroll(wanted, bulk // lanes, has_folds=bool(folds)) if rows == 1 else (1, 1)
        main = bulk - bulk % (lanes * wide * unroll)
        pieces = [(0, main, lanes * wide, unroll), (main, bulk, lanes, 1), *_tail(bulk, last.length, lanes)]
        found: dict[Value, dict[int, list[str]]] = {v: {} for v in folds}
        for start, stop, width, copies in pieces:
            for value in folds:
                if start < stop and width not in found[value]:
                    found[value][width] = [self.accumulator(value, width) for _ in range(copies)]
        with contextlib.ExitStack() as around:
            first = len(self.nest.outer_loops)
            crossing = self.nest.crossing
            for number, loop in enumerate(middle, first):
                if number != crossing:
                    self.places.indices[number] = around.enter_context(self.loop(number, 0, loop.length))
            if crossing is not None:
                around.enter_context(self._strip(first + len(middle)))
                length = self.nest.loops[crossing].length
                self.places.indices[crossing] = around.enter_context(self.loop(crossing, 0, length))
            for start, stop, width, copies in pieces:
                if start < stop:
                    accumulators = {v: found[v][width] for v in folds}
                    step = _Step(self, stage, wanted, sinks, accumulators, width, rows)
                    step.run(first + len(middle), start, stop, copies)
        for value in folds:
            self._finish_fold(value, found[value])

    def lower(self, value: Value, operands: list[str], lanes: int) -> str:
        dtypes = [x.dtype for x in value.inputs]
        return lower(self.body, self.needs, value.op.name, operands, dtypes, value.dtype, lanes)

    def load(self, x: Value, user: Value, lanes: int) -> str:
        pointer, view = self.memory.beginning(view_of(x))
        return self.places.read(pointer, self.nest.strides(x, user), view.offset, x.dtype, lanes)

    # --- reductions

    def accumulator(self, value: Value, lanes: int) -> str:
        """A place on the stack for folded elements, which starts with the neutral one."""
        slot = self.body.slot(llvm_type(value.dtype, lanes), "acc", 64)
        start = self.body.splat(neutral(value), value.dtype, lanes)
        self.body.write(f"store {llvm_type(value.dtype, lanes)} {start}, ptr {slot}")
        return slot

    def add_to_slot(self, value: Value, slot: str, x: str, lanes: int) -> None:
        """Fold elements into an accumulator on the stack."""
        kind = llvm_type(value.dtype, lanes)
        before = self.body.make(f"load {kind}, ptr {slot}")
        after = combine(self.body, self.needs, value, before, x, lanes)
        self.body.write(f"store {kind} {after}, ptr {slot}")

    def add_to_memory(self, value: Value, address: str, x: str, lanes: int) -> None:
        """Fold elements into the totals in a buffer."""
        before = self.body.load(address, value.dtype, lanes)
        after = combine(self.body, self.needs, value, before, x, lanes)
        self.body.store(after, address, value.dtype, lanes)

    def _finish_fold(self, value: Value, accumulators: dict[int, list[str]]) -> None:
        """One number from all the accumulators of a row, which are listed by the lanes that they have."""
        totals = []
        for lanes, slots in accumulators.items():
            kind = llvm_type(value.dtype, lanes)
            parts = [self.body.make(f"load {kind}, ptr {slot}") for slot in slots]
            while len(parts) > 1:
                pairs = zip(parts[::2], parts[1::2], strict=True)
                parts = [combine(self.body, self.needs, value, a, b, lanes) for a, b in pairs]
            totals.append(across(self.body, self.needs, value, parts[0], lanes))
        total = totals[0]
        for rest in totals[1:]:
            total = combine(self.body, self.needs, value, total, rest, 1)
        if self.nest.known_inside(value):
            self._keep_row(value, total)
        else:
            self._add_to_total(value, total)

    def _add_to_total(self, value: Value, total: str) -> None:
        """What a row contributes to a reduction that ends with the kernel."""
        if value.size == 1:
            self.add_to_slot(value, self.memory.slots[value], total, 1)
        else:
            self.add_to_memory(value, self._address_of_row(value), total, 1)


class _Step:
    """The body of a walk's innermost loop: `lanes` elements of each of so many rows at a time."""

    def __init__(
        self, writer: Writer, stage: int, wanted: list[Value], sinks: list[Value],
        accumulators: dict[Value, list[str]], lanes: int, rows: int,
    ) -> None:  # fmt: skip
        self.writer, self.stage, self.wanted, self.sinks = writer, stage, wanted, sinks
        self.accumulators, self.lanes, self.rows = accumulators, lanes, rows
        self.full: dict[Value, str] = {}  # what is computed for the current elements, by register
        is_whole = lanes == writer.nest.lanes > 1
        self.streams = [v for v in writer.streams if is_whole and writer.walks.keeps(v, stage)]
        self.staged: dict[Value, str] = {}  # where they are until enough of them can be written together,
        self.begin = "0"  # and from which element on

    def run(self, place: int, start: int, stop: int, copies: int) -> None:
        first, last = self.writer.bounds(place, start, stop)
        if len(self.streams) < 2:
            self._iterations(place, first, last, copies)
            return
        several, self.streams = self.streams, []
        together = STAGED // max(v.dtype.itemsize for v in several)
        if stop - start < together or together % (self.lanes * copies):
            self._iterations(place, first, last, copies)
            return
        body, places = self.writer.body, self.writer.places
        self.staged = {v: body.slot(f"[{STAGED} x i8]", "staged", 64) for v in several}
        with body.loop(first, last, together) as begin:
            self.begin, end = begin, smaller(body, body.plus(begin, together), last)
            self._iterations(place, begin, end, copies)
            for value in several:
                with body.loop(begin, end, self.lanes) as places.indices[place]:
                    x = body.load(self._place_of_stage(value), value.dtype, self.lanes)
                    store_past_caches(body, x, self._place_of_result(value), value.dtype, self.lanes)

    def _iterations(self, place: int, first: int | str, last: int | str, copies: int) -> None:
        body, indices = self.writer.body, self.writer.places.indices
        if self.lanes == copies == 1 and not any(v.op.name in CALLS for v in self.wanted):
            for indices[place] in body.each(first, last):
                self._elements(0)
            return
        with body.loop(first, last, self.lanes * copies) as i:
            for copy in range(copies):
                indices[place] = body.plus(i, copy * self.lanes)
                self._elements(copy)

    def _elements(self, copy: int) -> None:
        number = len(self.writer.nest.outer_loops) - 1
        indices = self.writer.places.indices
        first = indices.get(number, "0")
        columns: dict[Value, str] = {}
        for row in range(self.rows):
            if number >= 0:
                indices[number] = self.writer.body.plus(first, row)
            self._compute()
            self._fold(copy, columns)
        if number >= 0:
            indices[number] = first
        for value, x in columns.items():
            pointer, strides = self.writer.memory.pointers[value], self.writer.nest.own_strides(value)
            address = self.writer.places.address(pointer, strides, 0, value.dtype)
            self.writer.add_to_memory(value, address, x, self.lanes)

    def _compute(self) -> None:
        self.full = {}
        for value in self.wanted:
            operands = [self._operand(x, value) for x in value.inputs]
            self.full[value] = self.writer.lower(value, operands, self.lanes)
            if self.writer.walks.keeps(value, self.stage):
                self._write(value)

    def _fold(self, copy: int, columns: dict[Value, str]) -> None:
        writer = self.writer
        for value in self.sinks:
            if value.op.name not in REDUCTIONS:
                continue
            x = self._operand(value.inputs[0], value)
            if value in self.accumulators:
                writer.add_to_slot(value, self.accumulators[value][copy], x, self.lanes)
            elif value in columns:
                columns[value] = combine(writer.body, writer.needs, value, columns[value], x, self.lanes)
            else:
                columns[value] = x

    def _operand(self, x: Value, user: Value) -> str:
        base, writer = view_of(x).base, self.writer
        if base in self.full:
            return self.full[base]
        if base in writer.rows:
            return writer.body.splat(writer.rows[base], x.dtype, self.lanes)
        if base in writer.nest.inside and writer.nest.is_full(base):
            return self._read_again(base)
        number = writer.memory.number(writer.body, base)
        if number is not None:
            return writer.body.splat(number, x.dtype, self.lanes)
        return writer.load(x, user, self.lanes)

    def _read_again(self, value: Value) -> str:
        """A value that an earlier walk has kept."""
        places = self.writer.places
        if value in self.writer.stored:
            strides: Strides = self.writer.nest.own_strides(value)
            return places.read(self.writer.memory.pointers[value], strides, 0, value.dtype, self.lanes)
        return self.writer.body.load(places.of_scratch(value), value.dtype, self.lanes)

    def _write(self, value: Value) -> None:
        places = self.writer.places
        if value in self.staged:
            address = self._place_of_stage(value)
        elif value in self.writer.stored:
            address = self._place_of_result(value)
        else:
            address = places.of_scratch(value)
        # results lie in order, so that their innermost step is 1
        store = store_past_caches if value in self.streams else Body.store
        store(self.writer.body, self.full[value], address, value.dtype, self.lanes)

    def _place_of_result(self, value: Value) -> str:
        strides = self.writer.nest.own_strides(value)
        return self.writer.places.address(self.writer.memory.pointers[value], strides, 0, value.dtype)

    def _place_of_stage(self, value: Value) -> str:
        index = self.writer.places.indices[len(self.writer.nest.loops) - 1]
        return self.writer.body.address(self.staged[value], value.dtype, [(index, 1), (self.begin, -1)], 0)


def _tail(start: int, stop: int, lanes: int) -> list[tuple[int, int, int, int]]:
    """What is left of a row behind its last whole vector: in shorter vectors if two are enough, else one by one."""
    widths = [width for width in (lanes // 2, lanes // 4, lanes // 8) if width and (stop - start) & width]
    if len(widths) > 2:
        return [(start, stop, 1, 1)]
    pieces = []
    for width in widths:
        pieces.append((start, start + width, width, 1))
        start += width
    return pieces


def _unroll(wanted: list[Value], vectors: int, *, has_folds: bool) -> tuple[int, int]:
    """How many vectors go through each operation together, and how many times that is written, one behind the other.

    Both hide the latency of one behind the others. A function of vector math is a long chain of steps: with two vectors in
    each step, two chains go on side by side, and it takes up to a quarter less; LLVM does not mix what is written one behind
    the other, and the processor does not look that far ahead (measured). Plain operations that nothing waits for need none
    of it. Unless the loop is so short that it does little but count, more at once are not faster then, and LLVM takes its
    time for each of them (measured).
    """
    calls = sum(v.op.name in CALLS for v in wanted)
    dear = len(wanted) + 3 * calls
    waits = has_folds or calls > 0
    unroll = 4 if dear <= 3 or (waits and dear <= 6) else 2 if calls or (waits and dear <= 12) else 1
    while unroll > max(vectors, 1):
        unroll //= 2
    wide = min(2, unroll) if calls else 1
    return wide, unroll // wide
