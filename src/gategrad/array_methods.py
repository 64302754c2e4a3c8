"""ArrayMethods: what NumPy's arrays offer as attributes and methods, for everything that stands for an array.

A closed set, NumPy's own, each a call of the NumPy function of the same name. What can be computed is the open set
in `gates/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gategrad.flat import Flat
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
        shape: tuple[int, ...] = spec[0] if spec else ()
        return shape

    @shape.setter
    def shape(self: Any, shape: Any) -> None:
        raise AttributeError("the shape of a value is not changed in place: write y = np.reshape(y, shape)")

    @property
    def dtype(self: Any) -> Any:
        """The dtype of the value; float64 for a Python float."""
        spec = self.spec
        return spec[1] if spec else FLOAT64

    @dtype.setter
    def dtype(self: Any, dtype: Any) -> None:
        raise AttributeError("the dtype of a value is not changed in place: write y = y.astype(dtype)")

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

    @real.setter
    def real(self: Any, value: Any) -> None:
        np.real(self)[...] = value

    @property
    def imag(self: Any) -> Any:
        """The imaginary part."""
        return np.imag(self)

    @imag.setter
    def imag(self: Any, value: Any) -> None:
        if self.dtype.kind != "c":
            raise TypeError("a real array has no imaginary part to write into")
        np.imag(self)[...] = value

    @property
    def flat(self: Any) -> Flat:
        """The elements in a row, to be read and written into."""
        return Flat(self)

    @flat.setter
    def flat(self: Any, values: Any) -> None:
        Flat(self)[:] = values

    def __len__(self: Any) -> int:
        if not self.shape:
            raise TypeError("a variable that holds a single number has no len()")
        length: int = self.shape[0]
        return length

    def __iter__(self: Any) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("a variable that holds a single number cannot be iterated over")
        return (self[index] for index in range(self.shape[0]))

    def __contains__(self: Any, value: Any) -> bool:
        return bool(np.any(self == value))

    def __getitem__(self: Any, index: Any) -> Any:
        return functions[getitem](self, index)

    def __divmod__(self: Any, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self: Any, other: Any) -> Any:
        return other // self, other % self

    def __round__(self: Any, digits: int | None = None) -> Any:
        return np.round(self, digits or 0)

    # --- reductions; the options not named here are those of the function

    def sum(self: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
        """`np.sum` of this value."""
        return np.sum(self, axis=axis, dtype=dtype, out=out, keepdims=keepdims, **rest)

    def prod(
        self: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **rest: Any
    ) -> Any:
        """`np.prod` of this value."""
        return np.prod(self, axis=axis, dtype=dtype, out=out, keepdims=keepdims, **rest)

    def mean(
        self: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **rest: Any
    ) -> Any:
        """`np.mean` of this value."""
        return np.mean(self, axis=axis, dtype=dtype, out=out, keepdims=keepdims, **rest)

    def var(self: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, **rest: Any) -> Any:
        """`np.var` of this value."""
        return np.var(self, axis=axis, dtype=dtype, out=out, ddof=ddof, **rest)

    def std(self: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, **rest: Any) -> Any:
        """`np.std` of this value."""
        return np.std(self, axis=axis, dtype=dtype, out=out, ddof=ddof, **rest)

    def max(self: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
        """`np.max` of this value."""
        return np.max(self, axis=axis, out=out, keepdims=keepdims, **rest)

    def min(self: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
        """`np.min` of this value."""
        return np.min(self, axis=axis, out=out, keepdims=keepdims, **rest)

    def cumsum(self: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        """`np.cumsum` of this value."""
        return np.cumsum(self, axis=axis, dtype=dtype, out=out)

    def cumprod(self: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        """`np.cumprod` of this value."""
        return np.cumprod(self, axis=axis, dtype=dtype, out=out)

    def trace(self: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
        """`np.trace` of this value."""
        return np.trace(self, offset, axis1, axis2, dtype, out=out)

    def dot(self: Any, other: Any, out: Any = None) -> Any:
        """`np.dot` of this value and another."""
        return np.dot(self, other) if out is None else np.dot(self, other, out=out)

    # --- places and truths, which carry no gradient

    def argmax(self: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        """`np.argmax` of this value: indices, which carry no gradient."""
        return np.argmax(self, axis=axis, out=out, keepdims=keepdims)

    def argmin(self: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        """`np.argmin` of this value: indices, which carry no gradient."""
        return np.argmin(self, axis=axis, out=out, keepdims=keepdims)

    def argsort(self: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
        """`np.argsort` of this value: indices, which carry no gradient."""
        return np.argsort(self, axis, kind, order, stable=stable)

    def argpartition(self: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Any:
        """`np.argpartition` of this value: indices, which carry no gradient."""
        return np.argpartition(self, kth, axis, kind, order)

    def searchsorted(self: Any, v: Any, side: Any = "left", sorter: Any = None) -> Any:
        """`np.searchsorted` in this value: indices, which carry no gradient."""
        return np.searchsorted(self, v, side, sorter)

    def nonzero(self: Any) -> Any:
        """`np.nonzero` of this value: indices, which carry no gradient."""
        return np.nonzero(self)

    def any(self: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True) -> Any:
        """`np.any` of this value: a truth, which carries no gradient."""
        return np.any(self, axis=axis, out=out, keepdims=keepdims, where=where)

    def all(self: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True) -> Any:
        """`np.all` of this value: a truth, which carries no gradient."""
        return np.all(self, axis=axis, out=out, keepdims=keepdims, where=where)

    # --- element by element, and some of them

    def clip(self: Any, min: Any = None, max: Any = None, out: Any = None, **rest: Any) -> Any:
        """`np.clip` of this value."""
        return np.clip(self, min, max, out=out, **rest)

    def round(self: Any, decimals: int = 0, out: Any = None) -> Any:
        """`np.round` of this value."""
        return np.round(self, decimals, out=out)

    def conj(self: Any) -> Any:
        """The complex conjugate; of a real value itself, as in NumPy."""
        return np.conjugate(self) if self.dtype.kind == "c" else self

    def conjugate(self: Any) -> Any:
        """The complex conjugate; of a real value itself, as in NumPy."""
        return np.conjugate(self) if self.dtype.kind == "c" else self

    def take(self: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
        """`np.take` from this value."""
        return np.take(self, indices, axis=axis, out=out, mode=mode)

    def compress(self: Any, condition: Any, axis: Any = None, out: Any = None) -> Any:
        """`np.compress` of this value: the slices for which the condition holds."""
        return np.compress(condition, self, axis=axis, out=out)

    def repeat(self: Any, repeats: Any, axis: Any = None) -> Any:
        """`np.repeat` of this value."""
        return np.repeat(self, repeats, axis=axis)

    def diagonal(self: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        """`np.diagonal` of this value."""
        return np.diagonal(self, offset, axis1, axis2)

    # --- the same elements in another form

    def reshape(self: Any, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
        """`np.reshape` of this value; the shape as one tuple or as several integers."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, order, copy=copy)

    def ravel(self: Any, order: Any = "C") -> Any:
        """`np.ravel` of this value: one axis."""
        return np.ravel(self, order)

    def flatten(self: Any, order: Any = "C") -> Any:
        """One axis, as `ravel`, but a copy."""
        return np.copy(np.ravel(self, order))

    def squeeze(self: Any, axis: Any = None) -> Any:
        """`np.squeeze` of this value."""
        return np.squeeze(self, axis=axis)

    def transpose(self: Any, *axes: Any) -> Any:
        """`np.transpose` of this value; the axes as one tuple or as several integers."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) if axes else None)

    def swapaxes(self: Any, axis1: int, axis2: int) -> Any:
        """`np.swapaxes` of this value."""
        return np.swapaxes(self, axis1, axis2)

    def astype(
        self: Any, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """The value in another floating-point type; the gradient comes back in this one's."""
        dtype = np.dtype(dtype)
        if casting != "unsafe" and not np.can_cast(self.dtype, dtype, casting):
            raise TypeError(
                f"Cannot cast array data from {self.dtype!r} to {dtype!r} according to the rule {casting!r}"
            )
        return np.astype(self, dtype, copy=copy)

    def copy(self: Any, order: Any = "C") -> Any:
        """The same value, which assignments to this one do not reach."""
        return np.copy(self, order)

    # --- writing: y[...] = …, under NumPy's names

    def fill(self: Any, value: Any) -> None:
        """Write a number everywhere."""
        self[...] = value

    def put(self: Any, indices: Any, values: Any, mode: Any = "raise") -> None:
        """`np.put` into this value."""
        np.put(self, indices, values, mode)

    def sort(self: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> None:
        """Write `np.sort` of this value into it."""
        self[...] = np.sort(self, axis, kind, order, stable=stable)

    def partition(self: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> None:
        """Write `np.partition` of this value into it."""
        self[...] = np.partition(self, kth, axis, kind, order)
