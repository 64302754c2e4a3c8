"""Eigenvalues and eigenvectors of Hermitian matrices: eigh, eigvalsh.

Where eigenvalues coincide, their eigenvectors are any basis of a space, and the single eigenvalues have kinks. A loss that
does not depend on the basis has a gradient all the same; the rules hand it out where they can tell, and raise
`NoGradientError` where they cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.coinciding import (
    REMEDY,
    Decomposition,
    any_of,
    coinciding,
    gaps_of,
    is_significant,
    is_traced,
    parting,
    refuse_order,
    refuse_parting,
    turned,
)
from gategrad.gates.linalg.matrices import (
    adjoint,
    checked,
    hermitian,
    known,
    no_gradient,
    on_diagonal,
)
from gategrad.kinds import Example

__all__ = ["Eigh"]


class Eigh(Decomposition):
    """w, v = eigenvalues and orthonormal eigenvectors of x. A switcher: x receives v (dw + (vᴴ dv) / (w_j − w_i)) vᴴ.

    A function of Hermitian matrices: the gradient is Hermitian, as in PyTorch and JAX, although NumPy reads one
    triangle only. Giles, Collected matrix derivative results (2008), section 3.1.
    """

    symbol = "eigh"  # takes complex numbers too, but phases have no gradient: tested by hand

    def __init__(self, UPLO: Any = "L") -> None:
        self.UPLO = UPLO

    def forward(self, x: Any) -> Any:
        w, v = np.linalg.eigh(x, UPLO=self.UPLO)
        self.equal = coinciding(w)
        self.w, self.v = w, turned(v, self.equal)
        return self.w, self.v

    def backward(self, dz: Any) -> Any:
        w, v, equal = self.w, self.v, self.equal
        dw, dv = (None if part is None else conj(part) for part in dz)
        inner: Any = 0.0
        if dv is not None:
            turn = adjoint(v) @ dv
            turn = _refuse_bases("eigh", turn - adjoint(turn), known(turn), equal)
            inner = np.where(equal, 0.0, turn * 0.5 / gaps_of(w, equal))
        if dw is not None:
            inner = inner + on_diagonal(refuse_order("eigh", dw, equal, "" if dv is None else _TOGETHER))
        return conj(hermitian(v @ inner @ adjoint(v)))

    def jvp(self, dx: Any) -> Any:
        w, v, equal = self.w, self.v, self.equal
        inner = self._inner(dx)
        if is_traced(equal):
            inner = refuse_parting("eigh", inner, parting(known(inner), equal))
        dw = np.real(np.diagonal(inner, axis1=-2, axis2=-1))
        return dw, v @ np.where(equal, 0.0, inner / gaps_of(w, equal))

    def is_parted(self, dx: Any) -> bool:
        """Whether eigenvalues that coincide part along dx."""
        if is_traced(self.equal) or not any_of(self.equal):
            return False
        return bool(np.any(parting(known(self._inner(dx)), self.equal)))

    def _inner(self, dx: Any) -> Any:
        """dx in the basis of the eigenvectors."""
        return adjoint(self.v) @ hermitian(dx) @ self.v

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Tests want functions that may be moved in any direction: see `tests/gates/linalg`."""
        yield cls(), (np.eye(1) * rng.uniform(1.0, 2.0),)


# --- losses that have no gradient -----------------------------------------------------------------------------


_TOGETHER = "eigenvalues coincide, and their values and vectors are used together, as in v f(w) vᴴ, whose gradient needs the slope of f"


def _refuse_bases(name: str, skew: Any, whole: Any, equal: Any) -> Any:
    """A gradient of eigenvectors whose eigenvalues coincide must be the same in each basis of their space."""
    why = "eigenvalues coincide, or the phase of an eigenvector matters"
    bad = equal & is_significant(known(skew), whole)
    return checked(skew, bad, lambda: no_gradient(name, why, REMEDY))


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.linalg.eigh)
def _eigh(a: Any, UPLO: str = "L") -> Any:
    w, v = Eigh(UPLO)(a)
    return _EighResult(w, v)


@implements(np.linalg.eigvalsh)
def _eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return Eigh(UPLO)(a)[0]


_EighResult: Any = type(np.linalg.eigh(np.eye(1)))
