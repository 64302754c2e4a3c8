"""ldl: triangular factors of Hermitian and symmetric matrices that need not be positive definite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg

from gategrad.gate import Gate
from gategrad.gates.linalg.matrices import adjoint, known, no_gradient, transposed
from gategrad.gates.matrix_functions.meeting import as_in_scipy, computed, square
from gategrad.gates.matrix_functions.mirror import Mirror
from gategrad.kinds import Example
from gategrad.recording import plain

__all__ = ["LDL", "ldl"]


class LDL(Gate):
    """l, d, with l d lᴴ = x, d of blocks of one or two, the rows of l in the order of its pivots triangular. A switcher.

    With s = l⁻¹ dx l⁻ᴴ, the blocks of s move d, and what is beside them, over d, moves l. Which pivots are taken is a step.
    """

    pattern, symbol = "switcher", "ldl"

    def __init__(self, lower: bool = True, conjugated: bool = True) -> None:
        self.lower = lower
        self.conjugated = conjugated

    def forward(self, x: Any) -> Any:
        self.l, self.d, order = computed(self, self._factors, x)
        self.places = known(order).astype(np.intp)
        return self.l, self.d, order

    def _factors(self, x: Any) -> Any:
        l, d, order = scipy.linalg.ldl(x, lower=self.lower, hermitian=self.conjugated)
        return l, d, order.astype(d.real.dtype)

    def jvp(self, dx: Any) -> Any:
        l, d, order = self.l[self.places], self.d, self.places
        flip = adjoint if self.conjugated else transposed
        value = known(d)
        if value.size and np.linalg.cond(value) * np.finfo(value.dtype).eps > 1.0:
            raise no_gradient("ldl", "the matrix is singular", "Use np.linalg.eigh, or add a little to its diagonal")
        within = np.linalg.solve(l, flip(np.linalg.solve(l, flip(dx[order][:, order]))))
        n = value.shape[-1]
        blocks = np.eye(n, dtype=bool) | (value != 0)
        beside = np.tri(n, dtype=bool) if self.lower else np.tri(n, dtype=bool).T
        moved = transposed(np.linalg.solve(transposed(d), transposed(np.where(beside & ~blocks, within, 0.0))))
        return (l @ moved)[np.argsort(order)], np.where(blocks, within, 0.0), None

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Tests want functions that may be moved in any direction: see `tests/coverage`."""
        yield cls(), (np.eye(1) * rng.uniform(1.0, 2.0),)


@as_in_scipy
def ldl(A: Any, lower: bool = True, hermitian: bool = True) -> Any:
    """Factors l, d with l d lᴴ = A, and the order in which the rows of l are triangular; as `scipy.linalg.ldl`.

    One triangle of A is read; the gradient is Hermitian (symmetric, for `hermitian=False`). Nothing flows through the order. Raises
    `NoGradientError` for a singular matrix.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: np.sum(np.log(np.abs(np.diagonal(ldl(x)[1])))))(np.diag([2.0, -4.0]))
    array([[ 0.5 ,  0.  ],
           [ 0.  , -0.25]])
    """
    l, d, order = LDL(lower, hermitian)(Mirror(lower, hermitian)(square("ldl", A)))
    return l, d, plain(order).astype(np.intp)
