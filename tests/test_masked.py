"""Masked gradients: zeros that no infinity turns into NaN, at every order, and through every kind of gate."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.masked import Masked, select, singular

X = np.array([-1.0, 0.0, 4.0])


def safe_root(x):
    return np.sum(np.where(x > 0, np.sqrt(np.where(x > 0, x, 0.0) * 1.0), 0.0))


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def test_the_branch_that_was_not_taken_sends_nothing():
    np.testing.assert_array_equal(gg.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)))(X), [0.0, 0.0, 0.25])
    np.testing.assert_array_equal(gg.grad(safe_root)(X), [0.0, 0.0, 0.25])


def test_at_second_order():
    def slope(x):
        return np.sum(gg.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)))(x))

    np.testing.assert_allclose(gg.grad(slope)(X), [0.0, 0.0, -0.25 * 4**-1.5])


@pytest.mark.parametrize(
    "through",
    [
        lambda x: 1.0 / x,
        lambda x: np.log(x) * 2.0 - 1.0,
        lambda x: np.log(x).reshape(3),
        lambda x: np.log(x[::-1])[::-1],
        lambda x: np.log(x.astype(np.float32)).astype(float),
        lambda x: np.stack([np.log(x), 1.0 / x])[0],
        lambda x: np.log(x) + 1.0 / x,
    ],
)
def test_through_any_gate(through):
    dx = gg.grad(lambda x: np.sum(np.where(x > 0, through(np.where(x > 0, x, 1.0)), 0.0)))(X)
    masked = gg.grad(lambda x: np.sum(np.where(x > 0, through(x), 0.0)))(X)
    assert np.isfinite(dx).all()
    np.testing.assert_allclose(masked[2], dx[2])
    np.testing.assert_array_equal(masked[:1], 0.0)


def test_a_mask_over_a_broadcast_input():
    def f(s, x):
        return np.sum(np.where(x > 0, s * np.log(x), 0.0))

    ds, dx = gg.grad(f, argnums=(0, 1))(2.0, X)
    assert ds == pytest.approx(np.log(4.0)) and type(ds) is float
    np.testing.assert_array_equal(dx, [0.0, 0.0, 0.5])


def test_a_masked_gradient_meets_an_ambient_variable():
    w = gg.variable(np.array([np.inf, 1.0, 3.0]))
    dx = gg.grad(lambda x: np.sum(np.where(x > 0, w * x, 0.0)))(X)
    np.testing.assert_array_equal(dx.value, [0.0, 0.0, 3.0])
    np.sum(dx).backward()
    np.testing.assert_array_equal(w.grad, [0.0, 0.0, 1.0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, complex])
@pytest.mark.parametrize("shape", [(4,), (80, 90)])
def test_what_does_not_count_is_plus_zero(dtype, shape):
    rng = np.random.default_rng(0)
    value = rng.choice(np.array([np.nan, np.inf, -np.inf, -0.0, -1.5, 5e-8], dtype), shape)
    for x, mask in ((value, rng.random(shape) > 0.5), (value.T[::-1], (rng.random(shape) > 0.5).T)):
        found = Masked(x, mask).resolve()
        assert found.dtype == dtype
        np.testing.assert_array_equal(found[mask].view(np.uint8), x[mask].view(np.uint8))  # to the bit
        assert not found[~mask].view(np.uint8).any()


def test_scalars():
    for x, expected in ((4.0, 0.25), (0.0, 0.0)):
        assert gg.grad(lambda x: np.where(x > 0, np.sqrt(x), 0.0))(x) == expected


def test_select():
    assert select(True, 2.0) == 2.0 and select(False, 2.0) is None
    dz = select(np.array([True, False]), np.array([1.0, np.inf]))
    assert type(dz) is Masked and dz.shape == (2,) and dz.dtype == np.float64 and dz.ndim == 1
    np.testing.assert_array_equal((dz * np.inf / 2.0).resolve(), [np.inf, 0.0])
    np.testing.assert_array_equal(dz + 1.0, [2.0, 1.0])
    np.testing.assert_array_equal(np.asarray(-dz), [-1.0, 0.0])
    np.testing.assert_array_equal(dz.sum(), 1.0)
    dz *= 2
    np.testing.assert_array_equal(np.asarray(dz), [2.0, 0.0])


# --- along every way that only moves, repeats or spreads values: eager and compiled, both dtypes, two orders ------

every_mode = pytest.mark.parametrize(
    ("dtype", "compiled"),
    [(np.float64, False), (np.float32, False), (np.float32, True)],
    ids=["float64", "float32", "compiled float32"],
)

PAIR, TWICE = np.ones((3, 2)), np.array([0, 2, 2])


def bad(x):
    """A function whose value and slopes are NaN or infinite where x is not positive."""
    return np.log(x) / x


ROUTES = {
    "reshape": lambda x, inner: np.where((x > 0).reshape(3, 1), inner.reshape(3, 1), 0.0),
    "ravel": lambda x, inner: np.where(x > 0, np.ravel(inner), 0.0),
    "expand_dims, squeeze": lambda x, inner: np.where(x > 0, np.squeeze(np.expand_dims(inner, 1)), 0.0),
    "broadcast, transpose": lambda x, inner: np.where((x > 0)[:, None], np.broadcast_to(inner, (2, 3)).T, 0.0),
    "slice": lambda x, inner: np.where(x[::-1] > 0, inner[::-1], 0.0),
    "an index read twice": lambda x, inner: np.where(x[TWICE] > 0, inner[TWICE], 0.0),
    "flip": lambda x, inner: np.where(x[::-1] > 0, np.flip(inner), 0.0),
    "roll": lambda x, inner: np.where(np.roll(x, 1) > 0, np.roll(inner, 1), 0.0),
    "sum": lambda x, inner: np.where(x > 0, np.sum(inner[:, None] * PAIR, axis=1), 0.0),
    "mean": lambda x, inner: np.where(x > 0, np.mean(inner[:, None] * PAIR, axis=1), 0.0),
    "max": lambda x, inner: np.where(x > 0, np.max(inner[:, None] * PAIR, axis=1), 0.0),
    "std": lambda x, inner: np.where(x > 0, np.std(inner[:, None] * [1.0, 2.0], axis=1), 0.0),
    "norm": lambda x, inner: np.where(x > 0, np.linalg.norm(inner[:, None] * PAIR, axis=1), 0.0),
    "cumsum": lambda x, inner: np.where(np.flip(x) > 0, np.cumsum(np.flip(inner)), 0.0),
    "concatenate": lambda x, inner: np.where(np.append(x, x) > 0, np.concatenate([inner, inner]), 0.0),
    "stack": lambda x, inner: np.where(np.stack([x, x]) > 0, np.stack([inner, inner * inner]), 0.0),
    "split": lambda x, inner: np.where(x[1:] > 0, np.split(inner, [1])[1], 0.0),
    "tril": lambda x, inner: np.where((x > 0)[:, None], np.tril(inner[:, None] * np.ones((3, 3))), 0.0),
    "diag": lambda x, inner: np.where(np.diag(x) > 0, np.diag(inner), 0.0),
    "astype": lambda x, inner: np.where(x > 0, inner.astype(np.float32), np.float32(0)),
}


@every_mode
@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
def test_the_zeros_go_along(route, dtype, compiled):
    def dangerous(x):
        return np.sum(route(x, bad(x)))

    def safe(x):  # 1 where x is not positive, and the mask takes that out again
        return np.sum(route(x, bad(np.where(x > 0, x, 1.0))))

    def derivatives(f):
        first = gg.grad(f)
        both = lambda x: (first(x), gg.grad(lambda x: np.sum(first(x)))(x))
        return (gg.compile(both) if compiled else both)(X.astype(dtype))

    for found, expected in zip(derivatives(dangerous), derivatives(safe), strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
        assert found[2] != 0.0


# --- what people have met with ------------------------------------------------------------------------------------


def distances(x):
    """Pairwise distances, of a point to itself 0, squared away from the diagonal."""
    d = x[:, None] - x[None, :]
    return np.sum(np.where(np.eye(3) > 0, 0.0, 1.0 / np.sqrt(d * d)))


MET = {
    "a length or one": (
        lambda x: np.sum(np.where(np.sqrt(x * x) > 0.5, np.sqrt(x * x) ** 0.5, 1.0)),
        lambda x: np.where(x == 0, 0.0, 0.5 * np.sign(x) * np.sqrt(np.abs(np.where(x == 0, 1.0, x))) ** -1),
    ),
    "an angle": (lambda x: np.sum(np.where(x == 0, 0.0, np.arctan2(x, x))), np.zeros_like),
    "entropy": (
        lambda x: -np.sum(np.where(x > 0, x * np.log(x), 0.0)),
        lambda x: np.where(x > 0, -1.0 - np.log(np.where(x > 0, x, 1.0)), 0.0),
    ),
    "sin(x) / x": (
        lambda x: np.sum(np.where(x == 0, 1.0, np.sin(x) / x)),
        lambda x: np.where(x == 0, 0.0, (np.cos(x) - np.sinc(x / np.pi)) / np.where(x == 0, 1.0, x)),
    ),
    "a power": (
        lambda x: np.sum(np.where(x > 0, x**1.5, 0.0)),
        lambda x: 1.5 * np.sqrt(np.maximum(x, 0.0)),
    ),
    "distances": (
        distances,
        lambda x: np.array([2 * sum(np.sign(y - a) / (y - a) ** 2 for y in x if y != a) for a in x]),
    ),
}


@every_mode
@pytest.mark.parametrize(("f", "slope"), MET.values(), ids=MET)
def test_what_people_have_met_with(f, slope, dtype, compiled):
    first = gg.grad(f)
    second = gg.grad(lambda x: np.sum(first(x)))
    if compiled:
        first, second = gg.compile(first), gg.compile(second)
    np.testing.assert_allclose(first(X.astype(dtype)), slope(X), rtol=1e-5)
    assert np.isfinite(second(X.astype(dtype))).all()


def test_through_a_product_of_matrices():
    f = lambda x: np.sum(np.where(x[:, None] > 0, np.sqrt(x)[:, None] @ np.ones((1, 2)), 0.0))
    np.testing.assert_array_equal(gg.grad(f)(X), [0.0, 0.0, 0.5])


def test_infinite_slopes_and_zeros_that_they_meet():
    dz = singular(np.array([np.inf, 2.0, np.inf]))
    np.testing.assert_array_equal((dz * np.array([0.0, 0.0, -1.0])).resolve(), [0.0, 0.0, -np.inf])
    np.testing.assert_array_equal((dz / np.array([np.inf, 2.0, 1.0])).resolve(), [0.0, 1.0, np.inf])
    np.testing.assert_array_equal(((1.0 + dz) * np.zeros(3)).resolve(), [0.0, 0.0, 0.0])
    np.testing.assert_array_equal(np.sum(dz), np.inf)
    assert np.isnan((np.array([np.inf]) * np.array([0.0]))[0])  # of those that nobody marked, arithmetic speaks
