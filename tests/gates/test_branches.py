"""numpy.emath on variables: real where it can be, complex where it must, with the slope on NumPy's side of the cut."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import DtypeError


@pytest.mark.parametrize("name", ["sqrt", "log", "log2", "log10", "arccos", "arcsin", "arctanh"])
@pytest.mark.parametrize("x", [-1.9, -0.4, 0.3, 1.9])
def test_the_slope_along_the_real_axis(name, x):
    """On the cut there is one slope along it; the oracle is a central difference of each part."""
    f = getattr(np.emath, name)
    h = 1e-6
    parts = (np.real, np.imag)
    if np.isrealobj(f(x)):
        assert isinstance(f(gg.variable(x)).value, float)
        parts = (np.real,)
    for part in parts:
        slope = (part(f(x + h)) - part(f(x - h))) / (2 * h)
        assert gg.grad(lambda t, part=part: part(f(t)))(x) == pytest.approx(slope, rel=1e-8, abs=1e-9)


def test_other_bases_and_powers():
    assert gg.grad(lambda x: np.imag(np.emath.power(x, 1.5)))(-4.0) == pytest.approx(3.0)  # Im (−4)^1.5 = −|x|^1.5
    assert gg.grad(lambda x: np.real(np.emath.logn(2.0, x)))(-4.0) == pytest.approx(1 / (-4.0 * np.log(2.0)))
    assert np.emath.sqrt(gg.variable(np.float32([-1.0]))).dtype == np.complex64
    with pytest.raises(DtypeError, match="dz"):
        np.emath.sqrt(gg.variable([-1.0])).backward(np.array(["a"]))


def test_a_program_is_for_real_numbers_and_the_function_itself_answers_the_others():
    f = gg.compile(np.emath.sqrt)
    x = np.array([1.0, 4.0])
    for given in (x, -x, x):
        found, expected = f(given), np.emath.sqrt(given)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(gg.vjp(f, given)[0], expected)
    assert "host calls: none" in str(f.report(x))


def test_precisions_are_numpys():
    x = np.array([1.0, 2.0], np.float32)
    for f in (lambda x: np.emath.power(x, 1.5), lambda x: np.emath.logn(3.0, x), lambda x: np.emath.power(x, x[0])):
        assert gg.vjp(f, x)[0].dtype == f(x).dtype
