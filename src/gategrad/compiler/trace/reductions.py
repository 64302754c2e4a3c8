"""Reductions of symbols, running sums, and the places of extremes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.compiler.trace.symbol import Symbol, emit, traces
from gategrad.errors import NotTraceableError
from gategrad.gates.axes import in_dtype_of

__all__ = ["axes_of"]


def axes_of(x: Any, axis: Any) -> tuple[int, ...]:
    """The axes that `axis` names, sorted and counted from the front; NumPy lets axis 0 of a single number pass."""
    if axis is None or not x.shape:
        return tuple(range(len(x.shape)))
    return tuple(sorted(np.lib.array_utils.normalize_axis_tuple(axis, len(x.shape))))


_NEUTRAL: dict[str, Any] = {"sum": 0, "prod": 1, "any": False, "all": True}


def _given(option: Any) -> bool:
    return option is not None and option is not np._NoValue


def _reduce(
    op: str, x: Any, axis: Any, keepdims: Any, dtype: Any = None, *,
    out: Any = None, where: Any = True, neutral: Any = None,
) -> Any:  # fmt: skip
    if _given(out):
        raise NotTraceableError("the option out= of a reduction has no operation in programs")
    if _given(where) and where is not True:
        neutral = _NEUTRAL.get(op) if neutral is None else neutral
        if neutral is None:
            raise ValueError(f"a {op} over some of the elements needs initial=, for where there are none")
        x = np.where(where, x.astype(bool) if op in ("any", "all") else x, neutral)
    axes = axes_of(x, axis)
    if dtype is not None:
        x = x.astype(dtype)
    elif op in ("sum", "prod") and x.dtype.kind in "iub" and x.dtype.itemsize < 8:
        x = x.astype(np.uint64 if x.dtype.kind == "u" else np.int64)
    elif op in ("any", "all"):
        x = x.astype(bool)
    if op in ("max", "min") and 0 in [x.shape[n] for n in axes]:
        raise ValueError("zero-size array to reduction operation which has no identity")
    z = emit(op, x, axes=axes) if axes else x
    if keepdims is True:
        z = np.reshape(z, tuple([1 if n in axes else length for n, length in enumerate(x.shape)]))
    return z


def _folds(function: Any, op: str, combine: Callable[[Any, Any], Any]) -> Any:
    @traces(function)
    def fold(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = None,
        **options: Any,
    ) -> Any:
        z = _reduce(op, a, axis, keepdims, dtype, out=out, **options)
        return combine(z, in_dtype_of(z, initial)) if _given(initial) else z

    return fold


_sum = _folds(np.sum, "sum", operator.add)
_prod = _folds(np.prod, "prod", operator.mul)


def _extreme(ufunc: Any, a: Any, axis: Any, keepdims: Any, initial: Any, **options: Any) -> Any:
    """The largest or smallest, `initial` among them: it is the answer where there is nothing else."""
    name = "max" if ufunc is np.maximum else "min"
    if not _given(initial):
        return _reduce(name, a, axis, keepdims, **options)
    initial = in_dtype_of(a, initial)
    if 0 in [a.shape[n] for n in axes_of(a, axis)]:
        return _reduce("sum", a, axis, keepdims, a.dtype, **options) + initial
    return ufunc(_reduce(name, a, axis, keepdims, neutral=initial, **options), initial)


@traces(np.max, np.amax)
def _max(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, **options: Any) -> Any:
    return _extreme(np.maximum, a, axis, keepdims, initial, out=out, **options)


@traces(np.min, np.amin)
def _min(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, **options: Any) -> Any:
    return _extreme(np.minimum, a, axis, keepdims, initial, out=out, **options)


@traces(np.any)
def _any(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **options: Any) -> Any:
    return _reduce("any", a, axis, keepdims, out=out, **options)


@traces(np.all)
def _all(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **options: Any) -> Any:
    return _reduce("all", a, axis, keepdims, out=out, **options)


@traces(np.mean)
def _mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **options: Any) -> Any:
    count: Any = math.prod([a.shape[n] for n in axes_of(a, axis)])
    where = options.get("where", True)
    if _given(where) and where is not True:
        count = np.sum(np.broadcast_to(where, a.shape), axis=axis, keepdims=keepdims is True)
    wide = np.float64 if dtype is None and a.dtype.kind in "iub" else dtype
    total = _reduce("sum", a, axis, keepdims, wide, out=out, **options)
    return np.true_divide(total, count).astype(total.dtype)


_METHODS: dict[Any, Any] = {
    np.add: _sum, np.multiply: _prod, np.maximum: _max, np.minimum: _min, np.logical_or: _any, np.logical_and: _all,
}  # fmt: skip


def _by_method(ufunc: np.ufunc, a: Any, axis: Any = 0, *rest: Any, **options: Any) -> Any:
    """`ufunc.reduce`, whose axis is 0 if none is given."""
    rule = _METHODS.get(ufunc)
    if rule is None:
        raise NotTraceableError(f"np.{ufunc.__name__}.reduce has no operation in programs")
    if options.get("dtype", 0) is None or ufunc not in (np.add, np.multiply):
        options.pop("dtype", None)
    return rule(a, axis, *rest, **options)


traces(np.ufunc.reduce)(_by_method)


# --- along one axis --------------------------------------------------------------------------------------------------


@traces(np.argmax)
def _argmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    return _place("argmax", a, axis, keepdims)


@traces(np.argmin)
def _argmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    return _place("argmin", a, axis, keepdims)


def _place(op: str, a: Any, axis: Any, keepdims: Any) -> Any:
    row, along = (np.reshape(a, -1), 0) if axis is None else (a, axis % len(a.shape))
    z = emit(op, row, axis=along)
    if keepdims is not True:
        return z
    return np.reshape(z, (1,) * len(a.shape)) if axis is None else np.expand_dims(z, along)


@traces(np.argsort)
def _argsort(a: Any, axis: int | None = -1, *_: Any, **__: Any) -> Any:
    a, axis = (np.reshape(a, -1), 0) if axis is None else (a, axis)
    return emit("argsort", a, axis=axis % len(a.shape))


@traces(np.cumsum)
def _cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return _running("cumsum", a, axis, dtype)


@traces(np.cumprod)
def _cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return _running("cumprod", a, axis, dtype)


def _running(op: str, a: Symbol, axis: Any, dtype: Any) -> Any:
    row, axis = (np.reshape(a, -1), 0) if axis is None else (a, axis)
    if dtype is not None:
        row = row.astype(dtype)
    elif row.dtype.kind in "iub" and row.dtype.itemsize < 8:
        row = row.astype(np.uint64 if row.dtype.kind == "u" else np.int64)
    return emit(op, row, axis=axis % len(row.shape))
