"""numpy.linalg on variables: values are NumPy's, gradients those of differences, to second order, real and complex."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import NoRuleError

L = np.linalg


def matrix(*shape, turn=0.0):
    """A well-conditioned matrix or stack; with `turn`, a complex one."""
    rng = np.random.default_rng(len(shape))
    z = rng.uniform(-0.5, 0.5, shape) + np.eye(*shape[-2:]) * (1.5 + np.arange(shape[-1]))
    return z + turn * 1j * rng.uniform(-0.5, 0.5, shape) if turn else z


def of_hermitian(f):
    """`f` of the Hermitian part, which may be moved in any direction."""
    return lambda x: f((x + np.conj(np.swapaxes(x, -1, -2))) / 2)


def without_phases(u, s, vh):
    """What of a decomposition does not depend on phases."""
    return s, np.abs(u), np.abs(vh), np.real((u * np.sqrt(s)[..., None, :]) @ vh)


def sizes_of_vectors(w, v):
    return w, np.abs(v)


def without_rank(x, residuals, rank, s):
    return x, residuals, s


SQUARE, STACK, TALL, WIDE = (3, 3), (2, 3, 3), (4, 2), (2, 4)
CASES = {
    "inv": (L.inv, SQUARE),
    "inv of a stack": (L.inv, STACK),
    "solve": (L.solve, SQUARE, (3, 2)),
    "solve a vector": (lambda a, b: L.solve(a, b[:, 0]), SQUARE, (3, 2)),
    "solve a stack": (L.solve, STACK, (3, 2)),
    "solve a vector with a stack": (lambda a, b: L.solve(a, b[:, 0]), STACK, (3, 2)),
    "det": (L.det, SQUARE),
    "det of a stack": (L.det, STACK),
    "slogdet": (lambda x: tuple(L.slogdet(x)), STACK),
    "cholesky": (of_hermitian(L.cholesky), STACK),
    "cholesky upper": (of_hermitian(lambda x: L.cholesky(x, upper=True)), SQUARE),
    "qr": (lambda x: tuple(L.qr(x)), SQUARE),
    "qr tall": (lambda x: tuple(L.qr(x)), TALL),
    "qr wide": (lambda x: tuple(L.qr(x)), WIDE),
    "qr of a stack": (lambda x: tuple(L.qr(x)), (2, 3, 2)),
    "qr r": (lambda x: L.qr(x, "r"), TALL),
    "qr complete": (lambda x: L.qr(x, "complete")[1], WIDE),
    "eigvalsh": (of_hermitian(L.eigvalsh), STACK),
    "eigvalsh upper": (of_hermitian(lambda x: L.eigvalsh(x, "U")), SQUARE),
    "eigh": (of_hermitian(lambda x: sizes_of_vectors(*L.eigh(x))), STACK),
    "eigvals": (L.eigvals, STACK),
    "eig": (lambda x: sizes_of_vectors(*L.eig(x)), STACK),
    "svd": (lambda x: without_phases(*L.svd(x, full_matrices=False)), TALL),
    "svd wide": (lambda x: without_phases(*L.svd(x, full_matrices=False)), WIDE),
    "svd of a stack": (lambda x: without_phases(*L.svd(x, full_matrices=False)), (2, 3, 2)),
    "svd full": (lambda x: np.abs(L.svd(x)[0][:, :2]), TALL),
    "svd without vectors": (lambda x: L.svd(x, compute_uv=False), WIDE),
    "svdvals": (L.svdvals, (2, 3, 2)),
    "pinv": (L.pinv, TALL),
    "pinv wide": (L.pinv, WIDE),
    "pinv of a stack": (lambda x: L.pinv(x, rtol=1e-10), STACK),
    "lstsq": (lambda a, b: without_rank(*L.lstsq(a, b)), TALL, (4, 3)),
    "lstsq a vector": (lambda a, b: L.lstsq(a, b[:, 0])[0], TALL, (4, 3)),
    "lstsq wide": (lambda a, b: L.lstsq(a, b)[0], WIDE, (2, 3)),
    **{f"norm {o}": (functools.partial(L.norm, ord=o), SQUARE) for o in (None, 2, -2, 1, -1, np.inf, "fro", "nuc")},
    **{f"norm {o} of axes": (lambda x, o=o: L.norm(x, o, (0, 2), True), STACK) for o in (2, "nuc", -np.inf)},
    **{f"norm {o} of vectors": (lambda x, o=o: L.norm(x, o, -1), SQUARE) for o in (None, 2, 1, 0, 3, 0.5, -2, np.inf)},
    **{f"vector_norm {o}": (lambda x, o=o: L.vector_norm(x, axis=(0, 1), ord=o), SQUARE) for o in (2, 1.5, -np.inf)},
    **{f"matrix_norm {o}": (lambda x, o=o: L.matrix_norm(x, keepdims=True, ord=o), STACK) for o in ("fro", 2, 1)},
    **{f"cond {o}": (functools.partial(L.cond, p=o), STACK) for o in (None, -2, 1, "fro", "nuc")},
    **{f"matrix_power {n}": (functools.partial(L.matrix_power, n=n), STACK) for n in (0, 1, 2, 5, -3)},
    "multi_dot": (lambda *xs: L.multi_dot(xs), SQUARE, (3, 2), (2, 5), (5, 2)),
    "multi_dot of rows and columns": (lambda x, *ys: L.multi_dot([x[0], *ys, x[:, 1]]), SQUARE, (3, 2), (2, 3)),
    "tensorinv": (lambda x: L.tensorinv(np.reshape(x, (2, 3, 6))), (6, 6)),
    "tensorsolve": (lambda x, y: L.tensorsolve(np.reshape(x, (2, 3, 6)), y), (6, 6), (2, 3)),
    "tensorsolve axes": (lambda x, y: L.tensorsolve(np.reshape(x, (2, 6, 3)), y, axes=(1,)), (6, 6), (2, 3)),
    "trace": (lambda x: L.trace(x, offset=1), STACK),
    "diagonal": (lambda x: L.diagonal(x, offset=-1), STACK),
    "vecdot": (lambda x: L.vecdot(x, x[0] * x[1], axis=0), SQUARE),
    "outer": (lambda x: L.outer(x[0], x[1]), SQUARE),
    "matrix_transpose": (L.matrix_transpose, STACK),
}
every_case = pytest.mark.parametrize("name", CASES)
kinds = pytest.mark.parametrize("turn", [0.0, 1.0], ids=["real", "complex"])


def arguments(name, turn):
    f, *shapes = CASES[name]
    definite = 2 * np.eye(3) if "cholesky" in name else 0.0
    return f, [matrix(*shape, turn=turn) + definite for shape in shapes]


@kinds
@every_case
def test_gradients_are_those_of_differences_in_first_and_second_order(name, turn):
    f, xs = arguments(name, turn)
    assert gg.check_gradients(f, *xs, elements=6).ok


@kinds
@every_case
def test_values_are_those_of_numpy(name, turn):
    f, xs = arguments(name, turn)
    expected, found = f(*xs), gg.vjp(f, *xs)[0]
    for z, v in zip(*[x if isinstance(x, tuple) else (x,) for x in (expected, found)], strict=True):
        np.testing.assert_allclose(v, z, rtol=1e-12, atol=1e-14)
        assert np.shape(v) == np.shape(z) and np.asarray(v).dtype == np.asarray(z).dtype


@kinds
@pytest.mark.parametrize(
    "name", ["inv", "solve", "det", "slogdet", "cholesky", "qr", "eigvalsh", "eigvals", "svdvals", "pinv", "norm nuc"]
)
def test_third_order(name, turn):
    f, xs = arguments(name, turn)
    assert gg.check_gradients(f, *xs, order=3, elements=2, tolerance=1e-4).ok


@every_case
def test_float32_stays_float32(name):
    f, xs = arguments(name, 0.0)
    single = [x.astype(np.float32) for x in xs]
    z, pullback = gg.vjp(f, *single)
    weights = tuple(np.ones_like(part) for part in z) if isinstance(z, tuple) else np.ones_like(z)
    for dx, x in zip(pullback(weights), single, strict=True):
        assert dx.dtype == np.float32 and dx.shape == x.shape and np.all(np.isfinite(dx))


def test_results_have_names_as_numpy_gives_them():
    x = gg.variable(matrix(3, 3))
    assert L.svd(x).S.shape == (3,) and L.eigh(x).eigenvalues.shape == (3,) and L.eig(x).eigenvectors.shape == (3, 3)
    assert L.qr(x).R.shape == (3, 3) and L.slogdet(x).sign.value == 1.0
    assert L.matrix_rank(x) == 3 and L.lstsq(x, np.ones(3))[2] == 3


def test_closed_forms():
    x = matrix(3, 3)
    np.testing.assert_allclose(gg.grad(lambda x: L.slogdet(x)[1])(x), L.inv(x).T, rtol=1e-13)
    np.testing.assert_allclose(gg.grad(L.det)(x), L.det(x) * L.inv(x).T, rtol=1e-13)
    u, _, vh = L.svd(x)
    np.testing.assert_allclose(gg.grad(lambda x: L.norm(x, "nuc"))(x), u @ vh, rtol=1e-13, atol=1e-14)
    w, v = L.eigh(x + x.T)
    gradient = gg.grad(lambda x: L.eigvalsh(x)[0])(x + x.T)
    np.testing.assert_allclose(gradient, np.outer(v[:, 0], v[:, 0]), rtol=1e-12, atol=1e-14)
    assert w[0] < w[1]


def test_gradients_of_functions_of_hermitian_matrices_are_hermitian():
    x = matrix(3, 3, turn=1.0)
    x = x @ np.conj(x.T)
    for f in (lambda x: np.sum(np.abs(L.cholesky(x))), lambda x: L.eigvalsh(x)[1]):
        gradient = gg.grad(f)(x)
        np.testing.assert_allclose(gradient, np.conj(gradient.T), rtol=1e-12, atol=1e-14)


def test_a_real_matrix_with_complex_eigenvalues():
    x = np.array([[0.5, -1.0, 0.2], [1.0, 0.3, 0.1], [0.0, 0.4, 2.0]])
    assert gg.check_gradients(lambda x: np.abs(L.eigvals(x)) ** 2, x).ok
    assert gg.check_gradients(lambda x: np.abs(L.eig(x)[1]), x).ok
    assert gg.grad(lambda x: np.sum(np.abs(L.eigvals(x))))(x).dtype == np.float64


@pytest.mark.parametrize("f", [L.inv, L.det, L.eigvalsh, L.cholesky, lambda x: L.slogdet(x)[1]])
def test_matrices_without_rows(f):
    assert gg.grad(lambda x: np.sum(f(x)))(np.zeros((0, 0))).shape == (0, 0)
    assert gg.grad(lambda x: np.sum(f(x)))(np.zeros((0, 2, 2)) + np.eye(2)).shape == (0, 2, 2)


@pytest.mark.parametrize("mode", ["complete", "raw"])
def test_modes_of_qr_without_a_gradient(mode):
    with pytest.raises(NoRuleError, match=f"mode='{mode}'.*Use mode='reduced' or 'r'"):
        L.qr(gg.variable(matrix(4, 2)), mode)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: L.norm(x, 7), "Invalid norm order"),
        (lambda x: L.norm(x[0], "fro"), "Invalid norm order 'fro' for vectors"),
        (lambda x: L.norm(x, 2, (0, 0)), "Duplicate axes"),
        (lambda x: L.norm(x[None], 1), "Improper number of dimensions"),
        (lambda x: L.multi_dot([x]), "at least two arrays"),
        (lambda x: L.tensorinv(x, 0), "Invalid ind"),
    ],
)
def test_numpy_s_complaints(call, said):
    with pytest.raises(ValueError, match=said):
        call(gg.variable(matrix(3, 3)))
