"""Writing: the value of y after y[index] = v, for whatever flows; and what assignments want to know of gates."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.assignment import assigners
from gategrad.errors import DtypeError
from gategrad.gate import on_meeting
from gategrad.gates.axes import as_input, shape_of
from gategrad.gates.indexing import Assign, Index
from gategrad.gates.indices import BASIC, is_basic, own_index
from gategrad.values import FLOAT64
from gategrad.variable import plain

__all__ = ["write"]


def write(y: Any, index: Any, v: Any) -> Any:
    """y as it is after y[index] = v: a new value, by the gate."""
    index = index if isinstance(index, BASIC) else own_index(plain(index))
    v = as_input(v)
    if getattr(v, "dtype", FLOAT64).kind == "c" != y.dtype.kind or type(v) is complex:
        raise DtypeError(f"a complex value cannot be written into one of {y.dtype}: make that complex first")
    if type(index) in on_meeting and index.dtype == bool and index.shape == y.shape and not shape_of(v):
        return np.where(index, v, y).astype(y.dtype)  # a mask that is known when the program runs
    target = np.empty(y.shape, bool)[index].shape
    extra = len(shape_of(v)) - len(target)
    if extra > 0 and shape_of(v)[:extra] == (1,) * extra:
        v = np.reshape(v, shape_of(v)[extra:])  # NumPy lets axes of length 1 in front pass
    return Assign(index)(y, v)


assigners["write"] = write
assigners["reads"] = lambda gate: None if type(gate) is not Index else "slices" if is_basic(gate.index) else "places"
