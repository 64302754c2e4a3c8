"""The places of extremes in native code: NumPy's own answers, ties and NaN included."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.schedule.extremes import as_reductions


@pytest.mark.parametrize("find", [np.argmin, np.argmax])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("shape", "axis"), [((3, 100), 1), ((100, 3), 0), ((5, 3), 1), ((2, 33, 5), 1), ((64,), None)])
def test_places_of_extremes(find, dtype, shape, axis):
    rng = np.random.default_rng(4)
    x = rng.integers(0, 9, shape).astype(dtype)  # many ties: the first one counts
    unknown = x.copy()
    unknown[rng.uniform(size=shape) < 0.05] = np.nan  # the first NaN is the extreme
    compiled = gg.compile(lambda x: find(x, axis=axis))
    for values in (x, unknown, np.full(shape, np.inf, dtype), np.full(shape, -np.inf, dtype)):
        found = np.asarray(compiled(values))
        assert found.dtype == np.intp
        np.testing.assert_array_equal(found, find(values, axis=axis))


def test_a_search_along_a_long_axis_is_two_reductions():
    program = gg.compile(lambda x: np.argmin(x * x, axis=1)).program(np.ones((3, 100)))
    names = [value.op.name for value in as_reductions(program).values]
    assert names.count("min") == 2
    assert "argmin" not in names


def test_the_second_derivative_through_rows_found_by_a_search_needs_no_host():
    def cost(c):
        return np.sum((points - c[np.argmin(points @ c.T, axis=1)]) ** 2)

    points = np.random.default_rng(5).uniform(-1, 1, (20, 3))
    curvature = gg.compile(gg.grad(lambda c: np.sum(gg.grad(cost)(c))))
    c = points[:4].copy()
    assert all(value.op.name != "callback" for value in curvature.program(c).values)
    counts = np.bincount(np.argmin(points @ c.T, axis=1), minlength=4)
    np.testing.assert_allclose(curvature(c), np.repeat(2.0 * counts, 3).reshape(4, 3))
