"""numpy.fft: Fourier transforms."""

import numpy as np

from ..cases import case

F = np.fft
ROWS = np.random.default_rng(6).uniform(-1.0, 1.0, (5, 4))


def of_spectrum(name):
    """The transform of complex numbers made of real ones."""
    return lambda x: getattr(F, name)(x + 1j * x[::-1])


CASES = [
    *[
        case(f"np.fft.{name}", ROWS, call=of_spectrum(name))
        for name in ("fft", "ifft", "irfft", "hfft", "fft2", "ifft2", "irfft2", "fftn", "ifftn", "irfftn")
    ],
    *[case(f"np.fft.{name}", ROWS) for name in ("fft", "rfft", "ihfft", "rfft2", "rfftn")],
    *[case(f"np.fft.{name}", ROWS) for name in ("fftshift", "ifftshift")],
]
