"""Linear systems by what is known of their matrix: solve, lu_solve; inverses and determinants."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.gates.axes import as_input, shape_of
from gategrad.gates.linalg.matrices import known, transposed
from gategrad.gates.matrix_functions.deciding import decided, order_of
from gategrad.gates.matrix_functions.meeting import as_in_scipy, square
from gategrad.gates.matrix_functions.mirror import Mirror
from gategrad.gates.matrix_functions.triangular import cho_factor, cho_solve, solve_triangular

__all__ = [
    "det",
    "inv",
    "lstsq",
    "lu_solve",
    "norm",
    "pinv",
    "pinvh",
    "solve",
]

_SYMMETRIC = {"sym": False, "symmetric": False, "her": True, "hermitian": True}
_POSITIVE = ("pos", "positive definite")
_TRIANGULAR = {"lower triangular": True, "upper triangular": False}
_GENERAL = (None, "gen", "general", "banded")


@as_in_scipy
def solve(a: Any, b: Any, lower: bool = False, *, assume_a: str | None = None, transposed: bool = False) -> Any:
    """The solution of a x = b; as `scipy.linalg.solve`.

    With `assume_a` "sym", "her" or "pos" one triangle is read, and the gradient is that of a symmetric matrix; so it is
    for the triangular and diagonal kinds, where the rest of the matrix receives 0. `ValueError` for any other word.

    >>> import numpy as np, gategrad as gg
    >>> a = np.array([[4.0, 1.0], [1.0, 3.0]])
    >>> gg.grad(lambda b: np.sum(solve(a, b, assume_a="pos")))(np.array([1.0, 2.0])) * 11
    array([2., 3.])
    """
    a, b = square("solve", a), as_input(b)
    if assume_a in _TRIANGULAR:
        return solve_triangular(a, b, trans=int(transposed), lower=_TRIANGULAR[assume_a])
    if assume_a in _POSITIVE:
        factor = cho_factor(_turned(a) if transposed else a, lower != transposed)
        return cho_solve(factor, b)
    if assume_a in _SYMMETRIC:
        a = Mirror(bool(lower), _SYMMETRIC[assume_a])(a)
    elif assume_a == "diagonal":
        d = np.diagonal(a, axis1=-2, axis2=-1)
        return b / (d if len(shape_of(b)) == 1 else d[..., None])
    elif assume_a == "tridiagonal":
        a = np.triu(np.tril(a, 1), -1)
    elif assume_a not in _GENERAL:
        raise ValueError(f"solve: {assume_a!r} is not a recognized matrix structure")
    return np.linalg.solve(_turned(a) if transposed else a, b)


_turned = transposed  # `solve` has an option of that name


@as_in_scipy
def lu_solve(lu_and_piv: Any, b: Any, trans: int = 0) -> Any:
    """The solution of a x = b, of the factors of a that `lu_factor` found; as `scipy.linalg.lu_solve`.

    >>> import numpy as np, gategrad as gg
    >>> from gategrad.scipy.linalg import lu_factor
    >>> float(gg.grad(lambda a: lu_solve(lu_factor(a * np.eye(1)), np.ones(1))[0])(2.0))
    -0.25
    """
    lu, pivots = lu_and_piv
    b = as_input(b)
    order = decided(order_of, pivots)
    if trans == 0:
        z = solve_triangular(lu, b[order], lower=True, unit_diagonal=True)
        return solve_triangular(lu, z)
    z = solve_triangular(lu, b, trans=trans)
    return solve_triangular(lu, z, trans=trans, lower=True, unit_diagonal=True)[np.argsort(order)]


@as_in_scipy
def inv(a: Any) -> Any:
    """The inverse; as `scipy.linalg.inv`."""
    return np.linalg.inv(square("inv", a))


@as_in_scipy
def det(a: Any) -> Any:
    """The determinant; as `scipy.linalg.det`, in double precision. Its gradient is finite for singular matrices too."""
    return np.linalg.det(_double(square("det", a)))


@as_in_scipy
def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of a vector or a matrix, of any order; as `scipy.linalg.norm`."""
    return np.linalg.norm(a, ord, axis, keepdims)


@as_in_scipy
def pinv(a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False) -> Any:
    """The pseudo-inverse; as `scipy.linalg.pinv`. The gradient is right where the rank stays what it is."""
    return _pinv(as_input(a), atol, rtol, return_rank, is_hermitian=False)


@as_in_scipy
def pinvh(a: Any, atol: Any = None, rtol: Any = None, lower: bool = True, return_rank: bool = False) -> Any:
    """The pseudo-inverse of a Hermitian matrix; as `scipy.linalg.pinvh`."""
    return _pinv(Mirror(lower)(square("pinvh", a)), atol, rtol, return_rank, is_hermitian=True)


def _pinv(a: Any, atol: Any, rtol: Any, return_rank: bool, *, is_hermitian: bool) -> Any:
    if atol is not None or return_rank:
        s = np.linalg.svd(known(a), compute_uv=False)
        largest = s.max(initial=0.0)
        share = max(shape_of(a)) * np.finfo(s.dtype).eps if rtol is None and atol is None else rtol or 0.0
        cutoff = (atol or 0.0) + share * largest
        rtol = cutoff / largest if largest else share
    if rtol is None:
        rtol = max(shape_of(a)) * np.finfo(a.dtype).eps
    z = np.linalg.pinv(a, hermitian=is_hermitian, rtol=rtol)
    return (z, int(np.count_nonzero(s > cutoff))) if return_rank else z


@as_in_scipy
def lstsq(a: Any, b: Any, cond: Any = None) -> Any:
    """The x that brings a x closest to b, what is left, the rank and the singular values; as `scipy.linalg.lstsq`."""
    a, b = as_input(a), as_input(b)
    eps = np.finfo(np.result_type(a.dtype, np.float32)).eps
    x, left, rank, s = np.linalg.lstsq(a, b, eps if cond is None else cond)
    return x, left[0] if len(shape_of(b)) == 1 and shape_of(left) == (1,) else left, rank, s


def _double(x: Any) -> Any:
    """In the precision in which SciPy computes it, whatever it is given."""
    return np.astype(x, np.result_type(x.dtype, np.float64))
