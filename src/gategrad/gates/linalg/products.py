"""Products that only numpy.linalg has: powers, chains, and the functions it shares with the main namespace."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_input, refuse, shape_of
from gategrad.recording import plain

__all__: list[str] = []


@implements(np.linalg.matrix_power)
def _matrix_power(a: Any, n: Any) -> Any:
    """By squaring: every bit of n is one product, or two."""
    n = operator.index(n)
    if n == 0:
        return np.copy(np.broadcast_to(np.eye(shape_of(a)[-1], dtype=plain(a).dtype), shape_of(a)))
    if n < 0:
        a, n = np.linalg.inv(a), -n
    power = None
    while True:
        if n & 1:
            power = a if power is None else power @ a
        n >>= 1
        if not n:
            return power
        a = a @ a


@implements(np.linalg.multi_dot)
def _multi_dot(arrays: Any, *, out: Any = None) -> Any:
    """In the order with the fewest multiplications."""
    refuse("np.linalg.multi_dot", out=out)
    chain = [as_input(x) for x in arrays]
    if len(chain) < 2:
        raise ValueError("Expecting at least two arrays.")
    is_row, is_column = len(shape_of(chain[0])) == 1, len(shape_of(chain[-1])) == 1
    if is_row:
        chain[0] = chain[0][None, :]
    if is_column:
        chain[-1] = chain[-1][:, None]
    lengths = [shape_of(chain[0])[0], *[shape_of(x)[1] for x in chain]]

    @functools.cache
    def split(first: int, last: int) -> tuple[int, int]:
        """The cost of multiplying this part of the chain, and after which factor to part it."""
        if first == last:
            return 0, first
        return min(
            (split(first, k)[0] + split(k + 1, last)[0] + lengths[first] * lengths[k + 1] * lengths[last + 1], k)
            for k in range(first, last)
        )

    def product(first: int, last: int) -> Any:
        if first == last:
            return chain[first]
        k = split(first, last)[1]
        return product(first, k) @ product(k + 1, last)

    z = product(0, len(chain) - 1)
    z = z[0] if is_row else z
    return z[..., 0] if is_column else z


@implements(np.linalg.trace)
def _trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    refuse("np.linalg.trace", dtype=dtype)
    return np.sum(np.diagonal(x, offset, -2, -1), axis=-1)


@implements(np.linalg.diagonal)
def _diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return np.diagonal(x, offset, -2, -1)


@implements(np.linalg.cross)
def _cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return np.cross(x1, x2, axis=axis)


@implements(np.linalg.vecdot)
def _vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    x, y = np.moveaxis(as_input(x1), axis, -1), np.moveaxis(as_input(x2), axis, -1)
    return np.sum(np.conjugate(x) * y, axis=-1)
