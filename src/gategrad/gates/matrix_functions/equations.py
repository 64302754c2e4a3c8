"""Linear matrix equations: Sylvester's, and both of Lyapunov's. The gradient solves the equation with everything transposed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg

from gategrad.gate import Gate
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.matrices import adjoint, random_matrix, transposed
from gategrad.gates.matrix_functions.meeting import as_in_scipy, computed, square
from gategrad.kinds import Example

__all__ = [
    "DiscreteLyapunov",
    "Sylvester",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
]


class Sylvester(Gate):
    """z = the solution of a z + z b = q. A switcher: q receives the solution y of aᵀ y + y bᵀ = dz; a and b −y zᵀ and −zᵀ y."""

    pattern, symbol = "switcher", "sylvester"
    takes_complex = True

    def forward(self, a: Any, b: Any, q: Any) -> Any:
        self.a, self.b = square("solve_sylvester", a), square("solve_sylvester", b)
        self.z = z = computed(self, scipy.linalg.solve_sylvester, a, b, q)
        return z

    def backward(self, dz: Any) -> Any:
        need_a, need_b, need_q = self.needs
        y = solve_sylvester(transposed(self.a), transposed(self.b), dz)
        z = transposed(self.z)
        return -(y @ z) if need_a else None, -(z @ y) if need_b else None, y if need_q else None

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Square and oblong solutions."""
        for n, m in ((3, 3), (2, 3)):
            yield cls(), (random_matrix(rng, n, n), random_matrix(rng, m, m), rng.uniform(-1.0, 1.0, (n, m)))


class DiscreteLyapunov(Gate):
    """z = the solution of a z aᴴ − z + q = 0. A switcher: q receives the solution y of aᴴ y a − y + dz = 0; a y a zᴴ + yᴴ a z."""

    pattern, symbol = "switcher", "lyapunov"
    takes_complex = True
    dtype = np.dtype(np.float64)  # as SciPy computes, whatever the precision of the data

    def __init__(self, method: str | None = None) -> None:
        self.method = method

    def forward(self, a: Any, q: Any) -> Any:
        self.a = a
        self.z = z = computed(self, lambda a, q: scipy.linalg.solve_discrete_lyapunov(a, q, self.method), a, q)
        return z

    def backward(self, dz: Any) -> Any:
        need_a, need_q = self.needs
        y = DiscreteLyapunov(self.method)(adjoint(self.a), conj(dz))
        da = conj(y @ self.a @ adjoint(self.z) + adjoint(y) @ self.a @ self.z) if need_a else None
        return da, conj(y) if need_q else None

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """By each method."""
        for method in (None, "bilinear"):
            yield cls(method), (random_matrix(rng, 3, 3) * 0.15, rng.uniform(-1.0, 1.0, (3, 3)))


# --- SciPy's functions ----------------------------------------------------------------------------------------


@as_in_scipy
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """The solution of a x + x b = q; as `scipy.linalg.solve_sylvester`.

    >>> import numpy as np, gategrad as gg
    >>> one = np.ones((1, 1))
    >>> float(gg.grad(lambda a: solve_sylvester(a, one, 6 * one)[0, 0])(2 * one)[0, 0])  # of 6 / (a + 1)
    -0.6666666666666666
    """
    return Sylvester()(square("solve_sylvester", a), square("solve_sylvester", b), q)


@as_in_scipy
def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """The solution of a x + x aᴴ = q; as `scipy.linalg.solve_continuous_lyapunov`."""
    return solve_sylvester(a, adjoint(a), q)


@as_in_scipy
def solve_discrete_lyapunov(a: Any, q: Any, method: str | None = None) -> Any:
    """The solution of a x aᴴ − x + q = 0; as `scipy.linalg.solve_discrete_lyapunov`.

    >>> import numpy as np, gategrad as gg
    >>> variance = lambda a: solve_discrete_lyapunov(a * np.eye(1), np.eye(1))[0, 0]  # 1 / (1 − a²)
    >>> bool(np.isclose(gg.grad(variance)(0.5), 1 / 0.75**2))
    True
    """
    return DiscreteLyapunov(method)(square("solve_discrete_lyapunov", a), q)
