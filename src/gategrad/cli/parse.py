"""From the text of an expression to its instructions: the whitelist, and what is said about everything else."""

from __future__ import annotations

import ast
import textwrap
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gategrad.cli.expression import Apply, Expression, Instruction, Literal, Name, gather, join, settle
from gategrad.cli.refusal import Refusal, Span, quoted
from gategrad.cli.unreadable import too_deep, unreadable
from gategrad.cli.vocabulary import known_functions, resembling, shortest_names, takes_sequence

__all__ = ["parse"]

_OPERATORS: dict[type[ast.AST], tuple[str, np.ufunc]] = {
    ast.Add: ("+", np.add),
    ast.Sub: ("-", np.subtract),
    ast.Mult: ("*", np.multiply),
    ast.Div: ("/", np.divide),
    ast.Pow: ("**", np.power),
    ast.MatMult: ("@", np.matmul),
    ast.Lt: ("<", np.less),
    ast.LtE: ("<=", np.less_equal),
    ast.Gt: (">", np.greater),
    ast.GtE: (">=", np.greater_equal),
    ast.Eq: ("==", np.equal),
    ast.NotEq: ("!=", np.not_equal),
}

_BLANKS = str.maketrans(dict.fromkeys("\n\r\t\f\v", " "))
_SIGNS = str.maketrans({"−": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/"})
"""What a page of mathematics prints is what people paste. One character for one, so that columns stay true."""

_ADVICE: dict[type[ast.AST], str] = {
    ast.BitXor: "powers are written **",
    ast.FloorDiv: "division is written /",
    ast.IfExp: "write where(condition, then, otherwise)",
    ast.BoolOp: "write where(condition, then, otherwise), one inside the other",
    ast.NamedExpr: "values are arguments of their own, as in x=2",
}

Function = Callable[..., Any]
Visited = tuple[Instruction, Sequence[ast.AST | Instruction]]
"""What a node does, and the operands that it does it to: instructions, or nodes that are still to be visited."""


def parse(text: str) -> Expression:
    """Read an expression; `Refusal` if it is not one.

    Arithmetic, comparisons, names, numbers, lists, indexing with integers, and the functions that have a gate.

    >>> parse("x ** 2 + foo(x)")
    Traceback (most recent call last):
    gategrad.cli.refusal.Refusal: unknown function 'foo'
    """
    return _Parser(text.translate(_BLANKS).strip()).expression()


class _Parser:
    """One text on its way to instructions."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.source = text.translate(_SIGNS)
        self.known = known_functions()

    def expression(self) -> Expression:
        instructions: list[Instruction] = []
        pending: list[ast.AST | Instruction] = [self._tree()]
        while pending:
            work = pending.pop()
            if isinstance(work, ast.AST):
                instruction, operands = self._visit(work)
                pending += [instruction, *reversed(operands)]
            else:
                instructions.append(work)
        return Expression(self.text, tuple(instructions))

    # --- text to tree

    def _tree(self) -> ast.AST:
        if not self.text:
            raise Refusal("the expression is empty", advice=["for example: gategrad '(x + y) * z' x=-2 y=5 z=-4"])
        for position, character in enumerate(self.text):
            if character == "#" or not character.isprintable():
                message = f"the character {character!r} cannot be part of an expression"
                raise Refusal(message, self.text, [(position, position + 1)])
        try:
            with warnings.catch_warnings():  # Python's compiler comments on things like 1(x); so do we, below
                warnings.simplefilter("ignore")
                return ast.parse(self.source, mode="eval").body
        except (RecursionError, MemoryError):
            raise too_deep() from None
        except SyntaxError as error:
            raise unreadable(self.text, error) from None

    # --- tree to instructions: what a node does, and the operands that it does it to

    def _visit(self, node: ast.AST) -> Visited:
        match node:
            case ast.Constant():
                return self._number(node), []
            case ast.Name():
                return Name(node.id, self._span(node)), []
            case ast.BinOp(left=left, op=op, right=right):
                return self._operator(node, op, left, right)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._operator(node, op, left, right)
            case ast.Compare():
                raise self._refusal("a chain of comparisons cannot be part of an expression", node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._apply(node, "-", _on_numbers("-", np.negative), [operand])
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._apply(node, "+", settle, [operand])
            case _Sequence(elts=elements):
                return self._apply(node, "a list", gather, elements)
            case ast.List(elts=elements):
                return self._apply(node, "a list", join, elements)
            case ast.Call():
                return self._call(node)
            case ast.Subscript():
                return self._subscript(node)
        raise self._refusal(f"{_describe(node)} cannot be part of an expression", node, _advice(node))

    def _number(self, node: ast.Constant) -> Literal:
        value = node.value
        if type(value) is not int and type(value) is not float:
            raise self._refusal(f"{self._source(node)} is not a number", node)
        try:
            fits = abs(float(value)) != float("inf")
        except OverflowError:
            fits = False
        if not fits:
            raise self._refusal("this number is too large", node, "the largest is 1.8e308; or write inf")
        return Literal(value)

    def _apply(self, node: ast.AST, title: str, function: Function, operands: Sequence[ast.expr]) -> Visited:
        work = [Literal(self._literal(x)) if _is_option(x) else x for x in operands]
        return Apply(title, function, self._span(node), tuple(map(self._span, operands))), work

    def _operator(self, node: ast.expr, op: ast.AST, left: ast.expr, right: ast.expr) -> Visited:
        if type(op) in _OPERATORS:
            sign, ufunc = _OPERATORS[type(op)]
            return self._apply(node, sign, _on_numbers(sign, ufunc), [left, right])
        start, end = self._span(left)[1], self._span(right)[0]
        sign = self.text[start:end].strip(" ()[]")
        start = self.text.index(sign, start)
        advice = _ADVICE.get(type(op))
        message = f"the operator {quoted(sign)} has no gate"
        raise Refusal(message, self.text, [(start, start + len(sign))], [advice] if advice else [])

    def _call(self, node: ast.Call) -> Visited:
        if not isinstance(node.func, ast.Name):
            raise self._refusal("only a function's name can be called", node.func, _advice(node.func))
        name = node.func.id
        if name not in self.known:
            raise self._unknown(node.func)
        function, options = self.known[name], self._options(node)
        if isinstance(function, np.ufunc):
            if len(node.args) != function.nin:  # NumPy would take one more for the array to write into
                takes = f"{function.nin} value{'s' * (function.nin != 1)}"
                raise self._refusal(f"{name} takes {takes}, but here are {len(node.args)}", node)
            return self._apply(node, name, _on_numbers(name, function, **options), node.args)
        takes_list = takes_sequence(name)
        operands = list(map(_as_sequence, node.args)) if takes_list else node.args
        return self._apply(node, name, _with_options(function, takes_list, options), operands)

    def _options(self, node: ast.Call) -> dict[str, Any]:
        options = {}
        for option in node.keywords:
            if option.arg is None:
                raise self._refusal("** cannot be part of an expression", option.value)
            options[option.arg] = self._literal(option.value)
        return options

    def _unknown(self, node: ast.Name) -> Refusal:
        if len(node.id) == 1:
            advice = [f"to multiply, write {node.id}*(...)"]
        else:
            similar = resembling(node.id, self.known)
            advice = [f"did you mean {quoted(similar)}?"] if similar else []
        names = ", ".join(shortest_names(self.known))
        advice += textwrap.wrap(f"known: {names}", 90, subsequent_indent="  ")
        return Refusal(f"unknown function {quoted(node.id)}", self.text, [self._span(node)], advice)

    def _subscript(self, node: ast.Subscript) -> Visited:
        if isinstance(node.slice, ast.Compare):
            return self._apply(node, "[ ]", _element, [node.value, node.slice])
        index = self._literal(node.slice, index=True)
        return self._apply(node, "[ ]", lambda x: _element(x, index), [node.value])

    def _literal(self, node: ast.expr, index: bool = False) -> Any:
        """An option of a function, or an index: written out, no arithmetic."""
        match node:
            case ast.Constant(value=int() | float() | str() | None | bool()):
                return node.value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
            case ast.Tuple(elts=elements):
                return tuple([self._literal(x, index) for x in elements])
            case ast.List(elts=elements):
                return [self._literal(x, index) for x in elements]
            case ast.Slice(lower=lower, upper=upper, step=step) if index:
                return slice(*[None if x is None else self._literal(x) for x in (lower, upper, step)])
            case ast.Constant(value=value) if index and value is ...:
                return ...
        what = "an index is made of integers, as in x[0] or x[1:3]" if index else "an option is a number or a word"
        raise self._refusal(what, node)

    # --- where

    def _span(self, node: ast.AST) -> Span:
        """The node's place in characters; Python counts bytes."""
        encoded = self.source.encode()
        start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0)
        return len(encoded[:start].decode()), len(encoded[:end].decode())

    def _source(self, node: ast.AST) -> str:
        return self.text[slice(*self._span(node))]

    def _refusal(self, message: str, node: ast.AST, advice: str = "") -> Refusal:
        return Refusal(message, self.text, [self._span(node)], [advice] if advice else [])


def _describe(node: ast.AST) -> str:
    words = {
        ast.Attribute: "a name with a dot",
        ast.IfExp: "if ... else",
        ast.BoolOp: "and/or",
        ast.UnaryOp: "'not' or '~'",
        ast.Lambda: "lambda",
        ast.NamedExpr: "an assignment",
        ast.Tuple: "a tuple",
        ast.JoinedStr: "a text",
        ast.Starred: "*",
    }
    return words.get(type(node), "this")


def _advice(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        if isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy", "math", "gg", "gategrad"):
            return f"write {node.attr} without {node.value.id}."
        return "write transpose(...)" if node.attr == "T" else "write a function: sum(x) rather than x.sum()"
    return _ADVICE.get(type(node), "")


def _is_option(node: ast.expr) -> bool:
    """A positional argument that is no number: an axis, a shape, the letters of einsum."""
    if isinstance(node, ast.Tuple):
        return not any(isinstance(x, ast.Name) for x in ast.walk(node))
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, (str, bool)))


