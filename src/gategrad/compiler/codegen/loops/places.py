"""Where the current elements of a loop nest lie: addresses, and reading elements that lie apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gategrad.compiler.codegen.loops.nest import Nest, Strides
from gategrad.compiler.codegen.text import Body, llvm_type
from gategrad.compiler.program.value import Value

__all__ = ["Places"]


class Places:
    """The counters of the loops that are being written, and the addresses they lead to."""

    def __init__(self, body: Body, nest: Nest, scratch: Callable[[Value, int], str]) -> None:
        self.body, self.nest, self.scratch = body, nest, scratch
        self.indices: dict[int, str] = {}  # loop number -> counter
        self.origins: dict[str, str] = {}  # buffers that hold some rows alone, and which row is the first there

    def address(self, pointer: str, strides: Strides, offset: int, dtype: Any) -> str:
        """The address of the current element of a buffer."""
        terms = self._terms(strides, len(self.nest.loops))
        if pointer in self.origins:
            terms.append((self.origins[pointer], -strides[0]))
        return self.body.address(pointer, dtype, terms, offset)

    def of_row(self, pointer: str, strides: Strides, dtype: Any) -> str:
        """The address of the element that belongs to the current row."""
        return self.body.address(pointer, dtype, self._terms(strides, len(self.nest.outer_loops)), 0)

    def of_scratch(self, value: Value) -> str:
        """The address of the current element in the buffer that keeps a value of the row for later walks."""
        pointer = self.scratch(value, self.nest.row_length)
        first, step, terms = len(self.nest.outer_loops), 1, []
        for number in range(len(self.nest.loops) - 1, first - 1, -1):
            terms.append((self.indices[number], step))
            step *= self.nest.loops[number].length
        return self.body.address(pointer, value.dtype, terms, 0)

    def read(self, pointer: str, strides: Strides, offset: int, dtype: Any, lanes: int) -> str:
        """The current `lanes` elements, wherever they lie."""
        address = self.address(pointer, strides, offset, dtype)
        step = strides[self.nest.inner_loops[-1].axes[-1]] if self.nest.inner_loops else 0
        if step == 1 or lanes == 1:
            return self.body.load(address, dtype, lanes)
        if step == 0:
            return self.body.splat(self.body.load(address, dtype), dtype, lanes)
        kind = llvm_type(dtype, lanes)
        if step == -1:
            low = self.body.load(self.body.address(address, dtype, [], 1 - lanes), dtype, lanes)
            mask = ", ".join(f"i32 {lane}" for lane in reversed(range(lanes)))
            return self.body.make(f"shufflevector {kind} {low}, {kind} poison, <{lanes} x i32> <{mask}>")
        vector = "poison"
        for lane in range(lanes):
            one = self.body.load(self.body.address(address, dtype, [], lane * step), dtype)
            vector = self.body.make(f"insertelement {kind} {vector}, {llvm_type(dtype)} {one}, i32 {lane}")
        return vector

    def _terms(self, strides: Strides, count: int) -> list[tuple[str, int]]:
        loops = enumerate(self.nest.loops[:count])
        return [(self.indices[number], strides[loop.axes[-1]]) for number, loop in loops if number in self.indices]
