"""Shaping: the same elements in another shape, order or dtype. Every gradient takes the way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import astype, implements
from gategrad.assignment import viewed
from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_input, axes_of, broadcast, reshape, shape_of
from gategrad.kinds import Example, Linear, Router
from gategrad.recording import plain

__all__ = ["Astype", "BroadcastTo", "ExpandDims", "Flip", "Reshape", "Roll", "Squeeze", "Transpose"]


class Reshape(Router, Linear):
    """z = x in another shape. A router: the gradient is put back into the shape of x."""

    symbol = "reshape"

    def __init__(self, shape: int | tuple[int, ...]) -> None:
        self.to: Any = shape

    def forward(self, x: Any) -> Any:
        self.shape = shape_of(x)
        return reshape(x, self.to)

    def backward(self, dz: Any) -> Any:
        return reshape(dz, self.shape)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """With and without a length left open, from and to a single number."""
        yield cls((3, 2)), (rng.uniform(-1.0, 1.0, (2, 3)),)
        yield cls(-1), (rng.uniform(-1.0, 1.0, (2, 3)),)
        yield cls((1, -1)), (0.5,)
        yield cls(()), (rng.uniform(-1.0, 1.0, (1, 1)),)


class Squeeze(Router, Linear):
    """z = x without axes of length 1. A router: the gradient is put back into the shape of x."""

    symbol = "squeeze"

    def __init__(self, axis: int | tuple[int, ...] | None = None) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        self.shape = shape_of(x)
        z = np.squeeze(x, axis=self.axis)
        return reshape(z, ()) if not z.shape else z

    def backward(self, dz: Any) -> Any:
        return reshape(dz, self.shape)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """All axes of length 1, one of them, several, and down to a single number."""
        for axis in (None, 0, -1, (0, 2)):
            yield cls(axis=axis), (rng.uniform(-1.0, 1.0, (1, 3, 1)),)
        yield cls(), (rng.uniform(-1.0, 1.0, (1, 1)),)


class ExpandDims(Router, Linear):
    """z = x with new axes of length 1. A router: the gradient is put back into the shape of x."""

    symbol = "expand"

    def __init__(self, axis: int | tuple[int, ...]) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        self.shape = shape_of(x)
        return np.expand_dims(x, self.axis)

    def backward(self, dz: Any) -> Any:
        return reshape(dz, self.shape)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Before, behind, several at once; of a single number."""
        for axis in (0, -1, 1, (0, 2)):
            yield cls(axis=axis), (rng.uniform(-1.0, 1.0, (2, 3)),)
        yield cls(axis=0), (0.5,)


