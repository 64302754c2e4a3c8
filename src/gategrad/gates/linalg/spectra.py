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
from gategrad.errors import NoGradientError
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.coinciding import (
    REMEDY,
    TOGETHER,
    any_of,
    coinciding,
    gaps_of,
    is_traced,
    parting,
    refuse_order,
    refuse_parting,
    turned,
)
from gategrad.gates.linalg.matrices import (
    adjoint,
    hermitian,
    known,
    no_gradient,
    on_diagonal,
)
from gategrad.gates.linalg.parted import Divide, Eigendecomposition, Parted, collapsed, gaps
from gategrad.kinds import Example
from gategrad.recording import plain

__all__ = ["Eigh"]


class Eigh(Eigendecomposition):
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
        self.meets = any_of(self.equal)
        if is_traced(w) or (self.meets and type(v) is np.ndarray):  # a variable of an outer tape has been turned there
            v = turned(v, self.equal)
        self.w, self.v = w, v
        return w, v

    def rule(self, dz: Any, over: Divide) -> Any:
        w, v, equal = self.w, self.v, self.equal
        dw, dv = (None if part is None else conj(part) for part in dz)
        inner: Any = 0.0
        if dv is not None:
            turn = adjoint(v) @ dv
            inner = over((turn - adjoint(turn)) * 0.5, w, gaps, known(turn), (equal, _any_basis))
        if dw is not None:
            if not over.is_told:
                dw = refuse_order("eigh", dw, equal, "" if dv is None else TOGETHER)
            inner = inner + on_diagonal(dw)
        return conj(hermitian(v @ inner @ adjoint(v)))

    def elsewhere(self) -> Parted:
        w = collapsed(plain(self.w), self.equal)
        return self.changed(w=w, v=turned(plain(self.v), self.equal, again=True))

    def jvp(self, dx: Any) -> Any:
        w, v, equal = self.w, self.v, self.equal
        inner = self._inner(dx)
        if is_traced(equal):
            inner = refuse_parting("eigh", inner, parting(known(inner), equal))
        dw = np.real(np.diagonal(inner, axis1=-2, axis2=-1))
        return dw, v @ np.where(equal, 0.0, inner / gaps_of(w, equal))

    def is_parted(self, dx: Any) -> bool:
        """Whether eigenvalues that coincide part along dx."""
        if is_traced(self.meets) or not self.meets:
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


def _any_basis() -> NoGradientError:
    return no_gradient("eigh", "eigenvalues coincide, or the phase of an eigenvector matters", REMEDY)


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.linalg.eigh)
def _eigh(a: Any, UPLO: str = "L") -> Any:
    w, v = Eigh(UPLO)(a)
    return _EighResult(w, v)


@implements(np.linalg.eigvalsh)
def _eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return Eigh(UPLO)(a)[0]


_EighResult: Any = type(np.linalg.eigh(np.eye(1)))
