"""y[i] = v and y += v on variables: the gradient is right whatever was computed before, and views behave as in NumPy or refuse.

The oracle is the same function on plain arrays: its value, and central differences.
"""

from __future__ import annotations

import operator

import numpy as np
import pytest

import gategrad as gg
from gategrad.assignment import views_of
from gategrad.errors import DtypeError, EscapeError, ShapeError, TraceError

X = np.array([0.5, -1.5, 2.0, 3.0])
ROWS, MASK = np.array([0, 2, 0]), np.array([True, False, True, False])


def used_before(x):
    y = x * 2
    before = np.sum(y * y)
    y[0] = 5.0 * x[1]
    return before + np.sum(y**3)


def the_argument_itself(x):
    before = np.sum(x * x)
    x[0] = x[1] * 3
    x[1:3] = 7.0
    return before + np.sum(x**3)


def added_to(x):
    y = x * 1.0
    y[1:] += x[:-1] ** 2
    y[MASK] *= x[0]
    y[-1] -= 1.0
    return np.sum(y**2)


def in_a_loop(x):
    y = np.zeros_like(x) + 0.0 * x
    y[0] = x[0]
    for i in range(1, 4):
        y[i] = y[i - 1] * x[i] + 1.0
    return np.sum(y**2)


def written_twice(x):
    y = x * 1.0
    y[ROWS] = np.stack([x[1], x[2], x[3]])
    return np.sum(y**2)


def by_mask(x):
    y = x**2
    y[MASK] = x[2:] * x[0]
    y[x > 2.5] = 0.0
    return np.sum(y**3)


def matrices(x):
    y = np.outer(x, x)
    y[1] = x
    y[:, 2] = x[0]
    y[2:, :2] = np.reshape(x, (2, 2))
    y[..., -1] = np.ones(4) * x[3]
    y[np.array([0, 1]), np.array([1, 1])] = x[:2]
    y[None, 0, 0] = x[1]
    return np.sum(y**3)


def the_output(x):
    y = np.sin(x)
    y[1] = 2.0
    y[2] = x[0]
    return np.sum(y)


def a_view_shows_what_was_written(x):
    y = np.reshape(x * 1.0, (2, 2))
    y = y.copy()
    row, turned, back, flat, corner = y[0], y.T, y[::-1], np.ravel(y), y[0, 1]
    y[0, 1] = x[0] * 7
    return np.sum(row**2) + np.sum(turned[1] * back[1]) + np.sum(flat**3) + corner


def a_view_of_a_view(x):
    y = np.stack([x, x * 2])
    part = y[:, 1:][0]
    y[0] = x**2
    other = y[1:]
    del y
    other[0] = 3.0 * x
    return np.sum(part**2) + np.sum(other**3)


def writing_into_a_row(x):
    y = np.stack([x, x * 2])
    row = y[1]
    row[0] = x[3] ** 2
    row[1:3][0] = x[0] * 5
    for line in y:
        line[-1] = x[1]
    return np.sum(y**3) + np.sum(row**2)


def what_numpy_copies_stays(x):
    y = np.stack([x, x * 2])
    copies = [y.copy(), np.copy(y), y.flatten(), +y, y * 1.0, np.reshape(y.T, -1), y[[0, 1]], np.tile(y, (1, 1))]
    y[0, 0] = 100.0 * x[0]
    return sum(np.sum(c**2) for c in copies) + np.sum(y)


def added_to_under_another_name(x):
    y = same = x * 2
    row, before = y[1:], np.sum(y**2)
    y += x
    same *= y[::-1]
    row -= 1.0
    row /= x[:3]
    y **= 2
    y @= np.outer(x, x)
    return before + np.sum(same * y) + np.sum(row**3)


def added_to_through_views(x):
    y = np.stack([x, x * 2])
    row = y[0]
    row += x**2
    y[:, 1:3] *= x[1:3]
    y[1][::2] -= x[0]
    for line in y:
        line *= x[3]
    y[..., 1] += 1
    y[...] /= 3.0
    return np.sum(y**2) + np.sum(row**3)


def added_to_the_argument(x):
    x += x[::-1]
    before = x * 1.0
    x[:2] *= 3.0
    return np.sum(x**3) + np.sum(before)


