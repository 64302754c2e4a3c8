"""Singular values and vectors: svd, svdvals, and matrix_rank, which has no gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.errors import NoGradientError
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.coinciding import (
    Decomposition,
    any_of,
    coinciding,
    gaps_of,
    is_significant,
    is_traced,
    others,
    parting,
    refuse_order,
    refuse_parting,
    turned,
    turned_within_kernel,
)
from gategrad.gates.linalg.matrices import adjoint, checked, hermitian, known, no_gradient, on_diagonal, random_matrix
from gategrad.gates.linalg.parted import Divide, Parted, collapsed, gaps, sums
from gategrad.kinds import Example
from gategrad.recording import plain

__all__ = ["SVD", "Complement", "SingularValues"]

_REMEDY = (
    "Use a function of all of them that does not depend on their order or on the basis, such as a norm, "
    "np.linalg.pinv or np.linalg.det, or gg.spectral of [[0, x], [xᴴ, 0]], or perturb the matrix"
)

_TOGETHER = "singular values coincide, and values and vectors are used together, as in u f(s) vᴴ, whose gradient needs the slope of f"


class SingularValues(Decomposition):
    """s = singular values of x. A switcher: x receives u ds vᴴ.

    Kinks: a singular value that is 0 sends nothing, the middle of the subdifferential; values that coincide must have the
    same gradient, as in a nuclear norm.
    """

    symbol = "svdvals"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.u, self.s, self.vh = tuple(np.linalg.svd(x, full_matrices=False))
        return self.s

    def backward(self, dz: Any) -> Any:
        return conj(_of_values(self.u, self.s, self.vh, dz))

    def jvp(self, dx: Any) -> Any:
        zero = _vanishing(self.s, self.u, self.vh)
        inner = adjoint(self.u) @ dx @ adjoint(self.vh)
        if is_traced(zero):
            inner = refuse_parting("svdvals", inner, self._parts(inner))
        return np.where(zero, 0.0, np.real(np.diagonal(inner, axis1=-2, axis2=-1)))

    def is_parted(self, dx: Any) -> bool:
        """Whether singular values that coincide, and are not zero, part along dx."""
        if is_traced(self.s) or not any_of(coinciding(self.s)):
            return False
        return bool(np.any(self._parts(adjoint(self.u) @ dx @ adjoint(self.vh))))

    def _parts(self, inner: Any) -> Any:
        zero = _vanishing(self.s, self.u, self.vh)
        return parting(known(hermitian(inner)), coinciding(self.s) & ~zero[..., None, :])

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Tall, wide, square, a stack."""
        for shape in ((4, 2), (2, 3), (3, 3), (2, 3, 2)):
            yield cls(), (random_matrix(rng, *shape),)


