"""Banded matrices by their diagonals: systems in n operations, eigenvalues and Cholesky's factor of the matrix written out.

SciPy keeps the number in row i and column j of a matrix at [above + i − j, j]: each row holds a diagonal, shifted so that columns
stay columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg

from gategrad.errors import NoRuleError
from gategrad.gate import Gate
from gategrad.gates.axes import as_input, shape_of
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.matrices import adjoint
from gategrad.gates.matrix_functions.meeting import as_in_scipy, computed
from gategrad.gates.matrix_functions.triangular import cho_solve
from gategrad.kinds import Example

__all__ = [
    "SolveBanded",
    "cho_solve_banded",
    "cholesky_banded",
    "eig_banded",
    "eigh_tridiagonal",
    "eigvals_banded",
    "eigvalsh_tridiagonal",
    "solve_banded",
    "solveh_banded",
]


class SolveBanded(Gate):
    """z = x⁻¹ y, for a matrix x of which the diagonals are given. A switcher: y receives x⁻ᵀ dz, and x minus its products with z.

    Of the products dy zᵀ only the diagonals are computed.
    """

    pattern, symbol = "switcher", "solve"
    takes_complex = True

    def __init__(self, below: int = 1, above: int = 1) -> None:
        self.below = below
        self.above = above

    def forward(self, x: Any, y: Any) -> Any:
        z = computed(self, lambda x, y: scipy.linalg.solve_banded((self.below, self.above), x, y), x, y)
        self.x = x
        self.z: Any = z if self.needs[0] else None
        return z

    def backward(self, dz: Any) -> Any:
        below, above = self.below, self.above
        diagonals = [_moved(self.x[row], row - above) for row in range(below + above + 1)]
        dy = SolveBanded(above, below)(np.stack(diagonals[::-1]), dz)
        if not self.needs[0]:
            return None, dy
        rows = [_moved(dy, above - row) * self.z for row in range(below + above + 1)]
        dx = -np.stack([row if len(shape_of(row)) == 1 else np.sum(row, axis=1) for row in rows])
        return dx, dy if self.needs[1] else None

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """One vector and several, as many diagonals on both sides and not."""
        for below, above, y in ((1, 1, (4,)), (0, 2, (4, 2)), (2, 1, (5, 2))):
            diagonals = rng.uniform(-0.4, 0.4, (below + above + 1, y[0]))
            yield (
                cls(below, above),
                (diagonals + 2.0 * np.eye(below + above + 1)[above][:, None], rng.uniform(-1.0, 1.0, y)),
            )


def _moved(x: Any, by: int) -> Any:
    """x, with what was at i at i + by, and zeros where nothing was."""
    n = shape_of(x)[0]
    by = max(-n, min(n, by))
    nothing = np.zeros((abs(by), *shape_of(x)[1:]), x.dtype)
    return np.concatenate([nothing, x[: n - by]] if by >= 0 else [x[-by:], nothing])


def _whole(half: Any, lower: bool) -> Any:
    """All diagonals of a Hermitian matrix, of those on one side."""
    count = shape_of(half)[0] - 1
    if lower:
        return np.concatenate([_mirrored([_moved(conj(half[k]), k) for k in range(count, 0, -1)], half), half])
    return np.concatenate([half, _mirrored([_moved(conj(half[count - k]), -k) for k in range(1, count + 1)], half)])


def _mirrored(rows: list[Any], half: Any) -> Any:
    return np.stack(rows) if rows else half[:0]


def _written_out(half: Any, lower: bool) -> Any:
    """The Hermitian matrix as such."""
    whole, n = _whole(half, lower), shape_of(half)[1]
    count = shape_of(half)[0] - 1
    rows, columns = np.indices((n, n))
    inside = np.abs(rows - columns) <= count
    return whole[np.where(inside, count + rows - columns, 0), columns] * inside


# --- systems ----------------------------------------------------------------------------------------------------


@as_in_scipy
def solve_banded(l_and_u: Any, ab: Any, b: Any) -> Any:
    """The solution of a x = b, of the diagonals of a in the rows of `ab`; as `scipy.linalg.solve_banded`.

    The gradient takes n operations per diagonal too. What `ab` holds outside the matrix receives 0.

    >>> import numpy as np, gategrad as gg
    >>> diagonals = lambda x: np.stack([np.zeros(2), x * np.ones(2), np.zeros(2)])
    >>> float(gg.grad(lambda x: np.sum(solve_banded((1, 1), diagonals(x), np.ones(2))))(2.0))
    -0.5
    """
    below, above = l_and_u
    return SolveBanded(int(below), int(above))(*_alike(as_input(ab), as_input(b)))


@as_in_scipy
def solveh_banded(ab: Any, b: Any, *, lower: bool = False) -> Any:
    """The solution of a x = b for a positive definite a, of the diagonals on one side; as `scipy.linalg.solveh_banded`."""
    ab, b = _alike(as_input(ab), as_input(b))
    count = shape_of(ab)[0] - 1
    return SolveBanded(count, count)(_whole(ab, lower), b)


def _alike(x: Any, y: Any) -> tuple[Any, Any]:
    dtype = np.result_type(x.dtype, y.dtype, np.float32)
    return np.astype(x, dtype), np.astype(y, dtype)


@as_in_scipy
def cholesky_banded(ab: Any, lower: bool = False) -> Any:
    """The diagonals of Cholesky's factor of a banded matrix; as `scipy.linalg.cholesky_banded`, with the matrix written out."""
    ab = as_input(ab)
    n, count = shape_of(ab)[1], shape_of(ab)[0] - 1
    factor = np.linalg.cholesky(_written_out(ab, lower))
    factor = factor if lower else adjoint(factor)
    below, column = np.indices((count + 1, n))
    row = column + below - (0 if lower else count)
    inside = (row >= 0) & (row < n)
    return np.where(inside, factor[np.where(inside, row, 0), column], ab)  # what is outside stays, as in SciPy's