FUNCTIONS = [
    added_to_under_another_name, added_to_through_views, added_to_the_argument,
    used_before, the_argument_itself, added_to, in_a_loop, written_twice, by_mask, matrices, the_output,
    a_view_shows_what_was_written, a_view_of_a_view, writing_into_a_row, what_numpy_copies_stays,
]  # fmt: skip
every_function = pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)


@every_function
def test_value_and_gradients_of_two_orders(f):
    value, _ = gg.value_and_grad(f)(X)
    assert value == pytest.approx(f(X.copy()), rel=1e-14)
    assert gg.check_gradients(f, X, order=2)
    with gg.no_grad():
        gg.grad(f)(X)  # derivatives inside still work


@every_function
def test_float32(f):
    x = X.astype(np.float32)
    dx = gg.grad(f)(x)
    assert dx.dtype == np.float32
    np.testing.assert_allclose(dx, gg.grad(f)(X), rtol=1e-4)


@every_function
def test_compiled(f):
    value_and_gradient = gg.compile(lambda x: gg.value_and_grad(f)(x))(X)
    np.testing.assert_allclose(value_and_gradient[0], f(X.copy()), rtol=1e-12)
    np.testing.assert_allclose(value_and_gradient[1], gg.grad(f)(X), rtol=1e-12)
    if f not in (the_argument_itself, added_to_the_argument):
        assert gg.compile(f)(X) == pytest.approx(f(X.copy()), rel=1e-12)


RESHAPES = {
    "a row of it": lambda y: y.reshape(-1),
    "two columns": lambda y: y[:, :2].reshape(-1),
    "rows, and back": lambda y: y[1:].ravel().reshape(3, 2, 2),
    "every other": lambda y: y.reshape(2, 8).reshape(16)[::2],
    "in the other order": lambda y: y.reshape(-1, order="F"),
    "with an axis more": lambda y: y[:, None].reshape(2, 8),
    "a copy of a transpose": lambda y: y.T.copy().reshape(-1),
}


@pytest.mark.parametrize("name", RESHAPES)
def test_compiled_where_strides_decide_what_a_view_is(name):
    """Into the reshape, into what it was made of; of arrays that lie as programs expect, and of others."""

    def f(x):
        y = np.tanh(np.outer(x, x) + np.where(x > 0, x, 0.0))
        z = RESHAPES[name](y)
        z[1] = x[0]
        y[2, 1:] *= 3.0
        z *= 2.0
        return np.sum(y**2 * np.arange(16.0).reshape(4, 4)) + np.sum(z**3)

    def of_matrices(x):
        y = x * 2.0
        RESHAPES[name](y)[:2] = 1.0
        return np.sum(y * y)

    for function in (f, gg.grad(f), gg.hessian(f)):
        np.testing.assert_allclose(gg.compile(function)(X), function(X.copy()), rtol=1e-9, atol=1e-9)
    rows = np.outer(X, X**2)
    compiled = gg.compile(of_matrices)
    for x in (rows, rows.T, np.asfortranarray(rows), rows[::-1], rows):
        assert compiled(x) == pytest.approx(of_matrices(x.copy(order="K")))
        np.testing.assert_allclose(gg.grad(compiled)(x), gg.grad(of_matrices)(x))


@pytest.mark.parametrize("view", [lambda y: np.reshape(y.T * 1.0, -1), lambda y: y[:, [0, 1]].reshape(-1)])
def test_compiled_where_nobody_knows_what_a_view_is(view):
    def f(x):
        y = np.outer(x, x)
        base = y.T * 1.0
        z = base.reshape(-1)
        base[0] = 1.0
        return np.sum(z) + np.sum(view(y))

    def g(x):
        y = np.outer(x, x).T * 1.0
        z = np.reshape(y, -1)
        z[0] = 1.0
        return np.sum(y)

    for function in (f, g):
        with pytest.raises(TraceError, match="only NumPy's strides tell: assign first and reshape afterwards"):
            gg.compile(function)(X)
        with pytest.raises(TraceError, match="whether that is a view cannot be known"):
            gg.compile(gg.grad(function))(X)


def test_compiled_arguments_belong_to_the_caller():
    for f in (the_argument_itself, added_to_the_argument):
        with pytest.raises(TraceError, match=r"It belongs to the caller: take x = x\.copy\(\) first"):
            gg.compile(f)(X)

    def counted(x, n):
        y = x.copy()
        y += n
        n += 1.0  # a single number
        return y, n

    y, n = gg.compile(counted)(X, 2.0)
    np.testing.assert_array_equal(y, X + 2.0)
    assert n == 3.0


