"""The text of a program: NumPy-like lines with the user's names, one value a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gategrad.compiler.program.value import Constant, Value

__all__ = ["write"]

_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "matmul": "@", "less": "<",
          "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!="}  # fmt: skip


def write(name: str, inputs: Sequence[Value], values: Sequence[Value], outputs: Sequence[Value]) -> str:
    """A program as text that a person can read.

    Numbers stand in the lines that use them, repeated ones too; every other value has a line, with its dtype and shape.
    """
    names: dict[Value, str] = {}
    lines = []
    count = 0
    for value in inputs:
        names[value] = value.name or f"x{len(names)}"
    head = ", ".join(f"{names[x]}: {_type(x)}" for x in inputs)
    width = 0
    body: list[tuple[str, str]] = []
    for value in values:
        if value.op.name == "input" or (_number(value) is not None and value not in outputs):
            continue
        names[value] = value.name or f"v{count}"
        count += value.name is None
        body.append((f"{names[value]} = {_expression(value, names)}", _type(value)))
        width = max(width, len(body[-1][0]))
    lines = [f"{name}({head}):"]
    lines += [f"    {text.ljust(min(width, 60))}  # {kind}" for text, kind in body]
    lines.append(f"    return {', '.join(_operand(z, names) for z in outputs)}")
    return "\n".join(lines)


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
