"""What NumPy's functions do with symbols: each becomes one or a few operations of the program."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from gategrad.array_methods import astype, getitem
from gategrad.compiler.trace.symbol import (
    NotTraceableError,
    Symbol,
    apply_ufunc,
    as_value,
    broadcast_values,
    builder_of,
    cast,
    common_dtype,
    emit,
    primitives_of_ufuncs,
    traces,
)

__all__: list[str] = []


# --- questions about shape and dtype, answered while tracing ----------------------------------------------------------


@traces(np.shape)
def shape(a: Any) -> tuple[int, ...]:
    result: tuple[int, ...] = a.shape
    return result


@traces(np.ndim)
def ndim(a: Any) -> int:
    return len(a.shape)


@traces(np.size)
def size(a: Any, axis: int | None = None) -> int:
    return int(np.prod(a.shape)) if axis is None else int(a.shape[axis])


@traces(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    return False


@traces(np.result_type)
def result_type(*xs: Any) -> Any:
    return common_dtype(xs)


@traces(np.zeros_like)
def zeros_like(a: Any, dtype: Any = None, shape: Any = None, **_: Any) -> Any:
    return np.zeros(a.shape if shape is None else shape, a.dtype if dtype is None else dtype)


@traces(np.ones_like)
def ones_like(a: Any, dtype: Any = None, shape: Any = None, **_: Any) -> Any:
    return np.ones(a.shape if shape is None else shape, a.dtype if dtype is None else dtype)


@traces(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None, **_: Any) -> Any:
    base = np.ones(a.shape if shape is None else shape, a.dtype if dtype is None else dtype)
    return base * fill_value


# --- reductions ------------------------------------------------------------------------------------------------------


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(sorted(np.lib.array_utils.normalize_axis_tuple(axes, x.ndim)))


def _reduce(op: str, x: Any, axis: Any, keepdims: Any) -> Any:
    axes = _axes(x, axis)
    if x.dtype.kind == "b" and op in ("sum", "prod"):
        x = x.astype(np.int64)
    z = emit(op, x, axes=axes) if axes else x
    if keepdims is True:
        z = emit("reshape", z, shape=tuple(1 if n in axes else length for n, length in enumerate(x.shape)))
    return z


def _plain_options(options: dict[str, Any]) -> None:
    for name, value in options.items():
        if value is not None and value is not np._NoValue:
            raise NotTraceableError(f"the option {name} of a reduction cannot be traced")


@traces(np.sum)
def sum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **options: Any) -> Any:
    _plain_options({**options, "dtype": dtype, "out": out})
    return _reduce("sum", a, axis, keepdims)


@traces(np.prod)
def prod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **options: Any) -> Any:
    _plain_options({**options, "dtype": dtype, "out": out})
    return _reduce("prod", a, axis, keepdims)


@traces(np.max, np.amax)
def max(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **options: Any) -> Any:
    _plain_options({**options, "out": out})
    return _reduce("max", a, axis, keepdims)


@traces(np.min, np.amin)
def min(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **options: Any) -> Any:
    _plain_options({**options, "out": out})
    return _reduce("min", a, axis, keepdims)


@traces(np.any)
def any(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    return _reduce("any", a, axis, keepdims)


@traces(np.all)
def all(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    return _reduce("all", a, axis, keepdims)


@traces(np.mean)
def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **options: Any) -> Any:
    _plain_options({**options, "dtype": dtype, "out": out})
    count = int(np.prod([a.shape[n] for n in _axes(a, axis)]))
    return _reduce("sum", a, axis, keepdims) / count


@traces(np.argmax)
def argmax(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    return _arg("argmax", a, axis, keepdims)


@traces(np.argmin)
def argmin(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    return _arg("argmin", a, axis, keepdims)


def _arg(op: str, a: Any, axis: Any, keepdims: Any) -> Any:
    if axis is None:
        a, axis = reshape(a, (-1,)), 0
    axis = axis % a.ndim
    z = emit(op, a, axis=axis)
    return expand_dims(z, axis) if keepdims is True else z


@traces(np.argsort)
def argsort(a: Any, axis: int = -1, **_: Any) -> Any:
    return emit("argsort", a, axis=axis % a.ndim)


@traces(np.cumsum)
def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return _cumulative("cumsum", a, axis)


@traces(np.cumprod)
def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return _cumulative("cumprod", a, axis)


def _cumulative(op: str, a: Any, axis: Any) -> Any:
    if axis is None:
        a, axis = reshape(a, (-1,)), 0
    return emit(op, a, axis=axis % a.ndim)


# --- arrangement -------------------------------------------------------------------------------------------------------


@traces(np.reshape)
def reshape(a: Any, shape: Any = None, order: str = "C", copy: Any = None) -> Any:
    wanted = (shape,) if isinstance(shape, (int, np.integer)) else tuple(int(n) for n in shape)
    if -1 in wanted:
        known = int(np.prod([n for n in wanted if n != -1]))
        wanted = tuple((int(np.prod(a.shape)) // known if known else 0) if n == -1 else n for n in wanted)
    if int(np.prod(wanted)) != int(np.prod(a.shape)):
        raise ValueError(f"cannot reshape array of shape {a.shape} into shape {shape}")
    return a if wanted == a.shape else emit("reshape", a, shape=wanted)


@traces(np.ravel)
def ravel(a: Any, order: str = "C") -> Any:
    return reshape(a, (-1,))


@traces(np.transpose)
def transpose(a: Any, axes: Any = None) -> Any:
    order = tuple(reversed(range(a.ndim))) if axes is None else tuple(axis % a.ndim for axis in axes)
    return a if order == tuple(range(a.ndim)) else emit("transpose", a, axes=order)


@traces(np.matrix_transpose)
def matrix_transpose(x: Any) -> Any:
    return swapaxes(x, -1, -2)


@traces(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    order = list(range(a.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(a, order)


@traces(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    sources = np.lib.array_utils.normalize_axis_tuple(source, a.ndim)
    destinations = np.lib.array_utils.normalize_axis_tuple(destination, a.ndim)
    order = [n for n in range(a.ndim) if n not in sources]
    for to, come in sorted(zip(destinations, sources, strict=True)):
        order.insert(to, come)
    return transpose(a, order)


@traces(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    return array if wanted == array.shape else emit("broadcast", array, shape=wanted)


@traces(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    axes = axis if isinstance(axis, tuple) else (axis,)
    total = a.ndim + len(axes)
    places = {n % total for n in axes}
    lengths = iter(a.shape)
    return reshape(a, tuple(1 if n in places else next(lengths) for n in range(total)))


@traces(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Any:
    axes = tuple(n for n, length in enumerate(a.shape) if length == 1) if axis is None else _axes(a, axis)
    return reshape(a, tuple(length for n, length in enumerate(a.shape) if n not in axes))


@traces(np.flip)
def flip(m: Any, axis: Any = None) -> Any:
    axes = _axes(m, axis)
    return emit("slice", m, parts=tuple((n - 1, -1, -1) if k in axes else (0, n, 1) for k, n in enumerate(m.shape)))


@traces(np.concatenate)
def concatenate(arrays: Sequence[Any], axis: Any = 0, **_: Any) -> Any:
    builder = builder_of(arrays)
    dtype = common_dtype(arrays)
    if axis is None:
        arrays, axis = [np.reshape(a, -1) for a in arrays], 0
    values = [cast(as_value(a, builder), dtype, builder) for a in arrays]
    return Symbol(builder.emit("concatenate", values, axis=axis % len(values[0].shape)), builder)


@traces(np.stack)
def stack(arrays: Sequence[Any], axis: int = 0, **_: Any) -> Any:
    return concatenate([np.expand_dims(a, axis) for a in arrays], axis)


@traces(np.where)
def where(condition: Any, x: Any, y: Any) -> Any:
    builder = builder_of((condition, x, y))
    dtype = common_dtype((x, y))
    mask = cast(as_value(condition, builder), bool, builder)
    branches = [cast(as_value(branch, builder), dtype, builder) for branch in (x, y)]
    return Symbol(builder.emit("select", broadcast_values([mask, *branches], builder)), builder)


@traces(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **_: Any) -> Any:
    z = a if a_min is None else np.maximum(a, a_min)
    return z if a_max is None else np.minimum(z, a_max)


@traces(np.real, np.copy)
def same(x: Any, *_: Any) -> Any:
    return x


@traces(astype, np.astype)
def to_dtype(x: Any, dtype: Any, **_: Any) -> Any:
    return Symbol(cast(x.value, np.dtype(dtype), x.builder), x.builder)


# --- indexing ------------------------------------------------------------------------------------------------------------


@traces(getitem)
def index(x: Any, key: Any) -> Any:
    """Basic indexing is a slice; integer and boolean arrays, all adjacent, gather along the leading axes."""
    keys = _expanded(key if isinstance(key, tuple) else (key,), x.ndim)
    if not builtins.any(_is_array(k) for k in keys):
        return _basic(x, keys)
    arrays = [n for n, k in enumerate(keys) if _is_array(k)]
    if builtins.any(k is None or isinstance(k, (int, np.integer)) for k in keys) or arrays[-1] - arrays[0] >= len(
        arrays
    ):
        raise NotTraceableError("this mixture of indices cannot be traced")
    basic = [slice(None) if _is_array(k) else k for k in keys]
    x = _basic(x, basic)
    first, count = arrays[0], len(arrays)
    indices = (
        np.broadcast_arrays(*[keys[n] for n in arrays])
        if not builtins.any(type(keys[n]) is Symbol for n in arrays)
        else _broadcast_symbols([keys[n] for n in arrays])
    )
    order = [*range(first, first + count), *[n for n in range(x.ndim) if not first <= n < first + count]]
    z = emit("gather", transpose(x, order), *indices)
    rank = len(indices[0].shape)
    back = [*range(rank, rank + first), *range(rank), *range(rank + first, z.ndim)]
    return transpose(z, back)


def _broadcast_symbols(indices: list[Any]) -> list[Any]:
    builder = builder_of(indices)
    return [Symbol(v, builder) for v in broadcast_values([as_value(k, builder) for k in indices], builder)]


def _is_array(k: Any) -> bool:
    return type(k) is Symbol or isinstance(k, (np.ndarray, list))


def _expanded(keys: tuple[Any, ...], rank: int) -> list[Any]:
    """The index with its ellipsis written out, missing axes added, and boolean arrays as integer arrays."""
    full: list[Any] = []
    for k in keys:
        if isinstance(k, list):
            k = np.asarray(k)
        if isinstance(k, np.ndarray) and k.dtype == bool:
            full.extend(np.nonzero(k))
        else:
            full.append(k)
    used = builtins.sum(1 for k in full if k is not None and k is not Ellipsis)
    fill = [slice(None)] * (rank - used)
    if builtins.any(k is Ellipsis for k in full):
        at = next(n for n, k in enumerate(full) if k is Ellipsis)
        return full[:at] + fill + full[at + 1 :]
    return full + fill


def _basic(x: Any, keys: Sequence[Any]) -> Any:
    parts, shape = [], []
    axis = 0
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        length = x.shape[axis]
        axis += 1
        if isinstance(k, slice):
            start, stop, step = k.indices(length)
            parts.append((start, stop, step))
            shape.append(len(range(start, stop, step)))
        else:
            position = int(k)
            if not -length <= position < length:
                raise IndexError(f"index {position} is out of bounds for axis {axis - 1} with size {length}")
            position %= length
            parts.append((position, position + 1, 1))
    whole = builtins.all(part == (0, n, 1) for part, n in zip(parts, x.shape, strict=True))
    z = x if whole else emit("slice", x, parts=tuple(parts))
    return reshape(z, tuple(shape))


@traces(np.take)
def take(a: Any, indices: Any, axis: int | None = None, **_: Any) -> Any:
    if axis is None:
        a, axis = reshape(a, (-1,)), 0
    return index(a, (slice(None),) * (axis % a.ndim) + (indices,))


# --- products ----------------------------------------------------------------------------------------------------------------


def matmul(x: Any, y: Any) -> Any:
    """NumPy's matmul as one batched matrix product between reshapes."""
    x_rank, y_rank = np.ndim(x), np.ndim(y)
    if x_rank == 0 or y_rank == 0:
        raise ValueError("matmul: a scalar is no matrix; use *")
    x = np.reshape(x, (1, -1)) if x_rank == 1 else x
    y = np.reshape(y, (-1, 1)) if y_rank == 1 else y
    if x.shape[-1] != y.shape[-2]:
        raise ValueError(f"matmul: x's last axis ({x.shape[-1]}) must equal y's second-to-last ({y.shape[-2]})")
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    if x.shape[:-2] != batch:
        x = np.broadcast_to(x, batch + x.shape[-2:])
    if y.shape[:-2] != batch:
        y = np.broadcast_to(y, batch + y.shape[-2:])
    builder = builder_of((x, y))
    dtype = common_dtype((x, y))
    z = Symbol(builder.emit("matmul", [cast(as_value(a, builder), dtype, builder) for a in (x, y)]), builder)
    shape = z.shape
    if y_rank == 1:
        shape = shape[:-1]
    if x_rank == 1:
        shape = shape[:-2] + shape[-1:] if y_rank != 1 else shape[:-1]
    return reshape(z, shape)


