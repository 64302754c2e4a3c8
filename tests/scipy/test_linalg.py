"""gategrad.scipy.linalg: every name of SciPy's is there; what has a gradient is in tests/coverage, the rest says what to use."""

import ast
import inspect
import re

import numpy as np
import pytest
import scipy.linalg

import gategrad as gg
from gategrad.errors import EscapeError, NoGradientError, NoRuleError
from gategrad.scipy import linalg

MODULES = {
    # SciPy's modules, which it lists among its functions: nothing to differentiate
    "basic", "blas", "cython_blas", "cython_lapack", "decomp", "decomp_cholesky", "decomp_lu", "decomp_qr", "decomp_schur",
    "decomp_svd", "lapack", "matfuncs", "misc", "special_matrices",
}  # fmt: skip
OLDER = {"kron", "tri", "tril", "triu", "pinv2", "inv_hadamard"}
"""Names that older releases of SciPy had, for functions of NumPy's."""

MATRIX = np.array([[3.0, 0.4, -0.2], [0.1, 2.0, 0.5], [0.3, -0.6, 1.5]])


def test_every_public_name_is_there():
    without = {name for name in scipy.linalg.__all__ if not hasattr(linalg, name)}
    assert without <= MODULES | OLDER


def test_it_re_exports_and_does_nothing_else():
    tree = ast.parse(inspect.getsource(linalg))
    assert all(isinstance(node, (ast.ImportFrom, ast.Expr)) for node in tree.body)


OURS = [f for name, f in vars(linalg).items() if inspect.isfunction(f) and f.__module__.startswith("gategrad")]
REFUSED = [f for f in OURS if "of a variable it" in f.__doc__]


@pytest.mark.parametrize("function", OURS, ids=lambda f: f.__name__)
def test_options_have_scipys_names(function):
    """A call that SciPy takes by keywords is one that we take, but for what says how it computes."""
    if function in REFUSED or "of the plain values" in function.__doc__ or function.__name__ == "eigvalsh":
        return
    theirs = inspect.signature(getattr(scipy.linalg, function.__name__)).parameters
    ours = inspect.signature(function).parameters
    how = {"check_finite", "driver", "lapack_driver", "lwork", "blocksize", "disp", "workers", "homogeneous_eigvals"}
    how |= {"singular", "tol", "caxis", "baxis", "outaxis"}  # of solve_circulant, for plain values alone
    if function.__name__ == "inv":
        how |= {"assume_a", "lower"}
    assert {name for name in theirs if name not in how and not name.startswith("overwrite_")} <= set(ours)
    shared = [name for name in ours if name in theirs]
    assert shared == [name for name in theirs if name in shared], "in SciPy's order"


@pytest.mark.parametrize("function", REFUSED, ids=lambda f: f.__name__)
def test_what_is_refused_says_what_to_use(function):
    v = gg.variable(MATRIX)
    with pytest.raises(
        NoRuleError, match=rf"scipy\.linalg\.{function.__name__} of a variable has no .*(use|pass) |by gategrad"
    ):
        function(v, v)


def test_plain_values_are_scipys_affair():
    np.testing.assert_array_equal(linalg.null_space(np.ones((2, 2))), scipy.linalg.null_space(np.ones((2, 2))))
    np.testing.assert_array_equal(linalg.schur(MATRIX)[0], scipy.linalg.schur(MATRIX)[0])
    assert linalg.solve([[2.0]], [1.0], check_finite=False, overwrite_a=True) == [0.5]


def test_options_about_how_are_ignored_for_variables():
    z = linalg.solve(gg.variable(MATRIX), np.ones(3), check_finite=False, overwrite_b=True)
    np.testing.assert_allclose(z.value, np.linalg.solve(MATRIX, np.ones(3)))


def test_questions_are_answered_of_the_plain_values():
    v = gg.variable(MATRIX)
    assert linalg.issymmetric(v) is False and linalg.ishermitian(v @ v.T, rtol=1e-12) is True
    assert linalg.bandwidth(v) == (2, 2)


