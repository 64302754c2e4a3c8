"""Calls of NumPy's that random programs are drawn from beside those that compute and fold: a function, and its options."""

import dataclasses
from collections.abc import Callable

import numpy as np

__all__ = ["KINKED_CALLS", "SMOOTH_CALLS", "Call"]


@dataclasses.dataclass(frozen=True)
class Call:
    """A function of `count` values, the first of which has axes, and how its options are drawn for a shape of that."""

    function: Callable
    draw: Callable = lambda rng, shape: {}
    count: int = 1


def _axis(rng, shape):
    return {"axis": int(rng.integers(-len(shape), len(shape)))}


def _two_axes(rng, shape):
    return {"first": int(rng.integers(-len(shape), len(shape))), "second": int(rng.integers(len(shape)))}


def _distance(rng, shape):
    return {"by": int(rng.integers(-4, 5)), **_axis(rng, shape)}


def _times(rng, shape):
    return {"times": int(rng.integers(1, 4)), **_axis(rng, shape)}


def _piece(rng, shape):
    parts = int(rng.integers(1, 5))
    return {"parts": parts, "which": int(rng.integers(parts)), **_axis(rng, shape)}


def _widths(rng, shape):
    mode = str(rng.choice(["constant", "edge", "reflect", "wrap"]))
    return {"widths": tuple((int(rng.integers(3)), int(rng.integers(3))) for _ in shape), "mode": mode}


def _diagonal(rng, shape):
    return {"k": int(rng.integers(-2, 3))}


def _range(rng, shape):
    step = int(rng.choice([1, 1, 2, -1, -3]))
    ends = [None if rng.random() < 0.5 else int(rng.integers(-shape[0] - 1, shape[0] + 1)) for _ in range(2)]
    return {"part": (*ends, step)}


def _places(rng, shape):
    count = int(rng.integers(0, 7)) if shape[0] else 0
    return {"places": tuple(int(n) for n in rng.integers(-shape[0], shape[0], count)) if count else ()}


def _along(x, axis, keys):
    """What is chosen along an axis at places that the program is made with."""
    length = np.shape(x)[axis]
    places = np.array(keys, np.intp) % length
    rank = len(np.shape(x))
    return np.take_along_axis(x, np.reshape(places, [-1 if n == axis % rank else 1 for n in range(rank)]), axis)


def _keys(rng, shape):
    return {"keys": tuple(int(n) for n in rng.integers(0, 99, int(rng.integers(1, 5)))), **_axis(rng, shape)}


def _assigned(x, v, part):
    """A part of a copy written over with the mean of something, less the same part backwards."""
    y = np.copy(x)
    rows = y[slice(*part)]
    y[slice(*part)] = rows[::-1] if x.dtype.kind == "u" else np.mean(v) - rows[::-1]  # C makes of -1.0 what it likes
    return y


def _added(x, places):
    y = x * 1
    y[np.array(places, np.intp)] += 1
    y[..., -1:] *= 2
    return y


def _through_a_view(x, part):
    y = x + x
    view = y.T[..., slice(*part)]
    view += 1
    return y


def _contracted(x, y):
    """Over the last axis that both have, of whatever else there is."""
    return np.einsum("...i,...i->...", x, y)


def _outer(x, y):
    return np.einsum("...i,...j->...ij", x, y)


SMOOTH_CALLS = {
    "cumprod": Call(lambda x, axis: np.cumprod(np.cos(x), axis=axis), _axis),
    "running": Call(lambda x, axis: np.flip(np.cumsum(np.flip(x, axis), axis), axis), _axis),
    "diff": Call(lambda x, axis: np.diff(x, axis=axis), _axis),
    "roll": Call(lambda x, by, axis: np.roll(x, by, axis), _distance),
    "repeat": Call(lambda x, times, axis: np.repeat(x, times, axis), _times),
    "tile": Call(lambda x, times, axis: np.tile(x, (times, 1) if axis < 0 else times), _times),
    "swap": Call(lambda x, first, second: np.swapaxes(x, first, second), _two_axes),
    "move": Call(lambda x, first, second: np.moveaxis(x, first, second), _two_axes),
    "stack": Call(lambda x, y, axis: np.stack([x, y, x], axis), _axis, 2),
    "join": Call(lambda x, y, axis: np.concatenate([y, x], axis), _axis, 2),
    "piece": Call(lambda x, parts, which, axis: np.array_split(x, parts, axis)[which], _piece),
    "pad": Call(lambda x, widths, mode: np.pad(x, widths, mode=mode), _widths),
    "lower": Call(lambda x, k: np.tril(x, k), _diagonal),
    "diagonal": Call(lambda x, k: np.diagonal(x, k), _diagonal),
    "contract": Call(_contracted, count=2),
    "outer": Call(_outer, count=2),
    "along": Call(_along, _keys),
    "assigned": Call(_assigned, _range, 2),
    "added": Call(_added, _places),
    "through": Call(_through_a_view, _range),
    "centred": Call(lambda x, axis: x - np.mean(x, axis, keepdims=True) * 0.5, _axis),
}

KINKED_CALLS = {
    "sort": Call(lambda x, axis: np.sort(x, axis), _axis),
    "argsort": Call(lambda x, axis: np.argsort(x, axis, kind="stable"), _axis),
    "argmin": Call(lambda x, axis: np.argmin(x, axis), _axis),
    "sorted": Call(lambda x, axis: np.take_along_axis(x, np.argsort(x, axis, kind="stable"), axis), _axis),
    "clip": Call(lambda x: np.clip(x, -1, 1)),
    "median": Call(lambda x, axis: np.median(x, axis), _axis),
    "chosen": Call(lambda x, k: x[k % np.shape(x)[0]], count=2),
    "masked": Call(lambda x, m: np.sum(x, where=m), count=2),
    "written": Call(lambda x, m: np.where(np.logical_not(m), 0, x), count=2),
    "remainder": Call(lambda x, y: x % (abs(y) + 1), count=2),
    "quotient": Call(lambda x, y: x // (abs(y) + 1), count=2),
    "both": Call(np.bitwise_xor, count=2),
    "inverted": Call(np.invert),
    "conjugate": Call(np.conj),
    "real": Call(np.real),
    "imaginary": Call(lambda x: np.imag(x * 1j)),
    "rotated": Call(lambda x: x * 1j),
    "power": Call(lambda x: x**3),
    "integer": Call(lambda x: np.real(x).astype(np.int32)),
    "byte": Call(lambda x: np.abs(np.real(x)).astype(np.uint8)),
    "single": Call(lambda x: x.astype(np.complex64 if np.iscomplexobj(x) else np.float32)),
    "nonzero": Call(lambda x, axis: np.count_nonzero(x, axis), _axis),
    "rounded": Call(lambda x: np.round(x, 1)),
    "spread": Call(lambda x, axis: np.ptp(x, axis), _axis),
    "log": Call(lambda x: np.logaddexp(x, 0.5)),
    "signed": Call(np.copysign, count=2),
    "fmod": Call(lambda x, y: np.fmod(x, abs(y) + 1), count=2),
}
