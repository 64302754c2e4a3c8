"""The model of a circuit that every drawing reads: gates and the wires between them, with values and gradients."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from gategrad.black_box import BlackBox
from gategrad.gate import Gate
from gategrad.kinds import Elementwise
from gategrad.picture.numbers import shape_of
from gategrad.tape import Output

__all__ = ["Model", "Node", "Wire", "operation"]

_INFIX = {
    "+": "+",
    "-": "−",
    "−": "−",
    "×": "·",
    "*": "·",
    "·": "·",
    "÷": "/",
    "/": "/",
    "@": "@",
    "**": "**",
    "^": "**",
}


@dataclass(eq=False, slots=True)
class Wire:
    """A value on its way from what made it to all that uses it."""

    kind: Literal["leaf", "constant", "gate"]
    value: Any
    gradient: Any = None
    """The gradient of the output with respect to this value; None for a constant."""
    label: str = ""
    """What sentences and tables call it: the user's name, or one made up."""
    named: bool = False
    """Whether `label` is the user's own name (or that of the output), so that drawings show it."""
    node: Node | None = None
    """The gate that made it."""
    uses: list[tuple[Node, int]] = field(default_factory=list)
    """The gates that use it, each with the position of the input."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; () for a number."""
        return () if isinstance(self.value, tuple) else shape_of(self.value)

    @property
    def tag(self) -> str:
        """The name in front of a wire that no gate made; a constant has none unless the user gave it one."""
        return "" if self.kind == "constant" and not self.named else self.label

    @property
    def is_array(self) -> bool:
        """Whether the value has axes, and so is drawn as a summary and a heat map."""
        return self.shape != ()


@dataclass(eq=False, slots=True)
class Node:
    """One gate of the circuit, applied to the wires that come in."""

    number: int
    gate: Gate
    inputs: tuple[Wire, ...]
    output: Wire
    upstream: Any = None
    """The gradient that arrived at the output, as the engine keeps it."""

    @property
    def symbol(self) -> str:
        """What stands in the gate's box."""
        if type(self.gate) is Output:
            return f"[{self.gate.index}]"
        return self.gate.symbol or self.name

    @property
    def name(self) -> str:
        """The name of the gate's class."""
        return type(self.gate).__name__

    @property
    def pattern(self) -> str:
        """What the gate does to the gradient, in a word; empty if it did not say."""
        return self.gate.pattern

    @property
    def is_black_box(self) -> bool:
        """Whether the gradient is that of finite differences, which drawings show by a dashed box."""
        return isinstance(self.gate, BlackBox)

    @property
    def options(self) -> dict[str, Any]:
        """What the gate was constructed with."""
        return dict(getattr(self.gate, "options", None) or {})

    @property
    def is_elementwise(self) -> bool:
        """Whether its local gradients are plain numbers, one per element and input."""
        wires = (*self.inputs, self.output)
        return isinstance(self.gate, Elementwise) or all(wire.shape == () for wire in wires)


@dataclass(eq=False, slots=True)
class Model:
    """A circuit in recording order, every wire with its value and its gradient."""

    nodes: list[Node]
    leaves: list[Wire]
    constants: list[Wire]
    output: Wire
    notes: list[str] = field(default_factory=list)
    """What a reader must know: that the values are no longer those of the variable, and the like."""

    @property
    def wires(self) -> list[Wire]:
        """Every wire: variables, then constants, then what the gates made."""
        return [*self.leaves, *self.constants, *(node.output for node in self.nodes)]

    def find(self, name: str) -> Wire:
        """The wire with this name; raises `LookupError` with the names that there are."""
        for wire in self.wires:
            if wire.label == name and wire.kind != "constant":
                return wire
        known = ", ".join(wire.label for wire in (*self.leaves, self.output))
        raise LookupError(f"this circuit has no value named {name!r}; it has {known}")


def operation(node: Node, operands: list[str], spelled: bool = False) -> str:
    """What a gate computes, written with these operands: `q · z`, `exp(x)`, `sum(x, axis=1)`.

    An empty operand is one that a drawing shows as a wire: `· 2`, `max(0, ·)`.
    """
    if type(node.gate) is Output:
        return f"{operands[0]}{node.symbol}"
    infix = _INFIX.get(node.symbol)
    if infix and len(operands) == 2:
        shown = infix if all(operands) else node.symbol
        return f"{operands[0]} {shown} {operands[1]}"
    if infix == "−" and len(operands) == 1:
        return f"−{_bracketed(operands[0])}"
    if node.symbol == "[ ]" and len(operands) == 1 and "index" in node.options:
        return f"{operands[0] or '·'}[{_subscript(node.options['index'])}]"
    options = [f"{key}={value!r}" for key, value in node.options.items() if value is not None and value is not False]
    written = [operand or "·" for operand in operands]
    return f"{node.symbol}({', '.join(written + (options if spelled else []))})"


def _subscript(index: Any) -> str:
    """An index as it is written between brackets: `0`, `1:3, None`; of arrays their shapes."""
    if isinstance(index, tuple):
        return ", ".join(map(_subscript, index)) or "()"
    if isinstance(index, slice):
        return ":".join(
            "" if part is None else str(part) for part in (index.start, index.stop, index.step)
        ).removesuffix(":")
    shape = getattr(index, "shape", ())
    return "..." if index is ... else str(index) if shape == () else f"array {shape}"


def _bracketed(operand: str) -> str:
    return f"({operand})" if operand.startswith("−") else operand
