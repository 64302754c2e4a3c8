"""LLVM IR as text, written through values that know Python's operators.

A `Value` is one SSA name with its type. `x * y + 1.0` appends two lines to the body the values live in, so the
functions of this package read like the formulas they implement. Nothing here carries a fast-math flag: the text
says which operations fuse (`fma`) and in which order sums are taken, and LLVM keeps to it at every vector width.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

DType = Literal["f64", "f32"]
Number = float | int


@dataclass(frozen=True, slots=True)
class Type:
    """An LLVM scalar or vector type: floats of 64 or 32 bits, integers of any width."""

    kind: Literal["f", "i"]
    bits: int
    lanes: int = 1

    @property
    def element(self) -> str:
        if self.kind == "i":
            return f"i{self.bits}"
        return {64: "double", 32: "float"}[self.bits]

    @property
    def text(self) -> str:
        return self.element if self.lanes == 1 else f"<{self.lanes} x {self.element}>"

    @property
    def suffix(self) -> str:
        """The mangling of intrinsics, `v8f64` or `f64`."""
        scalar = f"{self.kind}{self.bits}"
        return scalar if self.lanes == 1 else f"v{self.lanes}{scalar}"

    def of(self, kind: Literal["f", "i"], bits: int) -> Type:
        """Another element type in as many lanes."""
        return Type(kind, bits, self.lanes)

    def literal(self, number: Number) -> str:
        """The constant as LLVM writes it: floats by their bits, the same number in every lane."""
        one = str(int(number)) if self.kind == "i" else _float_bits(float(number), self.bits)
        if self.lanes == 1:
            return one
        # LLVM 19 can say `splat (…)`; the long form is understood by every version.
        return "<" + ", ".join([f"{self.element} {one}"] * self.lanes) + ">"


def _float_bits(number: float, bits: int) -> str:
    """LLVM writes a float constant as the bits of the double that equals it."""
    if bits == 32:
        number = round_to_single(number)
    return f"0x{struct.unpack('>Q', struct.pack('>d', number))[0]:016X}"


def round_to_single(number: float) -> float:
    """The nearest float32, as a Python float."""
    return float(struct.unpack("f", struct.pack("f", number))[0])


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or declaration of a module, and what else the module must then hold."""

    symbol: str
    text: str
    needs: tuple[Definition, ...] = ()


def closure(definitions: Sequence[Definition]) -> list[Definition]:
    """The definitions and everything they need, each once, needs first."""
    found: dict[str, Definition] = {}

    def visit(definition: Definition) -> None:
        for need in definition.needs:
            visit(need)
        found.setdefault(definition.symbol, definition)

    for definition in definitions:
        visit(definition)
    return list(found.values())


