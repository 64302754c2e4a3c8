"""Writing LLVM IR as text: fresh names, instructions, counted loops."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

__all__ = ["Body", "literal", "llvm_type", "memory_type"]

_FEW = 8  # iterations at most that are written one by one

_TYPES = {"f8": "double", "f4": "float", "b1": "i1", "i8": "i64", "i4": "i32", "i2": "i16", "i1": "i8",
          "u8": "i64", "u4": "i32", "u2": "i16", "u1": "i8"}  # fmt: skip


@cache
def llvm_type(dtype: Any, lanes: int = 1) -> str:
    """The type of a value in registers; truth values are single bits there.

    >>> llvm_type(np.float64), llvm_type(np.bool_, 8)
    ('double', '<8 x i1>')
    """
    scalar = _TYPES[np.dtype(dtype).str[1:]]
    return scalar if lanes == 1 else f"<{lanes} x {scalar}>"


@cache
def memory_type(dtype: Any, lanes: int = 1) -> str:
    """The type of a value in memory, where NumPy's truth values are bytes."""
    scalar = "i8" if np.dtype(dtype) == np.bool_ else _TYPES[np.dtype(dtype).str[1:]]
    return scalar if lanes == 1 else f"<{lanes} x {scalar}>"


def literal(value: Any, dtype: Any) -> str:
    """A number as LLVM writes it; floats by their bits, so that nothing is rounded."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return f"0x{_bits(dtype.type(value)).hex().upper()}"
    if dtype.kind == "b":
        return "true" if value else "false"
    return str(int(value))


_bits = struct.Struct(">d").pack


@cache
def _foreign(depth: int) -> re.Pattern[str]:
    return re.compile(rf"%(?!_{{{depth}}})[A-Za-z_][A-Za-z0-9_.]*")


class Body:
    """The instructions of one function, as they are written."""

    def __init__(self, depth: int = 0) -> None:
        self.lines: list[str] = []
        self.entry: list[str] = []  # allocations, which belong at the start of the function
        self.kinds: dict[str, str] = {}  # the types of the names from outside that are not pointers
        self.constants: dict[str, str] = {}  # what the names of numbers stand for that functions inside are called with
        self._count = 0
        self._depth = depth  # of functions in functions; their local names begin with so many underscores

    @property
    def foreign(self) -> re.Pattern[str]:
        """What finds the names that belong to a body around this one."""
        return _foreign(self._depth)

    def inside(self) -> Body:
        """An empty body of a function that is written inside this one, whose names it may use."""
        inner = Body(self._depth + 1)
        inner.kinds = dict(self.kinds)
        return inner

    def name(self, hint: str = "v") -> str:
        """A fresh local name."""
        self._count += 1
        return f"%{'_' * self._depth}{hint}{self._count}"

    def constant(self, number: str, kind: str) -> str:
        """A name for a number that functions inside are called with."""
        name = self.name("number")
        self.constants[name], self.kinds[name] = number, kind
        return name

    def write(self, line: str) -> None:
        """Add an instruction that has no result."""
        self.lines.append("  " + line)

    def make(self, instruction: str, hint: str = "v") -> str:
        """Add an instruction and name its result."""
        result = self.name(hint)
        self.lines.append(f"  {result} = {instruction}")
        return result

    def slot(self, kind: str, hint: str = "slot", align: int = 8) -> str:
        """A place on the stack for one value, kept in a register by the optimiser."""
        result = self.name(hint)
        self.entry.append(f"  {result} = alloca {kind}, align {align}")
        return result

    def early_address(self, pointer: str, dtype: Any, index: str, stride: int) -> str:
        """`pointer + index · stride` in elements of `dtype`, computed where the function begins."""
        distance, result = self.name("distance"), self.name("p")
        self.entry.append(f"  {distance} = mul i64 {index}, {stride}")
        kind = memory_type(dtype)
        self.entry.append(f"  {result} = getelementptr inbounds {kind}, ptr {pointer}, i64 {distance}")
        return result

    def label(self, name: str) -> None:
        """Begin a block."""
        self.lines.append(f"{name[1:]}:")

    @contextmanager
    def loop(self, start: int | str, stop: int | str, step: int = 1) -> Iterator[str]:
        """A counted loop; yields the counter. One iteration is written without a loop, none not at all by callers.

        Bounds that are known only when the code runs are registers; such a loop may have no iteration.
        """
        known = isinstance(start, int) and isinstance(stop, int)
        if isinstance(start, int) and isinstance(stop, int) and stop - start <= step:
            yield str(start)
            return
        counter = self.slot("i64", "counter")
        head, done = self.name("loop"), self.name("done")
        self.write(f"store i64 {start}, ptr {counter}")
        if known:
            self.write(f"br label {head}")
        else:
            some = self.make(f"icmp slt i64 {start}, {stop}")
            self.write(f"br i1 {some}, label {head}, label {done}")
        self.label(head)
        index = self.make(f"load i64, ptr {counter}", "i")
        yield index
        following = self.make(f"add nuw nsw i64 {index}, {step}")
        self.write(f"store i64 {following}, ptr {counter}")
        more = self.make(f"icmp slt i64 {following}, {stop}")
        self.write(f"br i1 {more}, label {head}, label {done}")
        self.label(done)

    def each(self, start: int | str, stop: int | str, step: int = 1) -> Iterator[str]:
        """The counters of a loop: those of a few iterations one by one, each of which is written.

        LLVM makes vectors of such a loop, some lanes of which are masked, and that is slow (20 cycles for three numbers).
        """
        if isinstance(start, int) and isinstance(stop, int) and stop - start <= _FEW * step:
            yield from map(str, range(start, stop, step))
            return
        with self.loop(start, stop, step) as counter:
            yield counter

    @contextmanager
    def walk(self, start: str, stop: str, step: int | str = 1) -> Iterator[str]:
        """A loop whose ends are known when it runs, which may be at once; yields the counter."""
        counter = self.slot("i64", "counter")
        head, inside, done = self.name("loop"), self.name("inside"), self.name("done")
        self.write(f"store i64 {start}, ptr {counter}")
        self.write(f"br label {head}")
        self.label(head)
        index = self.make(f"load i64, ptr {counter}", "i")
        more = self.make(f"icmp slt i64 {index}, {stop}")
        self.write(f"br i1 {more}, label {inside}, label {done}")
        self.label(inside)
        yield index
        following = self.make(f"add nuw nsw i64 {index}, {step}")
        self.write(f"store i64 {following}, ptr {counter}")
        self.write(f"br label {head}")
        self.label(done)

    def function(self, head: str) -> str:
        """The text of a function with these instructions, which end in the last one."""
        return "\n".join([f"{head} {{", "entry:", *self.entry, *self.lines, "}"])

    def plus(self, index: str, shift: int) -> str:
        """A counter and a number added; counters of loops that run once are numbers themselves."""
        if shift == 0:
            return index
        return str(int(index) + shift) if index.isdigit() else self.make(f"add nuw nsw i64 {index}, {shift}")

    def number(self, operation: str, a: int | str, b: int | str) -> int | str:
        """Arithmetic on counters, done here if both are known."""
        if isinstance(a, int) and isinstance(b, int):
            return {"sub": a - b, "mul": a * b}[operation]
        return self.make(f"{operation} i64 {a}, {b}")

    @contextmanager
    def only(self, condition: str) -> Iterator[None]:
        """What is written inside is done only if the condition holds."""
        yes, done = self.name("yes"), self.name("done")
        self.write(f"br i1 {condition}, label {yes}, label {done}")
        self.label(yes)
        yield
        self.write(f"br label {done}")
        self.label(done)

    def leave_if(self, condition: str, status: str | int) -> None:
        """End the function with this status if the condition holds."""
        leave, stay = self.name("leave"), self.name("stay")
        self.write(f"br i1 {condition}, label {leave}, label {stay}")
        self.label(leave)
        self.write(f"ret i32 {status}")
        self.label(stay)

    def address(self, pointer: str, dtype: Any, terms: list[tuple[str, int]], offset: int) -> str:
        """`pointer + offset + Σ index · stride`, in elements of `dtype`."""
        total = None
        for index, stride in terms:
            if stride == 0 or index == "0":
                continue
            if index.lstrip("-").isdigit():
                offset += int(index) * stride
                continue
            term = index if stride == 1 else self.make(f"mul nsw i64 {index}, {stride}")
            total = term if total is None else self.make(f"add nsw i64 {total}, {term}")
        kind = memory_type(dtype)
        if total is not None:
            pointer = self.make(f"getelementptr inbounds {kind}, ptr {pointer}, i64 {total}", "p")
        if offset:
            pointer = self.make(f"getelementptr inbounds {kind}, ptr {pointer}, i64 {offset}", "p")
        return pointer

    def load(self, pointer: str, dtype: Any, lanes: int = 1) -> str:
        """Read consecutive elements; truth values become bits."""
        kind, align = memory_type(dtype, lanes), np.dtype(dtype).itemsize
        value = self.make(f"load {kind}, ptr {pointer}, align {align}")
        if np.dtype(dtype) == np.bool_:
            zero = "0" if lanes == 1 else "zeroinitializer"
            value = self.make(f"icmp ne {kind} {value}, {zero}")
        return value

    def store(self, value: str, pointer: str, dtype: Any, lanes: int = 1) -> None:
        """Write consecutive elements."""
        kind, align = memory_type(dtype, lanes), np.dtype(dtype).itemsize
        if np.dtype(dtype) == np.bool_:
            value = self.make(f"zext {llvm_type(dtype, lanes)} {value} to {kind}")
        self.write(f"store {kind} {value}, ptr {pointer}, align {align}")

    def splat(self, value: str, dtype: Any, lanes: int) -> str:
        """The same number in every lane."""
        if lanes == 1:
            return value
        kind, vector = llvm_type(dtype), llvm_type(dtype, lanes)
        one = self.make(f"insertelement {vector} poison, {kind} {value}, i32 0")
        return self.make(f"shufflevector {vector} {one}, {vector} poison, <{lanes} x i32> zeroinitializer")
