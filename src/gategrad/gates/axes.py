"""Axes: what the gates that fold, move or repeat axes have in common, and the options they refuse."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from gategrad.errors import NoRuleError
from gategrad.gate import on_meeting

__all__ = [
    "as_double",
    "add_reduce",
    "as_input",
    "axes_of",
    "axis_of",
    "broadcast",
    "count",
    "everywhere",
    "how_many",
    "in_dtype_of",
    "kept",
    "maximum_reduce",
    "minimum_reduce",
    "multiply_reduce",
    "only",
    "refuse",
    "reshape",
    "shape_of",
    "spread",
    "stretch",
    "tracks",
]

Shape = tuple[int, ...]

# The methods themselves: on the hot path of small arrays NumPy's wrappers (np.sum …) take as long as the sum.
# On a variable they are the same gates as those.
add_reduce: Any = np.add.reduce
multiply_reduce: Any = np.multiply.reduce
maximum_reduce: Any = np.maximum.reduce
minimum_reduce: Any = np.minimum.reduce

_COPY_SIZE = 8192  # up to here writing the repeated values out is quicker than making a view that repeats them

_INSTEAD = {
    "casting": "convert with x.astype(dtype) first",
    "dtype": "convert with x.astype(dtype) first",
    "order": "only the orders 'C' and 'F' are known",
    "out": "use the function's result",
}


def refuse(name: str, **options: Any) -> None:
    """Raise `NoRuleError` for an option that a function does not take of variables: never ignore it silently.

    An option is absent if it is None, or NumPy's own mark for that.

    >>> refuse("np.sum", out=None)
    """
    for option, value in options.items():
        if value is None or value is np._NoValue:
            continue
        instead = f": {_INSTEAD[option]}" if option in _INSTEAD else ""
        raise NoRuleError(f"{name} of a variable takes no {option}={instead}")


def as_input(x: Any) -> Any:
    """A nested list as an array; everything else as it is."""
    return np.asarray(x) if isinstance(x, (list, tuple)) else x


def in_dtype_of(x: Any, option: Any) -> Any:
    """What NumPy takes as an option, a number of its own or an array, in the dtype of x, which it does not widen."""
    return option if getattr(option, "dtype", x.dtype) == x.dtype else option.astype(x.dtype)


def tracks(x: Any) -> bool:
    """Whether a variable (or a value of a program that is being traced) stands anywhere inside."""
    if type(x) in on_meeting:
        return True
    return isinstance(x, (list, tuple)) and any(map(tracks, x))


def shape_of(x: Any) -> Shape:
    """`np.shape` of a number, an array or a variable, without the detour through NumPy's protocols."""
    shape: Shape = getattr(x, "shape", ())
    return shape


def everywhere(mask: Any) -> bool:
    """`np.all`, at once if the mask is a single truth; False of a mask whose values are not known yet (of a symbol)."""
    return bool(np.all(mask)) if isinstance(mask, (np.ndarray, np.bool_, bool)) else False


def axes_of(axis: Any, ndim: int) -> Shape:
    """The axes that `axis` names, counted from the front; all of them for None. NumPy's `AxisError` for any other.

    >>> axes_of(-1, 3), axes_of((0, -2), 3), axes_of(None, 2)
    ((2,), (0, 1), (0, 1))
    """
    if axis is None or ndim == 0:  # NumPy lets axis 0 and -1 of a single number pass
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple([a % ndim if -ndim <= a < ndim else axis_of(a, ndim) for a in axes])


def axis_of(axis: Any, ndim: int) -> int:
    """A single axis, counted from the front; NumPy's `AxisError` if there is none such.

    >>> axis_of(-1, 3)
    2
    """
    return int(np.lib.array_utils.normalize_axis_index(operator.index(axis), ndim))


def only(x: Any, where: Any, neutral: float, dtype: Any = None) -> Any:
    """What a reduction with `where=` and `dtype=` folds: `x` in that dtype, and `neutral` in the places left out."""
    if dtype is not None:
        x = np.astype(x, dtype)
    return x if where is True else np.where(where, x, neutral)


def stretch(axis: int, start: Any, stop: Any) -> tuple[slice, ...]:
    """The index of a stretch along one axis.

    >>> stretch(1, 2, None)
    (slice(None, None, None), slice(2, None, None))
    """
    return (*[slice(None)] * axis, slice(start, stop))


def as_double(x: Any) -> Any:
    """As float64, in which some of NumPy's functions compute whatever they are given; a Python float as it is."""
    x = as_input(x)
    return np.astype(x, np.float64) if hasattr(x, "dtype") else float(x)


def kept(shape: Shape, axis: Any) -> Shape:
    """The shape that a reduction leaves if it keeps its axes, with length 1.

    >>> kept((2, 3, 4), 1), kept((2, 3, 4), (0, -1)), kept((2, 3), None)
    ((2, 1, 4), (1, 3, 1), (1, 1))
    """
    if axis is None:
        return (1,) * len(shape)
    lengths = list(shape)
    for a in axes_of(axis, len(shape)):
        lengths[a] = 1
    return tuple(lengths)


def count(shape: Shape, axis: Any) -> int:
    """How many elements a reduction folds into one.

    >>> count((2, 3, 4), (0, -1)), count((2, 3, 4), None), count((), None)
    (8, 24, 1)
    """
    if axis is None:
        return math.prod(shape)
    if type(axis) is int and -len(shape) <= axis < len(shape):
        return shape[axis]
    return math.prod([shape[a] for a in axes_of(axis, len(shape))])


def how_many(where: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """How many elements `where` chooses of those that a reduction of x folds into one, in the dtype of x."""
    return np.sum(np.broadcast_to(where, shape_of(x)), axis=axis, keepdims=keepdims, dtype=x.dtype)


def reshape(x: Any, shape: Shape) -> Any:
    """`np.reshape`, for numbers too, and without the array of shape () that it makes of them."""
    if type(x) is float:
        if not shape:
            return x
        x = np.float64(x)
    z = x.reshape(shape)
    return z[()] if not shape and type(z) is np.ndarray else z


def broadcast(x: Any, shape: Shape) -> Any:
    """`np.broadcast_to`, for numbers too; a quick copy if that is small."""
    if not shape:
        return reshape(x, ())
    if math.prod(shape) <= _COPY_SIZE and isinstance(x, (float, np.ndarray, np.generic)):
        z = np.empty(shape, getattr(x, "dtype", np.float64))
        z[...] = x
        return z
    return np.broadcast_to(x, shape)


def spread(dz: Any, axis: Any, keepdims: bool, shape: Shape) -> Any:
    """Undo the shape of a reduction: repeat `dz` along the axes that were folded away.

    >>> spread(np.array([1.0, 2.0]), 1, False, (2, 3))
    array([[1., 1., 1.],
           [2., 2., 2.]])
    """
    if not keepdims and axis is not None:
        dz = reshape(dz, kept(shape, axis))
    return broadcast(dz, shape)
