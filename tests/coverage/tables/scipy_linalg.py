"""scipy.linalg, by the names of gategrad.scipy.linalg."""

from __future__ import annotations

import functools
import warnings

import numpy as np

from gategrad.scipy import linalg

from ..cases import case
from .numpy_linalg import SQUARE, STACK, SYMMETRIC, TALL, TURNING, TWINS, WIDE, matrix, of_symmetric

rng = np.random.default_rng(8)
VECTOR, OTHER = rng.uniform(0.5, 1.5, 4), rng.uniform(0.5, 1.5, 4)
INDEFINITE = np.array([[0.1, 2.0, 0.3, 0.7], [2.0, 0.2, -0.4, 0.5], [0.3, -0.4, -1.5, 0.6], [0.7, 0.5, 0.6, 1.1]])
FIRST = VECTOR * [3.0, 1.0, 1.0, 0.5]
RIGHT, BANDS = rng.uniform(-1.0, 1.0, (3, 2)), rng.uniform(0.2, 0.6, (3, 4)) + 2.0 * np.eye(3)[1][:, None]
LOOP, INPUTS, COSTS, EFFORTS = matrix(3, 3) * -0.3, rng.uniform(-1.0, 1.0, (3, 2)), matrix(3, 3), matrix(2, 2)
PAIR = matrix(2, 2)
CUT = "where no eigenvalue is zero or negative"
PIVOTS = "nothing flows through the permutation"
AS_IT_IS = "its pivots depend on values"
NO_EXAMPLE = "no solution for the examples that tracing tries"
OR_REAL = "programs take the answer for complex; where it is real, a compiled function runs as it is"
DENSE = "the matrix is written out"


def row(name, *inputs, call=None, **options):
    """A case of a function of ours, under SciPy's name; for plain values it is SciPy's own, so that values are compared."""
    said = {key: options.pop(key) for key in ("note", "order", "compiles") if key in options}
    return case(
        f"scipy.linalg.{name}", *inputs, call=call or functools.partial(getattr(linalg, name), **options), **said
    )


def of_symmetrics(function, *places):
    """The function of the symmetric parts of some of its arguments."""

    def symmetrised(*xs):
        return function(*[(x + np.swapaxes(x, -1, -2)) / 2 if n in places else x for n, x in enumerate(xs)])

    return symmetrised


def quietly(function):
    """The function, although SciPy finds logarithms in single precision inaccurate by the measure of double precision."""

    def quiet(*xs):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "logm result may be inaccurate")
            return function(*xs)

    return quiet


def _sizes(w_and_v):
    """Eigenvalues, and eigenvectors without their signs."""
    return w_and_v[0], np.abs(w_and_v[1])


