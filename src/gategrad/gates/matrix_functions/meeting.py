"""How SciPy's functions of matrices meet variables: SciPy's own answer for plain values, and the rule below for others."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from gategrad.errors import NoRuleError
from gategrad.gate import Gate
from gategrad.gates.axes import as_input, shape_of, tracks
from gategrad.variable import Variable, plain

__all__ = ["as_in_scipy", "computed", "query", "refused", "square"]

_HOW = {"check_finite", "driver", "lapack_driver", "lwork", "blocksize"}
"""Options that say how SciPy computes, not what; so are those that begin with `overwrite_`: variables are never written into."""


def as_in_scipy(rule: Callable[..., Any]) -> Any:
    """Decorator: a function with the name and the signature of one of SciPy's, which answers for plain values itself."""
    name = rule.__name__

    @functools.wraps(rule)
    def function(*args: Any, **options: Any) -> Any:
        if not any(map(tracks, (*args, *options.values()))):
            return getattr(scipy.linalg, name)(*args, **options)
        said = {key: x for key, x in options.items() if key not in _HOW and not key.startswith("overwrite_")}
        return rule(*args, **said)

    return function


def refused(name: str, instead: str) -> Any:
    """SciPy's function of this name, which raises `NoRuleError` with this advice where it meets a variable."""

    def function(*args: Any, **options: Any) -> Any:
        raise NoRuleError(f"scipy.linalg.{name} of a variable {instead}")

    return _named(function, name, f"`scipy.linalg.{name}`, for plain values; of a variable it {instead}.")


def query(name: str) -> Any:
    """SciPy's function of this name, whose answer carries no gradient: of variables it answers of the plain values."""

    def function(*args: Any, **options: Any) -> Any:
        return getattr(scipy.linalg, name)(*map(plain, args), **options)

    return _named(function, name, f"`scipy.linalg.{name}`, of the plain values.")


def _named(function: Any, name: str, doc: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return as_in_scipy(function)


def computed(gate: Gate, function: Callable[..., Any], *inputs: Any) -> Any:
    """What a gate's `forward` has from a function of arrays alone.

    Variables of a lower tape are recorded there instead. Symbols are no arrays either: asking for one raises
    `TraceError`, and the gate runs on the host. Some of SciPy's functions misread bytes in the other order.
    """
    if any(type(x) is Variable for x in inputs):
        return gate.fresh()(*inputs)
    arrays = [np.asarray(x) for x in inputs]
    return function(*[x.astype(x.dtype.newbyteorder("="), copy=False) for x in arrays])


def square(name: str, x: Any) -> Any:
    """A nested list as an array; SciPy's complaint about matrices that are not square."""
    x = as_input(x)
    shape = shape_of(x)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(f"{name}: expected a square matrix, got an array of shape {shape}")
    return x
