"""Functions of matrices written by hand, where eigenvalues and singular values coincide: every order against closed forms and differences."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import gategrad as gg
from gategrad.errors import NoGradientError, StaleError
from gategrad.scipy import linalg
from tests.gates.linalg.matrices import adjoint, with_eigenvalues, with_singular_values

L = np.linalg
WEIGHTS = np.cos(np.arange(1.0, 26.0) ** 2).reshape(5, 5)
TURNS = np.sin(np.arange(1.0, 26.0) ** 2).reshape(5, 5)


def similar_to(*w):
    v = np.random.default_rng(6).normal(size=(len(w), len(w))) + 2.0 * np.eye(len(w))
    return (v * w) @ L.inv(v)


def weighed(x):
    m, n = x.shape[-2:]
    return np.sum(np.real((WEIGHTS[:m, :n] + 1j * TURNS[:m, :n]) * x))


def along(x, hermitian=True):
    """A direction in which nothing is special."""
    rng = np.random.default_rng(0)
    e = rng.normal(size=x.shape) + (1j * rng.normal(size=x.shape) if x.dtype.kind == "c" else 0.0)
    return e + adjoint(e) if hermitian else e


def inner(x, y):
    return np.sum(np.real(np.conj(x) * y))


def slope(f, x, e, h=1e-3):
    """Central differences of the fourth order."""
    return (8 * (f(x + h * e) - f(x - h * e)) - (f(x + 2 * h * e) - f(x - 2 * h * e))) / (12 * h)


# --- v f(w) vᴴ ------------------------------------------------------------------------------------------------------------


def by_eigenvalues(f, x):
    w, v = L.eigh(x)
    return (v * f(w)[..., None, :]) @ adjoint(v)


FUNCTIONS = {
    "root": np.sqrt,
    "logarithm": np.log,
    "exponential": np.exp,
    "inverse root": lambda w: w**-0.5,
    "flat at 1": lambda w: (w - 1) ** 2,
}
HERMITIAN = {
    "unit": np.eye(3),
    "twins": np.diag([1.0, 1.0, 2.0]),
    "turned": with_eigenvalues(1.0, 1.0, 2.0, 2.0),
    "three and one": with_eigenvalues(1.0, 1.0, 1.0, 3.0),
    "complex": with_eigenvalues(1.0, 1.0, 2.0, turn=1j),
}


@pytest.mark.parametrize("x", HERMITIAN.values(), ids=HERMITIAN)
@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions_of_eigenvalues_in_every_mode(f, x):
    by_hand, exact = (lambda x: weighed(by_eigenvalues(f, x))), (lambda x: weighed(gg.spectral(f, x)))
    e, gradient = along(x), gg.grad(exact)(x)
    np.testing.assert_allclose(gg.grad(by_hand)(x), gradient, rtol=1e-11, atol=1e-12)
    assert gg.jvp(by_hand, (x,), (e,))[1] == pytest.approx(inner(gradient, e), rel=1e-11, abs=1e-12)
    v = gg.variable(x)
    by_hand(v).backward()
    np.testing.assert_allclose(v.grad, gradient, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    ("f", "x"),
    [(np.sqrt, "unit"), (np.sqrt, "three and one"), (np.sqrt, "complex"), (FUNCTIONS["flat at 1"], "turned")],
)
def test_second_derivatives_of_functions_of_eigenvalues(f, x):
    x = HERMITIAN[x]
    by_hand, exact = (lambda x: weighed(by_eigenvalues(f, x))), (lambda x: weighed(gg.spectral(f, x)))
    e = along(x)
    expected = gg.hvp(exact, x, e)
    np.testing.assert_allclose(gg.hvp(by_hand, x, e), expected, rtol=1e-10, atol=1e-12)
    twice = gg.grad(lambda x: inner(e, gg.grad(by_hand)(x)))(x)
    np.testing.assert_allclose(twice, expected, rtol=1e-10, atol=1e-12)


def test_the_whole_hessian_and_a_third_derivative():
    x, e = HERMITIAN["twins"], along(HERMITIAN["twins"])
    root = lambda x: weighed(by_eigenvalues(np.sqrt, x))
    exact = lambda x: weighed(gg.spectral(np.sqrt, x))
    np.testing.assert_allclose(gg.hessian(root)(x), gg.hessian(exact)(x), rtol=1e-11, atol=1e-13)
    third = lambda f: gg.grad(gg.grad(gg.grad(lambda t: f(x + t * e))))(0.0)
    assert third(root) == pytest.approx(third(exact), rel=1e-10)


def test_the_derivative_of_the_exponential_is_scipys():
    x, e = HERMITIAN["three and one"], along(HERMITIAN["three and one"])
    pushed = gg.jvp(lambda x: by_eigenvalues(np.exp, x), (x,), (e,))[1]
    np.testing.assert_allclose(pushed, scipy.linalg.expm_frechet(x, e, compute_expm=False), rtol=1e-11, atol=1e-12)


def test_whitening_and_its_curvature():
    data = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.1]])
    whitened = lambda x: np.sum(np.sin(by_eigenvalues(lambda w: w**-0.5, x) @ data))
    exact = lambda x: np.sum(np.sin(gg.spectral(lambda w: w**-0.5, x) @ data))
    x, e = HERMITIAN["twins"], along(HERMITIAN["twins"])
    np.testing.assert_allclose(gg.grad(whitened)(x), gg.grad(exact)(x), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(gg.hvp(whitened, x, e), gg.hvp(exact, x, e), rtol=1e-11, atol=1e-12)


def test_of_stacks_all_matrices_at_once_and_coupled():
    xs = np.stack([with_eigenvalues(1.0, 1.0, 2.0), with_eigenvalues(1.0, 2.0, 3.0), 2.0 * np.eye(3)])
    coupled = lambda root: weighed(root[0] @ root[2]) + weighed(root[1] @ root[0])
    found = gg.grad(lambda xs: coupled(by_eigenvalues(np.sqrt, xs)))(xs)
    np.testing.assert_allclose(found, gg.grad(lambda xs: coupled(gg.spectral(np.sqrt, xs)))(xs), rtol=1e-11, atol=1e-13)


def test_single_precision():
    x = HERMITIAN["turned"].astype(np.float32)
    loss, exact = (lambda x: weighed(by_eigenvalues(np.sqrt, x))), (lambda x: weighed(gg.spectral(np.sqrt, x)))
    found = gg.grad(loss)(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, gg.grad(exact)(HERMITIAN["turned"]), rtol=1e-4, atol=1e-5)
    with pytest.raises(NoGradientError):
        gg.grad(lambda x: L.eigh(x)[1][2, 0])(np.diag(np.array([1.0, 1.0, 2.0], np.float32)))


def test_a_decomposition_of_what_a_decomposition_made():
    root = lambda x: by_eigenvalues(np.sqrt, x)
    x, e = HERMITIAN["twins"], along(HERMITIAN["twins"])
    exact = gg.grad(lambda x: weighed(gg.spectral(lambda w: w**0.25, x)))(x)
    np.testing.assert_allclose(gg.grad(lambda x: weighed(root(root(x))))(x), exact, rtol=1e-11, atol=1e-13)
    with pytest.raises(NoGradientError, match="second derivatives of the two take too long"):
        gg.hvp(lambda x: weighed(root(root(x))), x, e)


def test_other_arguments_and_other_uses_of_the_matrix():
    def loss(root, x, a):
        return a[0] * weighed(root @ x @ root) + a[1] ** 2 * np.trace(root)

    x, a = HERMITIAN["twins"], np.array([0.5, 2.0])
    by_hand = lambda x, a: loss(by_eigenvalues(np.sqrt, x), x, a)
    exact = lambda x, a: loss(gg.spectral(np.sqrt, x), x, a)
    found, expected = gg.hessian(by_hand, (0, 1))(x, a), gg.hessian(exact, (0, 1))(x, a)
    for row, others in zip(found, expected, strict=True):
        for part, other in zip(row, others, strict=True):
            np.testing.assert_allclose(part, other, rtol=1e-10, atol=1e-12)


def test_pullbacks_and_pushforwards_of_arrays_again_and_again():
    x, e = HERMITIAN["turned"], along(HERMITIAN["turned"])
    f = lambda x: (by_eigenvalues(np.sqrt, x), np.trace(by_eigenvalues(np.exp, x)), x[0])
    g = lambda x: (gg.spectral(np.sqrt, x), np.trace(gg.spectral(np.exp, x)), x[0])
    (_, pull), (_, push) = gg.vjp(f, x), gg.linearize(f, x)
    expected = gg.jvp(g, (x,), (e,))[1]
    for factor in (1.0, 2.0):
        for part, other in zip(push(factor * e), expected, strict=True):
            np.testing.assert_allclose(part, factor * other, rtol=1e-10, atol=1e-11)
        dz = (factor * WEIGHTS[:4, :4], 1.0, np.ones(4))
        np.testing.assert_allclose(pull(dz)[0], gg.vjp(g, x)[1](dz)[0], rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(
        gg.jacobian(lambda x: by_eigenvalues(np.sqrt, x))(np.eye(2)), gg.jacobian(lambda x: gg.spectral(np.sqrt, x))(np.eye(2)), atol=1e-14
    )  # fmt: skip


def test_backward_twice_and_the_gradients_in_between():
    v = gg.variable(np.eye(2))
    root = by_eigenvalues(np.sqrt, v)
    loss = weighed(root)
    loss.backward(retain=True, keep=True)
    loss.backward()
    exact = gg.grad(lambda x: weighed(gg.spectral(np.sqrt, x)))(np.eye(2))
    np.testing.assert_allclose(v.grad, 2 * exact, rtol=1e-13)
    np.testing.assert_allclose(root.grad, WEIGHTS[:2, :2])
    with pytest.raises(gg.errors.ReleasedError):
        loss.backward()


# --- invariant sums, whose second derivatives part what coincides --------------------------------------------------------


def test_curvature_of_sums_of_eigenvalues():
    squares = lambda x: np.sum(L.eigvalsh(x) ** 2)
    for x in (np.eye(3), HERMITIAN["turned"]):
        e = along(x)
        np.testing.assert_allclose(gg.hvp(squares, x, e), 2 * e, atol=1e-13)
    np.testing.assert_allclose(gg.hvp(lambda x: np.sum(L.svdvals(x) ** 2), np.zeros((2, 3)), np.ones((2, 3))), 2.0)


def largest_two(x):
    return np.sum(L.eigvalsh(x)[-2:])


def projector(x):
    v = L.eigh(x)[1][:, -2:]
    return weighed(v @ adjoint(v))


def smooth_in_the_gap(x):
    w = L.eigvalsh(x)
    return projector(x) + (w[-1] - w[-2]) ** 2


@pytest.mark.parametrize("f", [largest_two, projector, smooth_in_the_gap])
@pytest.mark.parametrize("x", [with_eigenvalues(0.0, 1.0, 3.0, 3.0), with_eigenvalues(0.0, 3.0, 3.0, turn=1j)])
def test_curvature_of_ky_fan_norms_and_projectors(f, x):
    e = along(x)
    np.testing.assert_allclose(gg.hvp(f, x, e), slope(gg.grad(f), x, e), rtol=1e-7, atol=1e-8)


def test_curvature_of_the_nuclear_norm_where_singular_values_coincide():
    x = with_singular_values(2.0, 2.0, 1.0, shape=(4, 3))
    nuclear, e = (lambda x: L.norm(x, "nuc")), along(x, hermitian=False)
    np.testing.assert_allclose(gg.hvp(nuclear, x, e), slope(gg.grad(nuclear), x, e), rtol=1e-7, atol=1e-8)


# --- u f(s) vᴴ ------------------------------------------------------------------------------------------------------------


def by_singular_values(f, x):
    u, s, vh = L.svd(x, full_matrices=False)
    return (u * f(s)) @ vh


GENERAL = {
    "twins, tall": with_singular_values(2.0, 2.0, 1.0, shape=(4, 3)),
    "complex twins, wide": with_singular_values(2.0, 2.0, 1.0, shape=(3, 4), turn=1j),
    "one zero": np.diag([2.0, 1.0, 0.0]),
    "twins and zeros, complex": with_singular_values(2.0, 2.0, shape=(4, 5), turn=1j),
    "nothing": np.zeros((2, 3)),
}


@pytest.mark.parametrize("x", GENERAL.values(), ids=GENERAL)
def test_odd_functions_of_singular_values(x):
    e = along(x, hermitian=False)
    same = lambda x: weighed(by_singular_values(lambda s: s, x))
    m, n = x.shape
    exact = WEIGHTS[:m, :n] + (-1j * TURNS[:m, :n] if x.dtype.kind == "c" else 0.0)
    np.testing.assert_allclose(gg.grad(same)(x), exact, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(gg.hvp(same, x, e), np.zeros_like(x), atol=1e-11)
    f = lambda x: weighed(by_singular_values(np.sinh, x))
    gradient = gg.grad(f)(x)
    assert inner(gradient, e) == pytest.approx(slope(f, x, e), rel=1e-8, abs=1e-9)
    assert gg.jvp(f, (x,), (e,))[1] == pytest.approx(inner(gradient, e), rel=1e-10)
    curved = gg.hvp(f, x, e)
    np.testing.assert_allclose(curved, slope(gg.grad(f), x, e), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(gg.grad(lambda x: inner(e, gg.grad(f)(x)))(x), curved, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("x", [np.eye(3), with_singular_values(2.0, 2.0, 1.0, shape=(4, 3))], ids=["unit", "tall"])
def test_the_polar_decomposition(x):
    by_hand = lambda x: weighed(by_singular_values(np.ones_like, x))
    exact = lambda x: weighed(linalg.polar(x)[0])
    e = along(x, hermitian=False)
    np.testing.assert_allclose(gg.grad(by_hand)(x), gg.grad(exact)(x), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(gg.hvp(by_hand, x, e), gg.hvp(exact, x, e), rtol=1e-10, atol=1e-11)


# --- v f(w) v⁻¹ -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [np.eye(2), similar_to(1.0, 1.0, 2.0)], ids=["unit", "twins"])
def test_functions_of_the_eigenvalues_of_any_matrix(x):
    def by_hand(x):
        w, v = L.eig(x)
        return weighed(np.real((v * np.exp(w)) @ L.inv(v)))

    exact = lambda x: weighed(linalg.expm(x))
    e = along(x, hermitian=False)
    np.testing.assert_allclose(gg.grad(by_hand)(x), gg.grad(exact)(x), rtol=1e-9, atol=1e-10)
    assert gg.jvp(by_hand, (x,), (e,))[1] == pytest.approx(gg.jvp(exact, (x,), (e,))[1], rel=1e-9)
    np.testing.assert_allclose(gg.hvp(by_hand, x, e), gg.hvp(exact, x, e), rtol=1e-8, atol=1e-9)


# --- what cannot be asked ----------------------------------------------------------------------------------------------


class Opaque(gg.Gate):
    """z = x x, whose rule works on numbers alone."""

    def __init__(self, error):
        self.error = error

    def forward(self, x):
        self.x = x
        return x @ x

    def backward(self, dz):
        if type(self.x) is not np.ndarray or type(dz) is not np.ndarray:
            raise self.error
        return dz @ self.x.T + self.x.T @ dz


@pytest.mark.parametrize("error", [gg.errors.EscapeError("numbers only"), ValueError("numbers only")])
def test_a_circuit_whose_rules_have_no_gradient_is_asked_no_more_than_before(error):
    def squared(x):
        v = L.eigh(x)[1][:, :2]
        return weighed(Opaque(error)(v @ v.T))

    def projector(x):
        v = L.eigh(x)[1][:, :2]
        return weighed(v @ v.T)

    x = HERMITIAN["twins"]
    np.testing.assert_allclose(gg.grad(squared)(x), gg.grad(projector)(x), atol=1e-14)
    with pytest.raises(NoGradientError, match=r"used together.*gg\.spectral"):
        gg.grad(lambda x: weighed(Opaque(error)(by_eigenvalues(np.sqrt, x))))(x)


class Moody(gg.Gate):
    """z = a x, with another a each time."""

    answers = 0

    def forward(self, x):
        type(self).answers += 1
        self.a = float(type(self).answers)
        return self.a * x

    def backward(self, dz):
        return self.a * dz


def test_a_circuit_that_answers_otherwise_when_it_is_computed_again_is_reported():
    with pytest.raises(NoGradientError, match="used together"):
        gg.grad(lambda x: weighed(Moody()(by_eigenvalues(np.sqrt, x))))(np.eye(2))


def test_data_that_was_written_into_is_noticed():
    data = np.ones((2, 2))
    z = np.sum(by_eigenvalues(np.sqrt, gg.variable(np.eye(2))) * data)
    data[0] = 2.0
    with pytest.raises(StaleError):
        z.backward()


def test_an_error_says_all_there_is_to_say_at_once():
    with pytest.raises(
        NoGradientError, match=r"eigh has no gradient here, asked for at .*test_parting\.py:\d+"
    ) as caught:
        gg.grad(lambda x: L.eigh(x)[1][2, 0])(HERMITIAN["twins"])
    assert caught.value.__suppress_context__


def test_eigenvalues_that_differ_by_more_than_rounding_are_different():
    """The quotient over a gap of δ loses δ of its digits, and no more."""
    gap = 1e-6
    x = with_eigenvalues(1.0, 1.0 + gap, 2.0)
    found = gg.grad(lambda x: weighed(by_eigenvalues(np.sqrt, x)))(x)
    np.testing.assert_allclose(found, gg.grad(lambda x: weighed(gg.spectral(np.sqrt, x)))(x), atol=1e-15 / gap)
    assert np.isfinite(gg.grad(lambda x: L.eigvalsh(x)[0])(x)).all()