def test_scipys_own_function_points_here():
    with pytest.raises(EscapeError, match=r"(?s)lose its gradient.*gategrad\.scipy\.linalg"):
        scipy.linalg.expm(gg.variable(MATRIX))
    with pytest.raises(EscapeError) as error:
        np.asarray(gg.variable(MATRIX))
    assert "gategrad.scipy" not in str(error.value)


@pytest.mark.filterwarnings("ignore:Matrix is singular")  # says SciPy of the value
@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda x: linalg.logm(x), "zero or negative"),
        (lambda x: linalg.fractional_matrix_power(x, 0.5), "zero or negative"),
        (lambda x: linalg.sqrtm(x - np.diag([0.0, -1.0])), "singular"),
        (lambda x: linalg.lu(x - np.diag([0.0, -1.0]))[2], "no full rank"),
        (lambda x: linalg.polar(x - np.diag([0.0, -1.0]))[0], "no full rank"),
    ],
)
def test_where_there_is_no_gradient_it_says_so(call, why):
    z = call(gg.variable(np.diag([1.0, -1.0])))
    with pytest.raises(NoGradientError, match=rf"has no gradient here(?s:.*){why}"):
        np.sum(np.abs(z)).backward()


def test_the_root_of_a_matrix_with_negative_eigenvalues():
    """√−4 = 2i, whose size √|x| has the slope −1/4."""
    gradient = gg.grad(lambda x: np.abs(np.trace(linalg.sqrtm(x))))(np.array([[-4.0]]))
    np.testing.assert_allclose(gradient, [[-0.25]])


@pytest.mark.parametrize("call", [
    lambda x: linalg.solve(x, x[:, 0], assume_a="diagonal"),
    lambda x: linalg.solve(x, x[:, :2], assume_a="tridiagonal"),
    lambda x: linalg.solve(x, x[0], assume_a="upper triangular"),
    lambda x: linalg.solve(x, x[0], assume_a="lower triangular", transposed=True),
    lambda x: linalg.solve(x @ x.T, x[0], assume_a="pos", lower=True, transposed=True),
    lambda x: linalg.solve(x + x.T, x[0], assume_a="sym", transposed=True),
    lambda x: linalg.solve_triangular(x, x[0], trans="C"),
    lambda x: linalg.lu_solve(linalg.lu_factor(x), x[0], trans=2),
    lambda x: linalg.lu(x, p_indices=True)[1:],
    lambda x: linalg.pinv(x, atol=0.1, rtol=1e-3),
    lambda x: linalg.pinv(x, return_rank=True)[0],
    lambda x: linalg.lstsq(x[:, :2], x[:, 2])[:2],
    lambda x: linalg.eigvals(x, x @ x.T),
    lambda x: linalg.eigh(x + x.T, eigvals_only=True, subset_by_index=[0, 1]),
    lambda x: linalg.qr(x[:, :2], mode="r"),
    lambda x: linalg.block_diag(x, 1.0, x[0]),
])  # fmt: skip
def test_options_give_scipys_values(call):
    found, expected = call(gg.variable(MATRIX)), call(MATRIX)
    for z, v in zip(*[x if isinstance(x, tuple) else (x,) for x in (expected, found)], strict=True):
        assert np.shape(v) == np.shape(z)
        np.testing.assert_allclose(v.value, z, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda v: linalg.expm(v[:2]), r"expm: expected a square matrix, got an array of shape \(2, 3\)"),
        (lambda v: linalg.solve(v, v, assume_a="magic"), "'magic' is not a recognized matrix structure"),
        (lambda v: linalg.solve_triangular(v, v, trans=3), "trans is 0, 1, 2"),
        (lambda v: linalg.polar(v, side="up"), "side is 'right' or 'left'"),
        (lambda v: linalg.eigh(v, v, type=4), "type is 1, 2 or 3"),
        (lambda v: linalg.solve_continuous_are(v, v, v, v), r"q should be Hermitian: pass \(q \+ q\.T\) / 2"),
        (lambda v: linalg.leslie(v[0], v[0]), "the survivals must be 2"),
        (lambda v: linalg.companion(v[0, :1]), "at least 2"),
        (lambda v: linalg.toeplitz(v), "expected a vector"),
        (lambda v: linalg.diagsvd(v[0], 4, 5), "neither 4 rows nor 5 columns"),
        (lambda v: linalg.convolution_matrix(v[0], 2, mode="odd"), "mode is 'full', 'same' or 'valid'"),
    ],
)
def test_complaints(call, said):
    with pytest.raises(ValueError, match=said):
        call(gg.variable(MATRIX))