class SVD(Parted):
    """u s vh = x, the thin singular value decomposition. A switcher: x receives u (ds + (uᴴ du and vᴴ dv) / gaps) vᴴ, and more.

    The more comes from what u and v do not reach. u and v turn together over the gaps of s, against each other over its
    sums, and out of their space over s itself. Wan and Zhang, arXiv:1909.02659.
    """

    symbol = "svd"  # takes complex numbers too, but phases have no gradient: tested by hand
    at = 1
    together_with_vectors, remedy = _TOGETHER, _REMEDY

    def forward(self, x: Any) -> Any:
        u, s, vh = tuple(np.linalg.svd(x, full_matrices=False))
        self.equal, self.zero = equal, zero = coinciding(s), _vanishing(s, u, vh)
        self.meets = any_of(equal, zero)
        if is_traced(s) or (self.meets and type(u) is np.ndarray):  # a variable of an outer tape has been turned there
            u, vh = (turned_within_kernel(turned(part, equal), zero) for part in (u, adjoint(vh)))
            vh = adjoint(vh)
        self.u, self.s, self.vh = u, s, vh
        return u, s, vh

    def backward(self, dz: Any) -> Any:
        du, ds, dvh = dz
        if du is None and dvh is None:
            return None if ds is None else conj(_of_values(self.u, self.s, self.vh, conj(ds)))
        return super().backward(dz)

    def rule(self, dz: Any, over: Divide) -> Any:
        u, s, vh = self.u, self.s, self.vh
        v, equal, zero = adjoint(vh), self.equal, self.zero
        du, ds, dvh = (None if part is None else conj(part) for part in dz)
        dv = None if dvh is None else adjoint(dvh)
        left = None if du is None else adjoint(u) @ du
        right = None if dv is None else adjoint(v) @ dv
        inner = _inner(s, equal, zero, left, right, over)
        if ds is not None:
            inner = inner + on_diagonal(ds if over.is_told else _alike(ds, equal, zero))
        dx = u @ inner @ vh
        if du is not None:
            dx = dx + _over(du - u @ left, s, zero, du, over) @ vh
        if dv is not None:
            dx = dx + u @ adjoint(_over(dv - v @ right, s, zero, dv, over))
        return conj(dx)

    @property
    def outputs(self) -> tuple[Any, ...]:
        return self.u, self.s, self.vh

    def together(self) -> Parted:
        return self.changed(s=_collapsed(self.s, self.equal, self.zero))

    def elsewhere(self) -> Parted:
        u, v = plain(self.u), adjoint(plain(self.vh))
        u = np.where(self.zero[..., None, :], -u, u)
        u, v = (turned_within_kernel(turned(part, self.equal, again=True), self.zero, again=True) for part in (u, v))
        return self.changed(u=u, s=_collapsed(plain(self.s), self.equal, self.zero), vh=adjoint(v))

    def jvp(self, dx: Any) -> Any:
        u, s, vh = self.u, self.s, self.vh
        v, equal, zero = adjoint(vh), self.equal, self.zero
        inner = adjoint(u) @ dx @ v
        if is_traced(zero):
            inner = refuse_parting("svd", inner, self._parts(dx))
        up = adjoint(inner)
        together = np.where(equal, 0.0, (inner + up) * 0.5 / gaps_of(s, equal))
        gone = _both(zero)
        against = np.where(gone, 0.0, (inner - up) * 0.5 / np.where(gone, 1.0, s[..., None, :] + s[..., :, None]))
        reach = np.where(zero, 1.0, s)[..., None, :]
        du = u @ (together + against) + np.where(zero[..., None, :], 0.0, (dx @ v - u @ inner) / reach)
        dv = v @ (together - against) + np.where(zero[..., None, :], 0.0, (adjoint(dx) @ u - v @ up) / reach)
        return du, np.real(np.diagonal(inner, axis1=-2, axis2=-1)), adjoint(dv)

    def is_parted(self, dx: Any) -> bool:
        """Whether singular values that coincide part along dx, or some that are zero move."""
        if is_traced(self.meets) or not self.meets:
            return False
        return bool(np.any(self._parts(dx)))

    def _parts(self, dx: Any) -> Any:
        u, v = known(self.u), np.conj(np.swapaxes(known(self.vh), -1, -2))
        dx, zero = known(dx), self.zero
        onto_v, onto_u = dx @ v, np.conj(np.swapaxes(dx, -1, -2)) @ u
        moved = np.any(is_significant(onto_v, dx), axis=-2) | np.any(is_significant(onto_u, dx), axis=-2)
        return parting(hermitian(np.conj(np.swapaxes(u, -1, -2)) @ onto_v), self.equal) | (zero & moved)[..., None, :]

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Tests want losses that do not depend on phases: see `tests/gates/linalg`. Here the real ones."""
        for shape in ((4, 2), (2, 3), (3, 3), (2, 3, 2)):
            yield cls(), (random_matrix(rng, *shape),)


class Complement(Decomposition):
    """z = any basis of what x, an orthonormal one, does not reach. A blocker: nothing flows, and a gradient is reported."""

    pattern, symbol = "blocker", "⊥"
    takes_complex = True

    def __init__(self, basis: Any) -> None:
        self.basis = basis

    def forward(self, x: Any) -> Any:
        return self.basis.astype(x.dtype)

    def backward(self, dz: Any) -> Any:
        dz = checked(dz, known(dz) != 0, _beyond)
        return np.zeros(self.inputs[0].spec[0], known(dz).dtype) + np.sum(dz) * 0.0

    def jvp(self, dx: Any) -> Any:
        if is_traced(dx):
            dx = refuse_parting("svd", dx, known(dx) != 0)
        return np.zeros(self.spec[0], known(dx).dtype) + np.sum(dx) * 0.0

    def is_parted(self, dx: Any) -> bool:
        """Whether the space moves, and takes any basis of the rest along."""
        return not is_traced(dx) and bool(np.any(known(dx) != 0))

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Of no vectors at all, which is the only basis that may have a gradient."""
        yield cls(np.zeros((2, 0))), (rng.uniform(-1.0, 1.0, (2, 2)),)


