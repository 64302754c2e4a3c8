"""donate=: steps that write their results over their inputs, and when they must not."""

from collections import namedtuple

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.runtime import link

pytest.importorskip("llvmlite")

Point = namedtuple("Point", "x y")


def parameters():
    rng = np.random.default_rng(0)
    return {"w": [rng.normal(size=(5, 7)), rng.normal(size=(7, 3))], "b": (rng.normal(size=7), rng.normal(size=3))}


def loss(params, x, y):
    hidden = np.tanh(x @ params["w"][0] + params["b"][0])
    return np.mean((hidden @ params["w"][1] + params["b"][1] - y) ** 2)


def step(params, x, y):
    value, gradient = gg.value_and_grad(loss)(params, x, y)
    moved = {
        "w": [w - 0.1 * dw for w, dw in zip(params["w"], gradient["w"], strict=True)],
        "b": tuple(b - 0.1 * db for b, db in zip(params["b"], gradient["b"], strict=True)),
    }
    return value, moved


def arrays(params):
    return [*params["w"], *params["b"]]


def test_a_training_loop_writes_over_its_parameters_and_finds_the_same_numbers():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(11, 5)), rng.normal(size=(11, 3))
    plain, donated = gg.compile(step), gg.compile(step, donate=("params",))
    expected, found = parameters(), parameters()
    mine = arrays(found)
    for _ in range(100):
        value, expected = plain(expected, x, y)
        same, found = donated(found, x, y)
        assert same == value
        for a, b, c in zip(arrays(expected), arrays(found), mine, strict=True):
            np.testing.assert_array_equal(a, b)
            assert b is c
    assert not np.array_equal(mine[0], parameters()["w"][0])


