"""Program: inputs, outputs, and the values in between in an order in which they can be computed; how one is rewritten."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, cast

from gategrad.compiler.program.control import CONTROL
from gategrad.compiler.program.interpret import interpret
from gategrad.compiler.program.text import write
from gategrad.compiler.program.value import Builder, Value

__all__ = ["Program", "Rule", "SubProgram", "rewrite", "within"]


class Program:
    """Inputs, outputs, and all values in between in an order in which they can be computed."""

    relies_on_rows = False  # whether it is only for arguments that lie in memory row by row

    def __init__(self, inputs: Iterable[Value], outputs: Iterable[Value], name: str = "program") -> None:
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.name = name
        self.values = _in_order(self.outputs)

    @functools.cached_property
    def operations(self) -> frozenset[str]:
        """The names of the operations that there are: what concerns none of them has nothing to do."""
        return frozenset({value.op.name for value in self.values})

    def __str__(self) -> str:
        return write(self.name, self.inputs, self.values, self.outputs)

    __repr__ = __str__

    def __call__(self, *arrays: Any) -> list[Any]:
        """Interpret the program with NumPy."""
        return interpret(self.inputs, self.values, self.outputs, arrays)


class SubProgram:
    """A program as an option of an operation: one that others are equal to if they compute the same, whatever its names."""

    __slots__ = ("_key", "program")

    def __init__(self, program: Program) -> None:
        self.program = program
        numbers = {x: number for number, x in enumerate(program.inputs)}
        lines: list[Any] = [tuple((x.dtype, x.shape) for x in program.inputs)]
        for value in program.values:
            if value.op.name != "input":
                numbers[value] = len(numbers)
                lines.append((value.op.name, *[numbers[x] for x in value.inputs], *value.options.items()))
        self._key = (*lines, tuple(numbers[z] for z in program.outputs))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SubProgram) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return self.program.name


def within(program: Program, better: Callable[[Program], Program]) -> Program:
    """The same program with all programs inside of its operations replaced by better ones, which take and give the same."""

    def replaced(value: Value, inputs: list[Value], builder: Builder) -> Value | None:
        if value.op.name not in CONTROL:
            return None
        options = {
            name: SubProgram(better(option.program)) if type(option) is SubProgram else option
            for name, option in value.options.items()
        }
        return builder.emit(value.op.name, inputs, **options)

    return rewrite(program, replaced, frozenset(CONTROL))


Rule = Callable[[Value, list[Value], Builder], Value | None]
"""What a value becomes, given it, its new inputs and the builder; None: the same operation on the new inputs."""


def rewrite(program: Program, rule: Rule, operations: frozenset[str] | None = None) -> Program:
    """The same program with every value that the rule speaks of replaced by what it says; names are kept.

    `operations` are those that the rule speaks of, if that is known.
    """
    if operations is not None and not operations & program.operations:
        return program
    builder = Builder()
    new: dict[Value, Value] = {}
    for value in program.values:
        if value.op.name == "input":
            new[value] = value
            continue
        inputs = [new[x] for x in value.inputs]
        made = rule(value, inputs, builder) or builder.again(value, inputs)
        made.name = made.name or value.name
        new[value] = made
    if all(new[z] is z for z in program.outputs):
        return program
    return Program(program.inputs, [new[z] for z in program.outputs], program.name)


def _in_order(outputs: tuple[Value, ...]) -> tuple[Value, ...]:
    """All values that the outputs need, inputs before users, without recursion; what nobody needs is not there."""
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[Value | None] = [*reversed(outputs)]
    while stack:
        value = stack.pop()
        if value is None:  # all inputs of the one below are in order by now
            order.append(cast(Value, stack.pop()))
        elif value not in seen:
            seen.add(value)
            missing = [x for x in value.inputs if x not in seen]
            if missing:
                stack += (value, None)
                stack += missing[::-1]
            else:
                order.append(value)
    return tuple(order)