@pytest.mark.parametrize("call", [
    lambda v: linalg.eigh(v, subset_by_value=(0, 1)), lambda v: linalg.qr(v[:, :2]),
])  # fmt: skip
def test_options_without_a_gradient(call):
    with pytest.raises(NoRuleError, match=re.compile("Index the result|mode='economic'")):
        call(gg.variable(MATRIX))


def of_hermitian(x):
    return (x + np.conj(x.T)) / 2


@pytest.mark.parametrize("call", [
    lambda x: linalg.solve_continuous_are(x * -0.3, x[:, :2], of_hermitian(x), of_hermitian(x[:2, :2])),
    lambda x: linalg.solve_discrete_are(x * 0.2, x[:, :2], of_hermitian(x), of_hermitian(x[:2, :2])),
    lambda x: linalg.solve(of_hermitian(x), x[0], assume_a="her"),
    lambda x: np.abs(linalg.eigh(of_hermitian(x), of_hermitian(x @ np.conj(x.T)))[1]),
    lambda x: linalg.cho_solve(linalg.cho_factor(of_hermitian(x)), x),
    lambda x: linalg.cosm(x * 0.3) @ linalg.tanhm(x * 0.3),
])  # fmt: skip
def test_complex_numbers(call):
    x = MATRIX + 0.3j * MATRIX[::-1, ::-1].T
    assert gg.check_gradients(call, x, elements=2).ok


def test_third_order():
    assert gg.check_gradients(linalg.expm, MATRIX[:2, :2] * 0.3, order=3, elements=2, tolerance=1e-4).ok
    assert gg.check_gradients(linalg.sqrtm, MATRIX[:2, :2], order=3, elements=2, tolerance=1e-4).ok


def test_symmetric_kinds_have_symmetric_gradients():
    gradient = gg.grad(lambda a: linalg.solve(a, np.array([1.0, 2.0, 4.0]), assume_a="sym")[1])(MATRIX + MATRIX.T)
    np.testing.assert_allclose(gradient, gradient.T, rtol=1e-13)


def test_stacks_of_matrices():
    stack = np.stack([MATRIX, MATRIX.T * 0.5])
    for f in (lambda x: linalg.expm(x * 0.3), lambda x: linalg.lu(x, permute_l=True)[0], linalg.inv):
        each = [gg.grad(lambda x, f=f: np.sum(f(x) ** 2))(x) for x in stack]
        np.testing.assert_allclose(gg.grad(lambda x, f=f: np.sum(f(x) ** 2))(stack), each, rtol=1e-10, atol=1e-12)


# --- systems and eigenvalues of structured matrices ---------------------------------------------------------------------------


