"""The NumPy lines of a gate's backward, read from its source: `dx = y * dz   # (2, 3)`."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass
from typing import Any

from gategrad.kinds import Elementwise
from gategrad.picture.model import Node

__all__ = ["rule_lines"]

_NO_SOURCE = "the source of its backward is not at hand"
_SPECIAL_CASES = "special cases aside"
_OPERATORS: dict[str, type[ast.operator]] = {"times": ast.Mult, "over": ast.Div}
"""Functions of rules that multiply and divide with care for infinities."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """Parts of a backward: assignments, what is returned for each input, and how forward calls its inputs."""

    steps: tuple[str, ...]
    returned: tuple[str, ...] | None
    names: tuple[str, ...]
    whole: bool = True
    """Whether this is all; branches for special cases are left out."""


def rule_lines(node: Node) -> list[str]:
    """What the gate's backward computes, one line for each input that wants a gradient, with its shape.

    Branches for special cases are left out, and so is the bookkeeping of what was asked for. If Python cannot find the
    source (a gate typed at the prompt), the answer says so.
    """
    rule = _rule(type(node.gate))
    if rule is None:
        return [f"# {_NO_SOURCE}"]
    if rule.returned is None:
        return list(rule.steps)
    names = _input_names(rule.names, len(node.inputs))
    if len(rule.returned) == len(node.inputs):
        lines = [
            _with_shape(f"d{name} = {expression}", node, position)
            for position, (name, expression) in enumerate(zip(names, rule.returned, strict=True))
            if node.inputs[position].gradient is not None and expression != "None"
        ]
    else:
        lines = [f"{', '.join(f'd{name}' for name in names)} = {rule.returned[0]}"]
    return [*_used(rule.steps, lines), *lines, *([] if rule.whole else [f"# {_SPECIAL_CASES}"])]


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


def _rule(cls: type[Any]) -> _Rule | None:
    """What there is to quote from the gate's backward; None without source."""
    function = _parsed(cls.backward)
    if function is None:
        return None
    body = [_Plainer(cls).visit(statement) for statement in function.body if not _is_docstring(statement)]
    names = _forward_names(cls)
    last = body[-1]
    if not isinstance(last, ast.Return) or last.value is None:
        return _Rule(tuple(line for part in body for line in ast.unparse(part).splitlines()), None, names)
    assignments = [step for step in body if isinstance(step, (ast.Assign, ast.AnnAssign))]
    steps = [ast.unparse(step) for step in assignments if not _reads_needs(step) and not _says_nothing(step)]
    whole = len(assignments) + 1 == len(body)
    value = last.value
    parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else [value]
    return _Rule(tuple(steps), tuple(ast.unparse(part) for part in parts), names, whole)


def _parsed(method: Any) -> ast.FunctionDef | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    except (OSError, TypeError, SyntaxError):
        return None
    return tree.body[0] if isinstance(tree.body[0], ast.FunctionDef) else None


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _reads_needs(step: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "needs" for part in ast.walk(step))


def _says_nothing(step: ast.Assign | ast.AnnAssign) -> bool:
    """Whether a name is assigned to itself, as `x = self.x` is without the `self.`."""
    target = step.targets[0] if isinstance(step, ast.Assign) else step.target
    return step.value is not None and ast.unparse(target) == ast.unparse(step.value)


def _forward_names(cls: type[Any]) -> tuple[str, ...]:
    parameters = list(inspect.signature(cls.forward).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind is not p.VAR_POSITIONAL)


class _Plainer(ast.NodeTransformer):
    """Leaves the mathematics: drops `self.` and `... if need_x else None`, and writes helpers as what they mean."""

    def __init__(self, cls: type[Any]) -> None:
        self._cls = cls

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

    def visit_Call(self, node: ast.Call) -> ast.AST:
        called = node.func
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "self":
            return self._method(called.attr, node.args) or self.generic_visit(node)
        self.generic_visit(node)
        name = called.id if isinstance(called, ast.Name) else ""
        if name == "plain" and len(node.args) == 1:
            return node.args[0]
        if name == "select" and len(node.args) == 2:
            return ast.parse(f"np.where({ast.unparse(node.args[0])}, {ast.unparse(node.args[1])}, 0)", mode="eval").body
        if name in _OPERATORS and len(node.args) == 2:
            return ast.BinOp(node.args[0], _OPERATORS[name](), node.args[1])
        return node

    def _method(self, name: str, arguments: list[ast.expr]) -> ast.AST | None:
        """What a helper of the gate returns in the general case: its last line, if that stands alone."""
        function = _parsed(getattr(self._cls, name, None))
        last = function.body[-1] if function is not None else None
        if function is None or not isinstance(last, ast.Return) or last.value is None:
            return None
        parameters = [parameter.arg for parameter in function.args.args if parameter.arg != "self"]
        given = dict(zip(parameters, arguments, strict=False))
        found: ast.AST = _Given(given).visit(_Plainer(self._cls).visit(last.value))
        return found


class _Given(ast.NodeTransformer):
    """Writes the arguments of a call in the place of the parameters."""

    def __init__(self, given: dict[str, ast.expr]) -> None:
        self._given = given

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._given.get(node.id, node)
