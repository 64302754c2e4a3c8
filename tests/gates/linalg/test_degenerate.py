"""Singular matrices, eigenvalues and singular values that coincide: finite and exact where there is a gradient, else reported."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import NoGradientError

L = np.linalg
TWINS = np.diag([1.0, 1.0, 2.0])
WEIGHTS = np.array([[2.0, 0.3, -0.4], [0.3, 1.0, 0.7], [-0.4, 0.7, 0.1]])


def rotated(x, seed=3):
    q, _ = L.qr(np.random.default_rng(seed).normal(size=x.shape))
    return q @ x @ q.T


def slope(f, x, direction, h=1e-5):
    return (f(x + h * direction) - f(x - h * direction)) / (2 * h)


# --- determinants ---------------------------------------------------------------------------------------------------


def test_cofactors_of_singular_matrices():
    np.testing.assert_allclose(
        gg.grad(L.det)(np.arange(1.0, 10.0).reshape(3, 3)), [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]], rtol=1e-12
    )
    np.testing.assert_allclose(gg.grad(L.det)(np.ones((3, 3))), np.zeros((3, 3)), atol=1e-14)
    assert gg.grad(L.det)(np.zeros((1, 1))) == 1.0


def test_every_order_of_a_determinant_at_the_zero_matrix():
    """det of 2 × 2 is x₀₀ x₁₁ − x₀₁ x₁₀: its second derivative is constant."""

    def bend(x):
        return gg.grad(lambda x: gg.grad(L.det)(x)[0, 0])(x)

    np.testing.assert_allclose(bend(np.zeros((2, 2))), [[0, 0], [0, 1]], atol=1e-15)
    x = np.zeros((3, 3))
    third = gg.grad(lambda x: gg.grad(lambda x: gg.grad(L.det)(x)[0, 0])(x)[1, 1])(x)
    np.testing.assert_allclose(third, np.diag([0, 0, 1.0]), atol=1e-15)


def test_the_logarithm_of_a_singular_determinant_is_reported():
    with pytest.raises(NoGradientError, match=r"slogdet has no gradient here, asked for at .*test_degenerate\.py:\d+"):
        gg.grad(lambda x: L.slogdet(x)[1])(np.ones((2, 2)))


# --- eigenvalues that coincide ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [np.eye(3), TWINS, rotated(TWINS)], ids=["unit", "twins", "turned"])
@pytest.mark.parametrize("values", [L.eigvalsh, lambda x: np.real(L.eigvals(x))], ids=["eigh", "eig"])
def test_sums_of_eigenvalues_and_traces_of_functions(x, values):
    np.testing.assert_allclose(gg.grad(lambda x: np.sum(values(x)))(x), np.eye(3), atol=1e-13)
    w, v = L.eigh(x)
    np.testing.assert_allclose(gg.grad(lambda x: np.sum(values(x) ** 3))(x), (v * (3 * w**2)) @ v.T, atol=1e-12)


@pytest.mark.parametrize("x", [TWINS, rotated(TWINS)], ids=["diagonal", "turned"])
def test_the_projector_on_a_space_of_eigenvectors(x):
    def f(x):
        v = L.eigh(x)[1][:, :2]
        return np.sum(WEIGHTS * (v @ v.T))

    gradient = gg.grad(f)(x)
    for direction in np.random.default_rng(0).normal(size=(4, 3, 3)):
        direction = direction + direction.T
        assert np.sum(gradient * direction) == pytest.approx(slope(f, x, direction), rel=1e-5)


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda x: L.eigvalsh(x)[0], "they are treated differently"),
        (lambda x: L.eigvals(x)[0], "they are treated differently"),
        (lambda x: np.sum(L.eigh(x)[1] * WEIGHTS**2 * np.arange(3)), "eigenvalues coincide"),
        (lambda x: np.sum(np.abs(L.eig(x)[1] + 1.0)), "eigenvalues coincide"),
        (lambda x: np.sum(WEIGHTS * L.eigh(x)[1]) + np.sum(L.eigvalsh(x)), "eigenvalues coincide"),
    ],
)
def test_what_has_no_gradient_at_twins_is_reported(f, said):
    with pytest.raises(NoGradientError, match=said):
        gg.grad(f)(TWINS)


def test_an_eigenvalue_beside_twins_is_not_touched():
    np.testing.assert_allclose(gg.grad(lambda x: L.eigvalsh(x)[2])(TWINS), np.diag([0, 0, 1.0]), atol=1e-15)


JORDAN = np.array([[1.0, 1.0], [0.0, 1.0]])
BESIDE = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 3.0]])


def test_a_trace_of_a_matrix_without_a_basis_of_eigenvectors():
    """Eigenvalues that differ, and have the same gradient all the same, are added up."""
    np.testing.assert_allclose(gg.grad(lambda x: np.real(np.sum(L.eigvals(x))))(BESIDE), np.eye(3))


@pytest.mark.parametrize("power", [1, 3])
@pytest.mark.parametrize("turn", [np.eye(2), np.array([[1.0, 0.3], [-0.7, 2.0]])], ids=["block", "turned"])
def test_what_rounding_makes_of_a_matrix_without_a_basis_of_eigenvectors_is_reported(turn, power):
    """Σ wᵏ has a gradient there, k xᵏ⁻¹, but nothing tells which k it was: the gradients of the eigenvalues are equal."""
    x = turn @ JORDAN @ L.inv(turn)
    with pytest.raises(NoGradientError, match="no basis of eigenvectors"):
        gg.grad(lambda x: np.real(np.sum(L.eigvals(x) ** power)))(x)
    for f in (lambda x: np.real(L.eigvals(x)[0]), lambda x: np.sum(np.abs(L.eig(x)[1]) ** 4)):
        with pytest.raises(NoGradientError, match="treated differently|no basis of eigenvectors|any basis"):
            gg.grad(f)(x)
        with pytest.raises(NoGradientError):
            gg.jvp(f, (x,), (np.ones((2, 2)),))


def test_eigenvalues_that_differ_by_more_than_rounding_but_less_than_their_doubt_are_reported():
    """[[0, 1], [δ, 0]] has ±√δ: 1e-10 apart, where rounding of the matrix moves them by 1e-8."""
    with pytest.raises(NoGradientError, match="treated differently"):
        gg.grad(lambda x: np.real(L.eigvals(x)[0]))(np.array([[0.0, 1.0], [1e-20, 0.0]]))
    x = np.array([[1.0, 1e3], [0.0, 2.0]])  # far from normal, but sound
    np.testing.assert_allclose(gg.grad(lambda x: L.eigvals(x)[0])(x), [[1.0, 0.0], [-1e3, 0.0]], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("decompose", [lambda x: L.eigh(x + np.conj(x.T))[1], lambda x: L.eig(x)[1]])
def test_a_loss_that_depends_on_the_phase_of_an_eigenvector_is_reported(decompose):
    x = np.random.default_rng(0).normal(size=(3, 3)) + 1j * np.random.default_rng(1).normal(size=(3, 3))
    with pytest.raises(NoGradientError, match="the phase of an eigenvector matters"):
        gg.grad(lambda x: np.sum(np.imag(decompose(x)) * WEIGHTS))(x)


# --- singular values that coincide, or vanish ------------------------------------------------------------------------------


def test_nuclear_norm_of_orthogonal_matrices_and_at_zeros():
    q = rotated(np.diag([1.0, -1.0, 1.0]))
    np.testing.assert_allclose(gg.grad(lambda x: L.norm(x, "nuc"))(q), q, atol=1e-13)
    np.testing.assert_allclose(
        gg.grad(lambda x: L.norm(x, "nuc"))(np.diag([3.0, 0.0])), np.diag([1.0, 0.0]), atol=1e-15
    )
    np.testing.assert_array_equal(gg.grad(lambda x: L.norm(x, "nuc"))(np.zeros((2, 3))), np.zeros((2, 3)))


def test_spectral_norm_shares_between_singular_values_that_tie():
    np.testing.assert_allclose(gg.grad(lambda x: L.norm(x, 2))(np.eye(2)), np.eye(2) / 2, atol=1e-15)
    assert L.norm(gg.variable(rotated(TWINS)), -2).value == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("ord", ["fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf])
def test_every_matrix_norm_has_gradient_zero_at_zero(ord):
    np.testing.assert_array_equal(gg.grad(lambda x: L.norm(x, ord))(np.zeros((2, 2))), np.zeros((2, 2)))


@pytest.mark.parametrize("ord", [None, 2, 1, 3, 1.5, np.inf, -np.inf, 0])
def test_every_vector_norm_has_gradient_zero_at_zero(ord):
    np.testing.assert_array_equal(gg.grad(lambda x: L.norm(x, ord))(np.zeros(3)), np.zeros(3))


@pytest.mark.parametrize(
    ("f", "x", "said"),
    [
        (lambda x: L.svdvals(x)[0], np.eye(2), "they are treated differently"),
        (lambda x: np.sum(L.svd(x)[0] * [[1, 2], [3, 5]]), np.eye(2), "singular values coincide"),
        (lambda x: np.sum(L.svd(x)[0] * WEIGHTS), np.ones((3, 3)), "singular values coincide"),
        (lambda x: np.sum(L.svd(x, False)[0] * WEIGHTS[:, :2]), np.ones((3, 2)), "a singular value is zero"),
        (lambda x: np.sum(L.svd(x)[0]), np.arange(6.0).reshape(3, 2), "Use full_matrices=False"),
        (lambda x: np.sum(L.qr(x)[1]), np.ones((3, 2)), "the columns of the matrix depend on each other"),
    ],
)
def test_what_is_reported(f, x, said):
    with pytest.raises(NoGradientError, match=said):
        gg.grad(f)(x)


def test_the_common_phase_of_singular_vectors_is_reported():
    x = np.random.default_rng(0).normal(size=(3, 3)) + 1j * np.random.default_rng(1).normal(size=(3, 3))
    with pytest.raises(NoGradientError, match="common phase"):
        gg.grad(lambda x: np.sum(np.imag(L.svd(x)[0]) * WEIGHTS))(x)
