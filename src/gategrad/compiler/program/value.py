"""Values: typed, each computed once by one operation from earlier ones; what makes them makes each distinct one once."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from gategrad.compiler.program.ops import OPS, Op
from gategrad.errors import DtypeError

__all__ = ["Builder", "Constant", "Value"]

_pack = struct.Struct("d").pack


class Constant:
    """An array inside a program, compared by its contents."""

    __slots__ = ("_key", "array", "dtype", "shape")

    def __init__(self, value: Any) -> None:
        array = np.array(value, order="C")
        array.flags.writeable = False
        self.array = array
        self.dtype, self.shape = array.dtype, array.shape
        self._key = (array.dtype.str, array.shape, array.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return repr(self.array.item()) if self.shape == () else f"array{list(self.shape)}"


class Value:
    """One value of a program: the operation, its inputs and options, and the dtype and shape of the result."""

    __slots__ = ("dtype", "inputs", "name", "op", "options", "shape")

    dtype: Any
    shape: tuple[int, ...]

    def __init__(self, op: Op, inputs: tuple[Value, ...], options: dict[str, Any], name: str | None = None) -> None:
        self.op = op
        self.inputs = inputs
        self.options = options
        self.name = name
        if op.keeps_type:
            self.dtype, self.shape = inputs[-1].dtype, inputs[-1].shape
            return
        self.dtype, self.shape = op.typing([(x.dtype, x.shape) for x in inputs], options)

    @property
    def size(self) -> int:
        """The number of elements."""
        if not self.shape:
            return 1
        size = 1
        for n in self.shape:
            size *= n
        return size

    def __repr__(self) -> str:
        return f"<{self.op.name} {self.dtype}{list(self.shape)}>"


class Builder:
    """Makes values, each distinct one once: what is computed twice is written once."""

    def __init__(self) -> None:
        self._made: dict[Any, Value] = {}
        self._numbers: dict[bytes, Value] = {}
        self.inputs: list[Value] = []
        self.guesses = ""
        """What the program takes for granted that values may belie; empty if there is nothing."""
        self.is_done = False
        """Whether the function that wrote the program has returned: who asks for its values now has kept them."""
        self.relies_on_rows = False
        """Whether the program takes for granted that arguments lie in memory row by row: what is a view depends on it."""

    def emit(self, op: str, inputs: Sequence[Value], **options: Any) -> Value:
        """The value of this operation on these inputs."""
        key = (op, *inputs, *options.items()) if options else (op, *inputs)
        value = self._made.get(key)
        if value is None:
            value = self._made[key] = Value(OPS[op], tuple(inputs), options)
        return value

    def again(self, value: Value, inputs: list[Value]) -> Value:
        """The same operation on these inputs: the value itself where they are its own, unless it has been made before."""
        name, options = value.op.name, value.options
        if tuple(inputs) != value.inputs:
            return self.emit(name, inputs, **options)
        return self._made.setdefault((name, *inputs, *options.items()) if options else (name, *inputs), value)

    def find(self, op: str, inputs: Sequence[Value], **options: Any) -> Value | None:
        """The value of this operation on these inputs, if it has been made."""
        return self._made.get((op, *inputs, *options.items()))

    def constant(self, array: Any) -> Value:
        """A constant of the program; an array of one repeated element is that element, broadcast."""
        if type(array) is float:
            return self._number(array)
        if isinstance(array, np.ma.MaskedArray):
            raise DtypeError("a masked array in a compiled function would lose its mask: fill it, or use np.where")
        array = np.asarray(array)
        if array.size > 1:
            first = array.flat[0]
            if array.tobytes() == np.full(array.shape, first).tobytes():
                return self.emit("broadcast", [self.constant(first)], shape=array.shape)
        return self.emit("constant", (), value=Constant(array))

    def _number(self, number: float) -> Value:
        """A constant as often as it comes: told apart by its bits, since 0 equals -0, and NaN not even itself."""
        key = _pack(number)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = self.emit("constant", (), value=Constant(number))
        return found

    def input(self, dtype: Any, shape: tuple[int, ...], name: str) -> Value:
        """A new input of the program."""
        value = Value(OPS["input"], (), {"dtype": np.dtype(dtype), "shape": tuple(shape)}, name)
        self.inputs.append(value)
        return value
