"""Eigenvalues and eigenvectors of matrices of any kind: eig, eigvals.

Such a matrix need not have a basis of eigenvectors. Near one that has none (a Jordan block) rounding parts eigenvalues that
coincide, by far more than itself: how far is told by the eigenvectors, whose inverse is large there.
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
    any_of,
    differing,
    gaps_of,
    is_significant,
    others,
    refuse_order,
    turned,
)
from gategrad.gates.linalg.matrices import adjoint, eye_of, known, no_gradient, on_diagonal, random_matrix
from gategrad.gates.linalg.parted import Divide, Eigendecomposition, Parted, collapsed, gaps
from gategrad.kinds import Example
from gategrad.recording import plain

__all__ = ["Eig"]

_SOUND = 1e4
"""Eigenvalues that coincide have eigenvectors of their own if these are no worse conditioned than that."""


_FARTHEST = 1e-3
"""Rounding parts the eigenvalues of a Jordan block of size k by its k-th root; that of five numbers goes that far."""


class Eig(Eigendecomposition):
    """w, v = eigenvalues and eigenvectors of x, x v = v w. A switcher: x receives v⁻ᴴ (dw + (vᴴ dv − …) / (w_j − w_i)) vᴴ.

    The eigenvectors have length 1, which takes a term away; their phase is nobody's business, and a loss that depends
    on it is reported. Boeddeker et al., arXiv:1701.00392, section 4.6.
    """

    may_turn_complex = True
    symbol = "eig"  # takes complex numbers too, but phases have no gradient: tested by hand

    def forward(self, x: Any) -> Any:
        w, v = np.linalg.eig(x)
        self.size = np.abs(known(x)).max(axis=(-2, -1), initial=0.0)
        self.equal, slack = _unresolved(w, v, self.size)
        self.meets = any_of(self.equal) and bool(np.all(slack < _SOUND))
        if self.meets and type(v) is np.ndarray:  # a variable of an outer tape has been turned there
            v = _turned(v, self.equal)
        self.w, self.v = w, v
        return w, v

    def rule(self, dz: Any, over: Divide) -> Any:
        w, v = self.w, self.v
        dw, dv = (None if part is None else conj(part) for part in dz)
        equal, slack = _unresolved(w, v, self.size)
        equal = self.equal if over.is_told else equal
        up = adjoint(v)
        inner: Any = 0.0
        if dv is not None:
            turn = up @ dv
            _refuse_phase(known(turn))
            turn = turn - (up @ v) * np.real(np.diagonal(turn, axis1=-2, axis2=-1))[..., None, :]
            beside = equal & others(equal.shape[-1])
            if np.any(beside & (slack >= _SOUND)):
                raise _without_basis()
            inner = over(turn, w, _conjugate_gaps, known(turn), (beside, _any_basis), (equal & ~beside, _phase))
        if dw is not None:
            inner = inner + on_diagonal(dw if over.is_told else refuse_order("eig", dw, equal, slack=slack))
        if np.any(_has_no_basis(v, equal, slack)):
            if dv is None and dw is not None and _is_constant(dw) and not np.any(np.all(equal, axis=(-2, -1))):
                return conj(
                    dw[..., :1, None] * eye_of(v)
                )  # the same for eigenvalues that differ: a multiple of the trace
            raise _without_basis()
        return conj(np.linalg.solve(up, inner @ up))

    def elsewhere(self) -> Parted:
        return self.changed(w=collapsed(plain(self.w), self.equal), v=_turned(plain(self.v), self.equal, again=True))

    def jvp(self, dx: Any) -> Any:
        w, v = self.w, self.v
        equal, slack = _unresolved(w, v, self.size)
        if np.any(_has_no_basis(v, equal, slack)):
            raise _without_basis()
        inner = np.linalg.solve(v, dx @ v)
        turn = v @ np.where(equal, 0.0, inner / gaps_of(w, equal))
        dv = turn - v * np.real(np.sum(conj(v) * turn, axis=-2, keepdims=True))
        return np.diagonal(inner, axis1=-2, axis2=-1), dv

    def is_parted(self, dx: Any) -> bool:
        """Whether eigenvalues that coincide part along dx."""
        equal, slack = _unresolved(self.w, self.v, self.size)
        beside = equal & others(equal.shape[-1])
        if not np.any(beside) or np.any(_has_no_basis(self.v, equal, slack)):
            return False  # or it is reported in any case
        inner = known(np.linalg.solve(self.v, dx @ self.v))
        split = beside & is_significant(inner, inner) | differing(np.diagonal(inner, axis1=-2, axis2=-1), equal)
        return bool(np.any(split) or np.any(slack >= _SOUND))

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """With real eigenvalues, of which a matrix and a stack; complex ones depend on a phase that tests must not."""
        yield cls(), (random_matrix(rng, 3, 3),)
        yield cls(), (random_matrix(rng, 2, 2, 2),)


def _unresolved(w: Any, v: Any, size: Any) -> tuple[Any, Any]:
    """Which eigenvalues are the same as far as rounding lets one see, and how much of it the eigenvectors make, per matrix."""
    w, v = known(w), known(v)
    n = w.shape[-1]
    apart = np.abs(w[..., None, :] - w[..., :, None])
    farthest = _FARTHEST * size[..., None]
    equal = apart <= farthest[..., None]
    if not any_of(equal):
        return equal, np.ones((1, 1), size.dtype)
    unit = np.finfo(w.dtype).eps * np.maximum(size, np.finfo(w.dtype).tiny)
    reach = _conditions(v)
    doubt = np.minimum(4 * n * unit[..., None] * reach, farthest)
    equal = apart <= np.minimum(doubt[..., None, :], doubt[..., :, None])
    for _ in range(n.bit_length() if any_of(equal) else 0):  # and along chains
        equal = equal.astype(np.float64) @ equal > 0
    within = np.where(np.any(equal & others(n), axis=-1), reach, 1.0)
    return equal, within.max(axis=-1, initial=1.0)[..., None, None]


def _turned(v: Any, equal: Any, *, again: bool = False) -> Any:
    v = turned(v, equal, again=again)
    return v / np.linalg.norm(v, axis=-2, keepdims=True)


def _conjugate_gaps(w: Any) -> Any:
    return conj(gaps(w))


def _conditions(v: Any) -> Any:
    """How many times rounding each eigenvalue may be off: the lengths of the left eigenvectors."""
    try:
        found = np.linalg.norm(np.linalg.inv(v), axis=-1)
    except np.linalg.LinAlgError:
        found = np.full(v.shape[:-1], np.inf)
    return np.minimum(found, 1.0 / np.finfo(found.dtype).eps)


def _has_no_basis(v: Any, equal: Any, slack: Any) -> Any:
    """Whether what is computed with these eigenvectors has too few digits: three, or six where that is why eigenvalues differ."""
    value = known(v)
    if not value.size:
        return False
    eps = np.finfo(value.dtype).eps
    return (np.linalg.cond(value) * eps > 1e-3) | (
        (slack[..., 0, 0] * eps > 1e-6) & np.any(equal & others(equal.shape[-1]))
    )


def _is_constant(x: Any) -> bool:
    """Whether every vector of the stack is the same number throughout."""
    value = known(x)
    return bool(np.all(value == value[..., :1]))


# --- losses that have no gradient -----------------------------------------------------------------------------


def _without_basis() -> NoGradientError:
    return no_gradient("eig", "the matrix has no basis of eigenvectors", REMEDY)


def _any_basis() -> NoGradientError:
    return no_gradient("eig", "eigenvalues coincide, and their eigenvectors are any basis", REMEDY)


def _phase() -> NoGradientError:
    return no_gradient("eig", "the phase of an eigenvector matters", "Use np.abs of it, or a projector")


def _refuse_phase(turn: Any) -> None:
    diagonal = np.imag(np.diagonal(turn, axis1=-2, axis2=-1))
    if np.any(is_significant(diagonal[..., None, :], turn)):
        raise _phase()


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.linalg.eig)
def _eig(a: Any) -> Any:
    w, v = Eig()(a)
    return _EigResult(w, v)


@implements(np.linalg.eigvals)
def _eigvals(a: Any) -> Any:
    return Eig()(a)[0]


_EigResult: Any = type(np.linalg.eig(np.eye(1)))
