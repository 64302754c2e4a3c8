"""Norms of vectors and matrices of every order, and the condition number."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_input, axes_of, everywhere, shape_of, spread
from gategrad.gates.bends import Kinked, bent
from gategrad.gates.singular import occurs
from gategrad.gates.statistics import Norm
from gategrad.kinds import Reduction
from gategrad.recording import plain
from gategrad.variable import Variable

__all__ = ["Nothing"]


class Nothing(Kinked, Reduction):
    """z = 0, the norm of nothing but zeros. A scaler, by 0; where dz is 0 as well, nobody knows the slope of that.

    Kink: everywhere, with gradient 0, an element of the subdifferential.
    """

    pattern, symbol = "scaler", "‖0‖"
    kink = "0, the middle of the unit ball"

    def forward(self, x: Any) -> Any:
        self.x = x
        self.z = z = Nothing(self.axis, self.keepdims)(x) if type(x) is Variable else self._zeros(x)
        return z

    def _zeros(self, x: Any) -> Any:
        return 0.0 if type(x) is float else np.zeros_like(np.sum(plain(x), axis=self.axis, keepdims=self.keepdims))[()]

    def backward(self, dz: Any) -> Any:
        shape = shape_of(self.x)
        back = lambda v: spread(v, self.axis, self.keepdims, shape)
        return bent(None, dz, self.z, self.x, self.sits(), np.nan, back)

    def sits(self) -> Any:
        return np.ones(shape_of(self.z), bool)[()]


@implements(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    x = as_input(x)
    if x.dtype.kind in "iub":
        x = x.astype(np.float64)  # whose squares do not wrap around
    ndim = len(shape_of(x))
    axis = tuple(axis) if isinstance(axis, list) else axis
    if axis is None and ord is None:
        return Norm(None, keepdims)(x)
    axes = axes_of(axis, ndim)
    if len(axes) == 1 or (not ndim and isinstance(axis, int)):
        return _vector_norm(x, 2 if ord is None else ord, axes, keepdims)
    if len(axes) != 2:
        raise ValueError("Improper number of dimensions to norm.")
    return Norm(axes, keepdims)(x) if ord is None else _matrix_norm(x, ord, axes, keepdims)


def _vector_norm(x: Any, order: Any, axes: Any, keepdims: bool) -> Any:
    """The norm of everything along the axes, taken for one long vector."""
    if order == 2:
        return Norm(axes, keepdims)(x)
    if order in ("fro", "f", "nuc"):
        raise ValueError(f"Invalid norm order '{order}' for vectors")
    size = np.abs(x)
    if order in (np.inf, -np.inf):
        return (np.max if order > 0 else np.min)(size, axis=axes, keepdims=keepdims)
    if order == 0:
        return np.sum(plain(x) != 0, axis=axes, keepdims=keepdims).astype(size.dtype)  # a step: nothing flows
    if order == 1:
        return np.sum(size, axis=axes, keepdims=keepdims)
    total = np.sum(size**order, axis=axes, keepdims=keepdims)
    some = plain(total) != 0
    if order < 0 or everywhere(some):
        return total ** (1.0 / order)
    return np.where(some, np.where(some, total, 1.0) ** (1.0 / order), Nothing(axes, keepdims)(x))


def _matrix_norm(x: Any, order: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    """By sums of rows or columns, or by singular values."""
    if order in ("fro", "f"):
        return Norm(axes, keepdims)(x)
    rows, columns = axes
    if rows == columns:
        raise ValueError("Duplicate axes given.")
    if order in (1, -1, np.inf, -np.inf):
        inner, outer = (rows, columns) if abs(order) == 1 else (columns, rows)
        sums = np.sum(np.abs(x), axis=inner, keepdims=True)
        norms = (np.max if order > 0 else np.min)(sums, axis=outer, keepdims=True)
        return norms if keepdims else np.squeeze(norms, axis=axes)
    if order not in (2, -2, "nuc"):
        raise ValueError(f"Invalid norm order {order!r} for matrices.")
    s = np.linalg.svdvals(np.moveaxis(x, axes, (-2, -1)))
    z = np.sum(s, axis=-1) if order == "nuc" else _extreme(s, 0 if order == 2 else -1)
    return np.expand_dims(z, tuple(sorted(axes))) if keepdims else z


def _extreme(s: Any, place: int) -> Any:
    """The largest or the smallest singular value. Kink: those that tie, but for rounding, share the gradient equally."""
    value = plain(s)
    extreme = value[..., place, None]
    tied = np.abs(value - extreme) <= 4 * value.shape[-1] * np.finfo(value.dtype).eps * extreme
    return np.sum(s * (tied / np.sum(tied, axis=-1, keepdims=True, dtype=value.dtype)), axis=-1)


@implements(np.linalg.vector_norm)
def _np_vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = as_input(x)
    return _vector_norm(x, ord, axes_of(axis, len(shape_of(x))), keepdims)


@implements(np.linalg.matrix_norm)
def _np_matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    ndim = len(shape_of(x))
    return _matrix_norm(x, ord, (ndim - 2, ndim - 1), keepdims)


@implements(np.linalg.cond)
def _cond(x: Any, p: Any = None) -> Any:
    if p in (None, 2, -2):
        s = np.linalg.svdvals(x)
        largest, smallest = _extreme(s, 0), _extreme(s, -1)
        with np.errstate(all="ignore"):  # as in NumPy
            z = smallest / largest if p == -2 else largest / smallest
        lost = np.isnan(plain(z)) & ~np.any(np.isnan(plain(x)), axis=(-2, -1))  # 0 / 0, which NumPy calls inf
        return np.where(lost, np.inf, z) if occurs(lost) else z
    return np.linalg.norm(x, p, axis=(-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, axis=(-2, -1))
