"""numpy.fft on variables: values are NumPy's, gradients those of differences, whatever n, s, axes and norm."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import NoRuleError

F = np.fft
rng = np.random.default_rng(0)
REAL = rng.uniform(-1.0, 1.0, (3, 5, 4))
COMPLEX = REAL + 1j * rng.uniform(-1.0, 1.0, (3, 5, 4))
NORMS = [None, "ortho", "forward", "backward"]


def cases():
    for name, x in [
        *[(name, COMPLEX) for name in ("fft", "ifft", "irfft", "hfft")],
        *[(name, REAL) for name in ("rfft", "ihfft", "fft", "irfft")],
    ]:
        for options in ({}, {"n": 7, "axis": 0, "norm": "ortho"}, {"n": 2, "axis": 1, "norm": "forward"}, {"n": 6}):
            yield name, x, options
    for name, x in [
        *[(name, COMPLEX) for name in ("fftn", "ifftn", "fft2", "ifft2", "irfftn", "irfft2")],
        *[(name, REAL) for name in ("rfftn", "rfft2", "fftn")],
    ]:
        for options in ({}, {"s": (4, 3), "axes": (0, 1), "norm": "ortho"}, {"s": (2, -1), "axes": (-1, 0)}):
            yield name, x, options
    for name in ("fftshift", "ifftshift"):
        yield from ((name, COMPLEX, options) for options in ({}, {"axes": 1}, {"axes": (0, -1)}))


every_case = pytest.mark.parametrize(("name", "x", "options"), list(cases()))


@every_case
def test_values_are_those_of_numpy_and_gradients_those_of_differences(name, x, options):
    f = getattr(F, name)
    z, _ = gg.vjp(lambda x: f(x, **options), x)
    expected = f(x, **options)
    assert z.dtype == expected.dtype
    np.testing.assert_array_equal(z, expected)
    assert gg.check_gradients(lambda x: f(x, **options), x, elements=4).ok


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [4, 5])
def test_a_transform_and_back_has_the_gradient_of_the_identity(n, norm):
    x = REAL[0, 0]

    def there_and_back(x):
        return F.irfft(F.rfft(x, n, norm=norm), n, norm=norm)[:4]

    np.testing.assert_allclose(gg.vjp(there_and_back, x)[1](x)[0], x, rtol=1e-13, atol=1e-15)


def test_parseval_to_second_order():
    """Σ |fft x|² = n Σ x²: the gradient is 2 n x, and its own the number 2 n."""

    def energy(x):
        return np.sum(np.abs(F.fft(x)) ** 2)

    x = REAL[0, 0]
    np.testing.assert_allclose(gg.grad(energy)(x), 8 * x, rtol=1e-13)
    np.testing.assert_allclose(gg.grad(lambda x: np.sum(gg.grad(energy)(x)))(x), np.full(4, 8.0), rtol=1e-13)


def test_the_imaginary_parts_that_irfft_ignores_receive_nothing():
    gradient = gg.grad(lambda x: np.sum(F.irfft(x) * np.arange(4)))(np.array([1 + 2j, 2 - 1j, 3 + 1j]))
    assert gradient[0].imag == 0 and gradient[2].imag == 0 and gradient[1].imag != 0


def test_single_precision_and_single_numbers_of_samples():
    x = REAL[0].astype(np.float32)
    assert gg.grad(lambda x: np.sum(np.abs(F.rfft2(x))))(x).dtype == np.float32
    assert gg.grad(lambda x: np.sum(F.irfft(x, 1)))(np.array([2.0 + 1j])) == [1.0]
    assert gg.grad(lambda x: np.real(F.fft(x)[0]))(np.array([2.0])) == [1.0]


def test_an_axis_may_be_named_twice():
    x = REAL[0]
    assert gg.check_gradients(lambda x: F.fftn(x, axes=(0, 0)), x, elements=4).ok
    np.testing.assert_array_equal(gg.vjp(lambda x: F.fftn(x, axes=(0, 0)), x)[0], F.fftn(x, axes=(0, 0)))


def test_frequencies_are_plain_and_out_is_refused():
    assert F.fftfreq(4, 0.1).shape == (4,)
    with pytest.raises(NoRuleError, match="out="):
        F.fft(gg.variable(REAL), out=np.zeros(REAL.shape, complex))
    with pytest.raises(ValueError, match="Shape and axes have different lengths"):
        F.fftn(gg.variable(REAL), s=(2,), axes=(0, 1))
