"""What follows from other decompositions: rq from qr, the angles between spaces from singular values."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_input, shape_of
from gategrad.gates.linalg.matrices import adjoint
from gategrad.gates.matrix_functions.meeting import as_in_scipy

__all__ = ["rq", "subspace_angles"]


@as_in_scipy
def rq(a: Any, *, mode: str = "full") -> Any:
    """Factors r, q with r q = a, r upper triangular; as `scipy.linalg.rq`, whose modes are "full", "economic" and "r".

    For a of at most as many rows as columns. The rows of a full q beyond those of a are any basis of what is left: `NoRuleError`
    if there are some.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: np.sum(rq(x, mode="economic")[0] ** 2))(np.array([[3.0, 4.0]]))
    array([[6., 8.]])
    """
    a = as_input(a)
    rows, columns = shape_of(a)
    if rows > columns or mode not in ("full", "economic", "r") or (mode != "economic" and rows < columns):
        raise NoRuleError(
            f"scipy.linalg.rq of a variable of shape {(rows, columns)} with mode={mode!r}: what is beyond the rows of the matrix has no "
            "gradient. Use mode='economic', of at most as many rows as columns"
        )
    q, r = np.linalg.qr(adjoint(a[::-1, ::-1]))
    r = adjoint(r)[::-1, ::-1]
    return r if mode == "r" else (r, adjoint(q)[::-1, ::-1])


@as_in_scipy
def subspace_angles(A: Any, B: Any) -> Any:
    """The angles between the spaces of the columns of two matrices, largest first; as `scipy.linalg.subspace_angles`.

    Small ones are found by their sines, large ones by their cosines (Knyazev and Argentati, 2002). The columns must not depend on each other; at
    an angle of 0 or π/2 there is a kink, and angles that coincide must be treated alike (`NoGradientError`).

    >>> import numpy as np, gategrad as gg
    >>> angle = lambda y: subspace_angles(np.array([[1.0], [0.0]]), np.stack([np.ones(1), y * np.ones(1)]))[0]
    >>> bool(np.isclose(gg.grad(angle)(2.0), 1 / 5))                   # of arctan
    True
    """
    x, y = (np.linalg.qr(as_input(matrix))[0] for matrix in (A, B))
    if shape_of(x)[1] < shape_of(y)[1]:
        x, y = y, x
    shared = adjoint(x) @ y
    cosines = np.linalg.svdvals(shared)
    sines = np.linalg.svdvals(y - x @ shared)[::-1]
    is_small = cosines**2 >= 0.5
    small = np.arcsin(np.where(is_small, sines, 0.0))
    return np.where(is_small, small, np.arccos(np.where(is_small, 0.0, cosines)))[::-1]