def test_compiled_views_that_are_no_slices_and_single_numbers():
    def through(view):
        def f(x):
            y = np.outer(x, x)
            view(y)[0] = 1.0
            return y

        return gg.compile(f)

    with pytest.raises(TraceError, match="where y is a view that NumPy does not write into either"):
        through(lambda y: np.diagonal(y))(X)
    with pytest.raises(TypeError, match="takes no item assignment"):
        through(lambda y: y[0, 0])(X)
    for view in (lambda y: y[1:], np.transpose, np.flipud, lambda y: np.expand_dims(y, 1)[2:]):
        expected = np.outer(X, X)
        view(expected)[0] = 1.0
        np.testing.assert_allclose(through(view)(X), expected)


def test_a_view_of_nothing_else_may_be_written_into():
    def f(x):
        y = np.reshape(x * 2, (2, 2)).T
        y[0, 1] = x[3] ** 2
        z = (x**3)[1:]
        z[0] = x[0]
        return np.sum(y**2) + np.sum(z**2)

    assert gg.value_and_grad(f)(X)[0] == pytest.approx(f(X.copy()))
    assert gg.check_gradients(f, X)
    assert gg.compile(f)(X) == pytest.approx(f(X.copy()))


def test_objects_of_programs_are_kept_apart():
    def f(x):
        y = x * 1.0
        same = [
            +y,
            y.copy(),
            np.copy(y),
            y.astype(float),
            np.conj(y),
            np.positive(y),
            np.concatenate([y]),
            np.roll(y, 0),
        ]
        y[0] = 100.0
        return [np.sum(z) for z in same]

    np.testing.assert_allclose(gg.compile(f)(X), f(X.copy()))


def test_with_backward():
    x = gg.variable(X)
    y = x * 2
    y[0] = x[1] * x[1]
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, [0.0, 2.0 + 2 * -1.5, 2.0, 2.0])
    np.testing.assert_array_equal(x.value, X)


def test_what_was_overwritten_cannot_poison():
    def f(x):
        with np.errstate(all="ignore"):
            y = np.log(x)
        y[x <= 0] = 0.0
        return np.sum(y)

    np.testing.assert_array_equal(gg.grad(f)(np.array([-1.0, 0.0, 4.0])), [0.0, 0.0, 0.25])


def test_the_callers_array_stays():
    x = X.copy()
    gg.grad(the_argument_itself)(x)
    np.testing.assert_array_equal(x, X)


# --- what is refused ----------------------------------------------------------------------------------------------


