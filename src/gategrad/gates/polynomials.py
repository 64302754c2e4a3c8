"""Polynomials, as rows of coefficients with the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_input, shape_of
from gategrad.recording import plain

__all__: list[str] = []


@implements(np.polyval)
def _polyval(p: Any, x: Any) -> Any:
    p, x = as_input(p), as_input(x)
    z = p[0] + 0.0 * x if shape_of(p)[0] else 0.0 * x
    for i in range(1, shape_of(p)[0]):
        z = z * x + p[i]
    return z


@implements(np.polymul)
def _polymul(a1: Any, a2: Any) -> Any:
    return np.convolve(_trimmed(a1), _trimmed(a2))


@implements(np.polyadd)
def _polyadd(a1: Any, a2: Any) -> Any:
    a1, a2 = _as_long(a1, a2)
    return a1 + a2


@implements(np.polysub)
def _polysub(a1: Any, a2: Any) -> Any:
    a1, a2 = _as_long(a1, a2)
    return a1 - a2


def _as_long(*rows: Any) -> list[Any]:
    """Rows of coefficients with zeros before the shorter ones."""
    rows = tuple([np.atleast_1d(as_input(x)) for x in rows])
    most = max(len(x) for x in rows)
    return [np.concatenate([np.zeros(most - len(x), x.dtype), x]) if len(x) < most else x for x in rows]


def _trimmed(x: Any) -> Any:
    """As NumPy's products of polynomials do it: without leading zeros, if their values are known."""
    x = np.atleast_1d(as_input(x))
    zeros = np.trim_zeros(plain(x), "f") if isinstance(plain(x), np.ndarray) else x
    return x[len(x) - len(zeros) :] if len(zeros) else x[:1]


@implements(np.polyder)
def _polyder(p: Any, m: int = 1) -> Any:
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1.0, 0.0, -1.0)  # float64, as NumPy
    return p


@implements(np.polyint)
def _polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    p = as_input(p)
    constants = np.zeros(m) if k is None else np.atleast_1d(as_input(k))
    if len(constants) == 1 and m > 1:
        constants = np.broadcast_to(constants, (m,))
    if len(constants) < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for i in range(m):
        p = np.concatenate([p / np.arange(float(len(p)), 0.0, -1.0), constants[i : i + 1]])
    return p


@implements(np.poly)
def _poly(seq_of_zeros: Any) -> Any:
    if len(shape_of(seq_of_zeros)) > 1:
        seq_of_zeros = np.linalg.eigvals(seq_of_zeros)
    z = np.ones(1, seq_of_zeros.dtype)
    for i in range(len(seq_of_zeros)):
        z = np.convolve(z, np.stack([np.ones((), z.dtype), -seq_of_zeros[i]]))
    return z


@implements(np.polydiv)
def _polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    rest, v = np.atleast_1d(as_input(u)) + 0.0, np.atleast_1d(as_input(v)) + 0.0
    n, quotient = len(v), []
    for i in range(len(rest) - n + 1):
        factor = rest[i] / v[0]
        quotient.append(factor)
        rest = np.concatenate([rest[:i], rest[i : i + n] - factor * v, rest[i + n :]])
    left = rest[len(quotient) :]
    while isinstance(plain(left), np.ndarray) and len(left) > 1 and np.isclose(plain(left)[0], 0.0, rtol=1e-14):
        left = left[1:]
    return (np.stack(quotient) if quotient else np.zeros(1)), left


@implements(np.vander)
def _vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    x = as_input(x)
    if len(shape_of(x)) != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    n = len(x) if N is None else N
    factors = np.broadcast_to(x[:, None], (len(x), max(n - 1, 0)))
    z = np.cumprod(np.concatenate([np.ones((len(x), min(n, 1)), np.promote_types(x.dtype, int)), factors], 1), axis=1)
    return z if increasing else np.flip(z, 1)
