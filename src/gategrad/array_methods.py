"""ArrayMethods: what NumPy's arrays offer as attributes and methods, for everything that stands for an array.

A closed set, NumPy's own, each a call of the NumPy function of the same name. What can be computed is the open set
in `gates/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gategrad.values import FLOAT64, Spec

__all__ = ["ArrayMethods", "astype", "functions", "getitem", "implements"]

functions: dict[Any, Callable[..., Any]] = {}
"""What NumPy's functions do with variables, ufuncs with a gate of their own excepted; `implements` adds to it."""


def implements(*names: Any) -> Callable[[Any], Any]:
    """Decorator: the function below is what these NumPy functions do when a variable is among their arguments.

    A method of a ufunc goes by the pair of both: `(np.add, "accumulate")`.
    """

    def register(function: Any) -> Any:
        for name in names:
            functions[name] = function
        return function

    return register


def getitem(x: Any, index: Any) -> Any:
    """The key under which `gates/indexing.py` registers what `x[index]` does."""
    return x[index]


def astype(x: Any, dtype: Any) -> Any:
    """The key under which `gates/shaping.py` registers what `x.astype(dtype)` does."""
    return x.astype(dtype)


class ArrayMethods:
    """The attributes and methods of a NumPy array, for a class that has a `spec`."""

    __slots__ = ()

    spec: Spec

    @property
    def shape(self: Any) -> tuple[int, ...]:
        """The shape of the value; () for a number."""
        spec = self.spec
        shape: tuple[int, ...] = () if spec is None else spec[0]
        return shape

    @property
    def dtype(self: Any) -> Any:
        """The dtype of the value; float64 for a Python float."""
        spec = self.spec
        return FLOAT64 if spec is None else spec[1]

    @property
    def ndim(self: Any) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self: Any) -> int:
        """The number of elements."""
        size = 1
        for length in self.shape:
            size *= length
        return size

    @property
    def T(self: Any) -> Any:
        """The value with its axes reversed."""
        return np.transpose(self)

    @property
    def mT(self: Any) -> Any:
        """The value with its last two axes exchanged."""
        return np.matrix_transpose(self)

    @property
    def itemsize(self: Any) -> int:
        """The bytes of one element."""
        size: int = self.dtype.itemsize
        return size

    @property
    def nbytes(self: Any) -> int:
        """The bytes of all elements."""
        size: int = self.size * self.dtype.itemsize
        return size

    @property
    def real(self: Any) -> Any:
        """The real part."""
        return np.real(self)

    @property
    def imag(self: Any) -> Any:
        """The imaginary part."""
        return np.imag(self)

    def __len__(self: Any) -> int:
        if not self.shape:
            raise TypeError("a variable that holds a single number has no len()")
        length: int = self.shape[0]
        return length

    def __iter__(self: Any) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("a variable that holds a single number cannot be iterated over")
        return (self[index] for index in range(self.shape[0]))

    def __getitem__(self: Any, index: Any) -> Any:
        return functions[getitem](self, index)

    def sum(self: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """`np.sum` of this value."""
        return np.sum(self, axis=axis, keepdims=keepdims)

    def mean(self: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """`np.mean` of this value."""
        return np.mean(self, axis=axis, keepdims=keepdims)

    def prod(self: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """`np.prod` of this value."""
        return np.prod(self, axis=axis, keepdims=keepdims)

    def max(self: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
        """`np.max` of this value."""
        return np.max(self, axis=axis, keepdims=keepdims, initial=initial)

    def min(self: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
        """`np.min` of this value."""
        return np.min(self, axis=axis, keepdims=keepdims, initial=initial)

    def var(self: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        """`np.var` of this value."""
        return np.var(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        """`np.std` of this value."""
        return np.std(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def argmax(self: Any, axis: Any = None) -> Any:
        """`np.argmax` of this value: indices, which carry no gradient."""
        return np.argmax(self, axis=axis)

    def argmin(self: Any, axis: Any = None) -> Any:
        """`np.argmin` of this value: indices, which carry no gradient."""
        return np.argmin(self, axis=axis)

    def argsort(self: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
        """`np.argsort` of this value: indices, which carry no gradient."""
        return np.argsort(self, axis, kind, order, stable=stable)

    def argpartition(self: Any, kth: Any, axis: Any = -1) -> Any:
        """`np.argpartition` of this value: indices, which carry no gradient."""
        return np.argpartition(self, kth, axis)

    def searchsorted(self: Any, v: Any, side: Any = "left", sorter: Any = None) -> Any:
        """`np.searchsorted` in this value: indices, which carry no gradient."""
        return np.searchsorted(self, v, side, sorter)

    def nonzero(self: Any) -> Any:
        """`np.nonzero` of this value: indices, which carry no gradient."""
        return np.nonzero(self)

    def any(self: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """`np.any` of this value: a truth, which carries no gradient."""
        return np.any(self, axis=axis, keepdims=keepdims)

    def all(self: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """`np.all` of this value: a truth, which carries no gradient."""
        return np.all(self, axis=axis, keepdims=keepdims)

    def cumsum(self: Any, axis: Any = None) -> Any:
        """`np.cumsum` of this value."""
        return np.cumsum(self, axis=axis)

    def cumprod(self: Any, axis: Any = None) -> Any:
        """`np.cumprod` of this value."""
        return np.cumprod(self, axis=axis)

    def clip(self: Any, min: Any = None, max: Any = None) -> Any:
        """`np.clip` of this value."""
        return np.clip(self, min, max)

    def round(self: Any, decimals: int = 0) -> Any:
        """`np.round` of this value."""
        return np.round(self, decimals)

    def take(self: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
        """`np.take` from this value."""
        return np.take(self, indices, axis=axis, out=out, mode=mode)

    def compress(self: Any, condition: Any, axis: Any = None) -> Any:
        """`np.compress` of this value: the slices for which the condition holds."""
        return np.compress(condition, self, axis=axis)

    def repeat(self: Any, repeats: Any, axis: Any = None) -> Any:
        """`np.repeat` of this value."""
        return np.repeat(self, repeats, axis=axis)

    def diagonal(self: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        """`np.diagonal` of this value."""
        return np.diagonal(self, offset, axis1, axis2)

    def trace(self: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        """`np.trace` of this value."""
        return np.trace(self, offset, axis1, axis2)

    def dot(self: Any, other: Any) -> Any:
        """`np.dot` of this value and another."""
        return np.dot(self, other)

    def reshape(self: Any, *shape: Any) -> Any:
        """`np.reshape` of this value; the shape as one tuple or as several integers."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def ravel(self: Any) -> Any:
        """`np.ravel` of this value: one axis."""
        return np.reshape(self, -1)

    def flatten(self: Any) -> Any:
        """One axis, as `ravel`, but a copy."""
        return np.copy(np.reshape(self, -1))

    def squeeze(self: Any, axis: Any = None) -> Any:
        """`np.squeeze` of this value."""
        return np.squeeze(self, axis=axis)

    def transpose(self: Any, *axes: Any) -> Any:
        """`np.transpose` of this value; the axes as one tuple or as several integers."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) if axes else None)

    def swapaxes(self: Any, axis1: int, axis2: int) -> Any:
        """`np.swapaxes` of this value."""
        return np.swapaxes(self, axis1, axis2)

    def astype(self: Any, dtype: Any) -> Any:
        """The value in another floating-point type; the gradient comes back in this one's."""
        return functions[astype](self, dtype)

    def conj(self: Any) -> Any:
        """`np.conjugate` of this value."""
        return np.conjugate(self)

    def conjugate(self: Any) -> Any:
        """`np.conjugate` of this value."""
        return np.conjugate(self)

    def copy(self: Any) -> Any:
        """The same value, which assignments to this one do not reach."""
        return np.copy(self)
