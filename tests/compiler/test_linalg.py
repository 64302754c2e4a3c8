"""numpy.linalg in compiled functions: LAPACK where there is an operation, host calls that the report names for the rest."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import NoGradientError, ShapeError

pytest.importorskip("llvmlite")

L = np.linalg
X = np.array([[2.0, 0.3, 0.1], [0.1, 1.0, -0.2], [0.0, 0.4, 3.0]])
W = np.cos(np.arange(9.0)).reshape(3, 3)
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
NATIVE = {
    "inv": lambda x: np.sum(W * L.inv(x)),
    "solve": lambda x: np.sum(L.solve(x, x[0]) ** 3) + np.sum(W * L.solve(x.T, x)),
    "slogdet": lambda x: L.slogdet(x)[1],
    "cholesky": lambda x: np.sum(W * L.cholesky(x @ x.T)) + np.sum(W * L.cholesky(x @ x.T, upper=True)),
    "qr": lambda x: np.sum(W * L.qr(x)[1]) + np.sum(W * L.qr(x)[0]) + np.sum(L.qr(x[:2], mode="r") ** 3),
    "eigh": lambda x: np.sum(W * L.eigh(x @ x.T)[1] ** 2) + np.sum(L.eigh(x @ x.T, UPLO="U")[0] ** 3),
    "eigvalsh": lambda x: np.sum(L.eigvalsh(x @ x.T) ** 3),
    "svd": lambda x: np.sum(W * L.svd(x)[0] ** 2) + np.sum((W * L.svd(x)[2]) ** 2) + np.sum(L.svd(x)[1] ** 3),
    "svdvals": lambda x: np.sum(L.svdvals(x[:, :2]) ** 3),
    "pinv": lambda x: np.sum(W[:2] * L.pinv(x[:, :2], rtol=1e-3)),
    "lstsq": lambda x: np.sum(L.lstsq(x[:, :2], x[:, 2])[0] ** 3) + np.sum(L.lstsq(x[:, :2], W)[1]),
    "norm": lambda x: L.norm(x, "nuc") + L.norm(x, 2) + L.norm(x, -2) + L.norm(x, 1) + L.norm(x),
    "cond": lambda x: L.cond(x) + L.cond(x, 1),
    "tensorsolve": lambda x: np.sum(L.tensorsolve(x, x[1]) ** 3) + np.sum(L.tensorinv(x[:, :, None], ind=1) ** 3),
    "matrix_power": lambda x: np.sum(W * L.matrix_power(x, -3)) + np.sum(L.multi_dot([x, x, x])),
}
OF_SECOND_ORDER = ("solve", "slogdet", "cholesky", "qr", "eigh", "svd")


@pytest.mark.parametrize("name", NATIVE)
def test_value_and_gradient_without_the_host(name):
    f = NATIVE[name]
    both = gg.compile(gg.value_and_grad(f))
    value, gradient = both(X)
    expected, slope = gg.value_and_grad(f)(X)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, slope, rtol=1e-10, atol=1e-11)
    assert not both.report(X).callbacks


@pytest.mark.parametrize("name", OF_SECOND_ORDER)
def test_second_order_without_the_host(name):
    second = gg.grad(lambda x: np.sum(np.sin(1.0 + W) * gg.grad(NATIVE[name])(x)))
    compiled = gg.compile(second)
    np.testing.assert_allclose(compiled(X), second(X), rtol=1e-8, atol=1e-10)
    assert not compiled.report(X).callbacks


def test_stacks_and_single_precision():
    def f(x):
        spd = x @ np.swapaxes(x, -1, -2)
        return np.sum(L.solve(x, spd) + L.cholesky(spd)) + np.sum(L.slogdet(x)[1] + L.eigvalsh(spd)[..., 0])

    for x in (np.stack([X, X.T + 0.1, 0.5 * X]), np.stack([[X, X.T], [X + 0.1, X - 0.2]]).astype(np.float32)):
        both = gg.compile(gg.value_and_grad(f))
        value, gradient = both(x)
        expected, slope = gg.value_and_grad(f)(x)
        limit = 1e-10 if x.dtype == np.float64 else 2e-4
        assert gradient.dtype == x.dtype and np.asarray(value).dtype == np.asarray(expected).dtype
        assert value == pytest.approx(expected, rel=limit)
        np.testing.assert_allclose(gradient, slope, rtol=limit, atol=limit)


def test_determinants_have_their_gradient_from_the_host():
    for x in (X, SINGULAR):
        both = gg.compile(gg.value_and_grad(L.det))
        value, gradient = both(x)
        assert value == pytest.approx(L.det(x), abs=1e-14)
        np.testing.assert_allclose(gradient, gg.grad(L.det)(x), rtol=1e-12, atol=1e-14)
        assert "Det.backward" in str(both.report(x))


def test_full_singular_vectors_come_from_the_host():
    f = gg.compile(lambda x: tuple(L.svd(x)))
    for found, expected in zip(f(X[:, :2]), L.svd(X[:, :2]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)
    assert "numpy.linalg.svd" in str(f.report(X[:, :2]))


def test_products_need_no_host():
    f = gg.compile(lambda x: np.sum(L.matrix_power(x, 5) + L.multi_dot([x, x, x])))
    assert f(X) == pytest.approx(np.sum(L.matrix_power(X, 5) + X @ X @ X)) and not f.report(X).callbacks


# --- what is shared -----------------------------------------------------------------------------------------------------


def kernels(f, *args):
    return [name for kernel in gg.compile(f).report(*args).kernels for name in kernel.operations]


def test_the_way_back_uses_the_factors_of_the_way_there():
    f = lambda x: np.sum(L.solve(x, x[0])) + L.slogdet(x)[1] + np.sum(L.inv(x)) + L.det(x.T)
    assert kernels(gg.value_and_grad(f), X).count("lu") == 1


def test_a_factor_of_choleskys_is_solved_as_the_triangle_that_it_is():
    def f(x, y):
        z = L.cholesky(x)
        return np.sum(L.solve(z.T, L.solve(z, y)) ** 2) + np.sum(np.log(np.diagonal(z)))

    names = kernels(gg.value_and_grad(f), X @ X.T, X)
    assert "lu" not in names and names.count("cholesky") == 1 and names.count("triangular_solve") == 6
    both = gg.compile(gg.value_and_grad(f, argnums=(0, 1)))
    value, slopes = both(X @ X.T, X)
    expected, given = gg.value_and_grad(f, argnums=(0, 1))(X @ X.T, X)
    assert value == pytest.approx(expected, rel=1e-13)
    for found, slope in zip(slopes, given, strict=True):
        np.testing.assert_allclose(found, slope, rtol=1e-11, atol=1e-12)


# --- errors ---------------------------------------------------------------------------------------------------------------


FAILING = {
    "Matrix is not positive definite": (L.cholesky, -X),
    "Singular matrix": (lambda x: L.solve(x, x), SINGULAR),
    "Eigenvalues did not converge": (L.eigvalsh, np.full((3, 3), np.nan)),
    "SVD did not converge": (L.svdvals, np.full((3, 3), np.nan)),
    "Last 2 dimensions of the array must be square": (L.inv, X[:2]),
    "1-dimensional array given. Array must be at least two-dimensional": (L.inv, X[0]),
}


@pytest.mark.parametrize("text", FAILING)
def test_errors_are_numpys(text):
    f, x = FAILING[text]
    with pytest.raises(L.LinAlgError) as eager:
        f(x)
    for compiled in (gg.compile(f), lambda x: gg.compile(f).program(x)(x)):
        with pytest.raises(L.LinAlgError) as native:
            compiled(x)
        assert str(native.value) == str(eager.value) == text


def test_an_inverse_of_one_singular_matrix_among_others_is_an_error_too():
    with pytest.raises(L.LinAlgError, match="Singular matrix"):
        gg.compile(L.inv)(np.stack([np.eye(2), SINGULAR, np.eye(2)]))


def test_after_an_error_the_function_works_and_a_donated_argument_is_as_it_was():
    step = gg.compile(lambda x, y: (L.cholesky(y) + x, np.sum(x)), donate=("x",))
    x = np.ones((3, 3))
    with pytest.raises(L.LinAlgError):
        step(x, -np.eye(3))
    np.testing.assert_array_equal(x, np.ones((3, 3)))
    np.testing.assert_array_equal(step(x, np.eye(3))[0], np.ones((3, 3)) + np.eye(3))


def test_singular_determinants_are_numpys():
    assert gg.compile(L.det)(SINGULAR) == 0.0
    sign, log = gg.compile(lambda x: tuple(L.slogdet(x)))(SINGULAR)
    assert (sign, log) == (0.0, -np.inf) and not np.signbit(sign)


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"x is \(3, 3\), y is \(2, 3\); y must have as many rows \(2\) as x"):
        gg.compile(L.solve)(X, X[:2])


DEGENERATE = {
    "values coincide, and they are treated differently": (lambda x: L.eigvalsh(x)[0], np.eye(2)),
    "eigenvalues coincide, or the phase": (lambda x: L.eigh(x)[1][0, 1], np.eye(2)),
    "singular values coincide": (lambda x: L.svd(x)[0][0, 0], np.eye(2)),
    "a singular value is zero": (lambda x: L.svd(x, False)[0][0, 1], np.array([[1.0, 2.0], [2.0, 4.0], [2.0, 4.0]])),
    "depend on each other": (lambda x: np.sum(L.qr(x)[0]), np.array([[2.0, 1.0], [2.0, 1.0]])),
    "log |det| of a singular matrix": (lambda x: L.slogdet(x)[1], SINGULAR),
}


@pytest.mark.parametrize("why", DEGENERATE)
def test_degenerate_points_are_reported_from_compiled_code_too(why):
    f, x = DEGENERATE[why]
    compiled = gg.compile(gg.grad(f))
    for gradient in (gg.grad(f), compiled):
        with pytest.raises(NoGradientError) as error:
            gradient(x)
        assert why in str(error.value)
    assert not compiled.report(x).callbacks
    np.testing.assert_allclose(compiled(X[:2, :2]), gg.grad(f)(X[:2, :2]), rtol=1e-10, atol=1e-12)


def test_what_does_not_depend_on_the_basis_has_a_gradient_in_compiled_code_too():
    gradient = gg.compile(gg.grad(lambda x: np.sum(np.exp(L.eigvalsh(x)))))
    np.testing.assert_allclose(gradient(np.eye(2)), np.e * np.eye(2), rtol=1e-14, atol=1e-15)


def test_least_squares_of_full_rank_or_without_residuals():
    x, y = X[:, :2], X[:, 2]
    found = gg.compile(lambda x, y: L.lstsq(x, y))(x, y)
    for one, other in zip(found, L.lstsq(x, y), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    flat = np.ones((3, 2))
    with pytest.raises(ShapeError, match="has no residuals, and in a compiled function"):
        gg.compile(lambda x, y: L.lstsq(x, y)[1])(flat, y)
    solution = gg.compile(lambda x, y: L.lstsq(x, y)[0])(flat, y)
    np.testing.assert_allclose(solution, L.lstsq(flat, y)[0], rtol=1e-12)
    assert gg.compile(lambda x: L.lstsq(x, x[:, 0])[1])(X).shape == (0,)


@pytest.mark.parametrize("p", [None, -2, 1, "fro"])
def test_the_condition_of_singular_matrices(p):
    """Infinite, as in NumPy; derivatives are the engine's, which has none where it takes an inverse."""
    x = np.stack([np.array([[1.0, 2.0], [2.0, 4.0]]), np.zeros((2, 2)), np.diag([1.0, 0.0]), np.diag([1.0, 3.0])])
    f = lambda x: L.cond(x, p)
    for given in (x, x + 0j):
        np.testing.assert_allclose(gg.compile(f)(given)[1:], f(given)[1:], rtol=1e-12)
    total = gg.grad(lambda x: np.sum(f(x)))
    for one in x:
        try:
            with np.errstate(all="ignore"):
                expected = total(one)
        except np.linalg.LinAlgError as error:
            with pytest.raises(np.linalg.LinAlgError, match=str(error)):
                gg.compile(total)(one)
        else:
            np.testing.assert_allclose(gg.compile(total)(one), expected, rtol=1e-8)
