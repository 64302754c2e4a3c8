"""scipy.signal, by the names of gategrad.scipy.signal."""

from __future__ import annotations

import functools

import numpy as np
import scipy.signal

from gategrad.scipy import signal

from ..cases import case

rng = np.random.default_rng(21)
ROW, TAPS = rng.uniform(-1.0, 1.0, 7), rng.uniform(-1.0, 1.0, 3)
IMAGE, KERNEL = rng.uniform(-1.0, 1.0, (4, 5)), rng.uniform(-1.0, 1.0, (3, 2))
TURNED = 0.4j * IMAGE[::-1] + IMAGE
POLES, NUMERATOR = np.array([2.0, -0.5, 0.3]), rng.uniform(0.2, 1.0, 2)
SECTIONS = scipy.signal.butter(3, 0.3, output="sos")


def row(name, *inputs, call=None, **options):
    """A case of a function of ours, under SciPy's name; for plain values it is SciPy's own, so that values are compared."""
    said = {key: options.pop(key) for key in ("note", "order", "compiles") if key in options}
    return case(
        f"scipy.signal.{name}", *inputs, call=call or functools.partial(getattr(signal, name), **options), **said
    )


CASES = [
    row("convolve", ROW, TAPS, note="any number of axes"),
    row("convolve", IMAGE, KERNEL, mode="same", method="direct"),
    row("convolve", IMAGE, KERNEL, mode="valid", method="fft"),
    row("convolve", TURNED, KERNEL),
    row("correlate", ROW, TAPS, mode="valid"),
    row("correlate", IMAGE, KERNEL, mode="same"),
    row("fftconvolve", IMAGE, KERNEL[:1], mode="same", axes=1, note="the other axes are broadcast"),
    row("oaconvolve", IMAGE, KERNEL),
    *[row("convolve2d", IMAGE, KERNEL, mode="same", boundary=boundary) for boundary in ("fill", "wrap", "symm")],
    row("correlate2d", IMAGE, KERNEL, mode="full", boundary="symm"),
    row("lfilter", NUMERATOR, POLES, IMAGE, note="in the coefficients too"),
    row("lfilter", NUMERATOR, POLES[:2], IMAGE, axis=0),
    row("sosfilt", ROW, call=lambda x: signal.sosfilt(SECTIONS, x), note="in the coefficients too"),
    *[row("savgol_filter", IMAGE, window_length=3, polyorder=1, mode=mode) for mode in ("interp", "nearest")],
    row("detrend", IMAGE, axis=0, bp=[2]),
    row("detrend", ROW, type="constant"),
    row("hilbert", ROW),
]
