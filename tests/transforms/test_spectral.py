"""spectral: the closed forms of Daleckii and Krein, block matrices of SciPy's, differences; where eigenvalues coincide and where not."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import scipy.linalg

import gategrad as gg
from gategrad.errors import NoGradientError
from gategrad.scipy import linalg

RNG = np.random.default_rng(0)
WEIGHTS, E, F = [(x + x.T) / 2 for x in RNG.normal(size=(3, 3, 3))]


def turned(*w, seed=1, turn=0.0):
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(len(w), len(w))) + turn * rng.normal(size=(len(w), len(w))))
    return (q * w) @ np.conj(q.T)


def weighed(f):
    return lambda x: np.sum(WEIGHTS * np.real(gg.spectral(f, x)))


MATRICES = {
    "three alike": np.eye(3),
    "twins on the diagonal": np.diag([1.0, 1.0, 2.0]),
    "twins": turned(1.0, 1.0, 2.0),
    "complex twins": turned(1.0, 1.0, 2.0, turn=1j),
    "nearly": turned(1.0, 1.0 + 1e-9, 2.0),
    "nearly, and less so": turned(1.0, 1.0 + 1e-5, 1.0 + 1e-2),
    "apart": turned(0.5, 1.0, 2.0),
}
every_matrix = pytest.mark.parametrize("x", MATRICES.values(), ids=MATRICES)


@every_matrix
def test_value_and_both_first_derivatives_of_an_exponential(x):
    f = weighed(np.exp)
    assert f(x) == pytest.approx(np.sum(WEIGHTS * np.real(scipy.linalg.expm(x))), rel=1e-12)
    along = np.sum(WEIGHTS * np.real(scipy.linalg.expm_frechet(x, E + 0j, compute_expm=False)))
    assert np.sum(np.real(np.conj(gg.grad(f)(x)) * E)) == pytest.approx(along, rel=1e-12)
    assert gg.jvp(f, (x,), (E,))[1] == pytest.approx(along, rel=1e-12)


@every_matrix
def test_second_derivatives_of_an_exponential_are_those_of_a_block_matrix(x):
    zero = np.zeros_like(x)
    whole = np.block([[x, E, F, zero], [zero, x, zero, F], [zero, zero, x, E], [zero, zero, zero, x]])
    expected = np.sum(WEIGHTS * np.real(scipy.linalg.expm(whole)[:3, 9:]))
    f = weighed(np.exp)
    slope = lambda x: np.sum(np.real(np.conj(gg.grad(f)(x)) * E))
    assert np.sum(np.real(np.conj(gg.grad(slope)(x)) * F)) == pytest.approx(expected, rel=1e-11)
    assert gg.jvp(lambda x: gg.jvp(f, (x,), (E,))[1], (x,), (F,))[1] == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("x", [np.eye(3), turned(1.0, 1.0, 2.0)], ids=["three alike", "twins"])
def test_third_derivatives_of_a_cube(x):
    """x³ has the third derivative 6 e³ along e, whatever the matrix."""
    f = weighed(lambda w: w**3)
    for _ in range(3):
        f = functools.partial(along, f)
    assert f(x) == pytest.approx(6 * np.sum(WEIGHTS * (E @ E @ E)), rel=1e-12)


def along(f, x):
    return gg.jvp(f, (x,), (E,))[1]


@pytest.mark.parametrize("x", [np.diag([4.0, 4.0, 1.0]), turned(4.0, 4.0, 4.0 + 1e-7), turned(4.0, 1.0, 1e-2)])
@pytest.mark.parametrize(("f", "by_schur"), [(np.sqrt, linalg.sqrtm), (np.log, linalg.logm)], ids=["sqrt", "log"])
def test_roots_and_logarithms_are_those_of_schurs_form(f, by_schur, x):
    expected = gg.grad(lambda x: np.sum(WEIGHTS * by_schur(x)))(x)
    np.testing.assert_allclose(gg.grad(weighed(f))(x), (expected + expected.T) / 2, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("low", "high"), [(1e-12, 3e-9), (1.0, 1.0 + 1e-12), (1.0, 1.0 + 1e-6), (1.0, 1.01), (1.0, 3.0)]
)
def test_divided_differences_have_all_their_digits(low, high):
    """√ and 1/w have closed forms: 1 / (√a + √b) and −1 / ab; exp is expm1 of the gap."""
    x = np.diag([low, high, 5.0])
    beside = lambda f: 2 * gg.grad(lambda x: gg.spectral(f, x)[0, 1])(x)[0, 1]
    assert beside(np.sqrt) == pytest.approx(1 / (np.sqrt(low) + np.sqrt(high)), rel=3e-14)
    assert beside(np.exp) == pytest.approx(np.exp(low) * np.expm1(high - low) / (high - low), rel=3e-14)
    assert beside(lambda w: 1 / w) == pytest.approx(-1 / (low * high), rel=3e-14)


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (1.0, 1.0 + 1e-9), (1.0, 1.0 + 1e-4), (1.0, 1.1)])
def test_divided_differences_of_second_order_have_nearly_all(low, high):
    """1/w has f[a, b, c] = 1 / abc."""
    x, middle = np.diag([low, (low + high) / 2, high]), (low + high) / 2
    d = np.zeros((3, 3))
    d[0, 1] = d[1, 0] = d[1, 2] = d[2, 1] = 1.0
    twice = gg.hvp(lambda x: gg.spectral(lambda w: 1 / w, x)[0, 2], x, d)
    assert np.sum(twice * d) == pytest.approx(2 / (low * middle * high), rel=1e-11)


def test_a_function_with_a_kink_between_eigenvalues_has_its_quotient():
    x = np.diag([-1e-3, 1e-5, 1.0])
    found = gg.grad(lambda x: gg.spectral(lambda w: 1 + gg.relu(w), x)[0, 1])(x)[0, 1]
    assert 2 * found == pytest.approx(1e-5 / (1e-5 + 1e-3), rel=1e-10)


def test_variables_that_the_function_uses_have_gradients_and_mixed_ones():
    x = turned(1.0, 1.0, 2.0)

    def f(t, x):
        return np.sum(WEIGHTS * gg.spectral(lambda w: np.exp(-t * w), x))

    assert gg.grad(f)(0.5, x) == pytest.approx((f(0.5 + 1e-6, x) - f(0.5 - 1e-6, x)) / 2e-6, rel=1e-8)
    mixed = gg.grad(lambda t: np.sum(E * gg.grad(f, 1)(t, x)))(0.5)
    slope = lambda t: np.sum(E * gg.grad(f, 1)(t, x))
    assert mixed == pytest.approx((slope(0.5 + 1e-6) - slope(0.5 - 1e-6)) / 2e-6, rel=1e-7)
    assert np.sum(E * gg.grad(lambda x: gg.grad(f)(0.5, x))(x)) == pytest.approx(mixed, rel=1e-12)


def test_complex_functions_and_complex_matrices():
    f = weighed(lambda w: np.exp(-1j * w))
    for x in (turned(1.0, 1.0, 2.0), turned(1.0, 1.0, 2.0, turn=1j)):
        found = np.sum(np.real(np.conj(gg.grad(f)(x)) * E))
        assert found == pytest.approx((f(x + 1e-6 * E) - f(x - 1e-6 * E)) / 2e-6, rel=1e-7)


def test_singular_values_by_the_eigenvalues_of_a_larger_matrix():
    """u f(s) vᴴ for odd f is a corner of f([[0, x], [xᴴ, 0]]): with f = s³ it is x xᴴ x, also where s coincides or vanishes."""

    def corner(x):
        m, n = x.shape
        whole = np.block([[np.zeros((m, m)), x], [np.swapaxes(x, 0, 1), np.zeros((n, n))]])
        return gg.spectral(lambda s: s**3, whole)[:m, m:]

    for x in (np.eye(3), np.diag([2.0, 0.0, 0.0]), RNG.normal(size=(3, 2)) @ RNG.normal(size=(2, 3))):
        gradient = gg.grad(lambda x: np.sum(WEIGHTS * corner(x)))(x)
        np.testing.assert_allclose(gradient, gg.grad(lambda x: np.sum(WEIGHTS * (x @ x.T @ x)))(x), atol=1e-12)


@pytest.mark.parametrize(
    ("transform", "x"), [(gg.grad, MATRICES["twins"]), (gg.grad, np.eye(3)), (gg.hessian, np.eye(2))]
)
def test_compiled_in_either_order(transform, x):
    pytest.importorskip("llvmlite")
    f = lambda x: np.sum(WEIGHTS[: len(x), : len(x)] * gg.spectral(np.exp, x))
    expected = transform(f)(x)
    compiled = gg.compile(transform(f))
    np.testing.assert_allclose(compiled(x), expected, rtol=1e-11, atol=1e-12)
    assert not compiled.report(x).callbacks
    np.testing.assert_allclose(transform(gg.compile(f))(x), expected, rtol=1e-10, atol=1e-11)


def test_stacks_dtypes_and_small_sizes():
    xs = np.stack([np.eye(3), MATRICES["twins"], MATRICES["apart"]])
    f = lambda x: np.sum(gg.spectral(np.exp, x) ** 2)
    np.testing.assert_allclose(gg.grad(f)(xs), [gg.grad(f)(x) for x in xs], rtol=1e-12, atol=1e-13)
    assert gg.grad(f)(xs.astype(np.float32)).dtype == np.float32
    assert gg.grad(f)(np.zeros((0, 0))).shape == (0, 0) and gg.grad(f)(np.zeros((2, 0, 3, 3))).shape == (2, 0, 3, 3)
    np.testing.assert_array_equal(gg.spectral(np.exp, [[0, 0], [0, 0]]), np.eye(2))
    np.testing.assert_array_equal(gg.grad(lambda x: np.sum(gg.spectral(lambda w: 2.0, x)))(np.eye(2)), np.zeros((2, 2)))


def test_on_the_tape_and_paused():
    x = gg.variable(MATRICES["twins"])
    weighed(np.exp)(x).backward()
    np.testing.assert_allclose(x.grad, gg.grad(weighed(np.exp))(x.value), rtol=1e-14)
    with gg.no_grad():
        assert isinstance(gg.spectral(np.exp, x), np.ndarray)


def test_while_somebody_watches():
    x = MATRICES["twins"]
    with gg.detect_anomaly(), gg.kinks():
        np.testing.assert_array_equal(gg.grad(weighed(np.exp))(x), gg.grad(weighed(np.exp))(x))
        assert np.any(gg.grad(weighed(np.exp))(x))


def test_a_compiled_function_of_what_the_function_uses():
    pytest.importorskip("llvmlite")
    f = lambda t: np.sum(WEIGHTS * gg.spectral(lambda w: np.exp(-t * w), MATRICES["twins"]))
    assert gg.grad(gg.compile(f))(0.5) == pytest.approx(gg.grad(f)(0.5), rel=1e-12)


# --- errors ------------------------------------------------------------------------------------------------------------------


def test_a_slope_that_is_not_finite_is_reported_where_it_counts():
    x = np.diag([1.0, 0.0, 4.0])
    np.testing.assert_allclose(gg.spectral(np.sqrt, gg.variable(x)).value, np.diag([1.0, 0.0, 2.0]))
    for f in (gg.grad(lambda x: np.sum(gg.spectral(np.sqrt, x))), lambda x: gg.jvp(weighed(np.sqrt), (x,), (E,))):
        with pytest.raises(NoGradientError, match=r"spectral has no gradient here.*\n.*\n?f has no finite slope"):
            f(x)
    assert gg.grad(lambda x: gg.spectral(np.sqrt, x)[0, 2])(x)[0, 2] == pytest.approx(1 / 6)
    steep_later = lambda x: np.sum(gg.spectral(lambda w: w**1.5, x))
    assert np.all(np.isfinite(gg.grad(steep_later)(x)))
    with pytest.raises(NoGradientError, match="no finite slope"):
        gg.hessian(steep_later)(x)


def test_a_function_of_all_eigenvalues_is_refused():
    with pytest.raises(ValueError, match="f must work element by element"):
        gg.spectral(lambda w: w / np.sum(w), np.eye(2))
