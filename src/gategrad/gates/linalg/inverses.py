"""Inverses and linear systems: inv, solve, pinv, and what NumPy makes of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.errors import ShapeError
from gategrad.gate import Gate
from gategrad.gates.axes import as_input, shape_of
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.matrices import adjoint, checked, known, random_matrix, transposed
from gategrad.kinds import Example
from gategrad.recording import plain

__all__ = ["Inv", "PseudoInverse", "Solve"]


class Inv(Gate):
    """z = x⁻¹. A switcher: x receives −zᵀ dz zᵀ.

    Petersen and Pedersen, The Matrix Cookbook, section 2.2.
    """

    pattern, symbol = "switcher", "x⁻¹"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.z = z = np.linalg.inv(x)
        return z

    def backward(self, dz: Any) -> Any:
        z = transposed(self.z)
        return -(z @ dz @ z)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """A matrix, and a stack of them."""
        yield cls(), (random_matrix(rng, 3, 3),)
        yield cls(), (random_matrix(rng, 2, 2, 2),)


class Solve(Gate):
    """z = x⁻¹ y, the solution of x z = y. A switcher: y receives x⁻ᵀ dz, and x receives minus that times zᵀ."""

    pattern, symbol = "switcher", "solve"
    takes_complex = True
    sums_broadcasts = True
    passes_masks = True

    def forward(self, x: Any, y: Any) -> Any:
        z = np.linalg.solve(x, y)
        self.x = x
        self.z: Any = z if self.needs[0] else None
        return z

    def backward(self, dz: Any) -> Any:
        dy = np.linalg.solve(transposed(self.x), dz)
        return -(dy @ transposed(self.z)) if self.needs[0] else None, dy if self.needs[1] else None

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Matrices and stacks of them, also broadcast against each other."""
        for one, other in (((3, 3), (3, 2)), ((2, 3, 3), (3, 1)), ((3, 3), (2, 3, 2)), ((2, 1, 2, 2), (3, 2, 2))):
            yield cls(), (random_matrix(rng, *one), rng.uniform(-1.0, 1.0, other))


class PseudoInverse(Gate):
    """z = x⁺, the pseudo-inverse. A switcher: −z dx z, and two terms from what x does not reach, all transposed.

    Right where the rank stays what it is; `rtol` says which singular values count. Golub and Pereyra, SIAM J. Numer.
    Anal. 10 (1973), theorem 4.3.
    """

    pattern, symbol = "switcher", "x⁺"
    takes_complex = True

    def __init__(self, rtol: Any = None, is_hermitian: bool = False) -> None:
        self.rtol = rtol
        self.is_hermitian = is_hermitian

    def forward(self, x: Any) -> Any:
        self.x = x
        options = {} if self.rtol is None else {"rtol": self.rtol}
        self.z = z = np.linalg.pinv(x, hermitian=self.is_hermitian, **options)
        return z

    def backward(self, dz: Any) -> Any:
        x, z, g = self.x, self.z, conj(dz)  # in terms of steepest ascent, whose rules are made of adjoints alone
        up, down = adjoint(z), adjoint(g)
        square, turn = z @ up, z @ down
        right, left = down @ square, up @ turn
        # x meets z first: z³, for a moment, would be too large for a number where z² is none
        return conj(right - (x @ turn) @ square + left - left @ (z @ x) - up @ (g @ up))

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Tall, wide, square, a stack."""
        for shape in ((4, 2), (2, 3), (3, 3), (2, 3, 2)):
            yield cls(), (random_matrix(rng, *shape),)


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.linalg.inv)
def _inv(a: Any) -> Any:
    return Inv()(a)


@implements(np.linalg.solve)
def _solve(a: Any, b: Any) -> Any:
    a, b = as_input(a), as_input(b)
    return Solve()(a, b[:, None])[..., 0] if len(shape_of(b)) == 1 else Solve()(a, b)


@implements(np.linalg.pinv)
def _pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Any:
    rtol = None if rtol is np._NoValue else rtol
    return PseudoInverse(plain(rcond) if rtol is None else plain(rtol), hermitian)(a)


@implements(np.linalg.lstsq)
def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    a, b = as_input(a), as_input(b)
    rows, columns = shape_of(a)
    eps = np.finfo(np.result_type(a.dtype, np.float32)).eps
    cutoff = eps if rcond == -1 else eps * max(rows, columns) if rcond is None else rcond
    x = PseudoInverse(cutoff)(a) @ b
    s = np.linalg.svdvals(a)
    values = known(s)
    rank = np.count_nonzero(values > cutoff * values.max(initial=0.0))
    apart = b - a @ x
    squares = np.sum(np.real(apart * conj(apart)), axis=0)
    return x, _residuals(np.reshape(squares, (-1,)), rank, rows, columns), rank, s


def _residuals(squares: Any, rank: Any, rows: int, columns: int) -> Any:
    """The squares, which NumPy leaves out where they are all zero or the matrix has not its full rank."""
    if rows <= columns:
        return np.zeros(0, squares.dtype)
    if isinstance(rank, int | np.integer):
        return squares if rank == columns else np.zeros(0, squares.dtype)
    return checked(squares, rank < columns, _without_residuals)


def _without_residuals() -> ShapeError:
    return ShapeError(
        "np.linalg.lstsq of a matrix whose columns depend on each other has no residuals, and in a compiled function "
        "shapes must not depend on values: compute them from the solution, b - a @ x"
    )


@implements(np.linalg.tensorinv)
def _tensorinv(a: Any, ind: int = 2) -> Any:
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    shape = shape_of(a)
    return np.reshape(np.linalg.inv(np.reshape(a, (math.prod(shape[ind:]), -1))), shape[ind:] + shape[:ind])


@implements(np.linalg.tensorsolve)
def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    a, b = as_input(a), as_input(b)
    if axes is not None:
        last = [axis % len(shape_of(a)) for axis in axes]
        a = np.transpose(a, [axis for axis in range(len(shape_of(a))) if axis not in last] + last)
    outer = shape_of(a)[len(shape_of(b)) :]
    n = math.prod(outer)
    return np.reshape(np.linalg.solve(np.reshape(a, (n, n)), np.reshape(b, (-1,))), outer)
