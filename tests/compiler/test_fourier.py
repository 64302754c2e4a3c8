"""Fourier transforms in compiled functions: every length, axis, norm and dtype, in machine code and on the host."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.codegen.calls import fourier
from gategrad.compiler.runtime.table import python_function
from gategrad.errors import TraceError

rng = np.random.default_rng(3)
NAMES = ("fft", "ifft", "rfft", "irfft")


def cases(name, rank):
    """Lengths that cut, pad and leave alone, by every norm, along every axis."""
    for (n, norm), axis in itertools.product(
        ((None, None), (3, "ortho"), (8, "forward"), (7, "backward")), range(rank)
    ):
        yield lambda x, n=n, norm=norm, axis=axis: getattr(np.fft, name)(x, n, axis, norm)


def signals(name):
    for shape in ((6,), (4, 5), (2, 3, 4)):
        real = rng.normal(size=shape)
        whole = real + 1j * rng.normal(size=shape)
        kinds = [real, np.float32(real)] if name == "rfft" else [real, np.float32(real), whole, np.complex64(whole)]
        yield from kinds


@pytest.mark.parametrize("native", [True, False], ids=["native", "host"])
@pytest.mark.parametrize("name", NAMES)
def test_every_transform(name, native, monkeypatch):
    if not native:
        monkeypatch.setattr(fourier, "are_native", lambda: False)
    for x in signals(name):
        f = lambda x: tuple([case(x) for case in cases(name, x.ndim)])
        compiled, limit = gg.compile(f), 2e-6 if x.dtype in (np.float32, np.complex64) else 1e-15
        for found, expected in zip(compiled(x), f(x), strict=True):
            assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
            np.testing.assert_allclose(found, expected, rtol=limit, atol=limit)
        callbacks = compiled.report(x).callbacks
        assert callbacks == () if native else all(call.startswith(name) for call in callbacks)


def test_they_are_read_in_the_program_and_in_the_report():
    f = gg.compile(lambda x: np.fft.irfft(np.fft.rfft(x) * 2))
    x = rng.normal(size=6)
    assert "rfft(x, n=6, axis=0, norm=None)" in str(f.program(x))
    assert "rfft  (alone, reads 48 B, writes 64 B)" in str(f.report(x))
    np.testing.assert_allclose(f.program(x)(x)[0], 2 * x, rtol=1e-14)


def test_several_axes_and_integers():
    x = rng.integers(0, 9, (4, 6))
    f = lambda x: (
        np.fft.fft2(x),
        np.fft.rfftn(x),
        np.fft.irfft2(x),
        np.fft.hfft(x),
        np.fft.ihfft(x),
        np.fft.fftshift(x),
    )
    for found, expected in zip(gg.compile(f)(x), f(x), strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


def test_gradients_of_a_filter_in_either_order():
    def loss(x, h):
        return np.sum(np.fft.irfft(np.fft.rfft(x) * h) ** 4)

    x, h = rng.normal(size=(3, 8)), rng.normal(size=5) + 1j * rng.normal(size=5)
    expected = gg.grad(loss, (0, 1))(x, h)
    for gradient in (gg.compile(gg.grad(loss, (0, 1))), gg.grad(gg.compile(loss), (0, 1))):
        for found, dx in zip(gradient(x, h), expected, strict=True):
            np.testing.assert_allclose(found, dx, rtol=1e-12, atol=1e-13)
    slope = lambda f: lambda h: np.sum(np.abs(gg.grad(f, 1)(x, h)) ** 2)
    second = gg.grad(slope(loss))(h)
    np.testing.assert_allclose(gg.compile(gg.grad(slope(loss)))(h), second, rtol=1e-11)
    assert gg.check_gradients(gg.compile(loss), x, h).ok


@pytest.mark.parametrize(
    ("f", "kind", "match"),
    [
        (lambda x: np.fft.fft(x, 0), ValueError, r"Invalid number of FFT data points \(0\) specified"),
        (lambda x: np.fft.fft(x, norm="half"), ValueError, "Invalid norm value half"),
        (lambda x: np.fft.rfft(x * 1j), TypeError, "rfft"),
        (lambda x: np.fft.fft(x, axis=2), ValueError, "axis 2 is out of bounds"),
    ],
)
def test_what_numpy_refuses_is_refused(f, kind, match):
    for called in (f, gg.compile(f)):
        with pytest.raises((kind, IndexError)):
            called(np.ones(4))
    with pytest.raises(kind, match=match):
        gg.compile(f)(np.ones(4))


def test_out_is_refused():
    with pytest.raises(TraceError, match=r"np\.fft\.fft with out= would write a value into an array"):
        gg.compile(lambda x: np.fft.fft(x, out=np.zeros(4, complex)))(np.ones(4))


def test_a_transform_that_finds_no_memory_ends_the_program(monkeypatch):
    monkeypatch.setattr(fourier, "loop_address", out_of_memory)
    f = gg.compile(lambda z: np.fft.fft(z) * 2.0)
    for _ in range(2):
        with pytest.raises(MemoryError):
            f(np.ones(6) + 0j)


def out_of_memory(name, double):
    return python_function("PyErr_NoMemory")


def test_donated_spectra():
    step = gg.compile(lambda z: np.fft.fft(z) * 0.5, donate="z")
    z = rng.normal(size=9) + 0j
    expected = np.fft.fft(z) * 0.5
    assert step(z) is z
    np.testing.assert_allclose(z, expected, rtol=1e-14)


STARTED = """
import numpy as np, gategrad as gg
f = gg.compile(gg.grad(lambda x: np.sum(np.abs(np.fft.rfft(x)) ** 3 + np.abs(np.tan(1j * x[:4])))))
x = np.linspace(0.0, 1.0, 6)
print(f(x).tolist(), "write" in f.report(x).seconds)
"""


@pytest.mark.skipif(os.name != "posix", reason="there is no disk cache on this system")
def test_a_second_process_starts_warm(tmp_path):
    """What the host computes is kept by name."""
    environment = {**os.environ, "GATEGRAD_CACHE_DIR": str(tmp_path / "cache")}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", STARTED], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    )
    assert first.endswith("True\n")
    assert second == first.replace("True", "False")
