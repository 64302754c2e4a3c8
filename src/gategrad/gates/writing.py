"""Writing: the value of y after y[index] = v, for whatever flows; and what assignments want to know of gates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.assignment import assigners
from gategrad.errors import DtypeError
from gategrad.gates.axes import as_input, shape_of
from gategrad.gates.chosen import Chosen, chooses
from gategrad.gates.complex import Imag, Real
from gategrad.gates.indexing import Assign, Index
from gategrad.gates.indices import BASIC, is_basic, own_index
from gategrad.gates.shaping import BroadcastTo, ExpandDims, Flip, Reshape, Squeeze, Transpose
from gategrad.recording import plain
from gategrad.values import FLOAT64

__all__ = ["write"]


def write(y: Any, index: Any, v: Any) -> Any:
    """y as it is after y[index] = v: a new value, by the gate."""
    index = index if isinstance(index, BASIC) else own_index(plain(index))
    if chooses(index, y.shape):
        return Chosen(y, index).of(v).written(y)
    v = as_input(v)
    if getattr(v, "dtype", FLOAT64).kind == "c" != y.dtype.kind or type(v) is complex:
        raise DtypeError(f"a complex value cannot be written into one of {y.dtype}: make that complex first")
    target = np.empty(y.shape, bool)[index].shape
    extra = len(shape_of(v)) - len(target)
    if extra > 0 and shape_of(v)[:extra] == (1,) * extra:
        v = np.reshape(v, shape_of(v)[extra:])  # NumPy lets axes of length 1 in front pass
    return Assign(index)(y, v)


# --- what a base becomes when something was written into a view of it ---------------------------------------------


def _in_shape(gate: Any, base: Any, view: Any) -> Any:
    return np.reshape(view, base.shape)


def _turned_back(gate: Transpose, base: Any, view: Any) -> Any:
    order = gate.axes
    return np.transpose(view, None if order is None else tuple(np.argsort(np.remainder(order, len(order))).tolist()))


_THROUGH: dict[type, Callable[[Any, Any, Any], Any]] = {
    Reshape: _in_shape,
    Squeeze: _in_shape,
    ExpandDims: _in_shape,
    Transpose: _turned_back,
    Flip: lambda gate, base, view: np.flip(view, gate.axis),
    Index: lambda gate, base, view: write(base, gate.index, view),
    Real: lambda gate, base, view: view + 1j * np.imag(base),
    Imag: lambda gate, base, view: np.real(base) + 1j * view,
}


def _through(gate: Any) -> Callable[[Any, Any], Any] | None:
    way = _THROUGH.get(type(gate))
    if way is None or _gathers(gate):
        return None
    return lambda base, view: way(gate, base, view)


def _gathers(gate: Any) -> bool:
    return type(gate) is BroadcastTo or (type(gate) is Index and not is_basic(gate.index))


def _slice(gate: Any) -> Any:
    return gate.index if type(gate) is Index and is_basic(gate.index) else None


assigners.update(write=write, through=_through, gathers=_gathers, slice=_slice)
