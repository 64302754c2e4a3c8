"""Singular values and vectors: svd, svdvals, and matrix_rank, which has no gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.errors import NoGradientError
from gategrad.gate import Gate
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.coinciding import gaps_of, is_significant, refuse_order
from gategrad.gates.linalg.matrices import adjoint, checked, hermitian, known, no_gradient, on_diagonal, random_matrix
from gategrad.kinds import Example
from gategrad.variable import implements, plain

__all__ = ["SVD", "Complement", "SingularValues"]

_REMEDY = (
    "Use a function of all of them that does not depend on their order or on the basis, such as a norm, "
    "np.linalg.pinv or np.linalg.det, or perturb the matrix"
)


class SingularValues(Gate):
    """s = singular values of x. A switcher: x receives u ds vᴴ.

    Kinks: a singular value that is 0 sends nothing, the middle of the subdifferential; values that coincide must have the
    same gradient, as in a nuclear norm.
    """

    pattern, symbol = "switcher", "svdvals"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.u, self.s, self.vh = tuple(np.linalg.svd(x, full_matrices=False))
        return self.s

    def backward(self, dz: Any) -> Any:
        _, equal = gaps_of(self.s)
        zero = _vanishing(self.s, self.u, self.vh)
        ds = refuse_order("svdvals", np.where(zero, 0.0, dz), equal & ~zero[..., None, :], _REMEDY)
        return conj((self.u * ds[..., None, :]) @ self.vh)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Tall, wide, square, a stack."""
        for shape in ((4, 2), (2, 3), (3, 3), (2, 3, 2)):
            yield cls(), (random_matrix(rng, *shape),)


class SVD(Gate):
    """u s vh = x, the thin singular value decomposition. A switcher: x receives u (ds + (uᴴ du and vᴴ dv) / gaps) vᴴ, and more.

    The more comes from what u and v do not reach. Singular vectors have a gradient where the singular values are
    positive and differ, and where the loss does not depend on their common phase. Wan and Zhang, arXiv:1909.02659.
    """

    pattern, symbol = "switcher", "svd"  # takes complex numbers too, but phases have no gradient: tested by hand

    def forward(self, x: Any) -> Any:
        self.u, self.s, self.vh = u, s, vh = tuple(np.linalg.svd(x, full_matrices=False))
        return u, s, vh

    def backward(self, dz: Any) -> Any:
        u, s, vh = self.u, self.s, self.vh
        v = adjoint(vh)
        du, ds, dvh = (None if part is None else conj(part) for part in dz)
        dv = None if dvh is None else adjoint(dvh)
        s = checked(s, _vanishing(s, u, vh), _vanished)
        left = None if du is None else adjoint(u) @ du
        right = None if dv is None else adjoint(v) @ dv
        inner = _inner(s, left, right)
        if ds is not None:
            inner = inner + on_diagonal(ds)
        dx = u @ inner @ vh
        if du is not None:
            dx = dx + ((du - u @ left) / s[..., None, :]) @ vh
        if dv is not None:
            dx = dx + (u / s[..., None, :]) @ adjoint(dv - v @ right)
        return conj(dx)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Tests want losses that do not depend on phases: see `tests/gates/linalg`. Here the real ones."""
        for shape in ((4, 2), (2, 3), (3, 3), (2, 3, 2)):
            yield cls(), (random_matrix(rng, *shape),)


class Complement(Gate):
    """z = any basis of what x, an orthonormal one, does not reach. A blocker: nothing flows, and a gradient is reported."""

    pattern, symbol = "blocker", "⊥"
    takes_complex = True

    def __init__(self, basis: Any) -> None:
        self.basis = basis

    def forward(self, x: Any) -> Any:
        return self.basis.astype(x.dtype)

    def backward(self, dz: Any) -> Any:
        if np.any(known(dz) != 0):
            raise no_gradient(
                "svd", "the singular vectors beyond the singular values are any basis", "Use full_matrices=False"
            )

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Of no vectors at all, which is the only basis that may have a gradient."""
        yield cls(np.zeros((2, 0))), (rng.uniform(-1.0, 1.0, (2, 2)),)


def _inner(s: Any, left: Any, right: Any) -> Any:
    """What the turns within u and v send to the core of x, at [i, j] over s_j² − s_i²."""
    gaps, equal = gaps_of(s)
    apart = ~np.eye(s.shape[-1], dtype=bool)
    gaps = np.where(apart, checked(gaps, equal & apart, _coinciding), 1.0)
    sums = np.where(apart, s[..., None, :] + s[..., :, None], 1.0)  # not times the gaps, which might underflow
    inner: Any = 0.0
    if left is not None:
        inner = _skew(left) / gaps * (s[..., None, :] / sums)
    if right is not None:
        inner = inner + (s[..., :, None] / sums) * (_skew(right) / gaps)
    total = [part for part in (left, right) if part is not None]
    if total and any(known(part).dtype.kind == "c" for part in total):
        phase = 1j * np.imag(np.diagonal(sum(total[1:], total[0]), axis1=-2, axis2=-1))
        if np.any(is_significant(known(phase)[..., None, :], known(total[0]))):
            raise no_gradient("svd", "the common phase of two singular vectors matters", "Use np.abs or projectors")
        difference = (left if left is not None else 0.0) - (right if right is not None else 0.0)
        inner = inner + on_diagonal(0.5j * np.imag(np.diagonal(difference, axis1=-2, axis2=-1)) / s)
    return inner


def _skew(x: Any) -> Any:
    """x − xᴴ off the diagonal, where it is nothing for real x."""
    return (x - hermitian(x)) * 2.0 * (1.0 - np.eye(x.shape[-1], dtype=np.real(known(x)).dtype))


def _vanishing(s: Any, u: Any, vh: Any) -> Any:
    """Which singular values are nothing but rounding."""
    value = known(s)
    precision = np.finfo(value.dtype).eps * max(u.shape[-2], vh.shape[-1])
    return value <= precision * value.max(axis=-1, initial=0.0, keepdims=True)


def _vanished() -> NoGradientError:
    return no_gradient("svd", "a singular value is zero, and its vectors are any basis", _REMEDY)


def _coinciding() -> NoGradientError:
    return no_gradient("svd", "singular values coincide, and their vectors are any basis", _REMEDY)


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.linalg.svd)
def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    if not compute_uv:
        return SingularValues()(a)
    u, s, vh = SVD()(a)
    rows, columns = a.shape[-2:]
    if full_matrices and rows != columns:
        whole = np.linalg.svd(plain(a), full_matrices=True)
        if rows > columns:
            u = np.concatenate([u, Complement(whole[0][..., columns:])(u)], axis=-1)
        else:
            vh = np.concatenate([vh, Complement(whole[2][..., rows:, :])(vh)], axis=-2)
    return _SVDResult(u, s, vh)


@implements(np.linalg.svdvals)
def _svdvals(x: Any, /) -> Any:
    return SingularValues()(x)


@implements(np.linalg.matrix_rank)
def _matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    return np.linalg.matrix_rank(plain(A), plain(tol), hermitian, rtol=plain(rtol))


_SVDResult: Any = type(np.linalg.svd(np.eye(1)))
