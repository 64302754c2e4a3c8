"""Long straight-line programs, which become functions that hand numbers to each other."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.codegen import scalars


def wandering(steps):
    """A function of two numbers that takes about 1.6 operations a step, some with truth values."""

    def f(x, y):
        a, b, early = x, y, x * y
        above = x > y
        for n in range(steps // 2):
            a = a * b + 0.5 if n % 3 else a - b
            b = b * 0.999 + a if n % 2 else b * 0.5
        return {
            "last": (a, b),
            "early": early,
            "sum": a + b * early,
            "row": np.where(above, np.reshape(a, (1,)), early),
        }

    return f


@pytest.fixture
def short_parts(monkeypatch):
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", "")  # by limits set to other values no code on the disk is found
    monkeypatch.setattr(scalars, "PART", 20)


def parts(compiled, *inputs):
    return [line for line in compiled.llvm(*inputs).splitlines() if line.startswith("define") and "@gg_part." in line]


@pytest.mark.parametrize("steps", [10, 50, 200])
def test_parts_compute_what_numpy_computes(steps, short_parts):
    f = wandering(steps)
    compiled = gg.compile(f)
    for x, y in [(0.3, 0.2), (0.1, 0.7)]:
        found, expected = compiled(x, y), f(x, y)
        assert found["last"] == expected["last"]
        assert (found["early"], found["sum"]) == (expected["early"], expected["sum"])
        np.testing.assert_array_equal(found["row"], expected["row"])
    assert (len(parts(compiled, 0.3, 0.2)) > 1) == (steps > 10)


def test_gradients_and_loops_read_what_parts_hand_over(short_parts):
    def f(x, v):
        a = x
        for n in range(60):
            a = a * 0.99 + np.sin(a) * 0.01 if n % 2 else a + v[n % 3] * 1e-3
        return np.sum(v * a) + a

    compiled = gg.compile(gg.value_and_grad(f, argnums=(0, 1)))
    v = np.array([0.5, -1.0, 2.0])
    (value, (dx, dv)), (expected, (ex, ev)) = compiled(0.7, v), gg.value_and_grad(f, argnums=(0, 1))(0.7, v)
    assert parts(compiled, 0.7, v)
    np.testing.assert_allclose([value, dx, *dv], [expected, ex, *ev], rtol=1e-13)


def test_float32_parts(short_parts):
    f = wandering(100)
    x, y = np.float32(0.3), np.float32(0.2)
    found, expected = gg.compile(f)(x, y), f(x, y)
    assert found["sum"].dtype == np.float32
    np.testing.assert_allclose(found["sum"], expected["sum"], rtol=1e-4)


def test_a_program_of_some_thousand_operations():
    compiled = gg.compile(wandering(3500))
    assert len(parts(compiled, 0.3, 0.2)) == 3
    assert compiled(0.3, 0.2)["sum"] == wandering(3500)(0.3, 0.2)["sum"]


@pytest.mark.slow
def test_a_program_of_a_hundred_thousand_operations():
    f = wandering(63_200)
    compiled = gg.compile(f)
    assert compiled(0.3, 0.2)["sum"] == f(0.3, 0.2)["sum"]
    assert compiled.report(0.3, 0.2).operations > 100_000