def test_leaves_made_by_variable():
    x = gg.variable(X)
    with pytest.raises(
        EscapeError, match=r"would leave its gradient to the old value: write into y = v\.copy\(\) instead"
    ):
        x[0] = 1.0
    y = x.copy()
    y[0] = 1.0
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, [0.0, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(x.value, X)


def test_leaves_are_added_to_under_no_grad_alone():
    x = gg.variable(X)
    with pytest.raises(EscapeError, match=r"^v \+= … of a variable made by gg.variable would leave its gradient"):
        x += 1.0
    row = x[1:]
    with pytest.raises(EscapeError, match=r"v \*= … of a variable made by gg.variable"):
        row *= 2.0
    with gg.no_grad(), pytest.raises(EscapeError, match=r"v -= … under no_grad, while a view of v is in use"):
        x -= 1.0
    del row
    np.sum(x * x).backward()
    same = x
    with gg.no_grad():
        x -= 0.25 * x.grad
        x[0] = 9.0
    assert x is same and x.gate is None
    np.testing.assert_array_equal(x.value, [9.0, *(X[1:] / 2)])
    np.sum(x * x).backward()
    np.testing.assert_array_equal(x.grad, 2 * X + [18.0, *X[1:]])


def test_added_to_with_other_shapes_and_dtypes():
    y = gg.variable(X.astype(np.float32)) * 1
    y += np.ones(4)
    assert y.dtype == np.float32
    with pytest.raises(
        ShapeError, match=r"^y \*= v leaves the shape as it is, but y is \(4,\) and the result \(2, 4\)"
    ):
        y *= np.ones((2, 4))
    with pytest.raises(DtypeError, match=r"^y -= v would write complex128 into float32: write y = y - v, which is"):
        y -= 1j * np.ones(4)
    total = gg.variable(2.0) * 1.0
    total += X  # a single number makes way, as NumPy's do
    assert total.shape == (4,)


def test_added_to_across_no_grad_and_derivatives():
    y = gg.variable(X) * 2
    with gg.no_grad(), pytest.raises(EscapeError, match=r"y \+= v under no_grad would cut a tracked variable off"):
        y += 1.0

    def f(x):
        y = x * 2
        return gg.grad(lambda t: np.sum(operator.iadd(y, t)))(1.0)

    with pytest.raises(EscapeError, match="y would outlive the derivative"):
        gg.grad(f)(X)
    y = gg.variable(X).detach() * 1.0
    y += gg.variable(X)  # what was no part of a circuit is now
    assert y.level == 0 and y.gate is not None


def test_a_variable_of_a_derivative_is_not_written_into_what_is_none():
    with pytest.raises(TraceError, match="v is a variable of a derivative and y is not: write y = y \\+ v"):
        gg.compile(lambda x: gg.grad(lambda t: np.sum(operator.iadd(x * 1.0, t)))(1.0))(X)


def test_views_that_are_gone_leave_no_trace():
    y = gg.variable(X) * 2
    for _ in range(1000):
        y[1:]
    assert len(y._views) < 10 and not views_of(y)
    row = y[1:]
    assert views_of(y)[0] is row


def test_rules_of_users_that_add_to_what_they_are_handed():
    class Rude(gg.Gate):
        def forward(self, x):
            if isinstance(x, np.ndarray):
                return 2 * x
            x *= 2
            return x

        def backward(self, dz):
            if isinstance(dz, np.ndarray):
                return 2 * dz
            dz *= 2
            return dz

    f = lambda x: np.sum((Rude()(x) + x) ** 2 * x)
    expected = gg.grad(lambda x: np.sum((3 * x) ** 2 * x))(X)
    np.testing.assert_allclose(gg.grad(f)(X), expected)
    np.testing.assert_allclose(gg.compile(gg.grad(f))(X), expected)
    second = gg.grad(lambda x: np.sum(gg.grad(f)(x)))
    np.testing.assert_allclose(second(X), 54 * X)
    np.testing.assert_allclose(gg.compile(second)(X), 54 * X)


def test_under_no_grad():
    y = gg.variable(X) * 2
    with gg.no_grad(), pytest.raises(EscapeError, match="under no_grad would cut a tracked variable off"):
        y[0] = 1.0
    with gg.no_grad():
        z = gg.variable(X) * 2
        z[0] = 1.0
    np.testing.assert_array_equal(z.value, [1.0, *(2 * X[1:])])


def test_across_derivatives():
    def f(x):
        y = x * 2

        def inner(t):
            y[0] = t
            return np.sum(y)

        return gg.grad(inner)(1.0)

    with pytest.raises(EscapeError, match="y would outlive the derivative"):
        gg.grad(f)(X)


def test_single_numbers_shapes_and_dtypes():
    x = gg.variable(X)
    y = x * 1.0
    with pytest.raises(TypeError, match="takes no item assignment"):
        y[0][()] = 1.0
    with pytest.raises(ValueError, match="broadcast"):
        y[:2] = np.ones(3)
    with pytest.raises(IndexError):
        y[9] = 1.0
    with pytest.raises(DtypeError, match="a complex value cannot be written"):
        y[0] = 1j
    y[:2] = np.ones((1, 2)) * x[0]
    y[0] = 3  # an int
    np.testing.assert_array_equal(y.value, [3.0, 0.5, 2.0, 3.0])


def test_plain_arrays_take_no_variables():
    v, plain = gg.variable(X), np.zeros(4)
    with pytest.raises(EscapeError):
        plain[:] = v
    with pytest.raises(EscapeError, match="out="):
        plain += v
    assert not plain.any()


def test_a_rule_that_writes_into_dz_reaches_nobody_else():
    class Clears(gg.Gate):
        def forward(self, x):
            return 2.0 * x

        def backward(self, dz):
            dz = dz.copy()
            dz[0] = 0.0
            return 2.0 * dz

    f = lambda x: np.sum((Clears()(x) + x) ** 2)
    first = gg.grad(f)(X)
    np.testing.assert_allclose(first, 6 * X * np.array([1.0, 3.0, 3.0, 3.0]))
    np.testing.assert_allclose(gg.grad(lambda x: np.sum(gg.grad(f)(x)))(X), [6.0, 18.0, 18.0, 18.0])
