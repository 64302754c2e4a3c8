"""The text of a program: NumPy-like lines with the user's names, one value a line; in groups where it runs in such."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from gategrad.compiler.program.control import CONTROL
from gategrad.compiler.program.value import Constant, Value

__all__ = ["write", "write_groups"]

_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "matmul": "@", "less": "<",
          "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!="}  # fmt: skip


def write(name: str, inputs: Sequence[Value], values: Sequence[Value], outputs: Sequence[Value]) -> str:
    """A program as text that a person can read.

    Numbers stand in the lines that use them, repeated ones too; every other value has a line, with its dtype and shape.
    """
    names, lines = _lines(inputs, values, outputs)
    return "\n".join([_head(name, inputs, names), *lines.values(), _return(outputs, names)])


def write_groups(
    name: str, inputs: Sequence[Value], values: Sequence[Value], outputs: Sequence[Value],
    groups: Iterable[tuple[str, Collection[Value]]],
) -> str:  # fmt: skip
    """A program as text, its values in groups under their titles; those in no group stand where they are first at hand."""
    names, lines = _lines(inputs, values, outputs)
    text = [_head(name, inputs, names)]
    listed = [(title, set(group)) for title, group in groups]
    grouped = set[Value]().union(*[group for _, group in listed])
    written = set(inputs)
    for title, group in listed:
        text.append(f"    # {title}")
        for value in values:
            at_hand = value not in grouped and written.issuperset(value.inputs)
            if value not in written and (value in group or at_hand):
                written.add(value)
                text.extend(filter(None, [lines.get(value)]))
    text += [line for value, line in lines.items() if value not in written]
    return "\n".join([*text, _return(outputs, names)])


def _lines(
    inputs: Sequence[Value], values: Sequence[Value], outputs: Sequence[Value]
) -> tuple[dict[Value, str], dict[Value, str]]:
    """What each value is called, and the line of each that has one."""
    names = {x: x.name or f"x{n}" for n, x in enumerate(inputs)}
    body: dict[Value, str] = {}
    count = 0
    for value in values:
        if value.op.name == "input" or (_number(value) is not None and value not in outputs):
            continue
        names[value] = value.name or f"v{count}"
        count += value.name is None
        body[value] = f"{names[value]} = {_expression(value, names)}"
    width = min(max(map(len, body.values()), default=0), 60)
    lines = {value: f"    {text.ljust(width)}  # {_type(value)}" for value, text in body.items()}
    told: list[Any] = []
    for value in lines:
        for inside in value.options.values() if value.op.name in CONTROL else ():
            if hasattr(inside, "program") and inside not in told:
                told.append(inside)
                lines[value] += "\n" + textwrap.indent(str(inside.program), "        ")
    return names, lines


def _head(name: str, inputs: Sequence[Value], names: dict[Value, str]) -> str:
    return f"{name}({', '.join(f'{names[x]}: {_type(x)}' for x in inputs)}):"


def _return(outputs: Sequence[Value], names: dict[Value, str]) -> str:
    return f"    return {', '.join(_operand(z, names) for z in outputs)}"


def _number(value: Value) -> str | None:
    """The number that a value is, or that it repeats: such values need no line."""
    if value.op.name == "broadcast":
        value = value.inputs[0]
    if value.op.name != "constant" or value.shape != ():
        return None
    number = value.options["value"].array.item()
    text = repr(number)
    return text.removesuffix(".0")


def _operand(x: Value, names: dict[Value, str]) -> str:
    return names[x] if x in names else str(_number(x))


def _expression(value: Value, names: dict[Value, str]) -> str:
    operands = [_operand(x, names) for x in value.inputs]
    if value.op.name == "negative":
        return f"-{operands[0]}"
    if value.op.name in _INFIX:
        return f"{operands[0]} {_INFIX[value.op.name]} {operands[1]}"
    options = [f"{name}={_option(option)}" for name, option in value.options.items()]
    return f"{value.op.name}({', '.join(operands + options)})"


def _option(option: Any) -> str:
    if isinstance(option, Constant):
        return repr(option)
    if callable(option):
        return getattr(option, "__name__", type(option).__name__)
    return str(option).replace(" ", "")


def _type(value: Value) -> str:
    return f"{value.dtype}{list(value.shape)}" if value.shape else str(value.dtype)