@pytest.mark.parametrize(("below", "above"), [(1, 1), (0, 3), (2, 0), (0, 0), (5, 5)])
@pytest.mark.parametrize("columns", [(), (2,)], ids=["vector", "columns"])
def test_banded_systems_are_those_of_the_matrix_written_out(below, above, columns):
    n = 4
    rng = np.random.default_rng(0)
    diagonals = rng.uniform(-0.3, 0.3, (below + above + 1, n))
    diagonals[above] += 2.0
    y, weights = rng.normal(size=(n, *columns)), rng.normal(size=(n, *columns))

    def written_out(x, y):
        whole = sum(
            np.diag(x[above - k, max(k, 0) : n + min(k, 0)], k)
            for k in range(-min(below, n - 1), min(above, n - 1) + 1)
        )
        return np.sum(weights * np.linalg.solve(whole, y))

    def banded(x, y):
        return np.sum(weights * linalg.solve_banded((below, above), x, y))

    for found, expected in zip(
        gg.grad(banded, (0, 1))(diagonals, y), gg.grad(written_out, (0, 1))(diagonals, y), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_a_banded_system_of_many_unknowns_needs_no_matrix():
    n = 200_000  # a matrix of that size would have 320 GB
    diagonals = np.stack([np.full(n, 0.25), np.full(n, 2.0), np.full(n, 0.25)])
    gradient = gg.grad(lambda x: np.sum(linalg.solve_banded((1, 1), x, np.ones(n))))(diagonals)
    np.testing.assert_allclose(gradient[:, n // 2], -1 / 2.5**2, rtol=1e-12)
    assert gradient[0, 0] == 0.0 and gradient[2, -1] == 0.0


def test_complex_structured_systems():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 4)) + 1j * rng.normal(size=(2, 4))
    x[0] += 5.0
    for f in (
        lambda x, y: linalg.solve_toeplitz(x, y),
        lambda x, y: linalg.solve_toeplitz((x, y * 0.1), y),
        lambda x, y: linalg.matmul_toeplitz((x, y), y),
        lambda x, y: linalg.solve_circulant(x, y),
        lambda x, y: linalg.solveh_banded(np.stack([x * 0.1, np.real(x) * 0 + 4.0]), y),
    ):
        assert gg.check_gradients(f, x, y).ok


def test_a_singular_circulant_matrix_is_an_error_as_in_scipy():
    for x in (np.ones(3), gg.variable(np.ones(3))):
        with pytest.raises(np.linalg.LinAlgError, match="singular circulant matrix"):
            linalg.solve_circulant(x, np.ones(3))


@pytest.mark.parametrize(
    "b", [None, np.array([[2.0, 0.3, 0.0], [0.1, 1.0, 0.2], [0.0, 0.4, 3.0]])], ids=["one", "pair"]
)
def test_left_eigenvectors_are_scipys_but_for_phases(b):
    a = np.array([[1.0, 0.5, 0.2], [0.0, 2.0, -0.3], [0.7, 0.1, 4.0]])
    w, vl, vr = (part.value for part in linalg.eig(gg.variable(a), b, left=True))
    right = np.eye(3) if b is None else b
    np.testing.assert_allclose(np.conj(vl.T) @ a, w[:, None] * (np.conj(vl.T) @ right), atol=1e-12)
    expected = scipy.linalg.eig(a, b, left=True)
    order = np.argsort(w.real), np.argsort(expected[0].real)
    for found, other in ((vl, expected[1]), (vr, expected[2])):
        np.testing.assert_allclose(np.abs(found[:, order[0]]), np.abs(other[:, order[1]]), rtol=1e-10, atol=1e-12)
    only_left = linalg.eig(gg.variable(a), b, left=True, right=False)
    assert len(only_left) == 2
    np.testing.assert_array_equal(only_left[1].value, vl)


def test_angles_between_spaces_have_all_their_digits():
    """Of lines, the angle is arctan; its slope is 1 / (1 + y²), small angles and large ones alike."""
    line = lambda y: np.stack([np.ones(1), y * np.ones(1)])
    for y in (1e-9, 1e-3, 0.7, 1.5, 1e6):
        angle = lambda y: linalg.subspace_angles(line(0.0), line(y))[0]
        assert gg.grad(angle)(y) == pytest.approx(1 / (1 + y * y), rel=1e-9)


def test_what_eigenvalues_of_bands_and_rq_refuse():
    d, e = gg.variable(np.ones(3)), np.ones(2)
    with pytest.raises(NoRuleError, match="select='v': how many there are is a step"):
        linalg.eigh_tridiagonal(d, e, select="v", select_range=(0, 1))
    with pytest.raises(NoRuleError, match="Use mode='economic'"):
        linalg.rq(gg.variable(np.ones((2, 3))))


def test_a_singular_matrix_has_no_gradient_through_ldl():
    with pytest.raises(NoGradientError, match=r"ldl has no gradient here.*\n.*\n?the matrix is singular"):
        gg.grad(lambda x: np.sum(linalg.ldl(x)[1]))(np.ones((2, 2)))


def test_ldl_of_a_complex_symmetric_matrix():
    x = np.array([[1.0, 0.3j, 0.2], [0.3j, -2.0, 0.5], [0.2, 0.5, 1.0 + 1j]])
    f = lambda x: linalg.ldl((x + x.T) / 2, hermitian=False)[:2]
    assert gg.check_gradients(f, x).ok
