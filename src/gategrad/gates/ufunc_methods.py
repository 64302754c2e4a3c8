"""Methods of ufuncs: reduce, accumulate and reduceat; and ufuncs that are compositions of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import functions, implements
from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_double, axis_of, only, refuse, shape_of
from gategrad.gates.statistics import logsumexp
from gategrad.recording import plain

__all__: list[str] = []

# --- reduce: what `np.sum` and the others do, along the first axis if none is named ------------------------------


@implements((np.add, "reduce"))
def _add(array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, **options: Any) -> Any:
    return np.sum(array, axis=axis, dtype=dtype, out=out, keepdims=keepdims, **options)


@implements((np.multiply, "reduce"))
def _multiply(
    array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, **options: Any
) -> Any:
    return np.prod(array, axis=axis, dtype=dtype, out=out, keepdims=keepdims, **options)


@implements((np.maximum, "reduce"))
def _maximum(
    array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, **options: Any
) -> Any:
    return np.max(only(array, True, 0.0, dtype), axis=axis, out=out, keepdims=keepdims, **options)


@implements((np.minimum, "reduce"))
def _minimum(
    array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, **options: Any
) -> Any:
    return np.min(only(array, True, 0.0, dtype), axis=axis, out=out, keepdims=keepdims, **options)


@implements((np.logaddexp, "reduce"))
def _logaddexp(array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    refuse("np.logaddexp.reduce", out=out)
    return logsumexp(only(array, True, 0.0, dtype), axis=axis, keepdims=keepdims)


# --- accumulate -------------------------------------------------------------------------------------------------


@implements((np.add, "accumulate"))
def _running_sum(array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    return np.cumsum(array, axis, dtype, out)


@implements((np.multiply, "accumulate"))
def _running_product(array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    return np.cumprod(array, axis, dtype, out)


@implements((np.maximum, "accumulate"))
def _running_maximum(array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    return _running_extremum(np.maximum, array, axis, dtype, out)


@implements((np.minimum, "accumulate"))
def _running_minimum(array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    return _running_extremum(np.minimum, array, axis, dtype, out)


def _running_extremum(ufunc: np.ufunc, x: Any, axis: int, dtype: Any, out: Any) -> Any:
    """Each place reads where the extremum up to it was reached last."""
    refuse(f"np.{ufunc.__name__}.accumulate", out=out)
    x = only(x, True, 0.0, dtype)
    axis = axis_of(axis, len(shape_of(x)))
    values = plain(x)
    reached = np.equal(values, ufunc.accumulate(values, axis)) | np.isnan(values)
    numbers = np.reshape(np.arange(shape_of(x)[axis]), (-1, *[1] * (len(shape_of(x)) - axis - 1)))
    places = np.maximum.accumulate(np.where(reached, numbers, 0), axis)
    return np.take_along_axis(x, places, axis)


def _one_by_one(ufunc: np.ufunc) -> Any:
    """The results of ufunc along an axis, each made of the one before and the next element."""

    def steps(array: Any, axis: Any, name: str, out: Any, dtype: Any) -> tuple[list[Any], int]:
        refuse(f"np.{ufunc.__name__}.{name}", out=out)
        x = only(array, True, 0.0, dtype)
        axis = axis_of(axis, len(shape_of(x)))
        slices = list(np.unstack(x, axis=axis))
        if not slices:
            raise ValueError(f"zero-size array to reduction operation {ufunc.__name__} which has no identity")
        results = slices[:1]
        for y in slices[1:]:
            results.append(ufunc(results[-1], y))
        return results, axis

    def reduce(
        array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, **rest: Any
    ) -> Any:
        refuse(f"np.{ufunc.__name__}.reduce", **{name: x for name, x in rest.items() if x is not True})
        if axis is None or isinstance(axis, tuple):
            raise NoRuleError(f"np.{ufunc.__name__}.reduce of a variable folds one axis at a time: name it, axis=0")
        results, axis = steps(array, axis, "reduce", out, dtype)
        return np.expand_dims(results[-1], axis) if keepdims else results[-1]

    def accumulate(array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        results, axis = steps(array, axis, "accumulate", out, dtype)
        return np.stack(results, axis)

    return reduce, accumulate


for _other in (np.subtract, np.divide, np.power, np.hypot, np.fmax, np.fmin, np.logaddexp, np.logaddexp2, np.arctan2):
    _reduce, _accumulate = _one_by_one(_other)
    if (_other, "reduce") not in functions:
        implements((_other, "reduce"))(_reduce)
    implements((_other, "accumulate"))(_accumulate)


# --- reduceat ---------------------------------------------------------------------------------------------------


def _reduceat(ufunc: np.ufunc) -> Any:
    def reduceat(array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        refuse(f"np.{ufunc.__name__}.reduceat", out=out)
        array = only(array, True, 0.0, dtype)
        axis = axis_of(axis, len(shape_of(array)))
        n, starts = shape_of(array)[axis], [int(i) for i in np.asarray(plain(indices))]
        if any(not 0 <= i < n for i in starts):
            raise IndexError(f"index out-of-bounds in {ufunc.__name__}.reduceat [0, {n})")
        before = (slice(None),) * axis
        parts = []
        for start, stop in zip(starts, [*starts[1:], n], strict=True):
            stretch = slice(start, max(stop, start + 1))  # one that ends before it starts is a single element
            parts.append(ufunc.reduce(array[(*before, stretch)], axis=axis))
        return np.stack(parts, axis)

    return reduceat


for _ufunc in (np.add, np.multiply, np.maximum, np.minimum):
    implements((_ufunc, "reduceat"))(_reduceat(_ufunc))


# --- ufuncs made of others --------------------------------------------------------------------------------------


@implements(np.float_power)
def _float_power(x1: Any, x2: Any) -> Any:
    return np.power(as_double(x1), as_double(x2))
