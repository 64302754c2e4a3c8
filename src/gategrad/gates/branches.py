"""Branches: `numpy.emath`, whose functions answer with complex numbers where real ones have no value."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import ArrayMethods, implements
from gategrad.errors import OtherNumbersError
from gategrad.gates.axes import as_double, as_input
from gategrad.gates.linalg.matrices import checked
from gategrad.recording import plain
from gategrad.values import is_complex

__all__: list[str] = []


def _extended(x: Any, outside: Any) -> Any:
    """x as complex numbers if some of its values are where the real function has none, by `outside`."""
    x = _floating(x)
    if is_complex(x):
        return x
    beyond = outside(plain(x))
    if isinstance(
        beyond, ArrayMethods
    ):  # a program computes with real numbers, and hands back a call in which there are others
        return checked(x, beyond, lambda: OtherNumbersError(_OTHERS))
    if not np.any(beyond):
        return x
    return x * np.complex64(1) if getattr(x, "dtype", None) == np.float32 else x * (1 + 0j)


def _floating(x: Any) -> Any:
    """x as numbers that can have roots, in the precision that it has."""
    x = as_input(x)
    if is_complex(x) or getattr(x, "dtype", None) == np.float32:
        return x
    double = as_double(x)
    return np.float64(double) if type(double) is float else double  # as in the array that NumPy makes of it


_OTHERS = "np.emath has complex numbers for these values, and a program has been made for real ones"


def _negative(x: Any) -> Any:
    return x < 0


def _beyond_one(x: Any) -> Any:
    return np.abs(x) > 1


def _branch(numpys: Any, function: Any, outside: Any) -> None:
    @implements(numpys)
    def rule(x: Any) -> Any:
        return function(_extended(x, outside))


_branch(np.emath.sqrt, np.sqrt, _negative)
_branch(np.emath.log, np.log, _negative)
_branch(np.emath.log2, np.log2, _negative)
_branch(np.emath.log10, np.log10, _negative)
_branch(np.emath.arccos, np.arccos, _beyond_one)
_branch(np.emath.arcsin, np.arcsin, _beyond_one)
_branch(np.emath.arctanh, np.arctanh, _beyond_one)


@implements(np.emath.logn)
def _logn(n: Any, x: Any) -> Any:
    return np.log(_extended(x, _negative)) / np.log(_extended(n, _negative))


@implements(np.emath.power)
def _power(x: Any, p: Any) -> Any:
    return np.power(_extended(x, _negative), _floating(p))
