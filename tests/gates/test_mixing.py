"""Masked gradients through what mixes elements: eagerly and compiled, both dtypes, two orders.

Each route is asked of a function that is NaN or infinite where nobody looks, and of one that is 1 there.
"""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.masked import Masked, select
from gategrad.transforms import derivative

X = np.array([-1.0, 0.0, 4.0, 9.0])
A = np.array([[1.0, 2.0], [3.0, -1.0]])
STACK = np.array([[[1.0, 2.0]], [[0.5, -3.0]]])


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def bad(x):
    """Its value and its slopes are NaN or infinite where x is not positive."""
    return np.log(x) / np.sqrt(x)


def column(x):
    return (x > 0)[:, None]


ROUTES = {
    "matrix @ matrix": lambda x, y: np.where(column(x), y[:, None] @ A[:1], 0.0),
    "two products": lambda x, y: np.where(column(x), np.tanh(y[:, None] @ A[:1]) @ A, 0.0),
    "matrix @ vector": lambda x, y: np.where(x > 0, np.stack([y, y], 1) @ A[0], 0.0),
    "vector @ matrix": lambda x, y: np.where(x > 0, A[0] @ np.stack([y, 2 * y]), 0.0),
    "matrix @ column": lambda x, y: np.where(x > 0, A @ np.stack([y, 2 * y]), 0.0),
    "stack @ matrix": lambda x, y: np.where(column(x)[:, None], y[:, None, None] @ A[:1], 0.0),
    "stack @ stack": lambda x, y: np.where(column(x), y[:, None] @ STACK, 0.0),
    "stack @ vector": lambda x, y: np.where((x > 0)[:, None], (y[:, None, None] * A) @ A[0], 0.0),
    "dot": lambda x, y: np.where(column(x), np.dot(y[:, None], A[:1]), 0.0),
    "tensordot": lambda x, y: np.where(column(x), np.tensordot(y[:, None], A[:1], 1), 0.0),
    "inner": lambda x, y: np.where(column(x), np.inner(y[:, None], A[:, :1]), 0.0),
    "einsum": lambda x, y: np.where(column(x), np.einsum("i,jk->ij", y, A), 0.0),
    "einsum of three": lambda x, y: np.where(column(x), np.einsum("i,jk,k->ij", y, A, A[0]), 0.0),
    "einsum, batched": lambda x, y: np.where(column(x), np.einsum("bi,ij->bj", y[:, None] * A[0], A), 0.0),
    "sum of a product": lambda x, y: np.where(x > 0, np.sum((y[:, None] * A[0]) @ A, axis=1), 0.0),
    "cumsum along": lambda x, y: np.where(column(x), np.cumsum(y[:, None] * A[0], axis=1), 0.0),
    "solve": lambda x, y: np.where(x > 0, np.linalg.solve(A, np.stack([y, 2 * y])), 0.0),
}
TRANSFORMS = {
    "rfft": lambda x, y: np.where(column(x), np.real(np.fft.rfft(y[:, None] * A[0])), 0.0),
    "fft, padded": lambda x, y: np.where(column(x), np.real(np.fft.fft(y[:, None] * A[0], 5)), 0.0),
    "irfft": lambda x, y: np.where(column(x), np.fft.irfft(y[:, None] * A[0] * (1 + 1j)), 0.0),
    "fft there and back": lambda x, y: np.where(column(x), np.real(np.fft.ifft(np.fft.fft(y[:, None] * A[0]))), 0.0),
}


def derivatives(route, inner, wrap=lambda f: f, dtype=np.float64):
    """Gradient, and the gradient of its sum."""
    first = gg.grad(lambda x: np.sum(route(x, inner(x))))
    both = lambda x: (first(x), gg.grad(lambda x: np.sum(first(x)))(x))
    return wrap(both)(X.astype(dtype))


def assert_as_if_it_were_safe(route, wrap, dtype):
    expected = derivatives(route, lambda x: bad(np.where(x > 0, x, 1.0)))
    for found, right in zip(derivatives(route, bad, wrap, dtype), expected, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-6)
        assert found.dtype == dtype and found[2] != 0.0


@pytest.fixture
def masks_alone(monkeypatch):
    """Nobody looks beside the point, which takes a second and might mend what the masks have missed."""
    monkeypatch.setattr(derivative, "settled", lambda compute, primals, found, *_: found)


@pytest.mark.parametrize("route", [*ROUTES.values(), *TRANSFORMS.values()], ids=[*ROUTES, *TRANSFORMS])
def test_a_line_of_zeros_stays_one(route, masks_alone):
    assert_as_if_it_were_safe(route, lambda f: f, np.float64)


@pytest.mark.parametrize("name", ["matrix @ matrix", "einsum", "cumsum along", "solve"])
def test_a_look_beside_the_point_changes_nothing(name):
    assert_as_if_it_were_safe(ROUTES[name], lambda f: f, np.float64)


@pytest.mark.parametrize(
    "name", ["two products", "vector @ matrix", "stack @ stack", "einsum of three", "cumsum along"]
)
def test_a_line_of_zeros_stays_one_when_compiled(name):
    assert_as_if_it_were_safe(ROUTES[name], gg.compile, np.float32)


