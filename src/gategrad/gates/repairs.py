"""Repairs: numbers in place of NaN and infinity, and real numbers in place of complex ones that are nearly real."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_input, in_dtype_of, shape_of
from gategrad.recording import plain

__all__: list[str] = []


@implements(np.nan_to_num)
def _nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    x = as_input(x)
    if x.dtype.kind in "iub":
        return np.copy(x) if copy else x
    if x.dtype.kind == "c":
        parts = [_nan_to_num(part, True, nan, posinf, neginf) for part in (np.real(x), np.imag(x))]
        return _kept_or_written(x, parts[0] + 1j * parts[1], copy)
    most, values = np.finfo(x.dtype).max, plain(x)
    nan, posinf, neginf = (in_dtype_of(x, option) for option in (nan, posinf, neginf))
    z = np.where(np.isnan(values), nan, x)
    z = np.where(np.equal(values, np.inf), float(most) if posinf is None else posinf, z)
    z = np.where(np.equal(values, -np.inf), -float(most) if neginf is None else neginf, z)
    return _kept_or_written(x, z, copy)


def _kept_or_written(x: Any, z: Any, copy: bool) -> Any:
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
