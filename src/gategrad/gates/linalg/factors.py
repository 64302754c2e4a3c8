"""Triangular factors: cholesky and qr."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.errors import NoGradientError, NoRuleError
from gategrad.gate import Gate
from gategrad.gates.axes import shape_of
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.matrices import adjoint, checked, hermitian, known, no_gradient, on_diagonal, random_matrix
from gategrad.kinds import Example

__all__ = ["Cholesky", "QR"]


class Cholesky(Gate):
    """z zᴴ = x, with z lower triangular. A switcher: x receives z⁻ᴴ Φ(zᴴ dz) z⁻¹, Φ the lower triangle with half a diagonal.

    A function of Hermitian matrices: the gradient is Hermitian, as in PyTorch and JAX, although NumPy reads one
    triangle only. Murray, arXiv:1602.07527.
    """

    pattern, symbol = "switcher", "cholesky"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.z = z = np.linalg.cholesky(x)
        return z

    def backward(self, dz: Any) -> Any:
        z = self.z
        up = adjoint(z)
        inner = _half_triangle(up @ conj(dz))
        return conj(hermitian(np.linalg.solve(up, adjoint(np.linalg.solve(up, adjoint(inner))))))

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Tests want functions that may be moved in any direction: see `tests/gates/linalg`."""
        yield cls(), (np.eye(1) * rng.uniform(1.0, 2.0),)


def _half_triangle(x: Any) -> Any:
    """The lower triangle, with half of the real diagonal."""
    return np.tril(x, -1) + on_diagonal(np.real(np.diagonal(x, axis1=-2, axis2=-1)) * 0.5)


class QR(Gate):
    """q r = x, q with orthonormal columns, r upper triangular. A switcher: x receives (dq + q P) r⁻ᴴ.

    P is the lower triangle of r drᴴ − dqᴴ q mirrored over its diagonal. For as many rows as columns, or more, of full
    rank. Walter and Lehmann, arXiv:1009.6112.
    """

    pattern, symbol = "switcher", "qr"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.q, self.r = q, r = tuple(np.linalg.qr(x))
        return q, r

    def backward(self, dz: Any) -> Any:
        q, r = self.q, self.r
        if 0 in q.shape:
            return None
        dq, dr = (None if part is None else conj(part) for part in dz)
        corner = np.abs(known(np.diagonal(r, axis1=-2, axis2=-1)))
        r = checked(r, corner <= corner.max(initial=0.0) * _rank_precision(known(r)), _dependent)
        inner: Any = 0.0
        if dr is not None:
            inner = r @ adjoint(dr)
        if dq is not None:
            inner = inner - adjoint(dq) @ q
        low = np.tril(inner, -1)
        inner = q @ (low + adjoint(low) + on_diagonal(np.real(np.diagonal(inner, axis1=-2, axis2=-1))))
        if dq is not None:
            inner = inner + dq
        return conj(adjoint(np.linalg.solve(r, adjoint(inner))))

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Square, tall, a stack."""
        for shape in ((3, 3), (4, 2), (2, 3, 2)):
            yield cls(), (random_matrix(rng, *shape),)


def _dependent() -> NoGradientError:
    return no_gradient("qr", "the columns of the matrix depend on each other", "Use np.linalg.svd or pinv")


def _rank_precision(x: Any) -> Any:
    return np.finfo(x.dtype).eps * max(x.shape[-2:])


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.linalg.cholesky)
def _cholesky(a: Any, /, *, upper: bool = False) -> Any:
    return adjoint(Cholesky()(adjoint(a))) if upper else Cholesky()(a)


@implements(np.linalg.qr)
def _qr(a: Any, mode: str = "reduced") -> Any:
    rows, columns = shape_of(a)[-2:]
    if mode not in ("reduced", "r") and not (mode == "complete" and rows <= columns):
        raise NoRuleError(
            f"np.linalg.qr of a variable with mode={mode!r}: the columns beyond those of the matrix are any basis of "
            "what is left, which has no gradient. Use mode='reduced' or 'r'"
        )
    q, r = QR()(a) if rows >= columns else _of_wide(a, rows)
    return r if mode == "r" else _QRResult(q, r)


def _of_wide(a: Any, rows: int) -> tuple[Any, Any]:
    """The factors of the first columns, and the other columns in that basis."""
    q, r = QR()(a[..., :rows])
    return q, np.concatenate([r, adjoint(q) @ a[..., rows:]], axis=-1)


_QRResult: Any = type(np.linalg.qr(np.eye(1)))
