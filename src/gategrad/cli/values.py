"""The values on the command line: x=-2, W=[[1,2],[3,4]], angle=pi/4."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gategrad.cli.expression import Expression, Name
from gategrad.cli.parse import parse
from gategrad.cli.refusal import Refusal, listed, quoted
from gategrad.cli.vocabulary import CONSTANTS

__all__ = ["is_assignment", "match_names", "read_number", "read_values"]

_ASSIGNMENT = re.compile(r"\s*(?P<name>[^\W\d]\w*)\s*=(?!=)(?P<value>.*)", re.DOTALL)


def is_assignment(argument: str) -> bool:
    """Whether an argument is name=value rather than an expression.

    >>> is_assignment("x=[1, 2]"), is_assignment("sum(x, axis=1)")
    (True, False)
    """
    return _ASSIGNMENT.fullmatch(argument) is not None


def read_values(arguments: Sequence[str]) -> dict[str, Any]:
    """The value of each name: a float, or an array of floats.

    >>> read_values(["x=-2", "w=[1, 1/2]"])
    {'x': -2.0, 'w': array([1. , 0.5])}
    """
    values: dict[str, Any] = {}
    for argument in arguments:
        name, value = _split(argument)
        if name in values:
            raise Refusal(f"{name} is given twice", advice=[f"keep one of the arguments {name}=..."])
        values[name] = _read(name, value)
    return values


def read_number(argument: str) -> tuple[str, float]:
    """The two halves of name=number, as in z=0.01."""
    name, value = _split(argument)
    number = _read(name, value)
    if not isinstance(number, float):
        raise Refusal(f"{name}={value.strip()}: one number is needed here, not an array")
    return name, number


def match_names(expression: Expression, values: Mapping[str, Any]) -> None:
    """Refuse a value for a name that the expression lacks; what lacks a value is the expression's to say."""
    extra = [name for name in values if name not in expression.names]
    if extra:
        has = f"it has {listed(expression.names)}" if expression.names else "it has no names at all"
        verb = "is" if len(extra) == 1 else "are"
        raise Refusal(f"{listed(extra)} {verb} given, but the expression does not use {_it(extra)}: {has}")


def _split(argument: str) -> tuple[str, str]:
    found = _ASSIGNMENT.fullmatch(argument)
    if found is None:
        raise Refusal(
            f"{quoted(argument.strip())} is not of the form name=value",
            advice=["an expression is one argument, in quotes; values look like x=-2 or x=[1,2,3]"],
        )
    name = unicodedata.normalize("NFKC", found["name"])  # as Python's grammar does with names in the expression
    if keyword.iskeyword(name):
        raise Refusal(f"{quoted(name)} is a reserved word: use another name")
    return name, found["value"]


def _read(name: str, text: str) -> Any:
    shown = quoted(f"{name}={text.strip()}")
    if not text.strip():
        raise Refusal(f"{name} has no value after the '='", advice=[f"for example {name}=2 or {name}=[1,2,3]"])
    try:
        expression = parse(text)
        unknown = [
            item.name for item in expression.instructions if isinstance(item, Name) and item.name not in CONSTANTS
        ]
        if unknown:
            raise Refusal(f"{unknown[0]} is not a number")
        value = expression({})
    except Refusal as refusal:
        raise Refusal(f"bad value {shown}: {refusal.message}", refusal.text, refusal.spans, _FORMS) from None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        raise Refusal(f"bad value {shown}: not a number or a list of numbers", advice=_FORMS)
    if value.size == 0:
        raise Refusal(f"bad value {shown}: the list is empty", advice=_FORMS)
    return value


_FORMS = ["a value is a number or a list of numbers: -2, 1e-3, 1/3, pi/4, [1,2,3], [[1,2],[3,4]]"]


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
