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
