"""The NumPy lines of a gate's backward, read from its source: `dx = y * dz   # (2, 3)`."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from typing import Any

from gategrad.kinds import Elementwise
from gategrad.picture.model import Node

__all__ = ["rule_lines"]

_NO_SOURCE = "the source of its backward is not at hand"


def rule_lines(node: Node) -> list[str]:
    """What the gate's backward computes, one line for each input that wants a gradient, with its shape.

    A rule that is more than assignments and one `return` is quoted as it stands. If Python cannot find the source
    (a gate typed at the prompt), the answer says so.
    """
    rule = _rule(type(node.gate))
    if rule is None:
        return [f"# {_NO_SOURCE}"]
    steps, returned, names = rule
    if returned is None:
        return list(steps)
    if len(returned) == 1 != len(node.inputs):
        received = ", ".join(f"d{name}" for name in _input_names(names, len(node.inputs)))
        line = f"{received} = {returned[0]}"
        return [*_used(steps, [line]), line]
    lines = [
        _with_shape(f"d{name} = {expression}", node, position)
        for position, (name, expression) in enumerate(
            zip(_input_names(names, len(node.inputs)), returned, strict=False)
        )
        if node.inputs[position].gradient is not None and expression != "None"
    ]
    return [*_used(steps, lines), *lines]


def _input_names(names: tuple[str, ...], count: int) -> list[str]:
    return list(names) if len(names) == count else [f"x{index}" for index in range(count)]


def _with_shape(line: str, node: Node, position: int) -> str:
    shape, output = node.inputs[position].shape, node.output.shape
    if not shape and not output:
        return line
    if isinstance(node.gate, Elementwise) and shape != output:
        return f"{line}   # {output}, summed to {shape}"
    return f"{line}   # {shape}"


def _used(steps: tuple[str, ...], lines: list[str]) -> list[str]:
    """The assignments that the lines need; a branch nobody asked for may have needed others."""
    kept: list[str] = []
    for step in reversed(steps):
        target = step.partition(" = ")[0]
        if any(name in _names(text) for name in target.split(", ") for text in [*lines, *kept]):
            kept.insert(0, step)
    return kept


def _names(line: str) -> set[str]:
    return {part.id for part in ast.walk(ast.parse(line.partition(" = ")[2])) if isinstance(part, ast.Name)}


@cache
def _rule(cls: type[Any]) -> tuple[tuple[str, ...], tuple[str, ...] | None, tuple[str, ...]] | None:
    """The assignments, the returned expressions and the names of the inputs; None without source.

    If there is more than assignments and a return, the first part is the whole body and the second None.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls.backward)))
    except (OSError, TypeError, SyntaxError):
        return None
    function = tree.body[0]
    if not isinstance(function, ast.FunctionDef):
        return None
    body = [_Plainer().visit(statement) for statement in function.body if not _is_docstring(statement)]
    names = _forward_names(cls)
    *steps, last = body
    simple = isinstance(last, ast.Return) and last.value is not None
    if not simple or not all(isinstance(step, (ast.Assign, ast.AnnAssign)) for step in steps):
        return tuple(line for part in body for line in ast.unparse(part).splitlines()), None, names
    assigned = tuple(ast.unparse(step) for step in steps if not _reads_needs(step))
    value = last.value
    parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else [value]
    return assigned, tuple(ast.unparse(part) for part in parts), names


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _reads_needs(step: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "needs" for part in ast.walk(step))


def _forward_names(cls: type[Any]) -> tuple[str, ...]:
    parameters = list(inspect.signature(cls.forward).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind is not p.VAR_POSITIONAL)


class _Plainer(ast.NodeTransformer):
    """Drops what is bookkeeping: `self.`, and `... if need_x else None`."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        for kept, dropped in ((node.body, node.orelse), (node.orelse, node.body)):
            if isinstance(dropped, ast.Constant) and dropped.value is None:
                return kept
        return node
