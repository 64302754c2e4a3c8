"""gategrad.scipy.integrate of samples: SciPy's values for every number of them, along every axis; the rest is in tests/solvers."""

import numpy as np
import pytest
import scipy.integrate

import gategrad as gg
from gategrad.scipy import integrate

rng = np.random.default_rng(4)


@pytest.mark.parametrize("dtype", [float, np.float32, complex])
@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("name", ["trapezoid", "cumulative_trapezoid", "simpson", "cumulative_simpson"])
def test_values_are_scipys(name, count, dtype):
    y = rng.uniform(-1.0, 1.0, (2, count, 3)).astype(dtype)
    row, block = np.sort(rng.uniform(0.0, 2.0, count)), np.sort(rng.uniform(0.0, 2.0, (2, count, 3)), axis=1)
    for options in ({}, {"x": row}, {"x": block}, {"dx": 0.3}):
        expected = getattr(scipy.integrate, name)(y, axis=1, **options)
        found = getattr(integrate, name)(gg.variable(y), axis=1, **options).value
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype is np.float32 else 1e-12, atol=1e-6)


def test_what_was_there_before():
    y = rng.uniform(-1.0, 1.0, (2, 5))
    for name, initial in (
        ("cumulative_simpson", 2.0),
        ("cumulative_simpson", np.ones((2, 1))),
        ("cumulative_trapezoid", 0),
    ):
        found = getattr(integrate, name)(gg.variable(y), dx=0.3, initial=initial)
        np.testing.assert_allclose(found.value, getattr(scipy.integrate, name)(y, dx=0.3, initial=initial), rtol=1e-12)
    gradient = gg.grad(lambda i: np.sum(integrate.cumulative_simpson(y, dx=0.3, initial=i)))(2.0)
    assert gradient == 10.0


def test_intervals_of_each_row():
    y, dx = rng.uniform(-1.0, 1.0, (2, 5)), np.array([[0.3], [0.7]])
    found = integrate.cumulative_simpson(gg.variable(y), dx=dx)
    np.testing.assert_allclose(found.value, scipy.integrate.cumulative_simpson(y, dx=dx), rtol=1e-12)


@pytest.mark.parametrize("count", [2, 3, 5, 9])
def test_romb(count):
    y = rng.uniform(-1.0, 1.0, (count, 2))
    np.testing.assert_allclose(
        integrate.romb(gg.variable(y), 0.3, 0).value, scipy.integrate.romb(y, 0.3, 0), rtol=1e-12
    )


def test_fixed_quad():
    assert integrate.fixed_quad(np.cos, 0.0, 1.0)[0] == pytest.approx(
        scipy.integrate.fixed_quad(np.cos, 0.0, 1.0)[0], rel=1e-14
    )
    gradient = gg.grad(lambda b, p: integrate.fixed_quad(lambda x, p: p * x**3, 0.0, b, p, n=3)[0], (0, 1))(2.0, 1.5)
    np.testing.assert_allclose(gradient, [12.0, 4.0])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda v: integrate.romb(v), "one plus a non-negative power of 2"),
        (lambda v: integrate.simpson(v, np.ones(3)), "length of x along axis"),
        (lambda v: integrate.simpson(v, np.ones((2, 4))), "1-D or the same as y"),
        (lambda v: integrate.cumulative_simpson(v, x=np.array([0.0, 1.0, 1.0, 2.0])), "strictly increasing"),
        (lambda v: integrate.cumulative_trapezoid(v, initial=3), "`None` or `0`"),
        (lambda v: integrate.fixed_quad(lambda x: x, 0.0, v[0] * np.inf), "finite limits"),
    ],
)
def test_complaints(call, said):
    with pytest.raises(ValueError, match=said):
        call(gg.variable([1.0, 2.0, 3.0, 4.0]))
