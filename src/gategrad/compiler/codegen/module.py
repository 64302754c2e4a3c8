"""From a program to the text of its native function: kernels in order, buffers in one workspace."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gategrad.compiler.codegen import vector_math
from gategrad.compiler.codegen.apart import choose_apart, only_calls, write_apart
from gategrad.compiler.codegen.blocks import Blocks
from gategrad.compiler.codegen.calls.fourier import is_transform, raised, write_transform
from gategrad.compiler.codegen.calls.host import write_host_call
from gategrad.compiler.codegen.calls.lapack import write_lapack
from gategrad.compiler.codegen.elementwise import Needs
from gategrad.compiler.codegen.entry.entry import FAILED, PROGRAM
from gategrad.compiler.codegen.failures import write_check
from gategrad.compiler.codegen.loops.kernel import write_loops
from gategrad.compiler.codegen.lowering import lower
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.movement import MOVEMENTS
from gategrad.compiler.codegen.polls import Polls
from gategrad.compiler.codegen.products.matmul import is_overlapping, write_matmul
from gategrad.compiler.codegen.products.sums import write_sum
from gategrad.compiler.codegen.scalars import write_scalars
from gategrad.compiler.codegen.text import Body, llvm_type, memory_type
from gategrad.compiler.passes.watch import show
from gategrad.compiler.program.ops import LAPACK, Failure
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Value
from gategrad.compiler.runtime.engine import host
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.kernels import Kernel
from gategrad.compiler.schedule.memory import ALIGNMENT, Buffer, Plan, plan
from gategrad.compiler.schedule.overwrite import may_write_at_once
from gategrad.compiler.schedule.sums import summed_in_place
from gategrad.compiler.schedule.views import VIEW_OPS, base_of
from gategrad.compiler.schedule.work import LONG, work

__all__ = ["Native", "write_native"]

_FAULT_BYTES = ALIGNMENT  # where a program that fails leaves index, axis and size, and when to look for signals
_DTYPES = {"f64": np.float64, "f32": np.float32}


Write = Callable[[Body, Memory], None]


@dataclasses.dataclass
class Native:
    """The text of a native function, and what there is to report about it."""

    text: str
    workspace: int
    kernels: list[Kernel]
    callbacks: list[Value]
    blocks: dict[int, int]  # for the kernels that run on threads, by number: in how many blocks

    @property
    def releases_gil(self) -> bool:
        """Whether other Python threads may run meanwhile: it takes long enough, and nothing in it calls Python."""
        return not self.callbacks and work(self.kernels) >= LONG


def write_native(program: Program, table: Table, over: Mapping[int, int] | None = None) -> Native:
    """Write `@gg_program` for a program; the addresses it needs from the process go into the table.

    `over` says by number which outputs lie over which inputs; they have the elements of those when the program starts.
    """
    return _Module(program, table, over or {}).write()


class _Module:
    def __init__(self, program: Program, table: Table, over: Mapping[int, int]) -> None:
        self.program, self.kernels = lower(program)
        self.table, self.over = table, over
        self.body = Body()
        self.needs: Needs = {
            "math": self._math, "called": self._called, "declarations": {}, "definitions": {}, "functions": {},
        }  # fmt: skip
        self.memory = Memory(_vector_bytes())
        self.apart = choose_apart(self.kernels, self.memory)
        self.buffers: list[tuple[str, Buffer]] = []
        self.callbacks: list[Value] = []
        self.blocks: dict[int, int] = {}
        self.transforms = False
        self.poll = Polls(self.body, table, self.kernels)
        self.prologue: list[str] = []
        self.failures: dict[Failure, Failure] = {}
        self.late: dict[int, Value] = {}  # outputs that are copied to where they belong at the end

    def write(self) -> Native:
        self._bind_inputs()
        stored = self._stored()
        self._bind_buffers(stored)
        self.poll.until(self._first_written_over())
        for number, kernel in enumerate(self.kernels):
            self.poll.before(number)
            self._write_kernel(number, kernel, stored)
        self._write_outputs()
        workspace = plan([b for _, b in self.buffers], _FAULT_BYTES)
        show("plan", Plan(self.buffers, is_made=False), Plan(self.buffers, is_made=True))
        self.prologue += [
            f"  {name} = getelementptr inbounds i8, ptr %workspace, i64 {b.offset}" for name, b in self.buffers
        ]
        native = Native("", workspace, self.kernels, self.callbacks, self.blocks)
        if self.transforms:
            self.needs["definitions"]["raised"] = raised(self.table, native.releases_gil)
        native.text = self._text()
        return native

    # --- where things lie

    def _bind_inputs(self) -> None:
        # An output over an input starts with its elements: read there, no two pointers ever mean the same memory.
        places = {given: n for n, given in self.over.items()}
        for n, x in enumerate(self.program.inputs):
            if x.shape == () and x.dtype.kind == "f":
                self.memory.numbers[x] = f"%in{n}"
                self.body.kinds[f"%in{n}"] = llvm_type(x.dtype)
            else:
                self.memory.pointers[x] = f"%out{places[n]}" if n in places else f"%in{n}"
        for value in self.program.values:
            if value.op.name == "constant" and value.size != 1:
                self.memory.pointers[value] = self._constant(value.options["value"].array)

    def _constant(self, array: np.ndarray[Any, Any]) -> str:
        """The address of a constant's elements; the table keeps the array alive."""
        name = self.body.name("constant")
        self.prologue.append(f"  {name} = load ptr, ptr {self.table.elements(array)}")
        return name

    def _stored(self) -> set[Value]:
        """Values that are used outside the kernel that computes them."""
        home = {v: n for n, kernel in enumerate(self.kernels) for v in kernel.all_values}
        stored = {z for z in self.program.outputs if z in home}
        for value in self.program.values:
            for x in value.inputs:
                base = base_of(x)
                if base in home and home.get(value) != home[base] and value.op.name not in VIEW_OPS:
                    stored.add(base)
        return stored

    def _bind_buffers(self, stored: set[Value]) -> None:
        outputs = {z: n for n, z in enumerate(self.program.outputs)}
        home = {v: n for n, kernel in enumerate(self.kernels) for v in kernel.all_values}
        last = dict(home)
        for value in self.program.values:
            for x in value.inputs:
                base = base_of(x)
                if base in home and value in home:
                    last[base] = max(last[base], home[value])
        over = self._summed_in_place(home, last, outputs)
        for value, final in over.items():
            home[final] = min(home[final], home[value])
        for value, first in home.items():
            alone = self.kernels[first].domain is None
            if value not in stored or value in over or (value.size == 1 and not alone):
                continue
            if value in outputs and value.shape != () and self._is_written_at_once(value, outputs[value]):
                self.memory.pointers[value] = f"%out{outputs[value]}"
                continue
            if value in outputs:
                last[value] = len(self.kernels)  # read once more at the end
                if value.shape != ():
                    self.late[outputs[value]] = value
            nbytes = value.size * value.dtype.itemsize
            self.memory.pointers[value] = self._buffer("buffer", nbytes, first, last[value])
        for value, final in over.items():
            self.memory.pointers[value] = self.memory.pointers[final]

    def _summed_in_place(
        self, home: Mapping[Value, int], last: Mapping[Value, int], outputs: Mapping[Value, int]
    ) -> dict[Value, Value]:
        """Values that lie where a sum of products will lie. Not over a donated input: they come before its readers."""

        def may_lie(value: Value, final: Value, product: Value) -> bool:
            free = outputs.get(final) not in self.over and not is_overlapping(product, self.memory)
            return free and value in home and value not in outputs

        return summed_in_place(self.kernels, last, may_lie)

    def _is_written_at_once(self, value: Value, output: int) -> bool:
        over = self.over.get(output)
        return over is None or may_write_at_once(value, self.program.inputs[over], self.kernels)

    def _first_written_over(self) -> int:
        """The number of the first kernel that writes over an input that was given up; from there on nothing may fail."""
        home = {v: n for n, kernel in enumerate(self.kernels) for v in kernel.all_values}
        over = [z for n, z in enumerate(self.program.outputs) if n in self.over and n not in self.late]
        return min((home[z] for z in over if z in home), default=len(self.kernels))

    def _buffer(self, hint: str, nbytes: int, first: int, last: int) -> str:
        name = self.body.name(hint)
        self.buffers.append((name, Buffer(nbytes, first, last)))
        return name

    # --- kernels

    def _write_kernel(self, number: int, kernel: Kernel, stored: set[Value]) -> None:
        blocks = Blocks(self.needs, self.table, self.poll.due_in(number))
        if kernel.is_scalar:
            write_scalars(
                self.body, self.needs, kernel, self.memory, stored,
                lambda nbytes: self._buffer("handed", nbytes, number, len(self.kernels)),
            )  # fmt: skip
            return
        write = self._loops(number, kernel, stored, blocks) if kernel.domain else self._alone(number, kernel, blocks)
        if number in self.apart:
            write_apart(self.body, self.needs, kernel, self.memory, stored, self.apart[number], write)
        else:
            write(self.body, self.memory)
        if blocks.count:
            self.blocks[number] = blocks.count

    def _loops(self, number: int, kernel: Kernel, stored: set[Value], blocks: Blocks) -> Write:
        rows: dict[Value, str] = {}

        def scratch(value: Value, length: int) -> str:
            if value not in rows:
                rows[value] = self._buffer("row", length * value.dtype.itemsize, number, number)
            return rows[value]

        def write(body: Body, memory: Memory) -> None:
            write_loops(
                body, self.needs, kernel, memory, stored, scratch, blocks,
                lambda nbytes: self._buffer("rows", nbytes, number, number),
            )  # fmt: skip

        return write

    def _alone(self, number: int, kernel: Kernel, blocks: Blocks) -> Write:
        value = kernel.values[-1]
        for x in _operands(kernel):
            self._spill(base_of(x))

        def room(hint: str) -> Callable[[int], str]:
            return lambda nbytes: self._buffer(hint, nbytes, number, number)

        def write(body: Body, memory: Memory) -> None:
            if kernel.sum is not None:
                write_sum(body, self.needs, kernel.sum, value, memory, self.table, room("panel"), blocks)
            elif value.op.name == "matmul" and value.dtype.kind == "f":
                write_matmul(body, self.needs, value, memory, self.table, room("panel"), blocks)
            elif value.op.name in LAPACK:
                write_lapack(body, value, memory, self.table, room("working"), self._fail_with)
            elif value.op.name == "check":
                write_check(body, value, memory, self._fail_with)
            elif is_transform(value):
                self.transforms = True
                write_transform(body, value, memory, self.table)
            elif value.op.name in MOVEMENTS:
                MOVEMENTS[value.op.name](body, self.needs, value, memory, _fail, blocks)
            else:
                self.callbacks.append(value)
                write_host_call(body, value, memory, self.table)

        return write

    def _fail_with(self, body: Body, failure: Failure) -> None:
        """Write the way out with an exception: the table keeps what it is made of, and the entry raises it."""
        failure = self.failures.setdefault(failure, failure)
        body.write(f"store ptr {body.make(f'load ptr, ptr {self.table.object(failure)}')}, ptr %workspace")
        body.write(f"ret i32 {FAILED}")

    def _spill(self, value: Value) -> None:
        """Give a single number an address, for an operation that reads buffers."""
        if value in self.memory.pointers:
            return
        slot = self.body.slot(memory_type(value.dtype), "spilled")
        register = self.memory.number(self.body, value)
        self.body.store(str(register), slot, value.dtype)
        self.memory.pointers[value] = slot

    def _write_outputs(self) -> None:
        single = {value for kernel in self.kernels if kernel.is_scalar for value in kernel.values}
        for n, z in enumerate(self.program.outputs):
            number = self.memory.number(self.body, z)
            if number is not None:
                self.body.store(number, f"%out{n}", z.dtype)
            elif z.shape == () or z in single:
                self.body.store(self.body.load(self.memory.pointers[z], z.dtype), f"%out{n}", z.dtype)
        for n, z in self.late.items():
            self.needs["declarations"]["memcpy"] = "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"
            nbytes = z.size * z.dtype.itemsize
            pointer = self.memory.pointers[z]
            self.body.write(f"call void @llvm.memcpy.p0.p0.i64(ptr %out{n}, ptr {pointer}, i64 {nbytes}, i1 false)")
        self.body.write("ret i32 0")

    # --- the text

    def _math(self, name: str, dtype: Any, lanes: int) -> Any:
        definition = vector_math.define(name, dtype, lanes)
        for part in vector_math.closure([definition]):
            self.needs["definitions"][part.symbol] = part.text
        return definition

    def _called(self, name: str, dtype: Any, lanes: int) -> Any:
        """The same function once in the program, for those who call it so often that it would fill pages."""
        inlined = self._math(name, dtype, lanes)
        symbol, kind = f"{inlined.symbol}.called", llvm_type(_DTYPES[dtype], lanes)
        given = ", ".join([f"{kind} %x{n}" for n in range(vector_math.inputs(name))])
        self.needs["definitions"][symbol] = (
            f"define internal {kind} {symbol}({given}) noinline nounwind {{\n"
            f"  %z = call {kind} {inlined.symbol}({given})\n  ret {kind} %z\n}}\n"
        )
        return vector_math.Definition(symbol, "", ())

    def _text(self) -> str:
        parameters = []
        for n, x in enumerate(self.program.inputs):
            number = x in self.memory.numbers
            parameters.append(f"{llvm_type(x.dtype)} %in{n}" if number else f"ptr noalias readonly %in{n}")
        parameters += [f"ptr noalias %out{n}" for n in range(len(self.program.outputs))]
        parameters.append("ptr noalias %workspace")
        # A thousand calls take LLVM as long to optimise as all that they call, and run 1 % faster (measured).
        how = "noinline optnone nounwind" if only_calls(self.kernels, self.apart) else "nounwind"
        head = f"define i32 @{PROGRAM}({', '.join(parameters)}) {how} {{"
        lines = [head, "entry:", *self.body.entry, *self.prologue, *self.body.lines, "}"]
        given = {**self.needs["declarations"], **self.needs["definitions"]}
        return "\n".join([*lines, *given.values()]) + "\n"


def _operands(kernel: Kernel) -> list[Value]:
    """What an operation, or a sum of products, that stands alone reads."""
    if kernel.sum is None:
        return list(kernel.values[0].inputs)
    base = [] if kernel.sum.base is None else [kernel.sum.base]
    return [*base, *[x for product in kernel.products for x in product.inputs]]


def _fail(body: Body, index: str, axis: str, size: str) -> None:
    for n, value in enumerate((index, axis, size)):
        place = body.make(f"getelementptr i64, ptr %workspace, i64 {n}")
        body.write(f"store i64 {value}, ptr {place}")
    body.write("ret i32 1")


def _vector_bytes() -> int:
    """The width of this processor's vector registers."""
    features = host()[2]
    return 64 if "+avx512f" in features else 32 if "+avx2" in features else 16
