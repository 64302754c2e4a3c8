"""Where values lie while a program runs: in buffers, in registers, in slots on the stack."""

from __future__ import annotations

import dataclasses

import numpy as np

from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.views import View

__all__ = ["Memory"]


class Memory:
    """Pointers to buffers, and single numbers in registers or slots."""

    def __init__(self, vector_bytes: int) -> None:
        self.vector_bytes = vector_bytes
        self.pointers: dict[Value, str] = {}  # values with a buffer
        self.numbers: dict[Value, str] = {}  # numbers that are handed over, by register
        self.slots: dict[Value, str] = {}  # single numbers computed by kernels, by stack slot
        self.beginnings: dict[tuple[Value, int], str] = {}  # elements inside of buffers, by pointers of their own

    def copy(self) -> Memory:
        """The same places, for a part of the program that has some of its own."""
        new = Memory(self.vector_bytes)
        new.pointers, new.numbers, new.slots = dict(self.pointers), dict(self.numbers), dict(self.slots)
        new.beginnings = dict(self.beginnings)
        return new

    def beginning(self, view: View) -> tuple[str, View]:
        """A pointer, and where the elements of a view lie from there."""
        pointer = self.beginnings.get((view.base, view.offset))
        if pointer is not None:
            return pointer, dataclasses.replace(view, offset=0)
        return self.pointers[view.base], view

    def lanes(self, dtype: np.dtype[np.generic]) -> int:
        """How many elements of this dtype a vector register holds."""
        return self.vector_bytes // dtype.itemsize

    def number(self, body: Body, value: Value) -> str | None:
        """A single number in a register, if that is where the value lives."""
        if value in self.numbers:
            return self.numbers[value]
        if value.op.name == "constant" and value.size == 1:
            return literal(value.options["value"].array.reshape(())[()], value.dtype)
        if value in self.slots:
            return body.make(f"load {llvm_type(value.dtype)}, ptr {self.slots[value]}")
        return None

    def keep(self, body: Body, value: Value, register: str) -> None:
        """Put a single number that a kernel has computed into a slot of its own."""
        if value not in self.slots:
            self.slots[value] = body.slot(llvm_type(value.dtype))
        body.write(f"store {llvm_type(value.dtype)} {register}, ptr {self.slots[value]}")
