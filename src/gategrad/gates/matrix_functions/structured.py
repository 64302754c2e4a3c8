"""Matrices made of vectors and of other matrices: block_diag, toeplitz, circulant, hankel, companion and their kin.

They put numbers in places, so the gradient of a number is the sum of what its places receive.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.gates.axes import as_input, shape_of
from gategrad.gates.conjugation import conj
from gategrad.gates.matrix_functions.meeting import as_in_scipy

__all__ = [
    "block_diag",
    "circulant",
    "companion",
    "convolution_matrix",
    "diagsvd",
    "fiedler",
    "hankel",
    "khatri_rao",
    "leslie",
    "toeplitz",
]


@as_in_scipy
def block_diag(*arrs: Any) -> Any:
    """The matrix with these on its diagonal, and zeros elsewhere; as `scipy.linalg.block_diag`.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: np.sum(block_diag(x, np.ones((1, 2))) ** 2))(np.array([[1.0, 2.0]]))
    array([[2., 4.]])
    """
    parts = [_matrix(x) for x in arrs]
    width = sum([shape_of(x)[1] for x in parts])
    dtype = np.result_type(*[x.dtype for x in parts])
    rows, start = [], 0
    for x in parts:
        height, own = shape_of(x)
        before, after = np.zeros((height, start), dtype), np.zeros((height, width - start - own), dtype)
        rows.append(np.concatenate([before, x, after], axis=1))
        start += own
    return np.concatenate(rows)


@as_in_scipy
def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix that is constant along its diagonals, by its first column and row; as `scipy.linalg.toeplitz`.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda c: np.sum(toeplitz(c)))(np.array([1.0, 2.0]))
    array([2., 2.])
    """
    c = _vector(c)
    r = conj(c) if r is None else _vector(r)
    n, m = shape_of(c)[0], shape_of(r)[0]
    rows, columns = np.indices((n, m))
    return np.concatenate([c[::-1], r[1:]])[n - 1 - rows + columns]


@as_in_scipy
def circulant(c: Any) -> Any:
    """The matrix whose columns are c turned round; as `scipy.linalg.circulant`."""
    c = _vector(c)
    n = shape_of(c)[0]
    rows, columns = np.indices((n, n))
    return c[(rows - columns) % max(n, 1)]


@as_in_scipy
def hankel(c: Any, r: Any = None) -> Any:
    """The matrix that is constant along its anti-diagonals, by its first column and last row; as `scipy.linalg.hankel`."""
    c = _vector(c)
    r = np.zeros(shape_of(c), c.dtype) if r is None else _vector(r)
    rows, columns = np.indices((shape_of(c)[0], shape_of(r)[0]))
    return np.concatenate([c, r[1:]])[rows + columns]


@as_in_scipy
def companion(a: Any) -> Any:
    """The matrix whose eigenvalues are the roots of a polynomial, highest power first; as `scipy.linalg.companion`."""
    a = _vector(a)
    n = shape_of(a)[0] - 1
    if n < 1:
        raise ValueError("companion: the length of a must be at least 2")
    return np.concatenate([(-a[1:] / a[0])[None, :], np.eye(n - 1, n, dtype=a.dtype)])


@as_in_scipy
def convolution_matrix(a: Any, n: int, mode: str = "full") -> Any:
    """The matrix whose product with v is np.convolve(a, v, mode), for a v of length n; as `scipy.linalg.convolution_matrix`."""
    a = _vector(a)
    m = shape_of(a)[0]
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"convolution_matrix: mode is 'full', 'same' or 'valid', not {mode!r}")
    rows, columns = np.indices((m + n - 1, n))
    inside = (rows >= columns) & (rows - columns < m)
    whole = a[np.where(inside, rows - columns, 0)] * inside
    short, long = min(m, n), max(m, n)
    if mode == "full":
        return whole
    if mode == "valid":
        return whole[short - 1 : long]
    start = (short - 1) // 2
    return whole[start : start + long]


@as_in_scipy
def leslie(f: Any, s: Any) -> Any:
    """Leslie's matrix of births f in its first row and survivals s below the diagonal; as `scipy.linalg.leslie`."""
    f, s = _vector(f), _vector(s)
    n = shape_of(f)[0]
    if shape_of(s)[0] != n - 1:
        raise ValueError(f"leslie: of {n} births the survivals must be {n - 1}, not {shape_of(s)[0]}")
    dtype = np.result_type(f.dtype, s.dtype)
    return np.concatenate([f[None, :], np.eye(n - 1, n, dtype=dtype) * np.append(s, np.zeros(1, dtype))])


@as_in_scipy
def fiedler(a: Any) -> Any:
    """The matrix |a_i − a_j|; as `scipy.linalg.fiedler`."""
    a = _vector(a)
    return np.abs(a[:, None] - a)


@as_in_scipy
def khatri_rao(a: Any, b: Any) -> Any:
    """Kronecker's product, column by column; as `scipy.linalg.khatri_rao`."""
    a, b = _matrix(a), _matrix(b)
    return np.reshape(a[:, None, :] * b[None, :, :], (-1, shape_of(b)[1]))


@as_in_scipy
def diagsvd(s: Any, M: int, N: int) -> Any:
    """The M by N matrix with s on its diagonal; as `scipy.linalg.diagsvd`."""
    s = _vector(s)
    n = shape_of(s)[0]
    if n not in (M, N):
        raise ValueError(f"diagsvd: {n} values are neither {M} rows nor {N} columns")
    return np.eye(M, n, dtype=s.dtype) * s @ np.eye(n, N, dtype=s.dtype)


def _vector(x: Any) -> Any:
    x = as_input(x)
    if len(shape_of(x)) > 1:
        raise ValueError(f"expected a vector, got an array of shape {shape_of(x)}")
    return np.reshape(x, (-1,))


def _matrix(x: Any) -> Any:
    """A number or a vector as a matrix of one row."""
    x = as_input(x)
    if len(shape_of(x)) > 2:
        raise ValueError(f"expected a matrix, got an array of shape {shape_of(x)}")
    return np.atleast_2d(x)
