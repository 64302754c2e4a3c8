"""Namespace: how the functions of a module of SciPy's that look at their arguments themselves meet variables."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from gategrad.errors import NoRuleError
from gategrad.gates.axes import tracks
from gategrad.recording import plain

__all__ = ["Namespace"]

_HOW = {"check_finite", "driver", "lapack_driver", "lwork", "blocksize"}
"""Options that say how SciPy computes, not what; so are those that begin with `overwrite_`: variables are never written into."""


class Namespace:
    """A module of SciPy's: its own answers for plain values, our rules for others.

    >>> linalg = Namespace("scipy.linalg")
    >>> linalg.query("issymmetric")([[1.0, 2.0], [2.0, 1.0]])
    True
    """

    def __init__(self, module: str) -> None:
        self.module = module

    def rule(self, rule: Callable[..., Any]) -> Any:
        """Decorator: a function with the name and the signature of one of SciPy's, which answers for plain values itself."""
        theirs = self._find(rule.__name__)

        @functools.wraps(rule)
        def function(*args: Any, **options: Any) -> Any:
            if not any(map(tracks, (*args, *options.values()))):
                return theirs(*args, **options)
            said = {key: x for key, x in options.items() if key not in _HOW and not key.startswith("overwrite_")}
            return rule(*args, **said)

        return function

    def refused(self, name: str, instead: str) -> Any:
        """SciPy's function of this name, which raises `NoRuleError` with this advice where it meets a variable."""

        def function(*args: Any, **options: Any) -> Any:
            raise NoRuleError(f"{self.module}.{name} of a variable {instead}")

        return self._named(function, name, f"`{self.module}.{name}`, for plain values; of a variable it {instead}.")

    def query(self, name: str) -> Any:
        """SciPy's function of this name, whose answer carries no gradient: of variables it answers of the plain values."""
        theirs = self._find(name)

        def function(*args: Any, **options: Any) -> Any:
            return theirs(*map(plain, args), **options)

        return self._named(function, name, f"`{self.module}.{name}`, of the plain values.")

    def _find(self, name: str) -> Any:
        return getattr(importlib.import_module(self.module), name, None)

    def _named(self, function: Any, name: str, doc: str) -> Any:
        function.__name__ = function.__qualname__ = name
        function.__doc__ = doc
        return self.rule(function)
