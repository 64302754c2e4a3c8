"""Triangular systems, and those of Cholesky's factors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg

from gategrad.gate import Gate
from gategrad.gates.axes import as_input, shape_of
from gategrad.gates.linalg.matrices import adjoint, random_matrix, transposed
from gategrad.gates.matrix_functions.meeting import as_in_scipy, computed, square
from gategrad.kinds import Example

__all__ = ["SolveTriangular", "cho_factor", "cho_solve", "cholesky", "solve_triangular"]


class SolveTriangular(Gate):
    """z = the solution of t z = y, t one triangle of x. A switcher: y receives t⁻ᵀ dz, x that triangle of minus that times zᵀ."""

    pattern, symbol = "switcher", "solve △"
    takes_complex = True

    def __init__(self, lower: bool = False, unit_diagonal: bool = False) -> None:
        self.lower = lower
        self.unit_diagonal = unit_diagonal

    def forward(self, x: Any, y: Any) -> Any:
        self.x = x
        self.z = z = computed(self, self._solution, x, y)
        return z

    def _solution(self, x: Any, y: Any) -> Any:
        return scipy.linalg.solve_triangular(x, y, lower=self.lower, unit_diagonal=self.unit_diagonal)

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        dy = SolveTriangular(not self.lower, self.unit_diagonal)(transposed(self.x), dz)
        if not need_x:
            return None, dy
        dx = -(dy @ transposed(self.z))
        inside = 1 if self.unit_diagonal else 0
        return np.tril(dx, -inside) if self.lower else np.triu(dx, inside), dy if need_y else None

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Either triangle, with and without its diagonal."""
        for lower in (False, True):
            for unit in (False, True):
                yield cls(lower, unit), (random_matrix(rng, 3, 3), rng.uniform(-1.0, 1.0, (3, 2)))


# --- SciPy's functions ----------------------------------------------------------------------------------------


@as_in_scipy
def solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    """The solution of a x = b, of which only one triangle of a is read; as `scipy.linalg.solve_triangular`.

    `trans` is 0, 1 (or "T") for aᵀ x = b, or 2 (or "C") for aᴴ x = b. The other triangle receives 0.

    >>> import numpy as np, gategrad as gg
    >>> a = np.array([[2.0, 1.0], [7.0, 4.0]])
    >>> gg.grad(lambda b: np.sum(solve_triangular(a, b)))(np.array([1.0, 1.0]))
    array([0.5  , 0.125])
    """
    a, b = square("solve_triangular", a), as_input(b)
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ValueError(f"solve_triangular: trans is 0, 1, 2, 'N', 'T' or 'C', not {trans!r}")
    if trans in (1, "T", 2, "C"):
        a, lower = adjoint(a) if trans in (2, "C") else transposed(a), not lower
    gate = SolveTriangular(bool(lower), bool(unit_diagonal))
    return gate(a, b[:, None])[..., 0] if len(shape_of(b)) == 1 else gate(a, b)


@as_in_scipy
def cholesky(a: Any, lower: bool = False) -> Any:
    """The triangular factor u with uᴴ u = a, or l with l lᴴ = a; as `scipy.linalg.cholesky`.

    A function of Hermitian matrices: so is the gradient.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda a: np.trace(cholesky(a)))(np.diag([4.0, 9.0]))
    array([[0.25      , 0.        ],
           [0.        , 0.16666667]])
    """
    return np.linalg.cholesky(square("cholesky", a), upper=not lower)


@as_in_scipy
def cho_factor(a: Any, lower: bool = False) -> Any:
    """The factor of `cholesky` and which triangle it fills, for `cho_solve`; as `scipy.linalg.cho_factor`.

    The other triangle is 0, where SciPy leaves what was there.
    """
    return cholesky(a, lower), lower


@as_in_scipy
def cho_solve(c_and_lower: Any, b: Any) -> Any:
    """The solution of a x = b, of the factor of a that `cho_factor` found; as `scipy.linalg.cho_solve`.

    >>> import numpy as np, gategrad as gg
    >>> part = lambda a: cho_solve(cho_factor(a * np.eye(1)), np.ones(1))[0]
    >>> float(gg.grad(part)(4.0))
    -0.0625
    """
    c, lower = c_and_lower
    first = solve_triangular(c, b, trans=0 if lower else 2, lower=lower)
    return solve_triangular(c, first, trans=2 if lower else 0, lower=lower)
