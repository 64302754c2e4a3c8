"""funm: a function of matrices of any kind that have a basis of eigenvectors, as `spectral` is of Hermitian ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.errors import NoRuleError
from gategrad.gates.linalg.matrices import known, no_gradient, on_diagonal, tapes_around
from gategrad.gates.matrix_functions.meeting import as_in_scipy, square
from gategrad.recording import plain
from gategrad.transforms.spectral import divided_differences, refuse_rows, series, values
from gategrad.values import is_complex

__all__ = ["funm"]


@as_in_scipy
def funm(A: Any, func: Any, disp: bool = True) -> Any:
    """A function of numbers as one of matrices, v f(w) v⁻¹ with A = v w v⁻¹; as `scipy.linalg.funm`.

    `func` works element by element, in NumPy, on complex numbers where eigenvalues are. Exact where eigenvalues coincide, to any order, as
    `gg.spectral`, which is for Hermitian matrices. Raises `NoGradientError` for a matrix without a basis of eigenvectors, and `NoRuleError` for
    `disp=False`. Source: Higham, Functions of Matrices (2008), section 3.2.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: np.trace(funm(x, lambda w: w**3)))(np.array([[2.0, 1.0], [0.0, 1.0]])).round(10)
    array([[12.,  0.],
           [ 9.,  3.]])
    """
    if not disp:
        raise NoRuleError("scipy.linalg.funm of a variable estimates no error: leave disp=False out")
    x = square("funm", A)
    base = plain(x)
    w, v = np.linalg.eig(base)
    order = np.argsort(w, axis=-1)
    w, v = np.take_along_axis(w, order, -1), np.take_along_axis(v, order[..., None, :], -1)
    if v.size and np.any(np.linalg.cond(v) * np.finfo(v.dtype).eps > 1e-6):
        why = "the matrix has no basis of eigenvectors, or nearly none"
        raise no_gradient("funm", why, "Use expm, logm, sqrtm or a polynomial, or perturb the matrix")
    refuse_rows("funm", func, w)
    inner: Any = on_diagonal(values(func, w))
    inverse = np.linalg.inv(v)
    tapes = tapes_around(x)
    if tapes:
        inner = inner + series("funm", divided_differences(func, w, tapes), inverse @ (x - base) @ v)
    z = v @ inner @ inverse
    value = known(z)
    is_real = not is_complex(base) and np.allclose(
        value.imag, 0.0, atol=1e3 * np.finfo(value.dtype).eps * np.abs(value).max(initial=0.0)
    )
    return np.real(z) if is_real else z