def _of_values(u: Any, s: Any, vh: Any, ds: Any) -> Any:
    """What singular values alone send: nothing from a kink where they vanish, and the same where they coincide."""
    value = known(ds)
    kink = _vanishing(s, u, vh) & is_significant(value[..., None, :], value[..., None, :])[..., 0, :]
    ds = refuse_order("svdvals", np.where(kink, 0.0, ds), coinciding(s) & ~kink[..., None, :], remedy=_REMEDY)
    return (u * ds[..., None, :]) @ vh


def _alike(ds: Any, equal: Any, zero: Any) -> Any:
    """ds, if it is nothing where s vanishes, and the same where it coincides."""
    bad = zero & is_significant(known(ds)[..., None, :], known(ds)[..., None, :])[..., 0, :]
    return refuse_order("svd", checked(ds, bad, _vanished), equal, _TOGETHER, _REMEDY)


def _inner(s: Any, equal: Any, zero: Any, left: Any, right: Any, over: Divide) -> Any:
    """What the turns within u and v send to the core of x: those together over s_j − s_i, those against each other over s_j + s_i."""
    gone = _both(zero)
    sizes = [
        np.abs(known(part)).max(axis=(-2, -1), keepdims=True, initial=0.0) for part in (left, right) if part is not None
    ]
    size = sizes[0] if len(sizes) == 1 else np.maximum(*sizes)
    left, right = (0.0 if part is None else (part - adjoint(part)) * 0.5 for part in (left, right))
    together, against = left + right, left - right
    n = s.shape[-1]
    whole = size * np.ones(n, size.dtype)
    between = over(together, s, gaps, whole, (equal & others(n), _coinciding), (equal & ~others(n), _phase))
    return between + over(against, s, sums, whole, (gone, _vanished))


def _over(beyond: Any, s: Any, zero: Any, whole: Any, over: Divide) -> Any:
    """What the vectors have beyond each other's space, over s; where that is zero, they must not have any."""
    return over(beyond, s, _as_row, known(whole), (zero[..., None, :], _vanished))


def _as_row(s: Any) -> Any:
    return s[..., None, :]


def _collapsed(s: Any, equal: Any, zero: Any) -> Any:
    """s, with values that coincide at their mean, and those that vanish at zero."""
    return collapsed(s, equal) - np.where(zero, collapsed(plain(s), equal), np.zeros((), s.dtype))


def _both(zero: Any) -> Any:
    return zero[..., None, :] & zero[..., :, None]


def _vanishing(s: Any, u: Any, vh: Any) -> Any:
    """Which singular values are nothing but rounding."""
    value = known(s)
    precision = np.finfo(value.dtype).eps * max(u.shape[-2], vh.shape[-1])
    return value <= precision * value.max(axis=-1, initial=0.0, keepdims=True)


def _vanished() -> NoGradientError:
    return no_gradient("svd", "a singular value is zero, and its vectors are any basis", _REMEDY)


def _beyond() -> NoGradientError:
    why = "the singular vectors beyond the singular values are any basis"
    return no_gradient("svd", why, "Use full_matrices=False")


def _phase() -> NoGradientError:
    return no_gradient("svd", "the common phase of two singular vectors matters", "Use np.abs or projectors")


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
