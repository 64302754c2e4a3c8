"""Determinants. The gradient of a determinant is the matrix of cofactors, which is finite for singular matrices too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.errors import NoGradientError
from gategrad.gate import Gate
from gategrad.gates.linalg.matrices import checked, for_matrices, known, no_gradient, random_matrix, transposed
from gategrad.kinds import Example
from gategrad.values import is_complex
from gategrad.variable import Variable

__all__ = ["Det", "Slogdet"]

_WELL_CONDITIONED = 1e6


class Det(Gate):
    """z = det x. A scaler: x receives its cofactors · dz; they are z · x⁻ᵀ where x has an inverse, and finite where not."""

    pattern, symbol = "scaler", "det"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.linalg.det(x)

    def backward(self, dz: Any) -> Any:
        return for_matrices(dz) * _cofactors(self.x)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """A matrix, a stack, and one with a rank that is lower by one, by two."""
        yield cls(), (random_matrix(rng, 3, 3),)
        yield cls(), (random_matrix(rng, 2, 2, 2),)
        yield cls(), (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]),)
        yield cls(), (np.ones((3, 3)),)


class Slogdet(Gate):
    """sign, log = det x / |det x|, log |det x|. A scaler: x receives x⁻ᵀ times the gradient of the logarithm.

    The sign of a real determinant is a step; that of a complex one turns, and adds i · Im(sign · its gradient).
    """

    pattern, symbol = "scaler", "slogdet"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        sign, log = np.linalg.slogdet(x)
        self.x, self.sign = x, sign
        return sign, log

    def backward(self, dz: Any) -> Any:
        dsign, dlog = dz
        if not is_complex(self.sign):
            dsign = None
        if dsign is None and dlog is None:
            return None
        weight = 0.0 if dlog is None else dlog
        if dsign is not None:
            weight = weight + np.multiply(1j, np.imag(dsign * self.sign))
        x = checked(self.x, known(self.sign) == 0, _singular)
        return for_matrices(weight) * transposed(np.linalg.inv(x))

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """A matrix with a positive and one with a negative determinant, and a stack."""
        yield cls(), (random_matrix(rng, 3, 3),)
        yield cls(), (random_matrix(rng, 3, 3)[::-1].copy(),)
        yield cls(), (random_matrix(rng, 2, 2, 2),)


def _singular() -> NoGradientError:
    return no_gradient(
        "slogdet", "log |det| of a singular matrix is -inf", "Use np.linalg.det, whose gradient is finite"
    )


def _cofactors(x: Any) -> Any:
    """The gradient of det x: (−1)^(i + j) times the determinant of x without row i and column j."""
    value = known(x)
    if value.shape[-1] == 0:
        return np.zeros_like(value)
    inverse = _inverse(value)
    if inverse is not None:
        det = np.linalg.det(value)
        scale = _power_of_two(value)
        if np.any(scale != 1) and np.any(np.abs(det) < np.finfo(det.dtype).tiny):
            return _cofactors(x / scale) * scale ** (value.shape[-1] - 1)  # it underflows; the cofactors need not
        inverse = np.linalg.inv(x) if type(x) is Variable else inverse
        return for_matrices(np.linalg.det(x)) * transposed(inverse)
    return _minors(x) if type(x) is Variable else _cofactors_by_svd(x)


def _power_of_two(x: Any) -> Any:
    """One for each matrix, of the size of its largest element: dividing by it rounds nothing."""
    return for_matrices(np.exp2(np.floor(np.log2(np.abs(x).max(axis=(-2, -1))))))


def _inverse(x: Any) -> Any:
    """The inverses, if all matrices are far from singular."""
    try:
        inverse = np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return None
    size = np.abs(x).max(axis=(-2, -1), initial=0.0) * np.abs(inverse).max(axis=(-2, -1), initial=0.0)
    return inverse if np.all(size < _WELL_CONDITIONED) else None


def _cofactors_by_svd(x: Any) -> Any:
    """Those of the three factors: cofactors are multiplicative, and those of a diagonal are products of the others."""
    u, s, vh = np.linalg.svd(x)
    n = s.shape[-1]
    others = np.prod(np.where(np.eye(n, dtype=bool), 1.0, s[..., None, :]), axis=-1)
    phase = for_matrices(np.linalg.det(u) * np.linalg.det(vh))
    return (phase * (np.conj(u) * others[..., None, :]) @ np.conj(vh)).astype(x.dtype)


def _minors(x: Any) -> Any:
    """By determinants of minors: n² of them, but differentiable to any order where x is singular."""
    n = x.shape[-1]
    if n == 1:
        return np.ones_like(known(x))
    rest = np.array([[k for k in range(n) if k != i] for i in range(n)])
    rows, columns = rest[:, None, :, None], rest[None, :, None, :]
    signs = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
    return signs * np.linalg.det(x[..., rows, columns])


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.linalg.det)
def _det(a: Any) -> Any:
    return Det()(a)


@implements(np.linalg.slogdet)
def _slogdet(a: Any) -> Any:
    sign, log = Slogdet()(a)
    return _SlogdetResult(sign, log)


_SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))