class _Sequence(ast.List):
    """A list whose elements stay apart, as arguments of concatenate and the like."""


def _as_sequence(node: ast.expr) -> ast.expr:
    """NumPy takes concatenate((x, y)) for concatenate([x, y])."""
    if isinstance(node, ast.List) or (isinstance(node, ast.Tuple) and not _is_option(node)):
        return ast.copy_location(_Sequence(node.elts, node.ctx), node)
    return node


# --- what instructions do


def _on_numbers(title: str, ufunc: np.ufunc, **options: Any) -> Function:
    """A ufunc as an expression means it: 1/2 and 2**-1 are divisions of real numbers, as in a notebook of mathematics."""

    def apply(*arguments: Any) -> Any:
        values = [float(x) if isinstance(x, int) else settle(x) for x in arguments]
        for value in values:
            if value is None or isinstance(value, (str, tuple)):
                raise Refusal(f"{title} takes numbers and arrays, not {value!r}")
        return ufunc(*values, **options)

    return apply


def _with_options(function: Function, takes_list: bool, options: dict[str, Any]) -> Function:
    def apply(*arguments: Any) -> Any:
        return function(*(arguments if takes_list else map(settle, arguments)), **options)

    return apply


def _element(x: Any, index: Any) -> Any:
    x = settle(x)
    if getattr(x, "shape", ()) == ():
        raise Refusal("a single number has no elements to choose from")
    return x[index]