@dataclass(eq=False)
class Body:
    """The lines of one function under construction; `goal` is the dtype whose accuracy its polynomials aim at."""

    goal: DType
    lines: list[str] = field(default_factory=list)
    needs: dict[str, Definition] = field(default_factory=dict)
    _names: int = 0
    _block: str = "entry"

    def fresh(self) -> str:
        self._names += 1
        return f"%v{self._names}"

    def emit(self, type: Type, instruction: str) -> Value:
        name = self.fresh()
        self.lines.append(f"  {name} = {instruction}")
        return Value(self, type, name)

    def constant(self, type: Type, number: Number) -> Value:
        return Value(self, type, type.literal(number))

    def select(self, mask: Value, x: Value, y: Value) -> Value:
        masks, values = mask.type.text, x.type.text
        return self.emit(x.type, f"select {masks} {mask.name}, {values} {x.name}, {values} {y.name}")

    def where_any(self, mask: Value, rare: Callable[[], Sequence[Value]], usual: Sequence[Value]) -> list[Value]:
        """`rare()` in the lanes of the mask and `usual` in the others; a branch skips `rare` if the mask is empty."""
        lanes = mask.type.lanes
        whole = mask if lanes == 1 else mask.convert("bitcast", Type("i", lanes))
        some = whole if lanes == 1 else self.emit(Type("i", 1), f"icmp ne i{lanes} {whole.name}, 0")
        before, inside, after = self._block, f"rare{self._names}", f"joined{self._names}"
        self.lines += [f"  br i1 {some.name}, label %{inside}, label %{after}", f"{inside}:"]
        mixed = [self.select(mask, x, y) for x, y in zip(rare(), usual, strict=True)]
        self.lines += [f"  br label %{after}", f"{after}:"]
        self._block = after
        return [
            self.emit(x.type, f"phi {x.type.text} [ {x.name}, %{inside} ], [ {y.name}, %{before} ]")
            for x, y in zip(mixed, usual, strict=True)
        ]

    def require(self, definition: Definition) -> None:
        self.needs.setdefault(definition.symbol, definition)

    def intrinsic(self, name: str, *arguments: Value) -> Value:
        """Call `llvm.<name>` overloaded on the type of its arguments, which is the type of its result too."""
        type = arguments[0].type
        symbol = f"@llvm.{name}.{type.suffix}"
        parameters = ", ".join([type.text] * len(arguments))
        self.require(Definition(symbol, f"declare {type.text} {symbol}({parameters})\n"))
        passed = ", ".join(f"{type.text} {argument.name}" for argument in arguments)
        return self.emit(type, f"call {type.text} {symbol}({passed})")


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One SSA value; Python numbers beside it become constants of its type."""

    body: Body
    type: Type
    name: str

    def like(self, other: Value | Number) -> Value:
        """`other` itself, or the constant of this value's type."""
        return other if isinstance(other, Value) else self.body.constant(self.type, other)

    def _binary(self, opcode: str, x: Value | Number, y: Value | Number) -> Value:
        left, right = self.like(x), self.like(y)
        return self.body.emit(self.type, f"{opcode} {self.type.text} {left.name}, {right.name}")

    def _arithmetic(self, opcode: str, x: Value | Number, y: Value | Number) -> Value:
        return self._binary("f" + opcode if self.type.kind == "f" else opcode, x, y)

    def __add__(self, other: Value | Number) -> Value:
        return self._arithmetic("add", self, other)

    def __radd__(self, other: Number) -> Value:
        return self._arithmetic("add", other, self)

    def __sub__(self, other: Value | Number) -> Value:
        return self._arithmetic("sub", self, other)

    def __rsub__(self, other: Number) -> Value:
        return self._arithmetic("sub", other, self)

    def __mul__(self, other: Value | Number) -> Value:
        return self._arithmetic("mul", self, other)

    def __rmul__(self, other: Number) -> Value:
        return self._arithmetic("mul", other, self)

    def __truediv__(self, other: Value | Number) -> Value:
        return self._binary("fdiv", self, other)

    def __rtruediv__(self, other: Number) -> Value:
        return self._binary("fdiv", other, self)

    def __neg__(self) -> Value:
        return self.body.emit(self.type, f"fneg {self.type.text} {self.name}")

    def __abs__(self) -> Value:
        return self.body.intrinsic("fabs", self)

    def __and__(self, other: Value | int) -> Value:
        return self._binary("and", self, other)

    def __or__(self, other: Value | int) -> Value:
        return self._binary("or", self, other)

    def __xor__(self, other: Value | int) -> Value:
        return self._binary("xor", self, other)

    def __invert__(self) -> Value:
        return self._binary("xor", self, -1)

    def __lshift__(self, other: Value | int) -> Value:
        return self._binary("shl", self, other)

    def __rshift__(self, other: Value | int) -> Value:
        """The logical shift: zeros come in from the left."""
        return self._binary("lshr", self, other)

    def _compare(self, predicate: str, other: Value | Number) -> Value:
        right = self.like(other)
        instruction = f"fcmp o{predicate}" if self.type.kind == "f" else f"icmp {predicate}"
        return self.body.emit(self.type.of("i", 1), f"{instruction} {self.type.text} {self.name}, {right.name}")

    def __lt__(self, other: Value | Number) -> Value:
        return self._compare("lt" if self.type.kind == "f" else "slt", other)

    def __le__(self, other: Value | Number) -> Value:
        return self._compare("le" if self.type.kind == "f" else "sle", other)

    def __gt__(self, other: Value | Number) -> Value:
        return self._compare("gt" if self.type.kind == "f" else "sgt", other)

    def __ge__(self, other: Value | Number) -> Value:
        return self._compare("ge" if self.type.kind == "f" else "sge", other)

    def equals(self, other: Value | Number) -> Value:
        return self._compare("eq", other)

    def unordered(self, other: Value) -> Value:
        """Where this or the other is a NaN."""
        return self.body.emit(self.type.of("i", 1), f"fcmp uno {self.type.text} {self.name}, {other.name}")

    def convert(self, opcode: str, type: Type) -> Value:
        return self.body.emit(type, f"{opcode} {self.type.text} {self.name} to {type.text}")

    def bits(self) -> Value:
        """The float's bits as an integer of its width."""
        return self.convert("bitcast", self.type.of("i", self.type.bits))

    def as_float(self) -> Value:
        """The float whose bits this integer is."""
        return self.convert("bitcast", self.type.of("f", self.type.bits))

    def widened(self) -> Value:
        return self.convert("fpext", self.type.of("f", 64))

    def narrowed(self) -> Value:
        return self.convert("fptrunc", self.type.of("f", 32))
