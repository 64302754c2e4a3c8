"""Eigenvalues and singular values that coincide: every loss eagerly, compiled, and in forward mode, against differences or refused."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import NoGradientError
from gategrad.gates.linalg.coinciding import coinciding, turned
from tests.gates.linalg.matrices import adjoint, with_eigenvalues, with_singular_values

L = np.linalg
WEIGHTS = np.cos(np.arange(25.0)).reshape(5, 5) + np.cos(np.arange(25.0)).reshape(5, 5).T


def weighed(x):
    return np.sum(WEIGHTS[: x.shape[0], : x.shape[1]] * np.real(x))


def thin(x):
    return L.svd(x, full_matrices=False)


def directions(x, hermitian):
    rng = np.random.default_rng(0)
    for _ in range(3):
        e = rng.normal(size=x.shape) + (1j * rng.normal(size=x.shape) if x.dtype.kind == "c" else 0.0)
        yield e + adjoint(e) if hermitian else e


def slope(f, x, e, h=1e-5):
    return (f(x + h * e) - f(x - h * e)) / (2 * h)


# --- invariant losses: right in every mode ------------------------------------------------------------------------------


def projector(x):
    v = L.eigh(x)[1][:, :2]
    return weighed(v @ adjoint(v))


def projector_and_values(x):
    w, v = L.eigh(x)
    return weighed(v[:, :2] @ adjoint(v[:, :2])) + np.sum(np.exp(w))


def left_projector(x):
    u = thin(x)[0][:, :2]
    return weighed(u @ adjoint(u))


def right_projector(x):
    v = adjoint(thin(x)[2])[:, :3]
    return weighed(v @ adjoint(v))


def partial_isometry(x):
    u, _, vh = thin(x)
    return weighed(u[:, :3] @ vh[:3])


def isometry_and_values(x):
    u, s, vh = thin(x)
    return weighed(u[:, :2] @ vh[:2]) + np.sum(s[:2] ** 3)


def left_projector_of_full_vectors(x):
    u = L.svd(x)[0][:, :2]
    return weighed(u @ adjoint(u))


HERMITIAN = {
    "twins on the diagonal": np.diag([1.0, 1.0, 2.0, 3.0]),
    "twins": with_eigenvalues(1.0, 1.0, 2.0, 3.0),
    "complex twins": with_eigenvalues(1.0, 1.0, 2.0, 3.0, turn=1j),
    "two pairs": with_eigenvalues(1.0, 1.0, 4.0, 4.0),
}
GENERAL = {
    "twins": with_singular_values(2.0, 2.0, 1.0, shape=(3, 3)),
    "twins, tall": with_singular_values(2.0, 2.0, 1.0, shape=(5, 3)),
    "complex twins, wide": with_singular_values(2.0, 2.0, 1.0, shape=(3, 4), turn=1j),
    "twins and zeros": with_singular_values(2.0, 2.0, 1.0, shape=(5, 5)),
    "twins and zeros, tall": with_singular_values(2.0, 2.0, 1.0, shape=(5, 4)),
    "twins on the diagonal": np.diag([2.0, 2.0, 1.0])[:, :].copy(),
}
OF_EIGENVALUES = [projector, projector_and_values, lambda x: np.sum(np.exp(L.eigvalsh(x)))]
OF_SINGULAR_VALUES = [
    left_projector, right_projector, partial_isometry, isometry_and_values, left_projector_of_full_vectors,
    lambda x: np.sum(L.svdvals(x) ** 2), lambda x: weighed(L.pinv(x, rtol=1e-9)),
]  # fmt: skip
INVARIANT = [
    *[(f, x, True, f"eigh-{n}-{name}") for n, f in enumerate(OF_EIGENVALUES) for name, x in HERMITIAN.items()],
    *[(f, x, False, f"svd-{n}-{name}") for n, f in enumerate(OF_SINGULAR_VALUES) for name, x in GENERAL.items()],
]


@pytest.mark.parametrize(("f", "x", "hermitian"), [case[:3] for case in INVARIANT], ids=[case[3] for case in INVARIANT])
def test_invariant_losses_have_their_gradient_backwards_and_forwards(f, x, hermitian):
    gradient, (_, push) = gg.grad(f)(x), gg.linearize(f, x)
    for e in directions(x, hermitian):
        if f is OF_SINGULAR_VALUES[-1]:  # the rank must stay
            e = with_rank_of(x, e)
        found = np.sum(np.real(np.conj(gradient) * e))
        assert found == pytest.approx(slope(f, x, e), rel=2e-6, abs=1e-8)
        assert push(e) == pytest.approx(found, rel=1e-10, abs=1e-12)


def with_rank_of(x, e):
    onto_rows, onto_columns = L.pinv(x) @ x, x @ L.pinv(x)
    return onto_columns @ e + e @ onto_rows - onto_columns @ e @ onto_rows


def test_stacks_of_which_one_matrix_has_twins():
    xs = np.stack([HERMITIAN["twins"], with_eigenvalues(1.0, 2.0, 3.0, 4.0), HERMITIAN["two pairs"]])
    f = lambda x: np.sum(np.exp(L.eigvalsh(x)))
    np.testing.assert_allclose(gg.grad(f)(xs), [gg.grad(f)(x) for x in xs], rtol=1e-12, atol=1e-13)
    vectors = lambda x: np.sum(WEIGHTS[:4, :4] * np.abs(L.eigh(x)[1]) ** 4)
    with pytest.raises(NoGradientError):
        gg.grad(vectors)(xs)
    np.testing.assert_allclose(gg.grad(vectors)(xs[1:2])[0], gg.grad(vectors)(xs[1]), rtol=1e-12, atol=1e-13)


def test_single_precision():
    x = HERMITIAN["twins"].astype(np.float32)
    gradient = gg.grad(projector)(x)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, gg.grad(projector)(HERMITIAN["twins"]), rtol=1e-4, atol=1e-5)
    with pytest.raises(NoGradientError):
        gg.grad(lambda x: L.eigh(x)[1][0, 0] ** 2)(np.eye(3, dtype=np.float32))


# --- losses that are not: reported in every mode --------------------------------------------------------------------------


def fourth_powers(x):
    """At a diagonal matrix LAPACK's basis is the one in which this is stationary."""
    return np.sum(np.abs(L.eigh(x)[1]) ** 4)


