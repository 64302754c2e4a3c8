"""Linear algebra as operations: factors of matrices, and what is solved with them.

Each is one matter for LAPACK, and takes stacks of matrices. Several results travel as one row of numbers per matrix, whose
parts `trace/linalg.py` takes out. Matrices among them lie as LAPACK leaves them, by columns: those that read them
transpose, which costs nothing.

`lu` is a value of its own, so that all that is solved with a matrix, backwards too, shares its factors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.compiler.program.fourier import complex_of
from gategrad.errors import OtherNumbersError

__all__ = ["NOT_DEFINITE", "NO_EIGENVALUES", "NO_SINGULAR_VALUES", "ROUTINES", "SINGULAR", "order_of"]

SINGULAR = "Singular matrix"
NOT_DEFINITE = "Matrix is not positive definite"
NO_EIGENVALUES = "Eigenvalues did not converge"
NO_SINGULAR_VALUES = "SVD did not converge"


def order_of(length: int) -> int:
    """The n of factors that travel as n² numbers and n places."""
    return math.isqrt(length)


def _row_of(count: Callable[[int, int], int]) -> Callable[..., Any]:
    """A row of numbers per matrix: how many, follows from the matrix's sizes."""

    def typing(inputs: list[Any], options: Any) -> Any:
        dtype, (*batch, rows, columns) = inputs[0]
        return dtype, (*batch, count(rows, columns))

    return typing


def _like(number: int) -> Callable[..., Any]:
    return lambda inputs, options: inputs[number]


def _inverse_typing(inputs: list[Any], options: Any) -> Any:
    dtype, (*batch, length) = inputs[0]
    n = order_of(length)
    return dtype, (*batch, n, n)


def _packed(*parts: tuple[Any, int]) -> Any:
    """Arrays with the number of axes that one matrix's results have, behind each other in one row per matrix."""
    return np.concatenate([_in_row(part, axes) for part, axes in parts], axis=-1)


def _in_row(part: Any, axes: int) -> Any:
    batch = part.shape[: part.ndim - axes]
    return np.reshape(part, (*batch, math.prod(part.shape[part.ndim - axes :])))


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


# --- LU ------------------------------------------------------------------------------------------------------------


def _lu(x: Any) -> Any:
    """Factors by elimination, the largest element of what is left of each column on the diagonal."""
    lu, n = np.array(x), x.shape[-1]
    places = np.zeros((*x.shape[:-2], n), x.dtype)
    for k in range(n):
        place = k + np.argmax(np.abs(lu[..., k:, k]), axis=-1)
        places[..., k] = place
        _swap(lu, k, place[..., None, None], axis=-2)
        pivot = lu[..., k, k, None]
        factor = np.where(pivot == 0, 0, lu[..., k + 1 :, k] / np.where(pivot == 0, 1, pivot))
        lu[..., k + 1 :, k] = factor
        lu[..., k + 1 :, k + 1 :] -= factor[..., :, None] * lu[..., k, None, k + 1 :]
    return _packed((_turned(lu), 2), (places, 1))


def _swap(x: Any, k: int, place: Any, axis: int) -> None:
    """Exchange the k-th with the one at `place` along an axis."""
    own = np.take(x, [k], axis=axis)
    other = np.take_along_axis(x, place, axis=axis)
    np.put_along_axis(x, place, own, axis=axis)
    np.put_along_axis(x, np.full_like(place, k), other, axis=axis)


def _factors(packed: Any) -> tuple[Any, Any, Any]:
    """The lower and the upper factor, and which rows of the matrix they are those of."""
    n, batch = order_of(packed.shape[-1]), packed.shape[:-1]
    lu = _turned(packed[..., : n * n].reshape(*batch, n, n))
    if np.any(np.diagonal(lu, axis1=-2, axis2=-1) == 0):
        raise np.linalg.LinAlgError(SINGULAR)
    places = packed[..., n * n :].astype(np.intp)
    order = np.broadcast_to(np.arange(n), places.shape).copy()
    for k in range(n):
        _swap(order, k, places[..., k, None], axis=-1)
    return np.tril(lu, -1) + np.eye(n, dtype=lu.dtype), np.triu(lu), order


def _lu_solve(packed: Any, y: Any, transposed: bool) -> Any:
    lower, upper, order = _factors(packed)
    if not transposed:
        return np.linalg.solve(upper, np.linalg.solve(lower, np.take_along_axis(y, order[..., None], axis=-2)))
    z = np.empty_like(y)
    inner = np.linalg.solve(_turned(lower), np.linalg.solve(_turned(upper), y))
    np.put_along_axis(z, np.broadcast_to(order[..., None], y.shape), inner, axis=-2)
    return z


def _lu_inverse(packed: Any) -> Any:
    n = order_of(packed.shape[-1])
    unit = np.broadcast_to(np.eye(n, dtype=packed.dtype), (*packed.shape[:-1], n, n))
    return _turned(_lu_solve(packed, unit, False))


def _triangular_solve(x: Any, y: Any, lower: bool) -> Any:
    return np.linalg.solve(np.tril(x) if lower else np.triu(x), y)


# --- decompositions ------------------------------------------------------------------------------------------------


def _eigh(x: Any, lower: bool) -> Any:
    w, v = np.linalg.eigh(x, UPLO="L" if lower else "U")
    return _packed((w, 1), (_turned(v), 2))


def _svd(x: Any) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return _packed((s, 1), (_turned(u), 2), (_turned(vh), 2))


def _qr(x: Any) -> Any:
    q, r = np.linalg.qr(x)
    return _packed((_turned(q), 2), (r, 2))


def _eig(x: Any) -> Any:
    w, v = np.linalg.eig(x)
    if w.dtype.kind != "c":
        raise OtherNumbersError("np.linalg.eig: all eigenvalues are real")
    return np.concatenate([w[..., None, :], v], axis=-2)


def _eig_typing(inputs: list[Any], options: Any) -> Any:
    dtype, (*batch, n, _) = inputs[0]
    return complex_of(dtype), (*batch, n + 1, n)


def _svd_length(rows: int, columns: int) -> int:
    return min(rows, columns) * (1 + rows + columns)


def _qr_length(rows: int, columns: int) -> int:
    return min(rows, columns) * (rows + columns)


ROUTINES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "cholesky": (_like(0), np.linalg.cholesky),
    "triangular_solve": (_like(1), _triangular_solve),  # (..., n, n), (..., n, m), equal leading axes
    "lu": (_row_of(lambda n, _: n * n + n), _lu),  # the factors by columns, and where each row came from
    "lu_solve": (_like(1), _lu_solve),
    "lu_inverse": (_inverse_typing, _lu_inverse),  # by columns, so that it is the transposed inverse
    "eigh": (_row_of(lambda n, _: n * n + n), _eigh),  # w, and v by columns
    "eig": (_eig_typing, _eig),  # w, and the rows of v below it; complex
    "svd": (_row_of(_svd_length), _svd),  # s, and u and vh by columns
    "svdvals": (_row_of(min), np.linalg.svdvals),
    "qr": (_row_of(_qr_length), _qr),  # q by columns, and r
}
"""What each has as a type, and what it computes in NumPy."""