class Transpose(Router, Linear):
    """z = x with its axes in another order, reversed if none is given. A router: the axes go back."""

    symbol = "T"

    def __init__(self, axes: tuple[int, ...] | None = None) -> None:
        self.axes = axes

    def forward(self, x: Any) -> Any:
        return x if type(x) is float else x.transpose(self.axes)

    def backward(self, dz: Any) -> Any:
        if type(dz) is float:
            return dz
        if self.axes is None:
            return dz.transpose(None)
        axes = axes_of(tuple(self.axes), len(self.axes))
        return dz.transpose(tuple(sorted(range(len(axes)), key=axes.__getitem__)))

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Reversed, and every order of three axes, also counted from the end."""
        for axes in (None, (0, 1, 2), (1, 2, 0), (2, 0, 1), (0, -1, 1)):
            yield cls(axes=axes), (rng.uniform(-1.0, 1.0, (2, 3, 4)),)
        yield cls(), (rng.uniform(-1.0, 1.0, 3),)


class BroadcastTo(Linear):
    """z = x repeated to a larger shape. A distributor the other way: the gradients of all copies add."""

    pattern, symbol = "distributor", "broadcast"
    sums_broadcasts = True

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.to = shape

    def forward(self, x: Any) -> Any:
        return broadcast(x, self.to)

    def backward(self, dz: Any) -> Any:
        return dz  # the engine sums what broadcasting repeated

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """New axes, axes of length 1, both, neither; a single number."""
        for shape in ((3,), (2, 1, 3), (4, 3)):
            yield cls((2, 4, 3)) if shape != (2, 1, 3) else cls((5, 2, 4, 3)), (rng.uniform(-1.0, 1.0, shape),)
        yield cls((2, 3)), (0.5,)
        yield cls((2, 3)), (rng.uniform(-1.0, 1.0, (2, 3)),)


class Flip(Router, Linear):
    """z = x in reversed order along axes. A router: the gradient is turned back."""

    symbol = "flip"

    def __init__(self, axis: int | tuple[int, ...] | None = None) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        return np.flip(x, self.axis)

    def backward(self, dz: Any) -> Any:
        return np.flip(dz, self.axis)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """All axes, one, several."""
        for axis in (None, 0, -1, (0, 2)):
            yield cls(axis=axis), (rng.uniform(-1.0, 1.0, (2, 3, 4)),)


class Roll(Router, Linear):
    """z = x moved along axes, what falls off at one end entering at the other. A router: moved back."""

    symbol = "roll"

    def __init__(self, shift: int | tuple[int, ...], axis: int | tuple[int, ...] | None = None) -> None:
        self.shift = shift
        self.axis = axis

    def forward(self, x: Any) -> Any:
        return np.roll(x, self.shift, self.axis)

    def backward(self, dz: Any) -> Any:
        back = tuple([-s for s in self.shift]) if isinstance(self.shift, tuple) else -self.shift
        return np.roll(dz, back, self.axis)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """As if in one row, along one axis, along two by different amounts."""
        for shift, axis in ((2, None), (-1, 0), (5, -1), ((1, -1), (0, 1))):
            yield cls(shift, axis=axis), (rng.uniform(-1.0, 1.0, (2, 3)),)


class Astype(Linear):
    """z = x in another floating-point dtype. A distributor: the gradient comes back in the dtype of x."""

    pattern, symbol = "distributor", "dtype"
    takes_complex = False  # from complex to real NumPy warns of what is lost; the other ways are right

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)

    def forward(self, x: Any) -> Any:
        return self.dtype.type(x) if type(x) is float else x.astype(self.dtype)

    def backward(self, dz: Any) -> Any:
        return dz  # the engine gives every gradient the dtype of its input

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """To the same dtype: in another, differences would measure rounding."""
        yield cls(np.float64), (rng.uniform(-1.0, 1.0, (2, 3)),)


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.reshape)
def _reshape(a: Any, shape: Any, order: str = "C", *, copy: Any = None) -> Any:
    order = _order(a, order, "np.reshape", "CFA")
    shape = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
    if copy is False:
        plain(a).reshape(shape, order=order, copy=False)  # whether it can be a view: ValueError, if it cannot
    if order == "F":
        z = np.transpose(np.reshape(np.transpose(a), shape[::-1]))
    else:
        z = viewed(a, Reshape(shape))
    return np.copy(z) if copy else z


@implements(np.ravel)
def _ravel(a: Any, order: str = "C") -> Any:
    if _order(a, order, "np.ravel", "CFAK") == "F":
        a = np.transpose(a)
    return viewed(a, Reshape(-1))


def _order(a: Any, order: Any, name: str, known: str) -> Any:
    """C or F for the orders A and K, which ask how the value lies in memory."""
    if order not in known:
        raise ValueError(f"order must be one of {', '.join(map(repr, known))} (got {order!r})")
    value = plain(a)
    if order in "CF" or len(shape_of(value)) < 2:
        return "F" if order == "F" else "C"
    flags = getattr(value, "flags", None)
    if flags is None or not (flags.c_contiguous or flags.f_contiguous or order == "A"):
        raise NoRuleError(
            f"{name} of a variable with order={order!r}, where that is neither C nor F: say which you mean"
        )
    return "F" if flags.fnc else "C"


@implements(np.squeeze)
def _squeeze(a: Any, axis: Any = None) -> Any:
    return viewed(a, Squeeze(axis))


@implements(np.expand_dims)
def _expand_dims(a: Any, axis: Any) -> Any:
    return viewed(a, ExpandDims(tuple(axis) if isinstance(axis, list) else axis))


@implements(np.transpose)
def _transpose(a: Any, axes: Any = None) -> Any:
    return viewed(a, Transpose(None if axes is None else tuple(axes)))


@implements(np.swapaxes)
def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    return np.transpose(a, _order_after(np.swapaxes, a, axis1, axis2))


@implements(np.moveaxis)
def _moveaxis(a: Any, source: Any, destination: Any) -> Any:
    return np.transpose(a, _order_after(np.moveaxis, a, source, destination))


@implements(np.rollaxis)
def _rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    return np.transpose(a, _order_after(np.rollaxis, a, axis, start))


def _order_after(function: Any, x: Any, *options: Any) -> tuple[int, ...]:
    """The order of axes that a NumPy function brings about, read off an array whose lengths number its axes."""
    numbered = np.lib.stride_tricks.as_strided(np.zeros(()), tuple(range(len(x.shape))), (0,) * len(x.shape))
    order: tuple[int, ...] = function(numbered, *options).shape
    return order


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def _matrix_transpose(x: Any, /) -> Any:
    return np.swapaxes(x, -1, -2)


@implements(np.broadcast_to)
def _broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    shape = (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(shape)
    return viewed(array, BroadcastTo(shape))


@implements(np.broadcast_arrays)
def _broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple([np.broadcast_to(x, shape) for x in args])


@implements(np.flip)
def _flip(m: Any, axis: Any = None) -> Any:
    return viewed(m, Flip(axis))


@implements(np.flipud)
def _flipud(m: Any) -> Any:
    return np.flip(m, 0)


@implements(np.fliplr)
def _fliplr(m: Any) -> Any:
    return np.flip(m, 1)


@implements(np.roll)
def _roll(a: Any, shift: Any, axis: Any = None) -> Any:
    return Roll(shift, axis)(a)


@implements(astype)
def _astype(x: Any, dtype: Any) -> Any:
    # what is no longer a float is a decision (an index, a mask): it has no gradient, so it is no variable
    return Astype(dtype)(x) if np.dtype(dtype).kind in "fc" else np.asarray(plain(x)).astype(dtype)


@implements(np.astype)
def _np_astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    return x if not copy and x.dtype == dtype else _astype(x, dtype)


@implements(np.copy)
def _copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    return +a


# --- made of these ----------------------------------------------------------------------------------------------


@implements(np.atleast_1d)
def _atleast_1d(*arys: Any) -> Any:
    return _each(arys, lambda x: x if np.ndim(x) else np.reshape(x, (1,)))


@implements(np.atleast_2d)
def _atleast_2d(*arys: Any) -> Any:
    return _each(arys, lambda x: x if np.ndim(x) > 1 else np.reshape(x, (1, -1)))


@implements(np.atleast_3d)
def _atleast_3d(*arys: Any) -> Any:
    return _each(arys, lambda x: x if np.ndim(x) > 2 else np.expand_dims(np.atleast_2d(x), -1))


def _each(arrays: tuple[Any, ...], shaped: Any) -> Any:
    done = tuple([shaped(as_input(x)) for x in arrays])
    return done[0] if len(done) == 1 else done


@implements(np.tile)
def _tile(A: Any, reps: Any) -> Any:
    reps = (int(reps),) if np.ndim(reps) == 0 else tuple(reps)
    ndim = max(len(A.shape), len(reps))
    shape, reps = (1,) * (ndim - len(A.shape)) + A.shape, (1,) * (ndim - len(reps)) + reps
    once = [length for n in shape for length in (1, n)]
    repeated = [length for rep, n in zip(reps, shape, strict=True) for length in (rep, n)]
    tiles = np.broadcast_to(np.reshape(A, tuple(once)), tuple(repeated))
    return np.copy(np.reshape(tiles, tuple([rep * n for rep, n in zip(reps, shape, strict=True)])))


@implements(np.repeat)
def _repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    if axis is None:
        a, axis = np.reshape(a, -1), 0
    return np.take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis=axis)