@as_in_scipy
def cho_solve_banded(cb_and_lower: Any, b: Any) -> Any:
    """The solution of a x = b, of the factor that `cholesky_banded` found; as `scipy.linalg.cho_solve_banded`."""
    cb, lower = cb_and_lower
    cb = as_input(cb)
    n, count = shape_of(cb)[1], shape_of(cb)[0] - 1
    rows, columns = np.indices((n, n))
    place = rows - columns + (0 if lower else count)
    inside = (place >= 0) & (place <= count)
    return cho_solve((cb[np.where(inside, place, 0), columns] * inside, lower), as_input(b))


# --- eigenvalues ------------------------------------------------------------------------------------------------


@as_in_scipy
def eig_banded(
    a_band: Any,
    lower: bool = False,
    eigvals_only: bool = False,
    select: Any = "a",
    select_range: Any = None,
    max_ev: int = 0,
) -> Any:
    """Eigenvalues and eigenvectors of a Hermitian banded matrix; as `scipy.linalg.eig_banded`, with the matrix written out.

    Which of them lie between two values is a step: `NoRuleError` for `select="v"`.
    """
    return _eigh("eig_banded", _written_out(as_input(a_band), lower), eigvals_only, select, select_range)


@as_in_scipy
def eigvals_banded(a_band: Any, lower: bool = False, select: Any = "a", select_range: Any = None) -> Any:
    """The eigenvalues of `eig_banded`; as `scipy.linalg.eigvals_banded`."""
    return _eigh("eigvals_banded", _written_out(as_input(a_band), lower), True, select, select_range)


@as_in_scipy
def eigh_tridiagonal(
    d: Any, e: Any, eigvals_only: bool = False, select: Any = "a", select_range: Any = None, tol: float = 0.0
) -> Any:
    """Eigenvalues and eigenvectors of a symmetric matrix with these diagonals; as `scipy.linalg.eigh_tridiagonal`.

    The matrix is written out. Which of them lie between two values is a step: `NoRuleError` for `select="v"`.

    >>> import numpy as np, gategrad as gg
    >>> largest = lambda e: eigh_tridiagonal(np.zeros(2), e * np.ones(1), eigvals_only=True)[1]
    >>> bool(np.isclose(gg.grad(largest)(3.0), 1.0))
    True
    """
    e = as_input(e)
    whole = np.diag(as_input(d)) + np.diag(e, 1) + np.diag(e, -1)
    return _eigh("eigh_tridiagonal", whole, eigvals_only, select, select_range)


@as_in_scipy
def eigvalsh_tridiagonal(d: Any, e: Any, select: Any = "a", select_range: Any = None, tol: float = 0.0) -> Any:
    """The eigenvalues of `eigh_tridiagonal`; as `scipy.linalg.eigvalsh_tridiagonal`."""
    e = as_input(e)
    whole = np.diag(as_input(d)) + np.diag(e, 1) + np.diag(e, -1)
    return _eigh("eigvalsh_tridiagonal", whole, True, select, select_range)


def _eigh(name: str, x: Any, eigvals_only: bool, select: Any, select_range: Any) -> Any:
    if select in (1, "v", "value"):
        raise NoRuleError(
            f"scipy.linalg.{name} of a variable takes no select={select!r}: how many there are is a step. Index the result"
        )
    part = slice(None) if select in (0, "a", "all") else slice(select_range[0], select_range[1] + 1)
    if eigvals_only:
        return np.linalg.eigvalsh(x)[part]
    w, v = np.linalg.eigh(x)
    return w[part], v[:, part]
