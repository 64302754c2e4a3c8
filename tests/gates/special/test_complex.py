"""Special functions with complex values: the gradient is the direction of steepest ascent."""

import numpy as np
import pytest
from scipy import special

import gategrad as gg

X = np.array([0.7, 1.9, 3.1])


def weights(z):
    return np.exp(1j * np.arange(z.size))


@pytest.mark.parametrize(
    "f",
    [
        special.wofz,
        lambda x: special.hankel1(1.5, x),
        lambda x: special.hankel2(0.5, x),
        lambda x: special.hankel1e(1.5, x),
        lambda x: special.hankel2e(1.5, x),
        special.lambertw,
    ],
    ids=["wofz", "hankel1", "hankel2", "hankel1e", "hankel2e", "lambertw"],
)
def test_of_a_real_argument(f):
    """The gradient of Re Σ conj(w) z is real, and that of central differences."""
    w = weights(X)
    z, pullback = gg.vjp(f, X)
    np.testing.assert_allclose(z, f(X), rtol=1e-15)
    (gradient,) = pullback(w)
    assert gradient.dtype == np.float64
    h = 1e-6
    expected = np.real(np.conj(w) * (f(X + h) - f(X - h))) / (2 * h)
    np.testing.assert_allclose(gradient, expected, rtol=1e-8)


@pytest.mark.parametrize(
    "f",
    [special.gamma, special.loggamma, special.erf, special.wofz, special.erfcx, special.dawsn, special.exp1,
     lambda x: special.jv(1.5, x), lambda x: special.airy(x)[0], special.rgamma, special.spence],
)  # fmt: skip
def test_of_a_complex_argument(f):
    x = X + 1j * np.array([0.3, -0.8, 0.5])
    w = weights(x)
    h = 1e-6
    slope = (f(x + h) - f(x - h)) / (2 * h)
    _, pullback = gg.vjp(f, x)
    (gradient,) = pullback(w)
    np.testing.assert_allclose(gradient, np.conj(slope) * w, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(gg.jvp(f, (x,), (w,))[1], slope * w, rtol=1e-7, atol=1e-9)
