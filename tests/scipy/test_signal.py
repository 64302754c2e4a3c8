"""gategrad.scipy.signal: SciPy's values in every mode, for every kind of number, and gradients by hand where they are known."""

import numpy as np
import pytest
import scipy.signal

import gategrad as gg
from gategrad.errors import NoRuleError
from gategrad.scipy import signal

rng = np.random.default_rng(3)
SHAPES = [((5,), (4,)), ((3,), (5,)), ((4, 5), (3, 2)), ((3, 4), (4, 5)), ((4, 5, 3), (2, 2, 3)), ((), ())]


def draw(shape, dtype):
    x = rng.uniform(-1.0, 1.0, shape)
    return (x + 0.3j * rng.uniform(-1.0, 1.0, shape) if dtype is complex else x).astype(dtype)


def assert_same(ours, theirs, dtype=float):
    tolerance = 1e-4 if dtype is np.float32 else 1e-12
    assert isinstance(ours, gg.Variable)
    assert (ours.shape, ours.dtype) == (np.shape(theirs), np.result_type(theirs))
    np.testing.assert_allclose(ours.value, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [float, np.float32, complex])
@pytest.mark.parametrize("shapes", SHAPES)
def test_values_are_scipys(shapes, dtype):
    if not shapes[0] and dtype is not float:
        return
    x, y = (draw(shape, dtype) for shape in shapes)
    for mode in ("full", "same", "valid"):
        for name in ("convolve", "correlate", "fftconvolve", "oaconvolve"):
            expected = getattr(scipy.signal, name)(x, y, mode)
            assert_same(getattr(signal, name)(gg.variable(x), y, mode), expected, dtype)
            assert_same(getattr(signal, name)(x, gg.variable(y), mode), expected, dtype)
        for name in ("convolve2d", "correlate2d") if len(shapes[0]) == 2 else ():
            for options in ({}, {"boundary": "wrap"}, {"boundary": "symm"}, {"fillvalue": 2}):
                expected = getattr(scipy.signal, name)(x, y, mode, **options)
                assert_same(getattr(signal, name)(gg.variable(x), y, mode, **options), expected, dtype)


@pytest.mark.parametrize("axes", [0, [1], (0, 1), None])
def test_axes_of_fftconvolve(axes):
    x, y = draw((3, 4, 2), float), draw((3, 4, 2), float)
    others = [slice(None) if axes is None or a in np.atleast_1d(axes) else slice(1) for a in range(3)]
    expected = scipy.signal.fftconvolve(x, y[tuple(others)], "same", axes)
    assert_same(signal.fftconvolve(gg.variable(x), y[tuple(others)], "same", axes), expected)


@pytest.mark.parametrize("method", ["direct", "fft", "auto"])
def test_every_method_to_third_order(method):
    x, y = draw((3, 4), float), draw((2, 2), float)
    assert gg.check_gradients(lambda x, y: signal.convolve(x, y, method=method) ** 2, x, y, order=3, elements=3).ok
    assert gg.check_gradients(lambda x, y: signal.convolve(x, y, "valid", method) ** 2, x, y, order=3, elements=3).ok


def test_complex_gradients():
    x, y = draw((3, 3), complex), draw((2, 2), complex)
    for f in (signal.convolve, signal.correlate, signal.fftconvolve):
        assert gg.check_gradients(lambda x, y, f=f: np.abs(f(x, y)) ** 2, x, y, elements=3).ok


@pytest.mark.parametrize("call", [
    lambda s, x: s.lfilter([1.0, 0.5, 0.2], [2.0, 0.3, 0.1], x, 1), lambda s, x: s.lfilter([1.0, 0.5], 2.0, x, 0),
    lambda s, x: s.sosfilt(scipy.signal.butter(4, 0.3, output="sos"), x, 1), lambda s, x: s.detrend(x, 1),
    lambda s, x: s.detrend(x, 1, "constant"), lambda s, x: s.detrend(x, 1, bp=[3, 5]),
    lambda s, x: s.hilbert(x, None, 1), lambda s, x: s.hilbert(x, 5, 1), lambda s, x: s.hilbert(x, 9, 1),
    *[
        lambda s, x, window=window, mode=mode: s.savgol_filter(x, window, 2, axis=1, mode=mode, cval=0.3)
        for window in (4, 5) for mode in ("interp", "mirror", "nearest", "wrap", "constant")
    ],
    lambda s, x: s.savgol_filter(x, 5, 3, deriv=1, delta=0.5, axis=1),
])  # fmt: skip
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_filters_have_scipys_values(call, dtype):
    x = draw((2, 8, 3), dtype)
    assert_same(call(signal, gg.variable(x)), call(scipy.signal, x), dtype)