@pytest.mark.parametrize("function", [np.convolve, np.correlate])
def test_a_row_that_is_not_used_at_all(function):
    f = lambda x: np.sum(np.where(np.zeros(1, bool), function(bad(x), A[0], "full"), 0.0)) + np.sum(x)
    np.testing.assert_array_equal(gg.grad(f)(X), np.ones(4))
    np.testing.assert_array_equal(gg.compile(gg.grad(f))(X), np.ones(4))


@pytest.mark.parametrize("function", [np.convolve, np.correlate])
def test_overlaps_that_are_not_used_meet_nothing(function):
    f = lambda x, y: np.sum(np.where(np.arange(4) < 2, function(x, y, "full"), 0.0))
    dx, _ = gg.grad(f, (0, 1))(np.array([1.0, 2.0, np.inf]), np.array([3.0, 5.0]))
    expected, _ = gg.grad(f, (0, 1))(np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0]))
    np.testing.assert_array_equal(dx, expected)


# --- zeros beside numbers that count -----------------------------------------------------------------------------

UNUSED = np.array([[True, False, True], [True, True, False]])
SOME = {"inf": np.inf, "-inf": -np.inf, "nan": np.nan}
every_way = pytest.mark.parametrize("wrap", [lambda f: f, gg.compile], ids=["eager", "compiled"])


@every_way
@pytest.mark.parametrize("value", SOME.values(), ids=SOME)
def test_rows_of_data_that_are_not_used_may_hold_anything(value, wrap):
    data = np.array([[1.0, 2.0], [value, 3.0], [4.0, 5.0]])
    used = np.array([True, False, True])
    loss = lambda w, b, data: np.sum(np.where(used[:, None], np.tanh(data @ w + b), 0.0))
    w, b = np.array([[0.1, -0.2], [0.3, 0.05]]), np.array([0.1, 0.2])
    found = wrap(gg.grad(loss, (0, 1)))(w, b, data)
    expected = gg.grad(lambda w, b: np.sum(np.tanh(data[used] @ w + b)), (0, 1))(w, b)
    for dx, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(dx, right, rtol=1e-12)


@every_way
def test_an_element_that_counts_meets_what_it_meets(wrap):
    y = np.array([[np.inf, 1.0], [-np.inf, 2.0], [np.nan, 3.0], [4.0, np.inf]])
    counts = np.array([[True, False, False, True], [False, True, True, True], [False, False, False, False]])
    dz = np.array([[2.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    loss = lambda x: np.sum(np.where(counts, (x @ y.T) * dz, 0.0))
    #        2·inf + 4   2·1 + inf;   −inf + NaN   2 + 3 + 0·inf;   nothing
    expected = [[np.inf, np.inf], [np.nan, np.nan], [0.0, 0.0]]
    np.testing.assert_array_equal(wrap(gg.grad(loss))(np.ones((3, 2))), expected)


@pytest.mark.parametrize("product", [np.matmul, lambda x, y: np.einsum("ij,jk->ik", x, y)], ids=["@", "einsum"])
def test_the_second_derivative_meets_no_more(product):
    used = np.array([[True, False, True], [True, False, False]])
    y = np.array([[1.0, np.inf, 2.0], [3.0, np.nan, 4.0]])
    first = gg.grad(lambda x, y: np.sum(np.where(used, product(x, y) ** 2, 0.0)))
    second = gg.grad(lambda x, y: np.sum(first(x, y)), (0, 1))(np.ones((2, 2)), y)
    without = np.where(np.isfinite(y), y, 0.0)
    plain = gg.grad(lambda x, y: np.sum(used * product(x, y) ** 2))
    expected = gg.grad(lambda x, y: np.sum(plain(x, y)), (0, 1))(np.ones((2, 2)), without)
    np.testing.assert_allclose(second[0], expected[0])
    np.testing.assert_allclose(second[1][:, ::2], expected[1][:, ::2])
    np.testing.assert_array_equal(second[1][:, 1], 0.0)


def test_complex_products():
    y = np.array([[1.0 + 1j, np.inf], [2.0, 1j]])
    used = np.array([True, False])
    dx = gg.grad(lambda x: np.sum(np.where(used, np.abs(x @ y) ** 2, 0.0)))(np.ones((1, 2), complex))
    expected = gg.grad(lambda x: np.sum(np.abs(x @ y[:, :1]) ** 2))(np.ones((1, 2), complex))
    np.testing.assert_allclose(dx, expected)


def test_slopes_of_zero_are_numbers_like_others():
    """Through `relu` a product is a product: NaN says that something is NaN."""
    dx = gg.grad(lambda x: np.sum(gg.relu(x @ np.array([[np.nan, 1.0]]))))(np.array([[-1.0]]))
    assert np.isnan(dx).all()


def test_a_mask_that_nobody_needs_is_not_computed():
    asked = []
    dz = Masked(np.ones((2, 3)), lambda: asked.append(1) or np.ones((2, 3), bool), None)
    z = np.sum((select(np.array([True, False, True]), dz) @ np.ones((3, 2))).T[::-1], axis=0)
    assert z.shape == (2,)
    np.testing.assert_array_equal(z.resolve(), [4.0, 4.0])
    assert not asked
    np.testing.assert_array_equal(z.mask, [True, True])
    assert asked == [1]