primitives_of_ufuncs["matmul"] = matmul


@traces(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return apply_ufunc(np.multiply, (a, b))
    if np.ndim(b) <= 2:
        return matmul(a, b)
    return tensordot(a, b, axes=([np.ndim(a) - 1], [np.ndim(b) - 2]))


@traces(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if isinstance(axes, int):
        left, right = list(range(np.ndim(a) - axes, np.ndim(a))), list(range(axes))
    else:
        left, right = ([n] if isinstance(n, int) else list(n) for n in axes)
    left, right = [n % np.ndim(a) for n in left], [n % np.ndim(b) for n in right]
    letters = iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    x = [next(letters) for _ in range(np.ndim(a))]
    y = [next(letters) for _ in range(np.ndim(b))]
    for p, q in zip(left, right, strict=True):
        y[q] = x[p]
    z = [c for n, c in enumerate(x) if n not in left] + [c for n, c in enumerate(y) if n not in right]
    return einsum(f"{''.join(x)},{''.join(y)}->{''.join(z)}", a, b)


@traces(np.outer)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


@traces(np.einsum)
def einsum(subscripts: str, *operands: Any, **_: Any) -> Any:
    """A chain of two-operand contractions, each one batched matrix product between transposes."""
    terms, result = _einsum_terms(subscripts, operands)
    while len(terms) > 1:
        (a, x), (b, y) = terms[0], terms[1]
        rest = set(result).union(*[set(letters) for letters, _ in terms[2:]])
        terms[:2] = [_contract(a, x, b, y, rest)]
    letters, z = terms[0]
    z, letters = _sum_out(z, letters, set(result))
    return transpose(z, [letters.index(c) for c in result])


def _einsum_terms(subscripts: str, operands: Any) -> tuple[list[tuple[str, Any]], str]:
    text = subscripts.replace(" ", "")
    left, arrow, result = text.partition("->")
    inputs = left.split(",")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in text]
    dots = builtins.max(
        (np.ndim(x) - len(t) + 3 for t, x in zip(inputs, operands, strict=True) if "..." in t), default=0
    )
    named = "".join(spare[:dots])
    terms = []
    for t, x in zip(inputs, operands, strict=True):
        count = np.ndim(x) - len(t) + 3
        term = t.replace("...", named[dots - count :] if count else "") if "..." in t else t
        if len(set(term)) != len(term):
            raise NotTraceableError(f"einsum {subscripts!r}: a letter twice in one operand cannot be traced")
        terms.append((term, x))
    joined = "".join(term for term, _ in terms)
    implicit = named + "".join(sorted(c for c in set(joined) - set(named) if joined.count(c) == 1))
    return terms, result.replace("...", named) if arrow else implicit


def _sum_out(x: Any, letters: str, wanted: set[str]) -> tuple[Any, str]:
    axes = tuple(n for n, c in enumerate(letters) if c not in wanted)
    return (np.sum(x, axis=axes), "".join(c for c in letters if c in wanted)) if axes else (x, letters)


def _contract(a: str, x: Any, b: str, y: Any, rest: set[str]) -> tuple[str, Any]:
    x, a = _sum_out(x, a, rest | set(b))
    y, b = _sum_out(y, b, rest | set(a))
    batch = [c for c in a if c in b and c in rest]
    inner = [c for c in a if c in b and c not in rest]
    rows, columns = [c for c in a if c not in b], [c for c in b if c not in a]
    length = {**dict(zip(a, x.shape, strict=True)), **dict(zip(b, y.shape, strict=True))}

    def sizes(group: list[str]) -> list[int]:
        return [length[c] for c in group]

    letters = "".join([*batch, *rows, *columns])
    if not inner:
        left = np.reshape(np.transpose(x, [a.index(c) for c in batch + rows]), sizes(batch + rows) + [1] * len(columns))
        right = np.transpose(y, [b.index(c) for c in batch + columns])
        return letters, left * np.reshape(right, sizes(batch) + [1] * len(rows) + sizes(columns))

    def product(group: list[str]) -> int:
        return int(np.prod(sizes(group)))

    left = np.reshape(
        np.transpose(x, [a.index(c) for c in batch + rows + inner]), (*sizes(batch), product(rows), product(inner))
    )
    right = np.reshape(
        np.transpose(y, [b.index(c) for c in batch + inner + columns]),
        (*sizes(batch), product(inner), product(columns)),
    )
    return letters, np.reshape(matmul(left, right), sizes(batch + rows + columns))
