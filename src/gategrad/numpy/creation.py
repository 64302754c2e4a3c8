"""Arrays made of variables: what NumPy cannot hand over to them, because no variable is an argument of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from gategrad.gate import on_meeting
from gategrad.gates.axes import tracks
from gategrad.recording import plain

__all__ = [
    "arange", "array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "c_", "fromiter",
    "full", "full_like", "r_",
]  # fmt: skip


def array(object: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.array`, also of lists in which variables stand, at any depth: they are stacked, and the gradient goes to each.

    Without a variable inside it is NumPy's own. Raises `ValueError` for rows of different lengths.

    >>> import gategrad as gg
    >>> gg.grad(lambda x: array([[x, 1.0], [2.0, x * x]])[1, 1])(3.0)
    6.0
    """
    if not tracks(object):
        return np.array(object, dtype, **options)
    z = _stacked(object)
    copy = options.get("copy", True) and z is object
    z = np.astype(z, z.dtype if dtype is None else dtype, copy=copy)
    missing = options.get("ndmin", 0) - len(z.shape)
    return np.reshape(z, (1,) * missing + z.shape) if missing > 0 else z


def asarray(a: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.asarray`, also of variables, which are arrays already, and of lists of them."""
    return array(a, dtype, copy=options.get("copy")) if tracks(a) else np.asarray(a, dtype, **options)


def asanyarray(a: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.asanyarray`, also of variables and of lists of them."""
    return array(a, dtype, copy=options.get("copy")) if tracks(a) else np.asanyarray(a, dtype, **options)


def ascontiguousarray(a: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.ascontiguousarray`, also of variables, whose layout is nobody's concern."""
    return np.atleast_1d(asarray(a, dtype)) if tracks(a) else np.ascontiguousarray(a, dtype, **options)


def asfortranarray(a: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.asfortranarray`, also of variables, whose layout is nobody's concern."""
    return np.atleast_1d(asarray(a, dtype)) if tracks(a) else np.asfortranarray(a, dtype, **options)


def asarray_chkfinite(a: Any, dtype: Any = None, order: Any = None) -> Any:
    """`np.asarray_chkfinite`, also of variables: raises `ValueError` for NaN and infinity."""
    if not tracks(a):
        return np.asarray_chkfinite(a, dtype, order)
    z = array(a, dtype)
    if not np.all(np.isfinite(plain(z))):
        raise ValueError("array must not contain infs or NaNs")
    return z


def fromiter(iter: Iterable[Any], dtype: Any, count: int = -1, **options: Any) -> Any:
    """`np.fromiter`, also of variables that an iterator yields."""
    items = [x for _, x in zip(range(count), iter, strict=False)] if count >= 0 else list(iter)
    return array(items, dtype) if tracks(items) else np.fromiter(items, dtype, count, **options)


def full(shape: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.full`, also of a variable, whose gradient is the sum over the copies.

    >>> import gategrad as gg
    >>> gg.grad(lambda x: np.sum(full((2, 3), x)))(1.0)
    6.0
    """
    if not tracks(fill_value):
        return np.full(shape, fill_value, dtype, **options)
    return np.copy(np.broadcast_to(array(fill_value, dtype), shape))


def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None, **options: Any) -> Any:
    """`np.full_like`, also with a variable to fill in."""
    a = array(a) if isinstance(a, (list, tuple)) and tracks(a) else a
    if not tracks(fill_value):
        return np.full_like(a, fill_value, dtype, shape=shape, **options)
    return full(np.shape(a) if shape is None else shape, fill_value, np.result_type(a) if dtype is None else dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, **options: Any) -> Any:
    """`np.arange`, also between variables: how many points there are is read off their values.

    >>> import gategrad as gg
    >>> gg.grad(lambda x: np.sum(arange(x, 2.0, 0.5)))(0.25)
    4.0
    """
    if stop is None:
        start, stop = 0, start
    if not tracks([start, stop, step]):
        numpys: Any = np.arange
        return numpys(start, stop, step, dtype, **options)
    number = len(np.arange(plain(start), plain(stop), plain(step)))
    z = start + step * np.arange(float(number))
    return z if dtype is None else np.astype(z, dtype)


class _Joiner:
    """`np.r_` and `np.c_`, also with variables between the brackets."""

    def __init__(self, numpys: Any, axis: int) -> None:
        self._numpys = numpys
        self._axis = axis

    def __getitem__(self, key: Any) -> Any:
        items = key if isinstance(key, tuple) else (key,)
        if not tracks(items):
            return self._numpys[key]
        if any(isinstance(x, str) for x in items):
            raise TypeError("with variables np.r_ and np.c_ take no directives: use np.concatenate or np.stack")
        parts = [np.atleast_1d(np.r_[x] if isinstance(x, slice) else array(x)) for x in items]
        if self._axis:
            parts = [x if len(x.shape) > 1 else np.reshape(x, (-1, 1)) for x in parts]
        return np.concatenate(parts, -1 if self._axis else 0)


r_ = _Joiner(np.r_, 0)
c_ = _Joiner(np.c_, 1)


def _stacked(x: Any) -> Any:
    if type(x) in on_meeting or not isinstance(x, (list, tuple)):
        return x if hasattr(x, "shape") else np.asarray(x)
    parts = [_stacked(part) for part in x]
    shapes = sorted({part.shape for part in parts})
    if len(shapes) > 1:
        raise ValueError(f"np.array was given parts of different shapes, {' and '.join(map(str, shapes))}")
    return np.stack(parts)
