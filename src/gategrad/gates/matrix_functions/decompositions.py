"""LU, QR, singular values and eigenvalues, with SciPy's signatures; what NumPy has is NumPy's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg

from gategrad.errors import NoRuleError
from gategrad.gate import Gate
from gategrad.gates.axes import as_input
from gategrad.gates.linalg.matrices import adjoint, hermitian, known, no_gradient, random_matrix, transposed
from gategrad.gates.matrix_functions.deciding import columns_of_qr, decided, pivots_of
from gategrad.gates.matrix_functions.meeting import as_in_scipy, computed, square
from gategrad.gates.matrix_functions.mirror import Mirror
from gategrad.gates.matrix_functions.triangular import solve_triangular
from gategrad.kinds import Example
from gategrad.recording import plain

__all__ = ["LU", "eig", "eigh", "eigvals", "eigvalsh", "lu", "lu_factor", "qr", "svd", "svdvals"]


class LU(Gate):
    """p, l, u = a permutation, and the triangular factors with p l u = x. A switcher: x receives p l⁻ᵀ (…) u⁻ᵀ.

    Within are the lower triangle of lᵀ dl and the upper one of du uᵀ. The permutation is a step: nothing flows through it.
    """

    pattern, symbol = "switcher", "lu"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.p, self.l, self.u = found = computed(self, scipy.linalg.lu, x)
        return found

    def backward(self, dz: Any) -> Any:
        p, l, u = self.p, self.l, self.u
        _, dl, du = dz
        rows, columns = l.shape[-2], u.shape[-1]
        n = min(rows, columns)
        corner = np.abs(known(np.diagonal(u, axis1=-2, axis2=-1)))
        if np.any(corner <= corner.max(initial=0.0) * np.finfo(corner.dtype).eps * n):
            raise no_gradient("lu", "the matrix has no full rank", "Use np.linalg.svd, pinv or qr")
        dl = np.zeros(l.shape, l.dtype) if dl is None else dl
        du = np.zeros(u.shape, u.dtype) if du is None else du
        core_l, core_u = l[..., :n, :], u[..., :, :n]
        if rows > n:  # the rows below: l₂ = x₂ u⁻¹
            beyond = transposed(solve_triangular(core_u, transposed(dl[..., n:, :])))
            du = du - transposed(l[..., n:, :]) @ beyond
        elif columns > n:  # the columns on the right: u₂ = l⁻¹ x₂
            beyond = _solve_unit(core_l, du[..., :, n:])
            dl = dl - beyond @ transposed(u[..., :, n:])
        inner = np.tril(transposed(core_l) @ dl[..., :n, :], -1) + np.triu(du[..., :, :n] @ transposed(core_u))
        dx = transposed(solve_triangular(core_u, transposed(_solve_unit(core_l, inner))))
        return p @ (dx if rows == columns else np.concatenate([dx, beyond], axis=-2 if rows > n else -1))

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Tall, wide, and a square one whose rows are exchanged."""
        for shape in ((3, 3), (4, 2), (2, 4)):
            yield cls(), (random_matrix(rng, *shape)[::-1].copy(),)


def _solve_unit(l: Any, y: Any) -> Any:
    """l⁻ᵀ y, for a factor with ones on its diagonal."""
    return solve_triangular(l, y, trans=1, lower=True, unit_diagonal=True)


# --- SciPy's functions ----------------------------------------------------------------------------------------


@as_in_scipy
def lu(a: Any, permute_l: bool = False, *, p_indices: bool = False) -> Any:
    """Factors p, l, u with p l u = a, or p l and u; as `scipy.linalg.lu`. Nothing flows through the permutation.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: np.sum(np.log(np.diagonal(lu(x)[2]))))(np.array([[2.0, 0.0], [1.0, 4.0]]))
    array([[ 0.5  , -0.125],
           [ 0.   ,  0.25 ]])
    """
    p, l, u = LU()(as_input(a))
    if permute_l:
        return p @ l, u
    return (np.argmax(plain(p), axis=-1) if p_indices else p), l, u


@as_in_scipy
def lu_factor(a: Any) -> Any:
    """Both factors in one matrix, and the rows that were exchanged, for `lu_solve`; as `scipy.linalg.lu_factor`."""
    a = square("lu_factor", a)
    _, l, u = LU()(a)
    return np.tril(l, -1) + u, decided(pivots_of, a)


@as_in_scipy
def qr(a: Any, *, mode: str = "full", pivoting: bool = False) -> Any:
    """Factors q, r with q r = a; as `scipy.linalg.qr`, whose modes are "full", "economic" and "r".

    With `pivoting` a third answer says in which order the columns were taken. The columns of a full q beyond those of a
    are any basis of what is left: `NoRuleError` if there are some.
    """
    names: dict[str, Any] = {"full": "complete", "economic": "reduced", "r": "r"}
    a = as_input(a)
    if mode not in names or (mode == "full" and a.shape[-2] > a.shape[-1]):
        raise NoRuleError(
            f"scipy.linalg.qr of a variable with mode={mode!r}: what is beyond the columns of the matrix has no gradient. "
            "Use mode='economic'"
        )
    order: tuple[Any, ...] = ()
    if pivoting:
        order = (decided(columns_of_qr, a),)
        a = a[..., order[0]]
    found: Any = np.linalg.qr(a, names[mode])
    if mode == "r":
        n = a.shape[-2] - a.shape[-1]
        found = (np.concatenate([found, np.zeros((n, a.shape[-1]), a.dtype)]) if n > 0 else found,)
    return (*found, *order)


