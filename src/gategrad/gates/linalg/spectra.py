"""Eigenvalues and eigenvectors: eigh, eigvalsh, eig, eigvals.

Where eigenvalues coincide, their eigenvectors are any basis of a space, and the single eigenvalues have kinks. A loss that
does not depend on the basis has a gradient all the same; the rules hand it out where they can tell, and raise
`NoGradientError` where they cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.gate import Gate
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.coinciding import REMEDY, gaps_of, is_constant, is_significant, refuse_order
from gategrad.gates.linalg.matrices import (
    adjoint,
    checked,
    eye_of,
    hermitian,
    known,
    no_gradient,
    on_diagonal,
    random_matrix,
)
from gategrad.kinds import Example
from gategrad.variable import implements

__all__ = ["Eig", "Eigh"]


class Eigh(Gate):
    """w, v = eigenvalues and orthonormal eigenvectors of x. A switcher: x receives v (dw + (vᴴ dv) / (w_j − w_i)) vᴴ.

    A function of Hermitian matrices: the gradient is Hermitian, as in PyTorch and JAX, although NumPy reads one
    triangle only. Giles, Collected matrix derivative results (2008), section 3.1.
    """

    pattern, symbol = "switcher", "eigh"  # takes complex numbers too, but phases have no gradient: tested by hand

    def __init__(self, UPLO: Any = "L") -> None:
        self.UPLO = UPLO

    def forward(self, x: Any) -> Any:
        self.w, self.v = w, v = tuple(np.linalg.eigh(x, UPLO=self.UPLO))
        return w, v

    def backward(self, dz: Any) -> Any:
        w, v = self.w, self.v
        dw, dv = (None if part is None else conj(part) for part in dz)
        gaps, equal = gaps_of(w)
        inner: Any = 0.0
        if dv is not None:
            turned = adjoint(v) @ dv
            turned = _refuse_bases("eigh", turned, equal, dw)
            skew = (turned - adjoint(turned)) * 0.5
            inner = np.where(equal, 0.0, skew / gaps)
        if dw is not None:
            inner = inner + on_diagonal(refuse_order("eigh", dw, equal))
        return conj(hermitian(v @ inner @ adjoint(v)))

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Tests want functions that may be moved in any direction: see `tests/gates/linalg`."""
        yield cls(), (np.eye(1) * rng.uniform(1.0, 2.0),)


class Eig(Gate):
    """w, v = eigenvalues and eigenvectors of x, x v = v w. A switcher: x receives v⁻ᴴ (dw + (vᴴ dv − …) / (w_j − w_i)) vᴴ.

    The eigenvectors have length 1, which takes a term away; their phase is nobody's business, and a loss that depends
    on it is reported. Boeddeker et al., arXiv:1701.00392, section 4.6.
    """

    pattern, symbol = "switcher", "eig"  # takes complex numbers too, but phases have no gradient: tested by hand

    def forward(self, x: Any) -> Any:
        self.w, self.v = w, v = tuple(np.linalg.eig(x))
        return w, v

    def backward(self, dz: Any) -> Any:
        w, v = self.w, self.v
        dw, dv = (None if part is None else conj(part) for part in dz)
        gaps, equal = gaps_of(w)
        up = adjoint(v)
        inner: Any = 0.0
        if dv is not None:
            turned = up @ dv
            _refuse_phase("eig", turned)
            turned = turned - (up @ v) * np.real(np.diagonal(turned, axis1=-2, axis2=-1))[..., None, :]
            if np.any(equal & ~np.eye(w.shape[-1], dtype=bool)):
                raise no_gradient("eig", "eigenvalues coincide, and their eigenvectors are any basis", REMEDY)
            inner = np.where(equal, 0.0, turned / conj(gaps))
        if dw is not None:
            dw = refuse_order("eig", dw, equal)
            inner = inner + on_diagonal(dw)
        if np.any(np.linalg.cond(known(v)) * np.finfo(known(v).dtype).eps > 1e-3):
            if dv is None and dw is not None and is_constant(dw):
                return conj(dw[..., :1, None] * eye_of(v))  # a multiple of the trace, for whatever matrix
            raise no_gradient("eig", "the matrix has no basis of eigenvectors", REMEDY)
        return conj(np.linalg.solve(up, inner @ up))

    def jvp(self, dx: Any) -> Any:
        """Written out, for the transpose of `backward` would ask of every loss whether it depends on phases."""
        w, v = self.w, self.v
        gaps, equal = gaps_of(w)
        inner = np.linalg.solve(v, dx @ v)
        value = known(inner)
        if np.any(equal & ~np.eye(w.shape[-1], dtype=bool) & is_significant(value, value)):
            raise no_gradient("eig", "eigenvalues coincide, and part in this direction", REMEDY)
        turn = v @ np.where(equal, 0.0, inner / gaps)
        dv = turn - v * np.real(np.sum(conj(v) * turn, axis=-2, keepdims=True))
        return np.diagonal(inner, axis1=-2, axis2=-1), dv

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """With real eigenvalues, of which a matrix and a stack; complex ones depend on a phase that tests must not."""
        yield cls(), (random_matrix(rng, 3, 3),)
        yield cls(), (random_matrix(rng, 2, 2, 2),)


# --- losses that have no gradient -----------------------------------------------------------------------------


def _refuse_bases(name: str, turned: Any, equal: Any, dw: Any) -> Any:
    """A gradient of eigenvectors whose eigenvalues coincide must be the same in each basis of their space.

    If the eigenvalues have a gradient as well, the two may belong together as in f(x) = v f(w) vᴴ, whose gradient
    needs the slope of f, which only the loss knows.
    """
    value = known(turned)
    bad = equal & is_significant(value - np.conj(np.swapaxes(value, -1, -2)), value)
    why = "eigenvalues coincide, or the phase of an eigenvector matters"
    turned = checked(turned, bad, lambda: no_gradient(name, why, REMEDY))
    if dw is None:
        return turned
    apart = equal & ~np.eye(value.shape[-1], dtype=bool)
    together = "eigenvalues coincide, and their values and vectors are used together"
    return checked(turned, apart & is_significant(value, value), lambda: no_gradient(name, together, REMEDY))


def _refuse_phase(name: str, turned: Any) -> None:
    value = known(turned)
    diagonal = np.imag(np.diagonal(value, axis1=-2, axis2=-1))
    if np.any(is_significant(diagonal[..., None, :], value)):
        raise no_gradient(name, "the phase of an eigenvector matters", "Use np.abs of it, or a projector")


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.linalg.eigh)
def _eigh(a: Any, UPLO: str = "L") -> Any:
    w, v = Eigh(UPLO)(a)
    return _EighResult(w, v)


@implements(np.linalg.eigvalsh)
def _eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return Eigh(UPLO)(a)[0]


@implements(np.linalg.eig)
def _eig(a: Any) -> Any:
    w, v = Eig()(a)
    return _EigResult(w, v)


@implements(np.linalg.eigvals)
def _eigvals(a: Any) -> Any:
    return Eig()(a)[0]


_EighResult: Any = type(np.linalg.eigh(np.eye(1)))
_EigResult: Any = type(np.linalg.eig(np.eye(1)))
