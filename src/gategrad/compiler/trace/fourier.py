"""Fourier transforms of symbols, along one axis: those along several are made of them by `gategrad.gates.fourier`."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.compiler.program.fourier import complex_of, part_of
from gategrad.compiler.trace.symbol import emit, traces
from gategrad.errors import NotTraceableError

__all__: list[str] = []


def _transforms(function: Any) -> None:
    name = function.__name__

    @traces(function)
    def transform(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
        if out is not None:
            raise NotTraceableError(
                f"np.fft.{name} with out= would write a value into an array: use its result instead"
            )
        (along,) = np.lib.array_utils.normalize_axis_tuple(axis, len(a.shape))
        if n is None:
            n = 2 * (a.shape[along] - 1) if name == "irfft" else a.shape[along]
        if int(n) < 1:
            raise ValueError(f"Invalid number of FFT data points ({n}) specified.")
        if norm not in (None, "backward", "ortho", "forward"):
            raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
        if a.dtype.kind in "iub":
            a = np.astype(a, np.float64)
        if name == "irfft":
            a = np.astype(a, complex_of(a.dtype))
        elif name == "rfft" and a.dtype != part_of(a.dtype):
            raise TypeError("ufunc 'rfft_n_even' did not contain a loop with signature matching complex input types")
        return emit(name, a, n=int(n), axis=along, norm=norm)


for _function in (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft):
    _transforms(_function)
