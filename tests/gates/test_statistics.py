"""Variance, deviation, averages, logsumexp and norms; what reductions have in common is tested with them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp as scipys_logsumexp

import gategrad as gg

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4)) + 0.5


@pytest.mark.parametrize("function", [np.var, np.std], ids=["var", "std"])
@pytest.mark.parametrize("options", [{"ddof": 1}, {"ddof": 0.5, "axis": 0}, {"correction": 1, "axis": 1}])
def test_degrees_of_freedom(function, options):
    np.testing.assert_allclose(function(gg.variable(X), **options).value, function(X, **options), rtol=1e-14)
    assert not gg.check_gradients(lambda x: function(x, **options), X).kinks


@pytest.mark.parametrize("function", [np.var, np.std], ids=["var", "std"])
def test_no_degrees_of_freedom_left_is_nan_as_in_numpy(function):
    with pytest.warns(RuntimeWarning):
        assert np.isnan(function(gg.variable([1.0]), ddof=1).value)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
def test_logsumexp_is_scipys(axis):
    for x in (X, X * 1e3, X - 1e4):
        np.testing.assert_allclose(gg.logsumexp(x, axis=axis), scipys_logsumexp(x, axis=axis), rtol=1e-14)
    kept = gg.logsumexp(X, axis=axis, keepdims=True)
    np.testing.assert_allclose(kept, scipys_logsumexp(X, axis=axis, keepdims=True))
    assert not gg.check_gradients(lambda x: gg.logsumexp(x, axis=axis), X).kinks


def test_logsumexp_of_what_is_not_finite():
    x = np.array([[-np.inf, -np.inf], [-np.inf, 1.0], [np.inf, 1.0]])
    np.testing.assert_array_equal(gg.logsumexp(x[:2], axis=1), [-np.inf, 1.0])
    np.testing.assert_array_equal(gg.grad(lambda x: np.sum(gg.logsumexp(x, 1)[1:]))(x[:2]), [[0, 0], [0, 1]])
    assert gg.logsumexp([1.0, np.nan]) != gg.logsumexp([1.0, np.nan])


def test_logsumexp_of_lists_numbers_and_float32():
    assert gg.logsumexp([0.0, 0.0]) == np.log(2.0)
    assert gg.logsumexp(3.0) == 3.0
    assert gg.logsumexp(np.zeros(4, np.float32)).dtype == np.float32


NORMS = [
    {},
    {"ord": 2},
    {"ord": 1},
    {"ord": np.inf},
    {"ord": -np.inf},
    {"axis": 0},
    {"axis": 1, "keepdims": True},
    {"ord": 1, "axis": -1},
    {"ord": np.inf, "axis": 0, "keepdims": True},
]
MATRIX_NORMS = [
    {"ord": ord, "axis": axis, "keepdims": keepdims}
    for ord in (None, "fro", 1, -1, np.inf, -np.inf)
    for axis in ((0, 1), (2, 0), (-1, 1))
    for keepdims in (False, True)
]


def assert_norm(x, options):
    z = np.linalg.norm(gg.variable(x), **options)
    expected = np.linalg.norm(x, **options)
    assert z.shape == np.shape(expected)
    np.testing.assert_allclose(z.value, expected, rtol=1e-14)
    assert not gg.check_gradients(lambda x: np.linalg.norm(x, **options), x).kinks


@pytest.mark.parametrize("options", NORMS, ids=str)
def test_norms_of_vectors(options):
    assert_norm(X if "axis" in options else X[0], options)


@pytest.mark.parametrize("options", MATRIX_NORMS, ids=str)
def test_norms_of_matrices(options):
    assert_norm(RNG.normal(size=(2, 3, 4)), options)


@pytest.mark.parametrize("ord", [None, 1, "fro", np.inf])
def test_a_matrix_without_an_axis_is_a_matrix(ord):
    assert_norm(X, {"ord": ord})


def test_norms_that_numpy_refuses():
    with pytest.raises(ValueError, match="Improper number of dimensions"):
        np.linalg.norm(gg.variable(np.ones((2, 2, 2))), 1)
    with pytest.raises(ValueError, match="Invalid norm order 'fro' for vectors"):
        np.linalg.norm(gg.variable(np.ones(3)), "fro")


@pytest.mark.parametrize(
    ("axis", "weights"),
    [(None, None), (0, None), (1, [1.0, 2.0, 3.0, 4.0]), (-1, [1.0, 2.0, 3.0, 4.0]), (None, np.abs(X)), (0, np.abs(X))],
)
def test_average(axis, weights):
    np.testing.assert_allclose(np.average(gg.variable(X), axis, weights).value, np.average(X, axis, weights))
    gg.check_gradients(lambda x: np.average(x, axis, weights) ** 2, X)


def test_average_by_weights_that_vary():
    gg.check_gradients(lambda w: np.average(X, 1, w), np.array([1.0, 2.0, 3.0, 4.0]))
    z, total = np.average(gg.variable(X), returned=True)
    assert z.value == np.average(X) and total == X.size
    with pytest.raises(TypeError, match="Axis must be specified when shapes of a and weights differ"):
        np.average(gg.variable(X), weights=np.ones(4))
