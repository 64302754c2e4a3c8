"""The text of a program: NumPy-like lines with the user's names, one value a line."""

from __future__ import annotations

from typing import Any

from gategrad.compiler.program.value import Constant, Program, Value

__all__ = ["write"]

_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "matmul": "@", "less": "<",
          "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!="}  # fmt: skip


def write(program: Program) -> str:
    """The program as text that a person can read.

    Scalars constants stand in the lines that use them; every other value has a line, with its dtype and shape.
    """
    names: dict[Value, str] = {}
    lines = []
    count = 0
    for value in program.inputs:
        names[value] = value.name or f"x{len(names)}"
    head = ", ".join(f"{names[x]}: {_type(x)}" for x in program.inputs)
    width = 0
    body: list[tuple[str, str]] = []
    for value in program.values:
        if value.op.name == "input" or _inline(value):
            continue
        names[value] = value.name or f"v{count}"
        count += value.name is None
        body.append((f"{names[value]} = {_expression(value, names)}", _type(value)))
        width = max(width, len(body[-1][0]))
    lines = [f"{program.name}({head}):"]
    lines += [f"    {text.ljust(min(width, 60))}  # {kind}" for text, kind in body]
    lines.append(f"    return {', '.join(_operand(z, names) for z in program.outputs)}")
    return "\n".join(lines)


def _inline(value: Value) -> bool:
    return value.op.name == "constant" and value.shape == ()


def _operand(x: Value, names: dict[Value, str]) -> str:
    return f"{x.options['value'].array.item():.17g}" if _inline(x) else names[x]


def _expression(value: Value, names: dict[Value, str]) -> str:
    operands = [_operand(x, names) for x in value.inputs]
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
