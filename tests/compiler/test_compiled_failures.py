"""What goes wrong in compiled code: the same errors and the same numbers as NumPy's, and nothing is left behind."""

import sys
import warnings

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.runtime import capacity, engine
from gategrad.compiler.runtime.capacity import physical_memory, refuse_beyond_memory


@pytest.fixture(params=["native", "interpreted"])
def backend(request, monkeypatch):
    """Native code, and the interpreter that answers where there is no LLVM."""
    if request.param == "native":
        pytest.importorskip("llvmlite")
    else:
        monkeypatch.setattr(engine, "available", lambda: False)
    return request.param


# --- an index out of bounds ------------------------------------------------------------------------------

GATHERS = {
    "rows": (lambda x, i: x[i], (5, 3), [[0, 5]]),
    "from the end": (lambda x, i: x[i], (5, 3), [[0, -6]]),
    "pairs": (lambda x, i, j: x[i, j], (5, 3), [[0, 1], [1, 3]]),
    "one of many": (lambda x, i: np.tanh(x)[i] * 2.0, (200,), [[7] * 99 + [200]]),
    "gradient": (gg.grad(lambda x, i: np.sum(x[i] ** 2)), (5, 3), [[1, 7]]),
}


@pytest.mark.parametrize("name", GATHERS)
def test_an_index_out_of_bounds_is_numpys_index_error(backend, name):
    f, shape, indices = GATHERS[name]
    x, places = np.ones(shape), [np.array(index) for index in indices]
    with pytest.raises(IndexError) as eager:
        f(x, *places)
    compiled = gg.compile(f)
    for _ in range(2):
        with pytest.raises(IndexError) as error:
            compiled(x, *places)
        assert str(eager.value).splitlines()[0] == str(error.value).splitlines()[0]
    fine = [np.zeros_like(place) for place in places]
    np.testing.assert_allclose(compiled(x, *fine), f(x, *fine))


def test_after_an_index_error_nothing_is_held():
    pytest.importorskip("llvmlite")
    f = gg.compile(lambda p, i: {"rows": p["x"][i], "all": [p["x"] * 2.0]})
    x, bad = np.ones((40, 30)), np.array([0, 40])
    p = {"x": x}
    for _ in range(2):
        with pytest.raises(IndexError):
            f(p, bad)
    holders = [sys.getrefcount(thing) for thing in (x, bad, p, x.dtype)]
    before = sys.getallocatedblocks()
    for _ in range(1000):
        try:
            f(p, bad)
        except IndexError:
            continue
        pytest.fail("no IndexError")
    assert sys.getallocatedblocks() - before < 100
    assert [sys.getrefcount(thing) for thing in (x, bad, p, x.dtype)] == holders


# --- memory that there is not ----------------------------------------------------------------------------


def test_a_program_beyond_the_memory_of_the_machine_is_refused_before_it_runs():
    pytest.importorskip("llvmlite")
    if physical_memory() is None:
        pytest.skip("this system does not tell how much memory it has")
    f = gg.compile(lambda x, w: np.sum(np.exp(np.broadcast_to(x, (10**4, 10**4, 10**4, 100))) @ w))
    for _ in range(2):
        with pytest.raises(MemoryError, match=r"^the program <lambda> needs [\d,]+ GB between its operations, and"):
            f(np.ones(100), np.ones((100, 2)))


def test_what_the_refusal_says(monkeypatch):
    monkeypatch.setattr(capacity, "physical_memory", lambda: 16 * 10**9)
    refuse_beyond_memory("step", 16 * 10**9)
    with pytest.raises(MemoryError) as error:
        refuse_beyond_memory("step", 8001 * 10**9)
    assert str(error.value) == (
        "the program step needs 8,001 GB between its operations, and this machine has 16 GB: "
        "work on parts of the arrays, or reduce them earlier"
    )
    monkeypatch.setattr(capacity, "physical_memory", lambda: None)
    refuse_beyond_memory("step", 8001 * 10**9)


# --- inf and nan -----------------------------------------------------------------------------------------

X, ZERO = np.array([1.0, -1.0, 0.0]), np.zeros(3)
INTEGERS = np.array([1, -7, -(2**63)]), np.array([0, 2, -1])

NUMBERS = {
    "division": (lambda x, y: x / y, (X, ZERO)),
    "division of float32": (lambda x, y: x / y, (X.astype(np.float32), ZERO.astype(np.float32))),
    "remainder": (lambda x, y: x % y, (X, ZERO)),
    "overflow of exp": (np.exp, (np.array([1000.0, -1000.0]),)),
    "overflow of float32": (lambda x: x * x, (np.array([1e30, -1e38], np.float32),)),
    "overflow of a sum": (lambda x: np.sum(x), (np.full(5, 1e308),)),
    "powers": (lambda x, y: x**y, (np.array([0.0, -1.0, 1e300]), np.array([-1.0, 0.5, 2.0]))),
    "logarithm": (np.log, (np.array([0.0, -1.0, np.inf]),)),
    "square root": (np.sqrt, (np.array([-0.0, -1.0]),)),
    "inf - inf": (lambda x: x - x, (np.array([np.inf, 1.0]),)),
    "integers divided": (lambda x, y: x / y, INTEGERS),
    "integers divided and rounded": (lambda x, y: x // y, INTEGERS),
    "remainder of integers": (lambda x, y: x % y, INTEGERS),
    "overflow of integers": (lambda x: x * x, (np.array([2**40, 3]),)),
    "gradient at a pole": (gg.grad(lambda x: np.sum(1.0 / x)), (np.array([0.0, 2.0]),)),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_poles_and_overflow_give_numpys_numbers_without_warnings(backend, name):
    f, arguments = NUMBERS[name]
    with np.errstate(all="ignore"):
        expected = f(*arguments)
    compiled = gg.compile(f)
    with warnings.catch_warnings(record=True) as seen, np.errstate(all="raise"):
        warnings.simplefilter("always")
        for _ in range(2):
            found = compiled(*arguments)
            np.testing.assert_array_equal(found, expected)
            assert np.asarray(found).dtype == np.asarray(expected).dtype
    assert not seen


def test_a_single_number_is_divided_by_zero_as_numpy_does_it(backend):
    f = gg.compile(lambda x, y: x / y)
    assert f(1.0, 0.0) == np.inf
    assert f(-1.0, 0.0) == -np.inf
    assert np.isnan(f(0.0, 0.0))
