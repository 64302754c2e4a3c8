"""Merge: what is computed twice is computed once."""

from __future__ import annotations

from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Builder, Value

__all__ = ["merge"]

_COMMUTATIVE = frozenset(
    ["add", "multiply", "maximum", "minimum", "equal", "not_equal", "logical_and", "logical_or", "logical_xor"]
)


def merge(program: Program) -> Program:
    """The same program rebuilt by one builder, which makes equal values once; x + y and y + x count as equal."""
    builder = Builder()
    new: dict[Value, Value] = {x: x for x in program.inputs}
    position = {x: n for n, x in enumerate(program.inputs)}
    for value in program.values:
        if value.op.name == "input":
            continue
        inputs = [new[x] for x in value.inputs]
        if value.op.name in _COMMUTATIVE and position[inputs[0]] > position[inputs[1]]:
            swapped = builder.find(value.op.name, inputs[::-1], **value.options)
            made = swapped if swapped is not None else builder.again(value, inputs)
        else:
            made = builder.again(value, inputs)
        made.name = made.name or value.name
        position.setdefault(made, len(position))
        new[value] = made
    return Program(program.inputs, [new[z] for z in program.outputs], program.name)