def test_the_gradient_of_a_filter_runs_backwards():
    """An exponential average: each sample counts a^k towards what comes k later."""
    gradient = gg.grad(lambda x: signal.lfilter([1.0], [1.0, -0.5], x)[-1])(np.zeros(4))
    np.testing.assert_allclose(gradient, [0.125, 0.25, 0.5, 1.0])
    assert gg.check_gradients(
        lambda b, a, x: signal.lfilter(b, a, x), [1.0, 0.3], np.array([1.5, 0.4, -0.2]), draw((2, 4), float)
    ).ok


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda v: signal.convolve(v, np.ones((1, 1))), ValueError, r"same dimensionality, not \(3,\) and \(1, 1\)"),
        (lambda v: signal.convolve(v, v, "half"), ValueError, "acceptable mode flags"),
        (lambda v: signal.convolve(v, v, method="magic"), ValueError, "'direct', or 'fft'"),
        (lambda v: signal.convolve(np.outer(v, v[:2]), np.outer(v[:2], v), "valid"), ValueError, "For 'valid' mode"),
        (lambda v: signal.convolve2d(v, v), ValueError, "2-D arrays"),
        (lambda v: signal.convolve2d(np.outer(v, v), np.ones((2, 2)), boundary="far"), ValueError, "boundary flags"),
        (lambda v: signal.fftconvolve(np.outer(v, v), np.ones((2, 2)), axes=0), ValueError, "incompatible shapes"),
        (lambda v: signal.lfilter([1.0], [1.0, 0.5], v, zi=[0.0]), NoRuleError, "prepend the samples"),
        (lambda v: signal.sosfilt(np.ones((1, 6)), v, zi=0.0), NoRuleError, "prepend the samples"),
        (lambda v: signal.sosfilt(np.ones(6), v), ValueError, r"sos array must be shape"),
        (lambda v: signal.savgol_filter(v, 5, 2), ValueError, "less than or equal to the size of x"),
        (lambda v: signal.savgol_filter(v, 3, 2, mode="odd"), ValueError, "mode must be"),
        (lambda v: signal.detrend(v, type="cubic"), ValueError, "'linear' or 'constant'"),
        (lambda v: signal.detrend(v, bp=[7]), ValueError, "Breakpoints must be less"),
        (lambda v: signal.hilbert(v * 1j), ValueError, "x must be real"),
        (lambda v: signal.hilbert(v, 0), ValueError, "N must be positive"),
    ],
)
def test_complaints(call, error, said):
    with pytest.raises(error, match=said):
        call(gg.variable([1.0, 2.0, 3.0]))


def test_arrays_without_elements():
    for shape in ((0,), (0, 2)):
        with pytest.raises(ValueError, match="without elements cannot be convolved"):
            signal.convolve(gg.variable(np.zeros(shape)), np.ones(len(shape) * (1,)))


def test_compiled():
    f = gg.value_and_grad(lambda x, k: np.sum(signal.convolve(x, k, "same") ** 2))
    x, k = draw(6, float), draw(3, float)
    for found, expected in zip(gg.compile(f)(x, k), f(x, k), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


# --- along some axes, and over others ---------------------------------------------------------------------------------

IMAGES, KERNELS = np.cos(np.arange(120.0)).reshape(2, 3, 5, 4), np.sin(np.arange(72.0)).reshape(3, 4, 2, 3)


def by_channels(x, y, mode):
    """Each pair of an image and an output channel by itself, its input channels added."""
    planes = [
        [sum(scipy.signal.convolve(x[n, c], y[c, m], mode) for c in range(3)) for m in range(4)] for n in range(2)
    ]
    return np.array(planes)


@pytest.mark.parametrize("mode", ["full", "valid"])
def test_layers_of_channels(mode):
    how = {"axes": ((2, 3), (-2, -1)), "dot_axes": ((1,), (0,))}
    f = lambda x, y: signal.convolve(x, y, mode, **how)
    np.testing.assert_allclose(f(IMAGES, KERNELS), by_channels(IMAGES, KERNELS, mode), atol=1e-12)
    gg.check_gradients(lambda x, y: np.sum(f(x, y) ** 2), IMAGES, KERNELS, elements=6)
    loss = gg.grad(lambda x, y: np.sum(f(x, y) ** 2), (0, 1))
    for found, expected in zip(gg.compile(loss)(IMAGES, KERNELS), loss(IMAGES, KERNELS), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-11)


def test_axes_in_another_order_and_none_summed():
    found = signal.convolve(IMAGES[0], KERNELS[0], axes=((2, 1), (2, 1)))
    expected = [[scipy.signal.convolve(x, y) for y in KERNELS[0]] for x in IMAGES[0]]
    np.testing.assert_allclose(found, np.swapaxes(expected, 2, 3), atol=1e-12)
    np.testing.assert_allclose(
        signal.convolve(IMAGES[0], KERNELS[:, 0], dot_axes=((0,), (0,))),
        by_channels(IMAGES, KERNELS, "full")[0, 0],
        atol=1e-12,
    )
    alone = signal.convolve(gg.variable(IMAGES[0, 0]), KERNELS[0, 0], dot_axes=((), ()))
    np.testing.assert_allclose(alone.value, scipy.signal.convolve(IMAGES[0, 0], KERNELS[0, 0]), atol=1e-12)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"axes": ((1,), (1, 2))}, "axes is two sequences of as many axes"),
        ({"axes": ((1,), (1,)), "dot_axes": ((1,), (0,))}, "an axis is named in axes=.* and in dot_axes="),
        ({"axes": ((2,), (2,)), "dot_axes": ((1,), (1,))}, "dot_axes pairs axes of lengths 3 and 4"),
        ({"axes": ((2,), (2,)), "mode": "same"}, "the mode is 'full' or 'valid', not 'same'"),
        ({"axes": ((1,), (1,)), "mode": "valid"}, "wants the second array to fit into the first"),
        ({"axes": ((7,), (1,))}, "axis 7 is out of bounds"),
    ],
)
def test_axes_that_do_not_fit(options, says):
    with pytest.raises(ValueError, match=says):
        signal.convolve(IMAGES, KERNELS, **options)
