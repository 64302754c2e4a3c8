"""Repairs: numbers in place of NaN and infinity, and real numbers in place of complex ones that are nearly real."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_input, shape_of
from gategrad.variable import implements, plain

__all__: list[str] = []


@implements(np.nan_to_num)
def _nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    if x.dtype.kind == "c":
        raise NoRuleError("np.nan_to_num of complex values: repair np.real(v) and np.imag(v) one by one")
    x = as_input(x)
    most, values = np.finfo(x.dtype).max, plain(x)
    z = np.where(np.isnan(values), nan, x)
    z = np.where(np.equal(values, np.inf), float(most) if posinf is None else posinf, z)
    z = np.where(np.equal(values, -np.inf), -float(most) if neginf is None else neginf, z)
    if copy or not shape_of(x):
        return z
    x[...] = z
    return x


@implements(np.real_if_close)
def _real_if_close(a: Any, tol: float = 100) -> Any:
    if a.dtype.kind != "c":
        return a
    small = np.finfo(a.dtype).eps * tol if tol > 1 else tol
    return np.real(a) if np.all(np.abs(np.imag(plain(a))) < small) else a
