"""The nearest orthonormal matrix: polar decomposition, and Procrustes' problem."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg

from gategrad.gate import Gate
from gategrad.gates.axes import as_input
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.matrices import adjoint, hermitian, known, no_gradient, random_matrix
from gategrad.gates.matrix_functions.equations import solve_sylvester
from gategrad.gates.matrix_functions.meeting import as_in_scipy, computed
from gategrad.kinds import Example

__all__ = ["Orthonormal", "orthogonal_procrustes", "polar"]


class Orthonormal(Gate):
    """z = x (xᴴ x)^−½, the orthonormal matrix nearest to x. A switcher: x receives z (y − yᴴ) + (1 − z zᴴ) dz p⁻¹, p = zᴴ x.

    That y solves p y + y p = zᴴ dz. For as many rows as columns, or more, of full rank; finite where singular values
    coincide. Higham, Functions of Matrices, section 8.
    """

    pattern, symbol = "switcher", "polar"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        self.z = z = computed(self, _nearest, x)
        return z

    def backward(self, dz: Any) -> Any:
        z, g = self.z, conj(dz)
        if 0 in z.shape:
            return dz
        p = hermitian(adjoint(z) @ self.x)
        value = known(p)
        if value.size and np.linalg.cond(value).max() > 1 / np.finfo(value.dtype).eps:
            raise no_gradient("polar", "the matrix has no full rank", "Perturb it")
        along = adjoint(z) @ g
        y = solve_sylvester(p, p, along)
        dx = z @ (y - adjoint(y))
        if z.shape[-2] > z.shape[-1]:
            dx = dx + adjoint(np.linalg.solve(p, adjoint(g - z @ along)))
        return conj(dx)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Square, tall, and the unit matrix, whose singular values coincide."""
        for x in (random_matrix(rng, 3, 3), random_matrix(rng, 4, 2), np.eye(2)):
            yield cls(), (x,)


def _nearest(x: Any) -> Any:
    u, _, vh = scipy.linalg.svd(x, full_matrices=False)
    return u @ vh


# --- SciPy's functions ----------------------------------------------------------------------------------------


@as_in_scipy
def polar(a: Any, side: str = "right") -> Any:
    """Factors u, p with u p = a (or p u = a, `side="left"`), u orthonormal, p Hermitian; as `scipy.linalg.polar`.

    Raises `NoGradientError` in the backward pass if the matrix has no full rank.

    >>> import numpy as np, gategrad as gg
    >>> stretch = lambda a: np.trace(polar(a)[1])
    >>> gg.grad(stretch)(np.array([[0.0, -2.0], [3.0, 0.0]])) + 0.0  # the rotation
    array([[ 0., -1.],
           [ 1.,  0.]])
    """
    a = as_input(a)
    if side not in ("right", "left"):
        raise ValueError(f"polar: side is 'right' or 'left', not {side!r}")
    u = _orthonormal(a)
    return u, hermitian(adjoint(u) @ a if side == "right" else a @ adjoint(u))


@as_in_scipy
def orthogonal_procrustes(A: Any, B: Any) -> Any:
    """The orthogonal matrix r that brings A r closest to B, and its scale; as `scipy.linalg.orthogonal_procrustes`."""
    product = adjoint(as_input(A)) @ as_input(B)
    r = _orthonormal(product)
    return r, np.real(np.trace(adjoint(r) @ product))


def _orthonormal(a: Any) -> Any:
    """With orthonormal columns, or rows if there are fewer of them."""
    return Orthonormal()(a) if a.shape[-2] >= a.shape[-1] else adjoint(Orthonormal()(adjoint(a)))