CASES = [
    row("expm", SQUARE - 2 * np.eye(3)),
    row("expm", STACK * 0.3),
    row("expm_frechet", PAIR, COSTS[:2, :2]),
    row("logm", PAIR, call=quietly(linalg.logm), note=CUT),
    row("sqrtm", SQUARE - 4.0 * np.eye(3), note=f"finite unless the matrix is singular; {OR_REAL}"),
    row("fractional_matrix_power", PAIR, t=0.4, note=CUT),
    row(
        "fractional_matrix_power", PAIR, 0.4, note="the power may be a variable",
        call=of_symmetrics(quietly(linalg.fractional_matrix_power), 0),
    ),
    *[row(name, PAIR * 0.3) for name in ("cosm", "sinm", "tanm", "coshm", "sinhm", "tanhm")],
    row("funm", PAIR, call=lambda x: linalg.funm(x, lambda w: w**2 / (1 + w)), compiles=False, note="with a basis of eigenvectors"),
    row("signm", PAIR * [[1.0], [-1.0]]),
    row("solve_sylvester", SQUARE, COSTS, TALL[:3] @ np.ones((2, 3)) + SQUARE),
    row("solve_continuous_lyapunov", SQUARE, COSTS),
    row("solve_discrete_lyapunov", SQUARE * 0.2, COSTS),
    row("solve_discrete_lyapunov", SQUARE * 0.2, COSTS, method="bilinear"),
    row("solve_continuous_are", LOOP, INPUTS, COSTS, EFFORTS, call=of_symmetrics(linalg.solve_continuous_are, 2, 3), note=SYMMETRIC),
    row("solve_discrete_are", LOOP, INPUTS, COSTS, EFFORTS, call=of_symmetrics(linalg.solve_discrete_are, 2, 3), compiles=False, note=f"{SYMMETRIC}; {NO_EXAMPLE}"),
    *[
        row(
            name, LOOP, INPUTS, COSTS, EFFORTS, matrix(3, 3), INPUTS * 0.05, compiles=name == "solve_continuous_are",
            call=of_symmetrics(functools.partial(getattr(linalg, name), balanced=False), 2, 3),
        )
        for name in ("solve_continuous_are", "solve_discrete_are")
    ],
    row("solve_triangular", SQUARE, RIGHT, note="the other triangle receives 0"),
    row("solve_triangular", SQUARE, RIGHT[:, 0], trans=1, lower=True),
    row("solve_triangular", SQUARE, RIGHT, unit_diagonal=True, trans="C"),
    row("cholesky", SQUARE, call=of_symmetric(linalg.cholesky), note=SYMMETRIC),
    row("cholesky", SQUARE, call=of_symmetric(functools.partial(linalg.cholesky, lower=True))),
    *[
        row(
            name, SQUARE, RIGHT, note=SYMMETRIC,
            call=of_symmetrics(lambda a, b, lower=lower: linalg.cho_solve(linalg.cho_factor(a, lower), b), 0),
        )
        for name, lower in (("cho_factor", False), ("cho_solve", True))
    ],
    row("solve", SQUARE, RIGHT),
    row("solve", SQUARE, RIGHT[:, 0], transposed=True),
    *[
        row("solve", SQUARE, RIGHT, note="symmetric kinds: the gradient is symmetric",
            call=of_symmetrics(functools.partial(linalg.solve, assume_a=kind, lower=lower), 0))
        for kind, lower in (("sym", True), ("pos", False))
    ],
    row("lu", SQUARE[::-1].copy(), call=lambda x: linalg.lu(x, permute_l=True), note=PIVOTS),
    *[row("lu", x[::-1].copy(), call=lambda x: linalg.lu(x, permute_l=True)) for x in (TALL, WIDE)],
    row("lu_factor", SQUARE[::-1].copy(), call=lambda a: linalg.lu_factor(a)[0], note=f"{PIVOTS}; {AS_IT_IS}"),
    *[
        row("lu_solve", SQUARE[::-1].copy(), RIGHT, note=AS_IT_IS,
            call=lambda a, b, trans=trans: linalg.lu_solve(linalg.lu_factor(a), b, trans))
        for trans in (0, 1)
    ],
    row("qr", TALL, mode="economic", note="mode economic or r"),
    row("qr", WIDE),
    row("qr", TALL, mode="r"),
    row("qr", TALL, mode="economic", pivoting=True, call=lambda x: linalg.qr(x, mode="economic", pivoting=True)[:2]),
    row("svd", TALL, full_matrices=False, note="the thin one"),
    row("svdvals", WIDE),
    row("eigh", SQUARE, call=of_symmetric(linalg.eigh), note=f"{SYMMETRIC}; {TWINS}"),
    *[
        row("eigh", SQUARE, COSTS, call=of_symmetrics(lambda a, b, kind=kind: linalg.eigh(a, b, type=kind, lower=kind != 2), 0, 1))
        for kind in (1, 2, 3)
    ],
    row("eigvalsh", SQUARE, call=of_symmetric(functools.partial(linalg.eigvalsh, subset_by_index=(1, 2)))),
    row("eig", TURNING, note=TWINS, call=lambda x: (linalg.eig(x)[0], np.abs(linalg.eig(x)[1]))),
    *[
        row("eig", *xs, note="left eigenvectors too",
            call=lambda *xs: [np.abs(part) for part in linalg.eig(*xs, left=True)])
        for xs in ((TURNING,), (TURNING, COSTS))
    ],
    row("eigvals", TURNING, COSTS),
    *[
        row("ldl", x, note=f"{SYMMETRIC}; its pivots are steps",
            call=of_symmetric(lambda x, lower=lower: linalg.ldl(x, lower=lower)[:2]))
        for x, lower in ((SQUARE, True), (INDEFINITE, True), (INDEFINITE, False))
    ],
    row("rq", WIDE, mode="economic", note="mode economic, of at most as many rows as columns"),
    *[row("rq", SQUARE, mode=mode) for mode in ("full", "r")],
    row("subspace_angles", TALL, TALL[::-1] * [1.0, -0.5] + 0.3, note="columns that do not depend on each other"),
    row("subspace_angles", TALL[:, :1], TALL[::-1] * [1.0, -0.5] + 0.3),
    row("inv", SQUARE),
    row("det", SQUARE, note="finite for singular matrices"),
    row("norm", SQUARE, note="every order"),
    *[row("pinv", x, note="where the rank stays what it is") for x in (TALL, WIDE)],
    row("pinvh", SQUARE, call=of_symmetric(linalg.pinvh), note=SYMMETRIC),
    row("lstsq", TALL, rng.uniform(-1.0, 1.0, (4, 3)), call=lambda a, b: linalg.lstsq(a, b)[0]),
    row("polar", TALL, note="finite where singular values coincide"),
    row("polar", WIDE),
    row("polar", SQUARE, side="left"),
    row("orthogonal_procrustes", TALL, TALL[::-1] + 0.3),
    row("block_diag", SQUARE, RIGHT, VECTOR),
    row("toeplitz", VECTOR),
    row("toeplitz", VECTOR, OTHER[:3]),
    row("circulant", VECTOR),
    row("hankel", VECTOR, OTHER),
    row("hankel", VECTOR),
    row("companion", VECTOR),
    *[row("convolution_matrix", VECTOR, n=3, mode=mode) for mode in ("full", "same", "valid")],
    row("convolution_matrix", VECTOR[:3], n=5, mode="valid"),
    row("leslie", VECTOR, OTHER[:3]),
    row("fiedler", VECTOR),
    row("khatri_rao", RIGHT, TALL),
    row("diagsvd", VECTOR, M=4, N=5),
    row("diagsvd", VECTOR, M=6, N=4),
    row("solve_banded", BANDS, OTHER, call=lambda ab, b: linalg.solve_banded((1, 1), ab, b)),
    row("solve_banded", BANDS[::-1] + 0.1, OTHER[:, None] * [1.0, 2.0], call=lambda ab, b: linalg.solve_banded((0, 2), ab[:, :], b)),
    *[
        row("solveh_banded", x, OTHER, call=lambda ab, b, lower=lower: linalg.solveh_banded(ab, b, lower=lower))
        for x, lower in ((BANDS[:2], False), (BANDS[1:], True))
    ],
    *[
        row("cholesky_banded", x, call=functools.partial(linalg.cholesky_banded, lower=lower), note=DENSE)
        for x, lower in ((BANDS[:2], False), (BANDS[1:], True))
    ],
    *[
        row("cho_solve_banded", x, OTHER, call=lambda cb, b, lower=lower: linalg.cho_solve_banded((cb, lower), b), note=DENSE)
        for x, lower in ((BANDS[:2], False), (BANDS[1:], True))
    ],
    row("eig_banded", BANDS[:2] + [[0.0], [1.0]] * np.arange(4.0), call=lambda x: _sizes(linalg.eig_banded(x)), note=DENSE),
    row("eigvals_banded", BANDS[1:] + [[1.0], [0.0]] * np.arange(4.0), lower=True, select="i", select_range=(1, 2), note=DENSE),
    row("eigh_tridiagonal", VECTOR * np.arange(4.0), OTHER[:3], call=lambda d, e: _sizes(linalg.eigh_tridiagonal(d, e)), note=DENSE),
    row("eigvalsh_tridiagonal", VECTOR * np.arange(4.0), OTHER[:3], note=DENSE),
    row("solve_toeplitz", FIRST, OTHER),
    row("solve_toeplitz", FIRST, VECTOR - 0.3, OTHER[:, None] * [1.0, 2.0], call=lambda c, r, b: linalg.solve_toeplitz((c, r), b)),
    row("matmul_toeplitz", VECTOR, OTHER),
    row("matmul_toeplitz", VECTOR, OTHER[:3], TALL[:3], call=lambda c, r, x: linalg.matmul_toeplitz((c, r), x)),
    row("solve_circulant", FIRST, OTHER),
]  # fmt: skip
