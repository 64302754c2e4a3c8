"""What NumPy's functions do with symbols: the program that they write answers as NumPy does."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.program.verify import verify
from gategrad.compiler.trace.tracing import trace
from gategrad.errors import NotTraceableError, TraceError

rng = np.random.default_rng(3)
X, Y = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
N = rng.integers(-3, 9, (3, 4))
ROWS, COLUMNS = np.array([2, 0, 2]), np.array([[1], [3]])
CUBE = rng.normal(size=(3, 4, 5))


def answers(f, *arrays, rtol=1e-14):
    program, rebuild = trace(
        f, lambda values: (values, {}), [(x.shape, x.dtype) for x in arrays], list("xyzw"[: len(arrays)]), "f"
    )
    verify(program)
    found, expected = rebuild(program(*arrays)), f(*arrays)
    assert type(found) is type(expected) or not isinstance(expected, (tuple, list))
    for a, b in zip(*[z if isinstance(z, (tuple, list)) else (z,) for z in (found, expected)], strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-14)
    return program


FUNCTIONS = {
    "roll": lambda x: np.roll(x, 2), "roll axis": lambda x: np.roll(x, -1, 1),
    "roll axes": lambda x: np.roll(x, (1, 5), (0, 1)), "triu": lambda x: np.triu(x, 1), "tril": np.tril,
    "diag of": np.diag, "diag to": lambda x: np.diag(x[0], 1), "diagonal": lambda x: np.diagonal(x, 1),
    "trace": np.trace, "round": np.round, "round 2": lambda x: np.round(x, 2), "round -1": lambda x: np.round(x, -1),
    "cbrt": np.cbrt, "logaddexp": lambda x: np.logaddexp(x, x[::-1]), "logaddexp2": lambda x: np.logaddexp2(x, 1.0),
    "tile": lambda x: np.tile(x, (2, 1)), "repeat": lambda x: np.repeat(x, 3, 1), "sort": np.sort,
    "argsort": lambda x: np.argsort(x, 0), "split": lambda x: np.split(x, 2, 1),
    "array_split": lambda x: np.array_split(x, 3, 1), "hsplit": lambda x: np.hsplit(x, 2),
    "take": lambda x: np.take(x, ROWS, 0), "take flat": lambda x: np.take(x, [0, 7]),
    "along": lambda x: np.take_along_axis(x, np.argsort(x, 1), 1), "diff": np.diff, "ptp": np.ptp,
    "stack": lambda x: np.stack([x, x], -1), "vstack": lambda x: np.vstack([x, x[0]]), "append": lambda x: np.append(x, 1.0),
    "clip": lambda x: np.clip(x, -0.5, 0.5), "squeeze": lambda x: np.squeeze(x[:, :1]), "kron": lambda x: np.kron(x, x),
    "var": lambda x: np.var(x, 0), "std": lambda x: np.std(x, 1, ddof=1), "norm": np.linalg.norm,
    "mean dtype": lambda x: np.mean(x, dtype=np.float32), "sum dtype": lambda x: np.sum(x, 1, dtype=np.float32),
    "argmax": lambda x: np.argmax(x, 1), "argmin": np.argmin, "keepdims": lambda x: np.max(x, 1, keepdims=True),
    "count": lambda x: np.count_nonzero(x > 0), "isclose": lambda x: np.isclose(x, x + 1e-9),
    "allclose": lambda x: np.allclose(x, x), "array_equal": lambda x: np.array_equal(x, x[::-1]),
    "cumsum": lambda x: np.cumsum(x), "cumprod": lambda x: np.cumprod(x, 1), "flip": lambda x: np.flip(x, 0),
    "moveaxis": lambda x: np.moveaxis(x[None], 0, 2), "full_like": lambda x: np.full_like(x, 3) + x,
    "heaviside": lambda x: np.heaviside(x, 0.5), "fmod": lambda x: np.fmod(x, 0.3), "outer": lambda x: np.outer(x[0], x[1]),
    "einsum trace": lambda x: np.einsum("ii->", x[:, :3]), "einsum dots": lambda x: np.einsum("...j,j->...", x, x[0]),
    "where one": lambda x: np.where(x > 0, x, 0), "isin": lambda x: np.isin(np.rint(x), [0.0, 1.0]),
    "searchsorted": lambda x: np.searchsorted(np.array([-1.0, 0.0, 1.0]), x), "median": lambda x: np.median(x, 1),
    "float_power": lambda x: np.float_power(np.abs(x), 1.5), "deg2rad": np.deg2rad, "square": np.square,
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_floats(name):
    answers(FUNCTIONS[name], X, rtol=1e-13)


@pytest.mark.parametrize(
    "f",
    [
        lambda n: n + 1, lambda n: n * n, lambda n: n / 2, lambda n: n // 2, lambda n: n % 3, np.sign, np.abs, np.sum,
        np.mean, np.sqrt, np.exp, lambda n: n**2, lambda n: np.bitwise_and(n, 3), lambda n: n > 2, np.cumsum, np.max,
        lambda n: np.sum(n > 0), lambda n: n.astype(np.float32) * 2, lambda n: np.prod(n.astype(np.int32)),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:invalid value")
def test_integers(f):
    answers(f, N)


INDICES = [
    1, -1, slice(1, None), (slice(None, None, -2), 1), (..., 0), (1, 2, 1), (None, ..., slice(0, 0)), ROWS,
    (slice(None), ROWS), (ROWS, COLUMNS), (ROWS, slice(None), np.array([0, 1, 1])), (..., ROWS), (0, slice(None), ROWS),
    (ROWS, None, 1), (slice(0, 2), ROWS, None, 1), (None, ROWS, slice(1, 3)), [0, -1], (1, ROWS, slice(None)),
    CUBE > 0.2, (slice(None), np.array([True, False, False, True])), (CUBE[:, :, 0] > 0, 2), (slice(5, 1, -1),),
    (np.array(1), slice(None), np.array([3])), np.zeros(0, int),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_every_index(index):
    answers(lambda x: x[index], CUBE)


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_every_index_transposed(index):
    from gategrad.gates.indexing import Scatter

    x = np.ones(np.shape(CUBE[index])) + np.arange(np.size(CUBE[index])).reshape(np.shape(CUBE[index]))
    answers(lambda x: Scatter(index, CUBE.shape)(x), x)


def test_indices_that_are_values():
    answers(lambda x, n, m: x[n, :, m], CUBE, ROWS, np.array([0, 4, -1]))
    answers(lambda x, n: x[n[0], ..., 1], CUBE, ROWS)
    answers(lambda x, n: np.take(x, n, 0), CUBE, ROWS)


def test_an_index_out_of_bounds():
    with pytest.raises(IndexError, match="index 7 is out of bounds for axis 1 with size 4"):
        answers(lambda x: x[0, 7], CUBE)
    with pytest.raises(IndexError, match="too many indices"):
        answers(lambda x: x[0, 0, 0, 0], CUBE)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: bool(np.array_equal(x, x)),
        lambda x: 1 if np.allclose(x, 1) else 0,
        lambda x: np.zeros(3)[0:1].fill(x[0, 0]),
    ],
)
def test_truths_that_python_asks_for(f):
    with pytest.raises(TraceError, match="a compiled function needs"):
        answers(f, X)


def test_a_loop_that_asks_for_a_value():
    def halve(x):
        while x[0, 0] > 1:
            x = x / 2
        return x

    with pytest.raises(
        TraceError, match=r"while x\[0, 0\] > 1:\n.*Use a for loop of as many passes as it takes at most"
    ):
        answers(halve, X)


def test_an_assertion_about_a_value():
    def positive(x):
        assert np.all(x > 0)
        return x

    with pytest.raises(TraceError, match=r"assert np\.all\(x > 0\)\n.*Use the assertion before the call"):
        answers(positive, X)


def test_special_values_of_compositions():
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-300, -1e300, 5e-324, 1.7e308, 8.0, -27.0])
    grid = np.meshgrid(special, special)
    with np.errstate(all="ignore"):
        answers(np.logaddexp, *grid)
        program = answers(np.cbrt, special, rtol=3e-16)
    assert "callback" not in str(program)


def test_float32_stays_float32():
    x = X.astype(np.float32)
    for f in (np.cbrt, lambda x: np.logaddexp(x, 0.0), np.deg2rad, np.reciprocal, lambda x: x * 2.0, np.std):
        program, _ = trace(f, lambda values: (values, {}), [(x.shape, x.dtype)], ["x"], "f")
        assert program.outputs[0].dtype == np.float32


def test_elements_chosen_by_their_values_are_refused_for_that_reason():
    """In a derivative too, where the rule is tried on the host first: what the user wrote is what is wrong."""

    def f(x):
        y = x * 1.0
        y[x < 0] -= np.median(x[x < 0])
        return np.sum(y)

    for g in (f, gg.grad(f)):
        with pytest.raises(
            NotTraceableError,
            match=r"^x\[mask\] in a compiled function, given to numpy.median: the number of elements depends",
        ):
            gg.compile(g)(np.array([1.0, -2.0]))
