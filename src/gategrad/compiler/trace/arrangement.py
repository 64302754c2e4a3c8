"""The same elements in another arrangement, joined, chosen or rounded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gategrad.array_methods import astype
from gategrad.compiler.trace.reductions import axes_of
from gategrad.compiler.trace.symbol import (
    Symbol,
    as_value,
    broadcast_values,
    builder_of,
    cast,
    common_dtype,
    emit,
    in_rows,
    traces,
)
from gategrad.errors import NotTraceableError

__all__: list[str] = []


def _as_shape(shape: Any) -> tuple[int, ...]:
    return (int(shape),) if isinstance(shape, (int, np.integer)) else tuple([int(n) for n in shape])


@traces(np.reshape)
def _reshape(a: Any, /, shape: Any = None, order: str = "C", *, copy: Any = None) -> Any:
    if order == "F":
        return _transpose(_reshape(_transpose(a), _as_shape(shape)[::-1]))
    if order != "C":
        raise NotTraceableError(f"np.reshape with order={order!r} has no operation in programs: transpose first")
    wanted = _as_shape(shape)
    total = math.prod(a.shape)
    if -1 in wanted:
        known = math.prod([n for n in wanted if n != -1])
        wanted = tuple([(total // known if known else 0) if n == -1 else n for n in wanted])
    if math.prod(wanted) != total:
        raise ValueError(f"cannot reshape array of shape {a.shape} into shape {shape}")
    return a if wanted == a.shape else emit("reshape", a, shape=wanted)


@traces(np.ravel)
def _ravel(a: Any, order: str = "C") -> Any:
    if order not in "CF" and len(a.shape) > 1:
        raise NotTraceableError(f"np.ravel with order={order!r} in a compiled function: say 'C' or 'F'")
    return _reshape(a, -1, "F" if order == "F" else "C")


@traces(np.transpose)
def _transpose(a: Any, axes: Any = None) -> Any:
    rank = len(a.shape)
    order = tuple(reversed(range(rank))) if axes is None else np.lib.array_utils.normalize_axis_tuple(axes, rank)
    if len(order) != rank:
        raise ValueError("axes don't match array")
    return a if order == tuple(range(rank)) else emit("transpose", a, axes=tuple(order))


@traces(np.matrix_transpose, np.linalg.matrix_transpose)
def _matrix_transpose(x: Any, /) -> Any:
    return np.swapaxes(x, -1, -2)


@traces(np.swapaxes)
def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    order = list(range(len(a.shape)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return _transpose(a, order)


@traces(np.moveaxis)
def _moveaxis(a: Any, source: Any, destination: Any) -> Any:
    rank = len(a.shape)
    sources = np.lib.array_utils.normalize_axis_tuple(source, rank)
    destinations = np.lib.array_utils.normalize_axis_tuple(destination, rank)
    order = [n for n in range(rank) if n not in sources]
    for place, axis in sorted(zip(destinations, sources, strict=True)):
        order.insert(place, axis)
    return _transpose(a, order)


@traces(np.broadcast_to)
def _broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    wanted = _as_shape(shape)
    if wanted == array.shape:
        return array
    if np.broadcast_shapes(array.shape, wanted) != wanted:
        raise ValueError(f"operands could not be broadcast together: shape {array.shape} into shape {wanted}")
    return emit("broadcast", array, shape=wanted)


@traces(np.expand_dims)
def _expand_dims(a: Any, axis: Any) -> Any:
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    rank = len(a.shape) + len(axes)
    places = np.lib.array_utils.normalize_axis_tuple(axes, rank)
    lengths = iter(a.shape)
    return _reshape(a, [1 if n in places else next(lengths) for n in range(rank)])


@traces(np.squeeze)
def _squeeze(a: Any, axis: Any = None) -> Any:
    axes = tuple([n for n, length in enumerate(a.shape) if length == 1]) if axis is None else axes_of(a, axis)
    if any(a.shape[n] != 1 for n in axes):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return _reshape(a, [length for n, length in enumerate(a.shape) if n not in axes])


@traces(np.flip)
def _flip(m: Any, axis: Any = None) -> Any:
    axes = axes_of(m, axis)
    if not m.shape:
        return m
    parts = [(n - 1, -1, -1) if k in axes and n else (0, n, 1) for k, n in enumerate(m.shape)]
    return emit("slice", m, parts=tuple(parts))


@traces(np.roll)
def _roll(a: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(_roll(np.reshape(a, -1), shift, 0), a.shape)
    shifts, axes = np.broadcast_arrays(shift, axis)
    for amount, place in zip(shifts.ravel().tolist(), axes.ravel().tolist(), strict=True):
        (along,) = np.lib.array_utils.normalize_axis_tuple(place, len(a.shape))
        length = a.shape[along]
        amount = amount % length if length else 0
        if amount:
            before = (slice(None),) * along
            ends = a[(*before, slice(length - amount, None))], a[(*before, slice(None, length - amount))]
            a = np.concatenate(ends, along)
    return a


@traces(np.concatenate)
def _concatenate(arrays: Sequence[Any], axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "") -> Any:
    builder = builder_of(arrays)
    dtype = common_dtype(arrays) if dtype is None else np.dtype(dtype)
    if axis is None:
        arrays, axis = [np.reshape(a, -1) for a in arrays], 0
    values = [cast(as_value(a, builder), dtype, builder) for a in arrays]
    rank = len(values[0].shape)
    if rank == 0:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    (along,) = np.lib.array_utils.normalize_axis_tuple(axis, rank)
    rests = {v.shape[:along] + v.shape[along + 1 :] for v in values}
    if len(rests) > 1 or len({len(v.shape) for v in values}) > 1:
        shapes = ", ".join([str(v.shape) for v in values])
        raise ValueError(f"all the input array dimensions except for axis {along} must match: {shapes}")
    return Symbol(builder.emit("concatenate", values, axis=along), builder, in_rows=in_rows(arrays))


@traces(np.stack)
def _stack(arrays: Sequence[Any], axis: int = 0, out: Any = None, **options: Any) -> Any:
    (along,) = np.lib.array_utils.normalize_axis_tuple(axis, np.ndim(arrays[0]) + 1)
    return _concatenate([np.expand_dims(a, along) for a in arrays], along, **options)


@traces(np.where)
def _where(condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None and y is None:
        return np.nonzero(condition)
    builder = builder_of((condition, x, y))
    dtype = common_dtype((x, y))
    mask = cast(as_value(condition, builder), np.dtype(bool), builder)
    branches = [cast(as_value(branch, builder), dtype, builder) for branch in (x, y)]
    chosen = builder.emit("select", broadcast_values([mask, *branches], builder, "where"))
    return Symbol(chosen, builder, in_rows=in_rows((condition, x, y)))


@traces(np.clip)
def _clip(
    a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None, **_: Any
) -> Any:
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    dtype = np.result_type(a.dtype)
    if dtype.kind in "iu":  # a bound beyond all integers of the dtype is none
        low = None if type(low) is int and low <= np.iinfo(dtype).min else low
        high = None if type(high) is int and high >= np.iinfo(dtype).max else high
    z = +a if low is None else np.maximum(a, low)
    return z if high is None else np.minimum(z, high)


@traces(np.round, np.around)
def _round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    if a.dtype.kind in "iub":
        if decimals >= 0:
            return a
        tens = 10.0**-decimals
        return (np.rint(a.astype(np.float64) / tens) * tens).astype(np.int64).astype(a.dtype)
    if decimals == 0:
        return np.rint(a)
    scale = 10.0 ** abs(decimals)
    return np.rint(a * scale) / scale if decimals > 0 else np.rint(a / scale) * scale


@traces(np.tril)
def _tril(m: Any, k: int = 0) -> Any:
    return np.where(_below(m, k), m, np.zeros((), m.dtype))


@traces(np.triu)
def _triu(m: Any, k: int = 0) -> Any:
    return np.where(_below(m, k - 1), np.zeros((), m.dtype), m)


def _below(m: Any, k: int) -> Any:
    rows, columns = m.shape[-2:] if len(m.shape) > 1 else m.shape * 2  # a row stands for the matrix of such rows
    return np.tri(rows, columns, k, dtype=bool)


@traces(np.copy)
def _same(x: Any, *_: Any, **__: Any) -> Any:
    return x


@traces(astype, np.astype)
def _astype(x: Any, dtype: Any, /, *, copy: bool = True, **_: Any) -> Any:
    if not copy and x.dtype == dtype:
        return x
    wanted = np.dtype(dtype)
    if x.dtype.kind == "c" and wanted.kind not in "cb":
        x = np.real(x)
    return Symbol(cast(x.value, wanted, x.builder), x.builder, in_rows=x.in_rows)