@as_in_scipy
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Factors u, s, vh with u s vh = a, or the singular values alone; as `scipy.linalg.svd`.

    With gradients as `numpy.linalg.svd` has them.
    """
    a = as_input(a)
    return tuple(np.linalg.svd(a, full_matrices)) if compute_uv else np.linalg.svdvals(a)


@as_in_scipy
def svdvals(a: Any) -> Any:
    """The singular values, largest first; as `scipy.linalg.svdvals`."""
    return np.linalg.svdvals(as_input(a))


@as_in_scipy
def eigh(
    a: Any,
    b: Any = None,
    *,
    lower: bool = True,
    eigvals_only: bool = False,
    type: int = 1,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
) -> Any:
    """Eigenvalues and eigenvectors of a Hermitian matrix, or of a v = b v w with a positive definite b; as `scipy.linalg.eigh`.

    `type` 2 is a b v = v w, 3 is b a v = v w. The gradients for a and b are Hermitian; where eigenvalues coincide the
    loss must not depend on their order or basis (`NoGradientError`). Which of them lie between two values is a step:
    `NoRuleError` for `subset_by_value`.

    >>> import numpy as np, gategrad as gg
    >>> frequency = lambda stiffness, mass: eigh(stiffness * np.eye(1), mass * np.eye(1), eigvals_only=True)[0]
    >>> gg.grad(frequency, (0, 1))(8.0, 4.0)
    (0.25, -0.5)
    """
    if subset_by_value is not None:
        raise NoRuleError(
            "scipy.linalg.eigh of a variable takes no subset_by_value=: how many there are is a step. Index the result"
        )
    triangle: Any = "L" if lower else "U"
    part = slice(None) if subset_by_index is None else slice(subset_by_index[0], subset_by_index[1] + 1)
    a = square("eigh", a)
    if b is None:
        if eigvals_only:
            return np.linalg.eigvalsh(a, triangle)[..., part]
        w, v = np.linalg.eigh(a, triangle)
        return w[..., part], v[..., part]
    if type not in (1, 2, 3):
        raise ValueError(f"eigh: type is 1, 2 or 3, not {type!r}")
    l = np.linalg.cholesky(b if lower else adjoint(b))
    if type == 1:
        half = solve_triangular(l, Mirror(lower)(a), lower=True)
        inner = solve_triangular(l, adjoint(half), lower=True)
    else:
        inner = adjoint(l) @ Mirror(lower)(a) @ l
    inner = hermitian(inner)
    if eigvals_only:
        return np.linalg.eigvalsh(inner)[..., part]
    w, v = np.linalg.eigh(inner)
    v = l @ v if type == 3 else solve_triangular(l, v, trans=2, lower=True)
    return w[..., part], v[..., part]


@as_in_scipy
def eigvalsh(a: Any, b: Any = None, **options: Any) -> Any:
    """The eigenvalues of `eigh`; as `scipy.linalg.eigvalsh`."""
    return eigh(a, b, eigvals_only=True, **options)


@as_in_scipy
def eig(a: Any, b: Any = None, left: bool = False, right: bool = True) -> Any:
    """Eigenvalues, always complex, left and right eigenvectors of length 1, as asked for; as `scipy.linalg.eig`.

    With b those of a v = b v w, for a b that has an inverse.

    >>> import numpy as np, gategrad as gg
    >>> from gategrad.scipy import linalg
    >>> w, vl, vr = linalg.eig(gg.variable(np.array([[1.0, 1.0], [0.0, 2.0]])), left=True)
    >>> np.abs(vl.value).round(3)
    array([[0.707, 0.   ],
           [0.707, 1.   ]])
    """
    w, v = np.linalg.eig(_quotient(a, b))
    answers = [w + 0j]
    if left:
        rows = adjoint(np.linalg.inv(v))  # of v⁻¹ a v = w, and of b⁻¹ a if there is a b
        rows = rows if b is None else np.linalg.solve(adjoint(as_input(b)), rows)
        answers.append(rows / np.linalg.norm(rows, axis=-2, keepdims=True))
    if right:
        answers.append(v)
    return tuple(answers) if len(answers) > 1 else answers[0]


@as_in_scipy
def eigvals(a: Any, b: Any = None) -> Any:
    """The eigenvalues of `eig`; as `scipy.linalg.eigvals`."""
    return np.linalg.eigvals(_quotient(a, b)) + 0j


def _quotient(a: Any, b: Any) -> Any:
    """b⁻¹ a, whose eigenvalues are those of the pair."""
    a = square("eig", a)
    return a if b is None else np.linalg.solve(as_input(b), a)
