"""Choosing: select, choose, compress, extract, piecewise, unique and the operations on sets. All of them read and never compute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_input, refuse, shape_of
from gategrad.gates.indexing import Scatter
from gategrad.recording import plain

__all__: list[str] = []


@implements(np.select)
def _select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if not condlist:
        raise ValueError("select with an empty condition list is not possible")
    z = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        if getattr(plain(condition), "dtype", np.dtype(type(condition))) != bool:
            raise TypeError("invalid entry in condlist: should be boolean ndarray")
        z = np.where(condition, choice, z)
    return z


@implements(np.choose)
def _choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    refuse("np.choose", out=out)
    a, n = as_input(plain(a)), len(choices)
    if mode == "raise" and isinstance(a, np.ndarray) and a.size and (a.min() < 0 or a.max() >= n):
        raise ValueError("invalid entry in choice array")
    a = np.remainder(a, n) if mode == "wrap" else np.clip(a, 0, n - 1)
    z = np.copy(np.broadcast_to(choices[n - 1], np.broadcast_shapes(*map(shape_of, map(as_input, (a, *choices))))))
    for i in reversed(range(n - 1)):
        z = np.where(np.equal(a, i), choices[i], z)
    return z


@implements(np.compress)
def _compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    refuse("np.compress", out=out)
    return np.take(a, np.flatnonzero(plain(condition)), axis=axis)


@implements(np.extract)
def _extract(condition: Any, arr: Any) -> Any:
    return np.reshape(arr, -1)[np.flatnonzero(plain(condition))]


@implements(np.piecewise)
def _piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    masks = [as_input(plain(c)) for c in (condlist if isinstance(condlist, (list, tuple)) else [condlist])]
    if len(masks) == 1 and np.ndim(masks[0]) > np.ndim(x):
        masks = list(masks[0])
    if isinstance(condlist, (list, tuple)) and all(np.ndim(c) == 0 for c in condlist) and np.ndim(x):
        masks = [np.asarray(condlist)]
    if len(funclist) == len(masks) + 1:
        masks.append(np.logical_not(np.any(np.stack(masks), axis=0)))
    elif len(funclist) != len(masks):
        raise ValueError(
            f"with {len(masks)} condition(s), either {len(masks)} or {len(masks) + 1} functions are expected"
        )
    z, taken = np.zeros_like(plain(x)), np.zeros(shape_of(x), bool)
    for mask, f in zip(reversed(masks), reversed(funclist), strict=True):  # of two that hold, the later one counts
        mine = np.not_equal(mask, 0) & np.logical_not(taken)
        taken = taken | mine
        z = (
            z + _piece(x, mine, f, args, kw)
            if isinstance(mine, (np.ndarray, np.bool_))
            else np.where(mine, _value(x, f, args, kw), z)
        )
    return z


def _piece(x: Any, mask: Any, f: Any, args: Any, kw: Any) -> Any:
    """The function of the elements in its piece alone, and zero elsewhere."""
    if not np.any(mask):
        return np.zeros((), x.dtype)
    part = x[mask]
    return Scatter(mask, shape_of(x))(np.broadcast_to(_value(part, f, args, kw), shape_of(part)))


def _value(x: Any, f: Any, args: Any, kw: Any) -> Any:
    return f(x, *args, **kw) if callable(f) else np.full_like(x, f)


# --- sets of values: which elements they are is read off the plain values ---------------------------------------


@implements(np.unique)
def _unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, axis: Any = None,
    **options: Any,
) -> Any:  # fmt: skip
    ask: Any = np.unique
    _, first, *more = ask(plain(ar), True, return_inverse, return_counts, axis, **options)
    values = np.reshape(ar, -1)[first] if axis is None else np.take(ar, first, axis=axis)
    found = (values, *([first] if return_index else []), *more)
    return found if len(found) > 1 else values


@implements(np.unique_values)
def _unique_values(x: Any, /) -> Any:
    return _elements(x, np.unique_values(plain(x)))


@implements(np.unique_counts)
def _unique_counts(x: Any, /) -> Any:
    found = np.unique_counts(plain(x))
    return found._replace(values=_elements(x, found.values))


@implements(np.unique_inverse)
def _unique_inverse(x: Any, /) -> Any:
    found = np.unique_inverse(plain(x))
    return found._replace(values=_elements(x, found.values))


@implements(np.unique_all)
def _unique_all(x: Any, /) -> Any:
    found = np.unique_all(plain(x))
    return found._replace(values=_elements(x, found.values))


def _elements(x: Any, values: Any) -> Any:
    """The elements of x that have these values, the first of each; NumPy does not say in which order they come."""
    known, first = np.unique(plain(x), return_index=True)
    return np.reshape(x, -1)[first[np.searchsorted(known, values)]]


@implements(np.union1d)
def _union1d(ar1: Any, ar2: Any) -> Any:
    return _unique(_joined(ar1, ar2))


@implements(np.setdiff1d)
def _setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    ar1 = np.reshape(ar1, -1) if assume_unique else _unique(np.reshape(ar1, -1))
    return ar1[np.flatnonzero(np.isin(plain(ar1), plain(ar2), invert=True))]


@implements(np.intersect1d)
def _intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    _, first, second = np.intersect1d(plain(ar1), plain(ar2), assume_unique, True)
    values = np.reshape(ar1, -1)[first]  # the elements of the first; those of the second are equal, and stay out
    return (values, first, second) if return_indices else values


@implements(np.setxor1d)
def _setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    both = np.intersect1d(plain(ar1), plain(ar2))
    return _setdiff1d(_joined(ar1, ar2), both)


def _joined(x: Any, y: Any) -> Any:
    return np.concatenate([np.reshape(x, -1), np.reshape(y, -1)])


@implements(np.trim_zeros)
def _trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    filled = np.nonzero(plain(filt))
    ndim = len(shape_of(filt))
    axes = range(ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, ndim)
    index = [slice(None)] * ndim
    for a in axes:
        low, high = (filled[a].min(), filled[a].max() + 1) if len(filled[a]) else (0, 0)
        index[a] = slice(
            low if "f" in trim.lower() or not high else None, high if "b" in trim.lower() or not high else None
        )
    return filt[tuple(index)]