CASES = {
    "elementwise": lambda p, q: p * q + 1.0,
    "read again by a later product": lambda p, q: (np.tanh(p), p @ q),
    "product of itself": lambda p, q: p @ p,
    "transposed": lambda p, q: p.T + q,
    "reversed": lambda p, q: p[::-1] - q,
    "flipped along rows": lambda p, q: p[:, ::-1] * 1.0,
    "sum after the map": lambda p, q: (2.0 * p + q, np.sum(p * p)),
    "map after the sum": lambda p, q: p / np.sum(p * p),
    "softmax of rows": lambda p, q: np.exp(p) / np.sum(np.exp(p), axis=1, keepdims=True),
    "rows and the input": lambda p, q: (p - np.max(p, axis=1, keepdims=True), np.cos(p) * q),
    "columns": lambda p, q: p - np.mean(p, axis=0),
    "two readers": lambda p, q: (p + 1.0, p * q),
    "shifted": lambda p, q: np.concatenate([p[1:], p[:1]]),
    "first row everywhere": lambda p, q: p + p[0],
    "first column everywhere": lambda p, q: p + p[:, :1],
    "another row": lambda p, q: p + p[np.array([3, 2, 1, 0, 5, 4])],
    "unchanged": lambda p, q: p,
    "running sum": lambda p, q: np.cumsum(p, axis=0),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_donated_input_that_is_read_in_any_order_gives_the_same_numbers(name, dtype):
    f, rng = CASES[name], np.random.default_rng(2)
    p, q = rng.normal(size=(6, 6)).astype(dtype), rng.normal(size=(6, 6)).astype(dtype)
    expected = gg.compile(f)(p, q)
    given = p.copy()
    found = gg.compile(f, donate="p")(given, q)
    first, other = (found[0], expected[0]) if isinstance(found, tuple) else (found, expected)
    assert first is given
    np.testing.assert_array_equal(first, other)
    if isinstance(found, tuple):
        np.testing.assert_array_equal(found[1], expected[1])


def test_a_step_in_elementwise_order_needs_no_other_memory():
    p = np.ones((300, 100))
    rows = gg.compile(lambda p, q: p - 0.1 * np.tanh(q), donate="p").report(p, p)
    assert rows.workspace < 1000
    late = gg.compile(lambda p, q: (p - 0.1 * np.tanh(q), np.sum(p * p)), donate="p").report(p, p)
    assert late.workspace >= p.nbytes


def test_two_donated_arguments_can_change_places():
    swap = gg.compile(lambda a, b: {"b": 1.0 * a, "a": 1.0 * b}, donate=("a", "b"))
    a, b = np.arange(40.0), -np.arange(40.0)
    z = swap(a, b)
    assert z["b"] is a
    assert z["a"] is b
    np.testing.assert_array_equal(z["b"], np.arange(40.0))

    crossed = gg.compile(lambda p: {"b": p["a"] + 1.0, "a": p["b"] * 2.0}, donate="p")
    a, b = np.arange(40.0), -np.arange(40.0)
    z = crossed({"a": a, "b": b})
    assert z["a"] is a
    assert z["b"] is b
    np.testing.assert_array_equal(z["a"], -2.0 * np.arange(40.0))
    np.testing.assert_array_equal(z["b"], np.arange(40.0) + 1.0)


def test_named_tuples_are_written_over_as_well():
    f = gg.compile(lambda p, rate: Point(p.x - rate, p.y * rate), donate="p")
    p = Point(np.ones(4), np.ones((2, 3)))
    for _ in range(2):
        z = f(p, 0.5)
        assert type(z) is Point
        assert z.x is p.x
        assert z.y is p.y
    np.testing.assert_array_equal(p.x, np.zeros(4))


def test_donation_by_keyword():
    f = gg.compile(lambda x, state: state + x, donate="state")
    state = np.zeros(3)
    assert f(1.0, state=state) is state
    assert f(1.0, state=state) is state
    np.testing.assert_array_equal(state, [2.0, 2.0, 2.0])


def test_what_is_read_only_strided_or_shares_memory_stays_as_it_is():
    f = gg.compile(lambda p, q: p + q, donate="p")
    frozen, memory = np.ones(4), np.arange(8.0)
    frozen.flags.writeable = False
    both = np.ones(4)
    for p, q in [(frozen, np.ones(4)), (both, both), (memory[:4], memory[2:6]), (memory[::2], np.ones(4))]:
        before = p.copy(), q.copy()
        for _ in range(2):
            z = f(p, q)
            assert z is not p
            np.testing.assert_array_equal(z, before[0] + before[1])
            np.testing.assert_array_equal(p, before[0])


def test_where_calls_go_through_python_the_same_holds(monkeypatch):
    monkeypatch.setattr(link, "obstacle", lambda: "another interpreter")
    f = gg.compile(lambda p, q: (p * q + p[::-1], np.sum(p)), donate="p")
    p, frozen = np.arange(4.0), np.arange(4.0)
    frozen.flags.writeable = False
    for given, written in ((p, True), (frozen, False)):
        z, total = f(given, np.ones(4))
        assert (z is given) == written
        assert total == 6.0
        np.testing.assert_array_equal(z, [3.0, 3.0, 3.0, 3.0])
    np.testing.assert_array_equal(frozen, [0.0, 1.0, 2.0, 3.0])


def test_without_an_output_like_it_a_donated_argument_stays_as_it_is():
    p = np.arange(3.0)
    assert gg.compile(lambda p: np.sum(p), donate="p")(p) == 3.0
    z = gg.compile(lambda p: np.stack([p, p]), donate="p")(p)
    np.testing.assert_array_equal(z, [[0, 1, 2], [0, 1, 2]])
    np.testing.assert_array_equal(p, [0, 1, 2])


def test_an_index_error_leaves_a_donated_argument_as_it_was():
    f = gg.compile(lambda p, q, rows: (p * 2.0, q[rows]), donate="p")
    p = np.arange(3.0)
    with pytest.raises(IndexError, match="index 9 is out of bounds for axis 0 with size 4"):
        f(p, np.ones((4, 2)), np.array([0, 9]))
    np.testing.assert_array_equal(p, [0, 1, 2])
    assert f(p, np.ones((4, 2)), np.array([0, 1]))[0] is p


def test_differentiating_a_donated_function_writes_over_nothing():
    f = gg.compile(lambda p: p * p * p, donate="p")
    p = np.array([1.0, 2.0])
    np.testing.assert_allclose(gg.grad(lambda p: np.sum(f(p)))(p), [3.0, 12.0])
    np.testing.assert_array_equal(p, [1.0, 2.0])
    assert f(p) is p


def test_names_that_are_no_parameters_are_refused():
    def update(params, rate):
        return params

    with pytest.raises(ValueError, match="^donate= names 'param', but the parameters of update are params, rate$"):
        gg.compile(update, donate=("param",))
    with pytest.raises(ValueError, match="^static= names 'n', but the parameters of update are params, rate$"):
        gg.compile(update, static="n")
    with pytest.raises(ValueError, match="^'rate' is named in static= and in donate="):
        gg.compile(update, static="rate", donate="rate")
    gg.compile(lambda *args, **options: args[0], donate="anything")
