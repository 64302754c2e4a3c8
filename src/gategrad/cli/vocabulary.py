"""The functions and constants that an expression may name: every function that has a gate, found by looking.

There is no list to maintain. A gate that names its ufunc, a NumPy function under `@implements`, or a function that
`gategrad` exports next to its gate is known to the command by that name, and by every other name that NumPy has for it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any

import numpy as np

import gategrad
from gategrad.array_methods import functions
from gategrad.gate import ufuncs

__all__ = ["CONSTANTS", "known_functions", "resembling", "shortest_names", "takes_sequence"]

CONSTANTS = {"e": math.e, "pi": math.pi, "inf": math.inf, "nan": math.nan}
"""What these names stand for where the user gives them no value."""

_TAKE_SEQUENCES = frozenset({"concatenate", "concat", "stack", "hstack", "vstack", "dstack", "column_stack"})


def known_functions() -> dict[str, Callable[..., Any]]:
    """Every function that has a gate, by name; methods of ufuncs are no names.

    >>> known_functions()["multiply"]
    <ufunc 'multiply'>
    """
    with_rule = {
        *ufuncs,
        *(function for function, rule in functions.items() if callable(function) and not _asks_only(rule)),
    }
    named = {function.__name__: function for function in with_rule if _is_public(function)}
    # NumPy's other names: abs is absolute, asin is arcsin
    named |= {name: f for name, f in vars(np).items() if not name.startswith("_") and _is_one_of(f, with_rule)}
    exported = {name: f for name, f in vars(gategrad).items() if _is_function_of_a_gate(f)}
    return dict(sorted({**exported, **named}.items()))


def shortest_names(known: Mapping[str, Callable[..., Any]]) -> list[str]:
    """One name for each function, the shortest it has: what there is to choose from, at a glance."""
    names: dict[int, str] = {}
    for name, function in known.items():
        names[id(function)] = min(names.get(id(function), name), name, key=len)
    return sorted(names.values())


def takes_sequence(name: str) -> bool:
    """Whether the function's first argument is a list of arrays rather than one array."""
    return name in _TAKE_SEQUENCES


def resembling(name: str, names: Iterable[str]) -> str | None:
    """The name that the user probably meant, if there is one."""
    close = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.5)
    return close[0] if close else None


def _asks_only(rule: Any) -> bool:
    """Whether the answer carries no gradient: a shape, an index, a text."""
    return bool(rule.__module__ == "gategrad.gates.queries")


def _is_public(function: Any) -> bool:
    """Leave out the keys that stand for syntax (`x[i]`) or for methods, which are functions of this library."""
    module = getattr(function, "__module__", None) or "numpy"
    return not module.startswith("gategrad") and not function.__name__.startswith("_")


def _is_function_of_a_gate(value: Any) -> bool:
    """Such as sigmoid, which NumPy lacks."""
    return isinstance(value, FunctionType) and value.__module__.startswith("gategrad.gates.")


def _is_one_of(function: Any, candidates: set[Any]) -> bool:
    try:
        return function in candidates
    except TypeError:  # unhashable
        return False
