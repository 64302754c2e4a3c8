"""Questions about symbols: shapes and dtypes are known while tracing; truths and counts are values of the program."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gategrad.compiler.trace.symbol import Symbol, common_dtype, traces
from gategrad.errors import NotTraceableError

__all__: list[str] = []


@traces(np.shape)
def _shape(a: Any) -> tuple[int, ...]:
    return tuple(a.shape)


@traces(np.ndim)
def _ndim(a: Any) -> int:
    return len(a.shape)


@traces(np.size)
def _size(a: Any, axis: int | None = None) -> int:
    return math.prod(a.shape) if axis is None else a.shape[axis]


@traces(np.result_type, np.common_type)
def _result_type(*xs: Any) -> Any:
    return common_dtype(xs)


@traces(np.can_cast)
def _can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    return np.can_cast(getattr(from_, "dtype", from_), getattr(to, "dtype", to), casting)


# --- arrays that only look like a symbol: constants of the program, to be written into ----------------------------------------


@traces(np.zeros_like, np.empty_like)
def _zeros_like(a: Any, dtype: Any = None, *_: Any, shape: Any = None, **__: Any) -> Any:
    return _filled(a, 0, dtype, shape)


@traces(np.ones_like)
def _ones_like(a: Any, dtype: Any = None, *_: Any, shape: Any = None, **__: Any) -> Any:
    return _filled(a, 1, dtype, shape)


@traces(np.full_like)
def _full_like(a: Any, fill_value: Any, dtype: Any = None, *_: Any, shape: Any = None, **__: Any) -> Any:
    if type(fill_value) is Symbol:
        fill_value = fill_value.astype(a.dtype if dtype is None else dtype)
        return np.broadcast_to(fill_value, a.shape if shape is None else shape)
    return _filled(a, fill_value, dtype, shape)


def _filled(a: Any, value: Any, dtype: Any, shape: Any) -> Any:
    z = np.full(a.shape if shape is None else shape, value, a.dtype if dtype is None else dtype)
    return Symbol(a.builder.constant(z), a.builder) if type(a) is Symbol and z.shape and z.dtype.kind in "fc" else z


# --- truths ----------------------------------------------------------------------------------------------------------


@traces(np.isclose)
def _isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    near = np.less_equal(np.abs(a - b), atol + rtol * np.abs(b)) & np.isfinite(b) | np.equal(a, b)
    return near | (np.isnan(a) & np.isnan(b)) if equal_nan else near


@traces(np.allclose)
def _allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    return np.all(np.isclose(a, b, rtol, atol, equal_nan))


@traces(np.array_equal)
def _array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    if np.shape(a1) != np.shape(a2):
        return False
    same = np.equal(a1, a2)
    return np.all(same | (np.isnan(a1) & np.isnan(a2)) if equal_nan else same)


@traces(np.array_equiv)
def _array_equiv(a1: Any, a2: Any) -> Any:
    return np.all(np.equal(a1, a2))


@traces(np.count_nonzero)
def _count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.sum(np.not_equal(a, 0), axis=axis, keepdims=keepdims)


@traces(np.isneginf)
def _isneginf(x: Any, out: Any = None) -> Any:
    return np.equal(x, -np.inf)


@traces(np.isposinf)
def _isposinf(x: Any, out: Any = None) -> Any:
    return np.equal(x, np.inf)


# --- answers that a program cannot give: their shape depends on the values ------------------------------------------

_UNKNOWN_SHAPE = (
    np.argwhere, np.compress, np.extract, np.flatnonzero, np.intersect1d, np.nonzero, np.setdiff1d, np.setxor1d,
    np.trim_zeros, np.union1d, np.unique, np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values,
)  # fmt: skip


def _refuse(function: Any) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotTraceableError(
            f"np.{function.__name__} of a value in a compiled function: the shape of the answer depends on the values, "
            "but a program knows its shapes beforehand. Use np.where(condition, x, y) to choose elements, or call it "
            "outside the compiled function"
        )

    return refuse


for _function in _UNKNOWN_SHAPE:
    traces(_function)(_refuse(_function))
