"""What NumPy's functions and the methods of its ufuncs do with germs. What is not here raises: no limit is found then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.germs.arithmetic import bilinear, multiply
from gategrad.germs.functions import UFUNCS, chosen
from gategrad.germs.germ import Array, Germ, germ, protocol

__all__: list[str] = []


def _apply(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A ufunc, or one of its methods."""
    if method == "reduce" and ufunc in _FOLDS:
        return _FOLDS[ufunc](*inputs, **options)
    if ufunc is np.matmul and method == "__call__" and not options:
        return bilinear(np.matmul, *inputs)
    if method != "__call__" or options or ufunc not in UFUNCS:
        raise TypeError(f"no germ of {ufunc.__name__}")
    with np.errstate(all="ignore"):
        z = UFUNCS[ufunc](*[germ(x) if len(inputs) == 1 else x for x in inputs])
    return z if type(z) is Germ or np.shape(z) else np.asarray(z)[()]


def _call(function: Any, args: Any, options: dict[str, Any]) -> Any:
    """One of NumPy's other functions."""
    if function in _LINEAR:
        return args[0].mapped(lambda c: function(c, *args[1:], **options))
    if function in _PRODUCTS and not options:
        return bilinear(function, *args)
    if function in _JOINS:
        return _joined(function, *args, **options)
    rule = _OTHERS.get(function)
    if rule is None:
        raise TypeError(f"no germ of {getattr(function, '__name__', function)}")
    return rule(*args, **options)


_LINEAR: set[Callable[..., Any]] = {
    np.atleast_1d, np.atleast_2d, np.broadcast_to, np.cumsum, np.diagonal, np.diag, np.diff, np.expand_dims, np.flip, np.mean,
    np.moveaxis, np.real, np.imag, np.repeat, np.reshape, np.ravel, np.roll, np.rot90, np.squeeze, np.sum, np.swapaxes, np.take,
    np.take_along_axis, np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.tile, np.trace, np.transpose, np.tril, np.triu, np.ascontiguousarray, np.copy,
}  # fmt: skip
"""Functions that are linear in their first argument."""

_PRODUCTS = {np.dot, np.inner, np.outer, np.vdot, np.matmul, np.kron, np.tensordot, np.convolve}
_JOINS = {np.concatenate, np.stack}


def _joined(function: Any, parts: Any, axis: int = 0) -> Germ:
    parts = [germ(x) for x in parts]
    terms = {p: function([x.coefficient(p) for x in parts], axis=axis) for p in {p for x in parts for p in x.terms}}
    return Germ(terms, function([x.order for x in parts], axis=axis))


def _einsum(subscripts: str, *operands: Any, **_: Any) -> Germ:
    places = [n for n, x in enumerate(operands) if type(x) is Germ]

    def product(*coefficients: Array) -> Any:
        filled = list(operands)
        for n, c in zip(places, coefficients, strict=True):
            filled[n] = c
        return np.einsum(subscripts, *filled)

    if len(places) == 1:
        return germ(operands[places[0]]).mapped(product)
    x, y = (operands[n] for n in places)
    return bilinear(product, x, y)


def _solve(a: Any, b: Any) -> Germ:
    """Of a known matrix: linear in what is on the right."""
    known = np.asarray(a)
    return germ(b).mapped(
        lambda c: np.linalg.solve(known, c.astype(np.complex128 if c.dtype.kind == "c" else np.float64))
    )


def _sorted_indices(x: Germ, axis: Any = -1, **_: Any) -> Array:
    """Term by term, the smallest exponent first: so are germs ordered."""
    keys = [x.terms[p] for p in sorted(x.terms, reverse=True)] or [np.zeros(x.shape)]
    if axis is None:
        keys, axis = [c.ravel() for c in keys], 0
    return np.lexsort(keys, axis=axis)


def _sort(x: Germ, axis: int = -1, **_: Any) -> Germ:
    order = _sorted_indices(x, axis)
    return x.mapped(lambda c: np.take_along_axis(c, order, axis))


def _extreme(at: int) -> Callable[..., Any]:
    """The smallest or the largest along axes."""

    def rule(x: Germ, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Germ:
        axes = tuple(range(x.ndim)) if axis is None else tuple(a % x.ndim for a in np.atleast_1d(axis))
        rest = tuple(a for a in range(x.ndim) if a not in axes)
        shape = tuple(x.shape[a] for a in rest)
        flat = x.transpose(rest + axes).reshape((*shape, -1))
        order = _sorted_indices(flat, -1)[..., at : at + 1 or None]
        z: Germ = flat.mapped(lambda c: np.take_along_axis(c, order, -1)[..., 0])
        return z.reshape(tuple(1 if a in axes else n for a, n in enumerate(x.shape))) if keepdims else z

    return rule


def _product(x: Germ, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Germ:
    axes = tuple(range(x.ndim)) if axis is None else tuple(int(a) % x.ndim for a in np.atleast_1d(axis))
    rest = tuple(a for a in range(x.ndim) if a not in axes)
    flat = x.transpose(rest + axes).reshape((*[x.shape[a] for a in rest], -1))
    z = germ(np.ones(flat.shape[:-1]))
    for n in range(flat.shape[-1]):
        z = multiply(z, flat[..., n])
    return z.reshape(tuple(1 if a in axes else n for a, n in enumerate(x.shape))) if keepdims else z


def _total(x: Germ, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Germ:
    return x.mapped(lambda c: np.add.reduce(c, axis=axis, keepdims=keepdims))


def _clip(x: Any, low: Any = None, high: Any = None) -> Any:
    z = x if low is None else UFUNCS[np.maximum](x, low)
    return z if high is None else UFUNCS[np.minimum](z, high)


def _plain(function: Any) -> Callable[..., Any]:
    """A function of which shape and dtype alone matter."""
    return lambda x, *args, **options: function(np.zeros(x.shape), *args, **options)


_FOLDS: dict[Any, Callable[..., Any]] = {
    np.add: _total, np.multiply: _product, np.maximum: _extreme(-1), np.minimum: _extreme(0),
}  # fmt: skip

_OTHERS: dict[Any, Callable[..., Any]] = {
    np.where: chosen, np.einsum: _einsum, np.linalg.solve: _solve, np.argsort: _sorted_indices, np.sort: _sort, np.clip: _clip,
    np.max: _extreme(-1), np.min: _extreme(0), np.amax: _extreme(-1), np.amin: _extreme(0), np.prod: _product,
    np.zeros_like: _plain(np.zeros_like), np.ones_like: _plain(np.ones_like), np.full_like: _plain(np.full_like),
    np.shape: lambda x: x.shape, np.ndim: lambda x: x.ndim, np.size: _plain(np.size),
    np.astype: lambda x, dtype, **_: x, np.count_nonzero: lambda x, axis=None: np.count_nonzero(x.leading(), axis=axis),
    np.argmax: lambda x, axis=None, **_: np.take(_sorted_indices(x, axis), -1, axis or 0),
    np.argmin: lambda x, axis=None, **_: np.take(_sorted_indices(x, axis), 0, axis or 0),
    np.iscomplexobj: lambda x: x.dtype.kind == "c", np.isrealobj: lambda x: x.dtype.kind != "c", np.ptp: lambda x, axis=None: _extreme(-1)(x, axis) - _extreme(0)(x, axis),
    np.result_type: lambda *xs: np.result_type(*[np.float64 if type(x) is Germ else x for x in xs]),
}  # fmt: skip

protocol["ufunc"], protocol["function"] = _apply, _call
