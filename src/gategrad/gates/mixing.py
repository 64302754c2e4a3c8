"""What mixes elements, of masked gradients: products, sums, transforms, systems of equations.

What is mixed of structural zeros alone is one. So a row of dz that is masked as a whole leaves a row of dz @ y.T that
is, and a line stays masked under a transform along it. Where zeros meet others they count for nothing: not even if
what they are multiplied by is NaN or infinite. Of gradients that come through `relu` or `maximum` only the first holds:
a slope of 0 is a number like others (and networks are spared a look at every product).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.careful import spared
from gategrad.gates.axes import add_reduce
from gategrad.masked import Masked, mixes, numbers
from gategrad.values import is_complex

__all__: list[str] = []


def _mixed(value: Any, dz: Masked, mask: Callable[[], Any]) -> Masked:
    """What came of a masked gradient: zero where nothing went in, and the mask that says so, if somebody asks."""
    shape = getattr(value, "shape", ())
    spread = lambda: np.broadcast_to(mask(), shape) if shape else mask()
    return Masked(value, spread, None, is_hard=dz.is_hard, singularity=dz.singularity)


def _along(function: Any, axis_at: int) -> None:
    """A function that mixes along the axis that comes at this place among its arguments."""

    def rule(dz: Masked, *args: Any, **options: Any) -> Masked:
        axis = options.get("axis", args[axis_at - 1] if len(args) >= axis_at else -1)
        value = function(dz.resolve(), *args, **options)
        return _mixed(value, dz, lambda: np.any(dz.mask, axis=axis, keepdims=True))

    mixes[function] = rule


for _transform in (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft):
    _along(_transform, 2)


def _cumsum(dz: Masked, axis: Any = None, **options: Any) -> Masked:
    value = np.cumsum(dz.resolve(), axis, **options)
    return _mixed(value, dz, lambda: np.cumsum(dz.counts(), axis) > 0)


def _sum(dz: Masked, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Masked:
    value = np.sum(dz.resolve(), axis, keepdims=keepdims, **options)
    return _mixed(value, dz, lambda: np.any(dz.mask, axis=axis, keepdims=keepdims))


def _convolve(dz: Any, y: Any, mode: Any = "full") -> Any:
    if type(y) is Masked:
        return np.convolve(dz, y.resolve(), mode)
    product = lambda a, b: np.convolve(a, b, mode)
    return _mixed(_unpoisoned(product, dz, y), dz, lambda: np.any(dz.mask))


def _solve(x: Any, dz: Any) -> Any:
    if type(x) is Masked:
        return np.linalg.solve(x.resolve(), dz)
    return _mixed(np.linalg.solve(x, dz.resolve()), dz, lambda: np.any(dz.mask, axis=-2, keepdims=True))


def _matmul(x: Any, y: Any) -> Masked:
    if type(x) is Masked:
        contracted, other = -1, y.ndim
        z = _unpoisoned(np.matmul, x, y)
        mask = lambda: np.any(x.mask, axis=contracted, keepdims=other > 1)
        return _mixed(z, x, mask)
    z = _unpoisoned(lambda dz, a: np.matmul(a, dz), y, x)
    contracted = -min(y.ndim, 2)
    return _mixed(z, y, lambda: np.any(y.mask, axis=contracted, keepdims=x.ndim > 1 and y.ndim > 1))


def _einsum(subscripts: str, dz: Any, *others: Any, **options: Any) -> Any:
    if type(dz) is not Masked or "..." in subscripts:
        return np.einsum(subscripts, *[x.resolve() if type(x) is Masked else x for x in (dz, *others)], **options)
    term, output = subscripts.split(",", maxsplit=1)[0].split("->", maxsplit=1)[0], subscripts.split("->")[1]
    if len(others) == 1:
        z = _unpoisoned(lambda a, b: np.einsum(subscripts, a, b, **options), dz, others[0])
    else:
        z = np.einsum(subscripts, dz.resolve(), *others, **options)
    kept = [c for c in output if c in term]

    def mask() -> Any:
        found = np.any(dz.mask, axis=tuple([n for n, c in enumerate(term) if c not in kept]))
        left = [c for c in term if c in kept]
        lengths = dict(zip(term, dz.shape, strict=True))
        found = np.transpose(found, [left.index(c) for c in kept])
        return np.reshape(found, [lengths[c] if c in kept else 1 for c in output])

    return _mixed(z, dz, mask)


mixes[np.cumsum] = _cumsum
mixes[np.sum] = _sum
mixes[np.convolve] = _convolve
mixes[np.linalg.solve] = _solve
mixes[np.matmul] = _matmul
mixes[np.einsum] = _einsum


# --- zeros that count for nothing, whatever they meet -------------------------------------------------------------


def _unpoisoned(product: Callable[[Any, Any], Any], dz: Masked, y: Any) -> Any:
    """A product, linear in both, of a masked gradient and y. Where y is not finite, only what counts meets it."""
    value = dz.resolve()
    if not dz.is_hard:
        return product(value, y)
    with np.errstate(invalid="ignore"):
        z = product(value, y)
    known = numbers(z)
    if isinstance(known, (float, np.ndarray, np.generic)):
        if not np.isnan(add_reduce(known, axis=None)):
            return z
    elif spared():
        return z
    return _by_kinds(product, dz.mask, value, y)


def _by_kinds(product: Callable[[Any, Any], Any], counts: Any, x: Any, y: Any) -> Any:
    """The product of the finite numbers, and what IEEE arithmetic makes of the others, each found by counting."""
    a, b = numbers(x), numbers(y)
    z = product(np.where(np.isfinite(a), x, 0.0), np.where(np.isfinite(b), y, 0.0))
    counts = np.broadcast_to(counts, np.shape(a))
    if is_complex(a) or is_complex(b):
        undefined = _found(product, (counts, ~np.isfinite(b)), (~np.isfinite(a), np.isfinite(b)))
        return np.where(undefined, np.asarray(np.nan, z.dtype), z)
    up, down, a_zero = a > 0, a < 0, counts & (a == 0)
    y_up, y_down, y_zero = b > 0, b < 0, b == 0
    top, bottom = np.isinf(a) & up, np.isinf(a) & down
    y_top, y_bottom = np.isinf(b) & y_up, np.isinf(b) & y_down
    above = _found(product, (up, y_top), (down, y_bottom), (top, y_up), (bottom, y_down))
    below = _found(product, (up, y_bottom), (down, y_top), (top, y_down), (bottom, y_up))
    undefined = _found(
        product, (counts, np.isnan(b)), (np.isnan(a), ~np.isnan(b)), (a_zero, np.isinf(b)), (np.isinf(a), y_zero)
    )
    infinite = np.asarray(np.inf, z.dtype)
    z = z + np.where(above, infinite, 0 * z) - np.where(below, infinite, 0 * z)
    return np.where(undefined, np.asarray(np.nan, z.dtype), z)


def _found(product: Callable[[Any, Any], Any], *pairs: tuple[Any, Any]) -> Any:
    """Where in the product an element of the one kind meets one of the other."""
    found = None
    for one, other in pairs:
        met = product(np.astype(one, np.float64), np.astype(other, np.float64)) > 0
        found = met if found is None else found | met
    return found
