"""Filling: NumPy's functions that write into their first argument, as assignments to a variable there.

A plain array takes no variable: that would have to forget its gradient.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.assignment import assigners
from gategrad.errors import EscapeError
from gategrad.gate import on_meeting
from gategrad.gates.axes import as_input, axis_of, shape_of
from gategrad.gates.indexing import Scatter
from gategrad.gates.indices import own_index
from gategrad.recording import plain

__all__: list[str] = []


def _fills(numpys: Any) -> Callable[[Any], Any]:
    """Decorator: the function below is what NumPy's does, whose first argument must be a variable."""

    def register(rule: Any) -> Any:
        @implements(numpys)
        @functools.wraps(rule)
        def fill(target: Any, *args: Any, **options: Any) -> None:
            if type(target) not in on_meeting:
                name = f"np.{numpys.__name__}"
                raise EscapeError(
                    f"{name} would write a tracked variable into a plain array, which cannot keep its gradient: make the "
                    "array a variable (it is one, once something was computed from one), build a new value by "
                    "np.where(mask, new, old), or pass v.value"
                )
            rule(target, *args, **options)

        return rule

    return register


@_fills(np.copyto)
def _copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    dst[...] = src if where is True else np.where(where, src, dst)


@_fills(np.putmask)
def _putmask(a: Any, /, mask: Any, values: Any) -> None:
    a[...] = np.where(mask, np.resize(as_input(values), a.shape), a)


@_fills(np.place)
def _place(arr: Any, mask: Any, vals: Any) -> None:
    places = np.nonzero(np.reshape(plain(as_input(mask)), arr.shape))
    count = len(places[0])
    if count and not np.size(vals):
        raise ValueError("Cannot insert from an empty array!")
    arr[places] = np.resize(as_input(vals), (count,)) if count else 0.0


@_fills(np.put)
def _put(a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    places = np.ravel(plain(as_input(ind)))
    places = np.take(np.arange(a.size), places, mode=mode)
    if places.size and np.size(v):
        a[np.unravel_index(places, a.shape)] = np.resize(as_input(v), places.shape)


@_fills(np.put_along_axis)
def _put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None = -1) -> None:
    if axis is None:
        arr.flat[plain(indices)] = values
        return
    indices = as_input(plain(indices))
    axis = axis_of(axis, len(arr.shape))
    grid = list(np.ogrid[tuple([slice(n) for n in arr.shape])])
    grid[axis] = indices
    arr[tuple(grid)] = values


@_fills(np.fill_diagonal)
def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    if len(a.shape) < 2:
        raise ValueError("array must be at least 2-d")
    if len(a.shape) == 2:
        step, end = a.shape[1] + 1, None if wrap else a.shape[1] * a.shape[1]
    else:
        if len(set(a.shape)) > 1:
            raise ValueError("All dimensions of input must be of equal length")
        step, end = 1 + int(np.cumprod(a.shape[:-1]).sum()), None
    a.flat[:end:step] = val


def _at(ufunc: np.ufunc, a: Any, indices: Any, *b: Any) -> None:
    """ufunc.at(a, indices, b): once for each time that an index is named, where a plain a[indices] would be last come."""
    if type(a) not in on_meeting:
        raise EscapeError(
            f"np.{ufunc.__name__}.at would write a tracked variable into a plain array, which cannot keep its gradient: "
            "make the array a variable first"
        )
    index = own_index(plain(indices))
    places = np.arange(a.size).reshape(a.shape)[index]
    if ufunc in (np.add, np.subtract):
        added = Scatter(index, a.shape)(np.broadcast_to(as_input(b[0]), places.shape))
        a += added if ufunc is np.add else -added
        return
    values = [np.reshape(np.broadcast_to(as_input(x), places.shape), (-1,)) for x in b]
    places = places.ravel()
    while places.size:  # each round takes the first of those that name one place
        _, first = np.unique(places, return_index=True)
        at = np.unravel_index(places[first], a.shape)
        a[at] = ufunc(a[at], *[x[first] for x in values])
        rest = np.setdiff1d(np.arange(places.size), first)
        places, values = places[rest], [x[rest] for x in values]


def _into(out: Any, z: Any, where: Any = True, broadcast: bool = False) -> None:
    """Write a result into the variable that was given as `out=`; ufuncs alone let it be larger than the result."""
    if not broadcast and shape_of(z) != out.shape:
        raise ValueError(f"out= has shape {out.shape}, and the result {shape_of(z)}")
    out[...] = z if where is True else np.where(where, z, out)


assigners.update(at=_at, into=_into)