def eigenvalues_by_place(x):
    w, v = L.eigh(x)
    return weighed((v * w * np.arange(1.0, 1.0 + len(w))) @ v.T)


def smallest_beside_a_projector(x):
    w, v = L.eigh(x)
    return w[0] + weighed(v[:, :2] @ v[:, :2].T)


def absolute_value(x):
    _, s, vh = thin(x)
    return weighed((vh.T * s) @ vh)


def distance_on_a_line(x):
    w, v = L.eigh(x)
    return weighed(np.outer(v[:, 0], v[:, 0])) * (w[1] - w[0])


def isometry(x):
    u, _, vh = thin(x)
    return weighed(u @ vh)


NOT_INVARIANT = {
    "stationary in LAPACK's basis": (lambda x: L.eigh(x)[1][0, 0] ** 2, np.eye(2), "eigenvalues coincide"),
    "the same, of all": (fourth_powers, np.diag([1.0, 1.0, 2.0]), "eigenvalues coincide"),
    "the same, turned": (fourth_powers, with_eigenvalues(1.0, 1.0, 2.0), "eigenvalues coincide"),
    "a smallest eigenvalue": (lambda x: L.eigvalsh(x)[0], np.eye(3), "they are treated differently"),
    "v k w vᴴ, k the place of w": (eigenvalues_by_place, np.diag([1.0, 1.0, 2.0]), "eigenvalues coincide"),
    "a smallest eigenvalue beside what is invariant": (
        smallest_beside_a_projector,
        np.diag([1.0, 1.0, 2.0]),
        "depends on their order",
    ),
    "zero in every basis, at this very matrix": (
        lambda x: L.eigh(x)[1][2, 0],
        np.diag([1.0, 1.0, 2.0]),
        "depends on their order or on the basis",
    ),
    "a projector on one of twins, times their distance": (
        distance_on_a_line,
        np.diag([1.0, 1.0, 2.0]),
        "depends on their order or on the basis",
    ),
    "u alone": (lambda x: np.sum(thin(x)[0] ** 4), np.eye(3, 2), "singular values coincide"),
    "u and v turned apart": (lambda x: thin(x)[0][0, 0] * thin(x)[2][0, 0] * 3.0, np.eye(2), "singular values coincide"),
    "(xᴴ x)^½ at zero": (absolute_value, np.diag([2.0, 1.0, 0.0]), "depends on their order or on the basis"),
    "u vᴴ at zero": (isometry, np.diag([2.0, 1.0, 0.0]), "depends on their order or on the basis"),
    "vectors of a zero": (lambda x: thin(x)[0][1, 1] ** 2, np.array([[1.0, 0.0], [0, 0], [0, 0]]), "a singular value is zero"),
    "a largest singular value": (lambda x: L.svdvals(x)[0], np.eye(2), "they are treated differently"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_INVARIANT)
def test_other_losses_are_reported_backwards_and_forwards(name):
    f, x, said = NOT_INVARIANT[name]
    with pytest.raises(NoGradientError, match=f"(?s){said}"):
        gg.grad(f)(x)
    e = np.cos(np.arange(x.size) + 1.0).reshape(x.shape)
    with pytest.raises(NoGradientError, match=f"(?s){said}"):
        gg.jvp(f, (x,), (e + e.T if x.shape[0] == x.shape[1] else e,))


def test_a_direction_in_which_nothing_parts_is_no_reason_to_refuse():
    """Along the unit matrix all eigenvalues move alike, so each has its derivative although it has no gradient."""
    w, dw = gg.jvp(L.eigvalsh, (np.eye(3),), (np.eye(3),))
    np.testing.assert_allclose([w, dw], np.ones((2, 3)))
    s, ds = gg.jvp(
        L.svdvals, (np.eye(3),), (np.array([[1.0, 2, 0], [-2, 1, 0], [0, 0, 1]]),)
    )  # and a turn parts nothing
    np.testing.assert_allclose([s, ds], np.ones((2, 3)), atol=1e-15)


def test_every_output_is_asked_whether_it_minds():
    both = lambda x: (np.sum(L.eigvalsh(x)), L.eigvalsh(x)[0])
    with pytest.raises(NoGradientError, match="treated differently"):
        gg.jvp(both, (np.eye(2),), (np.diag([1.0, 2.0]),))
    found = gg.jacobian(lambda x: np.stack([np.sum(L.eigvalsh(x)), np.sum(L.eigvalsh(x) ** 2)]))(np.eye(2))
    np.testing.assert_allclose(found, [np.eye(2), 2 * np.eye(2)], atol=1e-14)


# --- at random ------------------------------------------------------------------------------------------------------------


def multiplicities(rng, n):
    """How often each of several values occurs, n together; the first group has two or more."""
    counts = [int(rng.integers(2, n + 1))]
    while sum(counts) < n:
        counts.append(int(rng.integers(1, n - sum(counts) + 1)))
    return counts


@pytest.mark.parametrize("seed", range(8))
def test_eigenvalues_of_any_multiplicity(seed):
    rng = np.random.default_rng(seed)
    counts = multiplicities(rng, int(rng.integers(2, 6)))
    w = np.repeat(np.cumsum(rng.uniform(0.5, 1.5, len(counts))), counts)
    x = with_eigenvalues(*w, turn=1j * (seed % 2)) if seed > 1 else np.diag(w)

    def group(x):
        w, v = L.eigh(x)
        return weighed(v[:, : counts[0]] @ adjoint(v[:, : counts[0]])) + np.sum(np.sin(w))

    gradient = gg.grad(group)(x)
    for e in directions(x, True):
        found = np.sum(np.real(np.conj(gradient) * e))
        assert found == pytest.approx(slope(group, x, e), rel=1e-5, abs=1e-7)
        assert gg.jvp(group, (x,), (e,))[1] == pytest.approx(found, rel=1e-9, abs=1e-12)
    with pytest.raises(NoGradientError):
        gg.grad(lambda x: np.sum(np.abs(L.eigh(x)[1][:, 0]) ** 4))(x)


@pytest.mark.parametrize("seed", range(8))
def test_singular_values_of_any_multiplicity(seed):
    rng = np.random.default_rng(seed)
    counts = multiplicities(rng, int(rng.integers(2, 5)))
    s = np.cumsum(rng.uniform(0.5, 1.5, len(counts)))[::-1].copy()
    s[-1] *= (seed % 3 > 0) or len(counts) == 1
    s, k = np.repeat(s, counts), counts[0]
    x = with_singular_values(*s, shape=(len(s) + seed % 2, len(s) + seed // 4), turn=1j * (seed % 2))

    def group(x):
        u, s, vh = thin(x)
        return weighed(u[:, :k] @ vh[:k]) + weighed(u[:, :k] @ adjoint(u[:, :k])) + np.sum(s[:k] ** 3)

    gradient = gg.grad(group)(x)
    for e in directions(x, False):
        found = np.sum(np.real(np.conj(gradient) * e))
        assert found == pytest.approx(slope(group, x, e), rel=1e-5, abs=1e-7)
        assert gg.jvp(group, (x,), (e,))[1] == pytest.approx(found, rel=1e-9, abs=1e-12)
    with pytest.raises(NoGradientError):
        gg.grad(lambda x: np.sum(np.abs(thin(x)[0][:, 0]) ** 4))(x)


# --- the basis ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [np.eye(4), HERMITIAN["twins"], HERMITIAN["complex twins"], np.zeros((3, 3))])
def test_the_basis_is_one_of_eigenvectors(x):
    w, v = (part.value for part in L.eigh(gg.variable(x)))
    np.testing.assert_array_equal(w, L.eigh(x)[0])
    np.testing.assert_allclose((v * w) @ adjoint(v), x, atol=1e-14)
    np.testing.assert_allclose(adjoint(v) @ v, np.eye(len(x)), atol=1e-14)
    u, s, vh = (part.value for part in L.svd(gg.variable(x)))
    np.testing.assert_allclose((u * s) @ vh, x, atol=1e-14)
    np.testing.assert_allclose(adjoint(u) @ u, np.eye(len(x)), atol=1e-14)
    np.testing.assert_allclose(vh @ adjoint(vh), np.eye(len(x)), atol=1e-14)


def test_vectors_whose_values_differ_are_numpys_to_the_last_bit():
    x = with_eigenvalues(1.0, 1.0 + 1e-9, 2.0, 3.0)
    np.testing.assert_array_equal(L.eigh(gg.variable(x))[1].value, L.eigh(x)[1])
    np.testing.assert_array_equal(L.svd(gg.variable(x))[0].value, L.svd(x)[0])
    y = HERMITIAN["twins on the diagonal"]
    np.testing.assert_array_equal(L.eigh(gg.variable(y))[1].value[:, 2:], L.eigh(y)[1][:, 2:])


def test_no_two_neighbours_have_a_symmetric_place_in_their_basis():
    v = turned(np.eye(40), coinciding(np.repeat(np.arange(20.0), 2)))
    angles = np.degrees(np.arctan2(np.abs(v[0::2, 1::2].diagonal()), np.abs(v[0::2, 0::2].diagonal())))
    assert np.all(np.abs(angles[:, None] - [0.0, 45.0, 90.0]) > 8.0)


def test_values_coincide_along_chains():
    eps = np.finfo(float).eps
    assert coinciding(np.array([1.0, 1.0 + 10 * eps, 1.0 + 20 * eps]))[0, 2]
    assert not coinciding(np.array([1.0, 1.0 + 20 * eps, 1.5]))[0, 1]
    assert coinciding(np.zeros((2, 0))).shape == (2, 0, 0)
