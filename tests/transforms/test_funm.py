"""scipy.linalg.funm on variables: closed forms and block matrices, also where eigenvalues coincide or are complex."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import gategrad as gg
from gategrad.errors import NoGradientError, NoRuleError
from gategrad.scipy import linalg

RNG = np.random.default_rng(0)
WEIGHTS, E, F, BASIS = RNG.normal(size=(4, 3, 3))


def similar(*w):
    return (BASIS * w) @ np.linalg.inv(BASIS)


MATRICES = {
    "apart": similar(0.5, 1.0, 2.0),
    "twins": similar(1.0, 1.0, 2.0),
    "three alike": np.eye(3),
    "complex eigenvalues": np.array([[0.0, -1.0, 0.3], [1.0, 0.5, 0.0], [0.0, 0.2, 1.0]]),
}
every_matrix = pytest.mark.parametrize("x", MATRICES.values(), ids=MATRICES)


def weighed(x):
    return np.sum(WEIGHTS * linalg.funm(x, np.exp))


@every_matrix
def test_both_orders_of_an_exponential_are_those_of_block_matrices(x):
    along = np.sum(WEIGHTS * scipy.linalg.expm_frechet(x, E, compute_expm=False))
    assert np.sum(gg.grad(weighed)(x) * E) == pytest.approx(along, rel=1e-11)
    assert gg.jvp(weighed, (x,), (E,))[1] == pytest.approx(along, rel=1e-11)
    zero = np.zeros((3, 3))
    whole = np.block([[x, E, F, zero], [zero, x, zero, F], [zero, zero, x, E], [zero, zero, zero, x]])
    expected = np.sum(WEIGHTS * scipy.linalg.expm(whole)[:3, 9:])
    assert np.sum(gg.hvp(weighed, x, E) * F) == pytest.approx(expected, rel=1e-9)


@every_matrix
def test_the_value_is_real_and_that_of_schurs_form(x):
    z, _ = gg.vjp(lambda x: linalg.funm(x, np.exp), x)
    assert z.dtype == np.float64
    np.testing.assert_allclose(z, scipy.linalg.expm(x), rtol=1e-12, atol=1e-13)


def test_complex_matrices():
    x = MATRICES["apart"] + 0.3j * E
    f = lambda x: np.sum(WEIGHTS * np.real(linalg.funm(x, np.exp)))
    gradient = gg.grad(f)(x)
    for e in (E, 1j * F):
        found = np.sum(np.real(np.conj(gradient) * e))
        assert found == pytest.approx((f(x + 1e-6 * e) - f(x - 1e-6 * e)) / 2e-6, rel=1e-7)


def test_errors():
    x = gg.variable(np.array([[1.0, 1.0], [0.0, 1.0]]))
    with pytest.raises(
        NoGradientError, match=r"funm has no gradient here.*\n.*\n?the matrix has no basis of eigenvectors"
    ):
        linalg.funm(x, np.exp)
    with pytest.raises(NoRuleError, match="leave disp=False out"):
        linalg.funm(x, np.exp, disp=False)
    with pytest.raises(ValueError, match="funm: .* must work element by element"):
        linalg.funm(gg.variable(np.diag([1.0, 2.0])), lambda w: w / np.sum(w))
    with pytest.raises(NoGradientError, match="f has no finite slope"):
        gg.grad(lambda x: np.sum(np.real(linalg.funm(x, np.sqrt))))(np.diag([1.0, 0.0]))
