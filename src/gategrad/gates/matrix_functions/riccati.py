"""Riccati's equations of optimal control. The solution is Hermitian, and so is the gradient for q and r.

Both are differentiated where they stand: a small change of the data changes the solution by that of a Lyapunov equation, whose
matrix is the closed loop a − b k. Kao and Hennequin, arXiv:2011.11430.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg

from gategrad.gate import Gate
from gategrad.gates.axes import as_input
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.matrices import adjoint, hermitian, random_matrix
from gategrad.gates.matrix_functions.equations import solve_continuous_lyapunov, solve_discrete_lyapunov
from gategrad.gates.matrix_functions.meeting import as_in_scipy, computed, square
from gategrad.kinds import Example
from gategrad.recording import plain

__all__ = ["ContinuousRiccati", "DiscreteRiccati", "solve_continuous_are", "solve_discrete_are"]


class ContinuousRiccati(Gate):
    """z = the solution of aᴴ z + z a − z b r⁻¹ bᴴ z + q = 0. A switcher: with k = r⁻¹ bᴴ z and c = a − b k, q receives y.

    That y solves c y + y cᴴ + dz = 0; a receives 2 z y, b −2 z y kᴴ, r k y kᴴ. Of q and r the Hermitian parts count.
    """

    pattern, symbol = "switcher", "riccati"  # takes complex numbers too: tested by hand, for what comes out is double
    dtype = np.dtype(np.float64)  # as SciPy computes, whatever the precision of the data

    def forward(self, a: Any, b: Any, q: Any, r: Any) -> Any:
        self.a, self.b, self.r = a, b, r
        self.z = z = computed(self, _continuous, a, b, q, r)
        return z

    def backward(self, dz: Any) -> Any:
        a, b, z = self.a, self.b, self.z
        k = np.linalg.solve(hermitian(self.r), adjoint(b) @ z)
        y = hermitian(-solve_continuous_lyapunov(a - b @ k, conj(dz)))
        return _shares(self.needs, y, k, z @ y)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Three states, two controls."""
        a, b = random_matrix(rng, 3, 3) * -0.3, rng.uniform(-1.0, 1.0, (3, 2))
        yield cls(), (a, b, random_matrix(rng, 3, 3), random_matrix(rng, 2, 2))


class DiscreteRiccati(Gate):
    """z = the solution of aᴴ z a − z − aᴴ z b k + q = 0. A switcher: with k = (r + bᴴ z b)⁻¹ bᴴ z a, c = a − b k, q receives y.

    That y solves c y cᴴ − y + dz = 0; a receives 2 z c y, b −2 z c y kᴴ, r k y kᴴ. Of q and r the Hermitian parts count.
    """

    pattern, symbol = "switcher", "riccati"  # takes complex numbers too: tested by hand, for what comes out is double
    dtype = np.dtype(np.float64)  # as SciPy computes, whatever the precision of the data

    def forward(self, a: Any, b: Any, q: Any, r: Any) -> Any:
        self.a, self.b, self.r = a, b, r
        self.z = z = computed(self, _discrete, a, b, q, r)
        return z

    def backward(self, dz: Any) -> Any:
        a, b, z = self.a, self.b, self.z
        k = np.linalg.solve(hermitian(self.r) + adjoint(b) @ z @ b, adjoint(b) @ z @ a)
        closed = a - b @ k
        y = hermitian(solve_discrete_lyapunov(closed, conj(dz)))
        return _shares(self.needs, y, k, z @ closed @ y)

    examples = ContinuousRiccati.__dict__["examples"]


def _shares(needs: tuple[bool, ...], y: Any, k: Any, w: Any) -> tuple[Any, ...]:
    """What a, b, q and r receive: 2 w, −2 w kᴴ, y, and k y kᴴ."""
    need_a, need_b, need_q, need_r = needs
    return (
        conj(2.0 * w) if need_a else None,
        conj(-2.0 * (w @ adjoint(k))) if need_b else None,
        conj(y) if need_q else None,
        conj(k @ y @ adjoint(k)) if need_r else None,
    )


def _continuous(a: Any, b: Any, q: Any, r: Any) -> Any:
    return scipy.linalg.solve_continuous_are(a, b, hermitian(q), hermitian(r))


def _discrete(a: Any, b: Any, q: Any, r: Any) -> Any:
    return scipy.linalg.solve_discrete_are(a, b, hermitian(q), hermitian(r))


# --- SciPy's functions ----------------------------------------------------------------------------------------


@as_in_scipy
def solve_continuous_are(a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: bool = True) -> Any:
    """The solution of aᴴ x e + eᴴ x a − (eᴴ x b + s) r⁻¹ (bᴴ x e + sᴴ) + q = 0; as `scipy.linalg.solve_continuous_are`.

    `q` and `r` are Hermitian, and so are their gradients; `ValueError` if they are not. `balanced` is left to SciPy.

    >>> import numpy as np, gategrad as gg
    >>> one = np.eye(1)
    >>> cost = lambda q: solve_continuous_are(0 * one, one, q * one, one)[0, 0]  # √q
    >>> bool(np.isclose(gg.grad(cost)(4.0), 0.25))
    True
    """
    return ContinuousRiccati()(*_reduced("solve_continuous_are", a, b, q, r, e, s))


@as_in_scipy
def solve_discrete_are(a: Any, b: Any, q: Any, r: Any, e: Any = None, s: Any = None, balanced: bool = True) -> Any:
    """The solution of aᴴ x a − eᴴ x e − (aᴴ x b + s) (r + bᴴ x b)⁻¹ (bᴴ x a + sᴴ) + q = 0; as `scipy.linalg.solve_discrete_are`.

    `q` and `r` are Hermitian, and so are their gradients; `ValueError` if they are not. `balanced` is left to SciPy.
    """
    return DiscreteRiccati()(*_reduced("solve_discrete_are", a, b, q, r, e, s))


def _reduced(name: str, a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> tuple[Any, ...]:
    """The same equation without e, in the coordinates e x, and without s, by taking the control that it asks for first."""
    a, b = square(name, a), as_input(b)
    q, r = _hermitian(name, "q", q), _hermitian(name, "r", r)
    if e is not None:
        into = np.linalg.inv(as_input(e))
        a, q = a @ into, hermitian(adjoint(into) @ q @ into)
        s = None if s is None else adjoint(into) @ s
    if s is not None:
        first = np.linalg.solve(r, adjoint(as_input(s)))
        a, q = a - b @ first, hermitian(q - s @ first)
    return a, b, q, r


def _hermitian(name: str, letter: str, x: Any) -> Any:
    """The matrix, with SciPy's complaint if it is not Hermitian."""
    x = square(name, x)
    value = plain(x)
    if isinstance(value, np.ndarray) and not scipy.linalg.ishermitian(value, rtol=1e-8, atol=1e-12):
        raise ValueError(f"{name}: {letter} should be Hermitian: pass ({letter} + {letter}.T) / 2")
    return x
