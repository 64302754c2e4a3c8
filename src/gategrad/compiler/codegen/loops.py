"""Loop kernels: a nest of loops over the domain, the innermost in vectors, each row walked in as few passes as it takes.

The domain's axes are split into *outer* axes, walked one element at a time, and *inner* axes, the row. A value is
*full* if it varies along the row, else *row*: computed once for each row, between the walks. A walk (stage s) may use
row values that reductions in earlier walks (stages below s) have found.
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import numpy as np

from gategrad.compiler.codegen.elementwise import CALLS, Needs, lower
from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.program.ops import REDUCTIONS
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.kernels import Kernel
from gategrad.compiler.schedule.views import contiguous, view_of

__all__ = ["Memory", "write_loops", "write_scalars"]

_CHEAP = 4  # a full value made of at most this many plain operations is computed again rather than stored


class Memory:
    """Where values lie while the program runs: pointers to buffers, and numbers in registers or slots."""

    def __init__(self) -> None:
        self.pointers: dict[Value, str] = {}  # values with a buffer
        self.numbers: dict[Value, str] = {}  # inputs that are numbers, by register
        self.slots: dict[Value, str] = {}  # single numbers computed by kernels, by stack slot
        self.vector_bytes = 32

    def number(self, body: Body, value: Value) -> str | None:
        """A single number in a register, if that is where the value lives."""
        if value.op.name == "constant" and value.size == 1:
            return literal(value.options["value"].array.reshape(())[()], value.dtype)
        if value in self.numbers:
            return self.numbers[value]
        if value in self.slots:
            return body.make(f"load {llvm_type(value.dtype)}, ptr {self.slots[value]}")
        return None


@dataclasses.dataclass
class _Loop:
    """One loop of the nest: some adjacent axes of the domain, joined."""

    length: int
    axes: tuple[int, ...]


def write_scalars(body: Body, needs: Needs, kernel: Kernel, memory: Memory) -> None:
    """Straight-line code for values that are single numbers."""
    registers: dict[Value, str] = {}
    for value in kernel.values:
        operands = []
        for x in value.inputs:
            base = view_of(x).base
            operand = registers.get(base) or memory.number(body, base)
            if operand is None:
                operand = body.load(body.address(memory.pointers[base], x.dtype, [], view_of(x).offset), x.dtype)
            operands.append(operand)
        result = lower(body, needs, value.op.name, operands, [x.dtype for x in value.inputs], value.dtype, 1)
        registers[value] = result
        _keep_number(body, memory, value, result)


def _keep_number(body: Body, memory: Memory, value: Value, result: str) -> None:
    if value not in memory.slots:
        memory.slots[value] = body.slot(llvm_type(value.dtype))
    body.write(f"store {llvm_type(value.dtype)} {result}, ptr {memory.slots[value]}")


def write_loops(body: Body, needs: Needs, kernel: Kernel, memory: Memory, stored: set[Value], scratch: Any) -> None:
    """The loops of one kernel. `stored` are the values that others need; `scratch` hands out row buffers."""
    if 0 in (kernel.domain or ()):
        for value in kernel.values:
            if value.op.name in REDUCTIONS and value in stored:
                _Writer(body, needs, kernel, memory, stored, scratch).start(value)
        return
    _Writer(body, needs, kernel, memory, stored, scratch).write()


class _Writer:
    def __init__(
        self, body: Body, needs: Needs, kernel: Kernel, memory: Memory, stored: set[Value], scratch: Any
    ) -> None:
        self.body, self.needs, self.kernel, self.memory = body, needs, kernel, memory
        self.stored, self.scratch = stored, scratch
        assert kernel.domain is not None
        self.domain = kernel.domain
        self.inside = set(kernel.values)
        self.inner = self._inner_axes()
        self.lanes = self._lanes()
        self.stage = self._stages()
        self.saved = self._saved()
        self.outer_loops = self._join(range(min(self.inner, default=len(self.domain))))
        self.inner_loops = self._join(sorted(self.inner))
        self.indices: dict[int, str] = {}  # loop number -> counter
        self.rows: dict[Value, str] = {}  # row values of the current row, by register
        self.cells: dict[Value, str] = {}  # accumulators of reductions

    # --- the shape of the nest

    def _inner_axes(self) -> frozenset[int]:
        if self.kernel.row_axes:
            return self.kernel.row_axes
        rank = len(self.domain)
        inner = set(range(rank))
        for value in self.kernel.values:
            if value.op.name in REDUCTIONS:
                folded = self._folded(value)
                if inner <= folded or not inner & folded:
                    continue
                last = (rank - 1) in folded
                inner = {n for n in inner if all((m in folded) == last for m in range(n, rank))}
        return frozenset(inner)

    def _folded(self, value: Value) -> set[int]:
        dims = self._dims_of_input(value.inputs[0])
        return {dims[n] for n in value.options["axes"] if dims[n] >= 0}

    def _dims_of_input(self, x: Value) -> tuple[int, ...]:
        """How an operand runs along the domain: as what is computed inside says, else along its own shape."""
        base = view_of(x).base
        if base in self.inside and x is base:
            return self.kernel.dims[base]
        if base in self.inside:
            from gategrad.compiler.schedule.kernels import _through

            chain = []
            while x is not base:
                chain.append(x)
                x = x.inputs[0]
            dims: Any = self.kernel.dims[base]
            for step in reversed(chain):
                dims = _through(step, dims)
            result: tuple[int, ...] = dims
            return result
        return tuple(range(len(self.domain)))

    def _lanes(self) -> int:
        width = max((v.dtype.itemsize for v in self.kernel.values if v.dtype.kind == "f"), default=8)
        lanes = self.memory.vector_bytes // width
        length = self.domain[-1] if self.inner else 1
        joined = int(np.prod([self.domain[n] for n in self.inner])) if self.inner else 1
        while lanes > 1 and lanes > max(length, joined):
            lanes //= 2
        return lanes

    def _is_full(self, value: Value) -> bool:
        return any(d in self.inner for d in self.kernel.dims[value])

    def _stages(self) -> dict[Value, int]:
        stage: dict[Value, int] = {}
        for value in self.kernel.values:
            latest = max((stage[view_of(x).base] for x in value.inputs if view_of(x).base in self.inside), default=0)
            if value.op.name in REDUCTIONS and value not in self.kernel.finished and self._is_row_reduction(value):
                latest += 1
            stage[value] = latest
        return stage

    def _is_row_reduction(self, value: Value) -> bool:
        return self._folded(value) >= self.inner

    def _saved(self) -> set[Value]:
        """Full values that a later walk of the row uses and that are too dear to compute twice."""
        saved = set()
        for value in self.kernel.values:
            for x in value.inputs:
                base = view_of(x).base
                if base in self.inside and self._is_full(base) and self._walk_of(value) > self.stage[base]:
                    if self._cost(base) > _CHEAP:
                        saved.add(base)
        return saved

    def _walk_of(self, value: Value) -> int:
        """The walk in which a value is needed: a reduction is computed in the walk before it is known."""
        row = value.op.name in REDUCTIONS and value not in self.kernel.finished and self._is_row_reduction(value)
        return self.stage[value] - 1 if row else self.stage[value]

    def _cost(self, value: Value, limit: int = 64) -> int:
        cost, stack, seen = 0, [value], set()
        while stack and cost < limit:
            v = stack.pop()
            if v in seen or v not in self.inside or not self._is_full(v):
                continue
            seen.add(v)
            cost += 16 if v.op.name in CALLS else 4 if v.op.name in ("divide", "sqrt") else 1
            stack.extend(view_of(x).base for x in v.inputs)
        return cost

    def _join(self, axes: Any) -> list[_Loop]:
        """Adjacent axes as one loop, where all operands and results allow it."""
        loops: list[_Loop] = []
        patterns = self._patterns()
        for axis in axes:
            if (
                loops
                and loops[-1].axes[-1] == axis - 1
                and all(p[axis - 1] == p[axis] * self.domain[axis] for p in patterns)
            ):
                last = loops[-1]
                loops[-1] = _Loop(last.length * self.domain[axis], (*last.axes, axis))
            else:
                loops.append(_Loop(self.domain[axis], (axis,)))
        return loops or []

    def _patterns(self) -> list[tuple[int, ...]]:
        """The strides along the domain's axes of everything that is read or written."""
        patterns = [self._own_strides(v) for v in self.kernel.values if self.kernel.dims[v] or v in self.stored]
        for value in self.kernel.values:
            for x in value.inputs:
                if view_of(x).base not in self.inside:
                    patterns.append(self._strides(x, value))
        return patterns

    def _own_strides(self, value: Value) -> tuple[int, ...]:
        """Strides along the domain's axes in the buffer of a value that is computed here."""
        strides = [0] * len(self.domain)
        for d, step in zip(self.kernel.dims[value], contiguous(value.shape), strict=True):
            if d >= 0:
                strides[d] = step
        return tuple(strides)

    def _strides(self, x: Value, user: Value) -> tuple[int, ...]:
        """Strides along the domain's axes of an operand that is loaded."""
        dims = self._dims_of_operand(user)
        strides = [0] * len(self.domain)
        for d, step, n in zip(dims, view_of(x).strides, x.shape, strict=True):
            if d >= 0 and n != 1:
                strides[d] = step
        return tuple(strides)

    def _dims_of_operand(self, user: Value) -> tuple[int, ...]:
        return tuple(range(len(self.domain))) if user.op.name in REDUCTIONS else self.kernel.dims[user]

    # --- writing

    def write(self) -> None:
        for value in self.kernel.values:
            if value.op.name in REDUCTIONS and not self._known_inside(value):
                self.start(value)
        with contextlib.ExitStack() as nest:
            for number, loop in enumerate(self.outer_loops):
                self.indices[number] = nest.enter_context(self.body.loop(0, loop.length))
            self._row()

    def _known_inside(self, value: Value) -> bool:
        return value not in self.kernel.finished and self._is_row_reduction(value)

    def start(self, value: Value) -> None:
        """Set the accumulator of a reduction that ends with the kernel to its neutral element."""
        neutral = literal(_NEUTRAL[value.op.name](value.dtype), value.dtype)
        if value.size == 1:
            slot = self.body.slot(llvm_type(value.dtype), "cell")
            self.body.write(f"store {llvm_type(value.dtype)} {neutral}, ptr {slot}")
            self.memory.slots[value] = slot
        else:
            with self.body.loop(0, value.size) as i:
                address = self.body.address(self.memory.pointers[value], value.dtype, [(i, 1)], 0)
                self.body.store(neutral, address, value.dtype)

    def _row(self) -> None:
        self.rows = {}
        for stage in range(max(self.stage.values(), default=0) + 1):
            self._row_values(stage)
            self._walk(stage)
        for value in self.kernel.values:
            if value.op.name in REDUCTIONS and not self._input_is_full(value):
                self._add_to_total(value, self._row_operand(value.inputs[0], value))
            elif value in self.stored and value in self.rows and value.size == 1:
                _keep_number(self.body, self.memory, value, self.rows[value])

    def _row_values(self, stage: int) -> None:
        for value in self.kernel.values:
            if self.stage[value] != stage or self._is_full(value) or value.op.name in REDUCTIONS:
                continue
            operands = [self._row_operand(x, value) for x in value.inputs]
            self.rows[value] = lower(
                self.body, self.needs, value.op.name, operands, [x.dtype for x in value.inputs], value.dtype, 1
            )
            self._store_row(value)

    def _store_row(self, value: Value) -> None:
        if value in self.stored and value.size != 1:
            self.body.store(self.rows[value], self._own_address(value), value.dtype)

    def _row_operand(self, x: Value, user: Value) -> str:
        base = view_of(x).base
        if base in self.rows:
            return self.rows[base]
        number = self.memory.number(self.body, base)
        return number if number is not None else self._load(x, user, {}, 1)

    def _walk(self, stage: int) -> None:
        sinks = [v for v in self.kernel.values if self._is_sink(v, stage)]
        if not sinks:
            return
        wanted = self._wanted(sinks, stage)
        folds = [v for v in sinks if v.op.name in REDUCTIONS and self._is_row_reduction(v)]
        *middle, last = self.inner_loops or [_Loop(1, ())]
        bulk = last.length - last.length % self.lanes
        unroll = self._unroll(wanted, bulk)
        vectors = {v: [self._accumulator(v, self.lanes) for _ in range(unroll)] for v in folds} if bulk else {}
        singles = {v: self._accumulator(v, 1) for v in folds if bulk != last.length}
        with contextlib.ExitStack() as nest:
            base = len(self.outer_loops)
            for number, loop in enumerate(middle, base):
                self.indices[number] = nest.enter_context(self.body.loop(0, loop.length))
            place = base + len(middle)
            if bulk:
                main = bulk - bulk % (self.lanes * unroll)
                self._run(place, 0, main, wanted, sinks, stage, vectors, self.lanes, unroll)
                self._run(place, main, bulk, wanted, sinks, stage, vectors, self.lanes, 1)
            self._run(place, bulk, last.length, wanted, sinks, stage, {v: [a] for v, a in singles.items()}, 1, 1)
        for value in folds:
            self._finish_fold(value, vectors.get(value, []), singles.get(value))

    def _run(
        self, place: int, start: int, stop: int, wanted: list[Value], sinks: list[Value], stage: int,
        accumulators: dict[Value, list[str]], lanes: int, unroll: int,
    ) -> None:  # fmt: skip
        if start >= stop:
            return
        with self.body.loop(start, stop, lanes * unroll) as i:
            for copy in range(unroll):
                shift = copy * lanes
                index = (
                    i
                    if shift == 0
                    else str(int(i) + shift)
                    if i.isdigit()
                    else self.body.make(f"add nuw nsw i64 {i}, {shift}")
                )
                self.indices[place] = index
                self._element(wanted, sinks, stage, {v: a[copy] for v, a in accumulators.items()}, lanes)

    def _unroll(self, wanted: list[Value], bulk: int) -> int:
        dear = sum(4 if v.op.name in CALLS else 1 for v in wanted)
        unroll = 4 if dear <= 6 else 2 if dear <= 12 else 1
        while unroll > 1 and bulk < self.lanes * unroll:
            unroll //= 2
        return unroll

    def _is_sink(self, value: Value, stage: int) -> bool:
        """Whether a walk has to compute this value for its own sake."""
        if value.op.name in REDUCTIONS:
            return self._walk_of(value) == stage and self._input_is_full(value)
        return self._is_full(value) and self.stage[value] == stage and (value in self.stored or value in self.saved)

    def _input_is_full(self, value: Value) -> bool:
        base = view_of(value.inputs[0]).base
        return base not in self.inside or self._is_full(base)

    def _wanted(self, sinks: list[Value], stage: int) -> list[Value]:
        """Everything full that this walk computes, in order; values saved by earlier walks are read instead."""
        wanted: set[Value] = set()
        stack = [v for v in sinks if v.op.name not in REDUCTIONS]
        stack += [view_of(v.inputs[0]).base for v in sinks if v.op.name in REDUCTIONS]
        while stack:
            value = stack.pop()
            if value in wanted or value not in self.inside or not self._is_full(value):
                continue
            if self._is_saved_before(value, stage):
                continue
            wanted.add(value)
            stack.extend(view_of(x).base for x in value.inputs)
        return [v for v in self.kernel.values if v in wanted]

    def _is_saved_before(self, value: Value, stage: int) -> bool:
        return self.stage[value] < stage and (value in self.saved or value in self.stored)

    def _element(
        self, wanted: list[Value], sinks: list[Value], stage: int, accumulators: dict[Value, str], lanes: int
    ) -> None:
        full: dict[Value, str] = {}
        for value in wanted:
            operands = [self._operand(x, value, full, lanes, stage) for x in value.inputs]
            dtypes = [x.dtype for x in value.inputs]
            full[value] = lower(self.body, self.needs, value.op.name, operands, dtypes, value.dtype, lanes)
            if self.stage[value] == stage:
                if value in self.stored:
                    self._write_vector(
                        full[value], self._own_strides(value), self.memory.pointers[value], 0, value.dtype, lanes
                    )
                elif value in self.saved:
                    self.body.store(full[value], self._scratch_address(value), value.dtype, lanes)
        for value in sinks:
            if value.op.name in REDUCTIONS:
                operand = self._operand(value.inputs[0], value, full, lanes, stage)
                self._accumulate(value, operand, accumulators, lanes)

    def _operand(self, x: Value, user: Value, full: dict[Value, str], lanes: int, stage: int) -> str:
        base = view_of(x).base
        if base in full:
            return full[base]
        if base in self.rows:
            return self.body.splat(self.rows[base], x.dtype, lanes)
        if base in self.inside and self._is_full(base):
            if base in self.stored:
                return self._read_vector(self.memory.pointers[base], self._own_strides(base), 0, x.dtype, lanes)
            return self.body.load(self._scratch_address(base), x.dtype, lanes)
        number = self.memory.number(self.body, base)
        if number is not None:
            return self.body.splat(number, x.dtype, lanes)
        return self._load(x, user, full, lanes)

    def _load(self, x: Value, user: Value, full: dict[Value, str], lanes: int) -> str:
        view = view_of(x)
        return self._read_vector(self.memory.pointers[view.base], self._strides(x, user), view.offset, x.dtype, lanes)

    # --- addresses

    def _terms(self, strides: tuple[int, ...]) -> list[tuple[str, int]]:
        loops = [*self.outer_loops, *self.inner_loops]
        return [
            (self.indices[n], strides[loop.axes[-1]]) for n, loop in enumerate(loops) if n in self.indices and loop.axes
        ]

    def _own_address(self, value: Value) -> str:
        return self.body.address(
            self.memory.pointers[value], value.dtype, self._terms_outer(self._own_strides(value)), 0
        )

    def _terms_outer(self, strides: tuple[int, ...]) -> list[tuple[str, int]]:
        return [(self.indices[n], strides[loop.axes[-1]]) for n, loop in enumerate(self.outer_loops)]

    def _step(self, strides: tuple[int, ...]) -> int:
        return strides[self.inner_loops[-1].axes[-1]] if self.inner_loops else 0

    def _read_vector(self, pointer: str, strides: tuple[int, ...], offset: int, dtype: Any, lanes: int) -> str:
        address = self.body.address(pointer, dtype, self._terms(strides), offset)
        step = self._step(strides)
        if step == 1 or lanes == 1:
            return self.body.load(address, dtype, lanes)
        if step == 0:
            return self.body.splat(self.body.load(address, dtype), dtype, lanes)
        vector, kind = "poison", llvm_type(dtype, lanes)
        for lane in range(lanes):
            one = self.body.load(self.body.address(address, dtype, [], lane * step), dtype)
            vector = self.body.make(f"insertelement {kind} {vector}, {llvm_type(dtype)} {one}, i32 {lane}")
        return vector

    def _write_vector(
        self, value: str, strides: tuple[int, ...], pointer: str, offset: int, dtype: Any, lanes: int
    ) -> None:
        address = self.body.address(pointer, dtype, self._terms(strides), offset)
        self.body.store(value, address, dtype, lanes)  # results lie in order, so the innermost step is 1

    def _scratch_address(self, value: Value) -> str:
        length = int(np.prod([self.domain[n] for n in self.inner]))
        pointer = self.scratch(value, length)
        terms, step = [], 1
        for number in range(len(self.outer_loops) + len(self.inner_loops) - 1, len(self.outer_loops) - 1, -1):
            terms.append((self.indices[number], step))
            step *= self.inner_loops[number - len(self.outer_loops)].length
        return self.body.address(pointer, value.dtype, terms, 0)

    # --- reductions

    def _accumulator(self, value: Value, lanes: int) -> str:
        kind = llvm_type(value.dtype, lanes)
        slot = self.body.slot(kind, "acc", 64)
        neutral = literal(_NEUTRAL[value.op.name](value.dtype), value.dtype)
        self.body.write(f"store {kind} {self.body.splat(neutral, value.dtype, lanes)}, ptr {slot}")
        return slot

    def _accumulate(self, value: Value, x: str, accumulators: dict[Value, str], lanes: int) -> None:
        if value in accumulators:
            kind, slot = llvm_type(value.dtype, lanes), accumulators[value]
            before = self.body.make(f"load {kind}, ptr {slot}")
            after = self._combine(value, before, x, lanes)
            self.body.write(f"store {kind} {after}, ptr {slot}")
            return
        strides = self._own_strides(value)
        address = self.body.address(self.memory.pointers[value], value.dtype, self._terms(strides), 0)
        before = self.body.load(address, value.dtype, lanes)
        self.body.store(self._combine(value, before, x, lanes), address, value.dtype, lanes)

    def _combine(self, value: Value, a: str, b: str, lanes: int) -> str:
        op, kind = value.op.name, llvm_type(value.dtype, lanes)
        floating = value.dtype.kind == "f"
        if op in ("sum", "prod"):
            name = {("sum", True): "fadd", ("sum", False): "add", ("prod", True): "fmul", ("prod", False): "mul"}
            return self.body.make(f"{name[op, floating]} {kind} {a}, {b}")
        if op in ("any", "all"):
            return self.body.make(f"{'or' if op == 'any' else 'and'} {kind} {a}, {b}")
        return lower(self.body, self.needs, op + "imum", [b, a], [value.dtype] * 2, value.dtype, lanes)

    def _finish_fold(self, value: Value, vectors: list[str], single: str | None) -> None:
        total = None
        if vectors:
            kind = llvm_type(value.dtype, self.lanes)
            parts = [self.body.make(f"load {kind}, ptr {slot}") for slot in vectors]
            while len(parts) > 1:
                parts = [self._combine(value, a, b, self.lanes) for a, b in zip(parts[::2], parts[1::2], strict=True)]
            total = self._across(value, parts[0], self.lanes)
        if single is not None:
            rest = self.body.make(f"load {llvm_type(value.dtype)}, ptr {single}")
            total = rest if total is None else self._combine(value, total, rest, 1)
        assert total is not None
        if self._known_inside(value):
            self.rows[value] = total
            self._store_row(value)
        else:
            self._add_to_total(value, total)

    def _add_to_total(self, value: Value, total: str) -> None:
        """What a row contributes to a reduction that ends with the kernel."""
        if value.size == 1:
            slot = self.memory.slots[value]
            before = self.body.make(f"load {llvm_type(value.dtype)}, ptr {slot}")
            after = self._combine(value, before, total, 1)
            self.body.write(f"store {llvm_type(value.dtype)} {after}, ptr {slot}")
        else:
            address = self._own_address(value)
            before = self.body.load(address, value.dtype)
            self.body.store(self._combine(value, before, total, 1), address, value.dtype)

    def _across(self, value: Value, vector: str, lanes: int) -> str:
        """Fold the lanes of a vector in halves."""
        while lanes > 1:
            half = lanes // 2
            kind = llvm_type(value.dtype, lanes)
            low = ", ".join(f"i32 {n}" for n in range(half))
            high = ", ".join(f"i32 {n}" for n in range(half, lanes))
            if half == 1:
                a = self.body.make(f"extractelement {kind} {vector}, i32 0")
                b = self.body.make(f"extractelement {kind} {vector}, i32 1")
            else:
                a = self.body.make(f"shufflevector {kind} {vector}, {kind} poison, <{half} x i32> <{low}>")
                b = self.body.make(f"shufflevector {kind} {vector}, {kind} poison, <{half} x i32> <{high}>")
            vector, lanes = self._combine(value, a, b, half), half
        return vector


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _highest(dtype: Any) -> Any:
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max


_NEUTRAL: dict[str, Any] = {
    "sum": lambda dtype: 0, "prod": lambda dtype: 1, "max": _lowest, "min": _highest,
    "any": lambda dtype: False, "all": lambda dtype: True,
}  # fmt: skip
