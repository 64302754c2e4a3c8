"""Fourier transforms along one axis as operations, and which real numbers complex ones are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["TRANSFORMS", "complex_of", "part_of"]

_PART = {np.dtype(np.complex128): np.dtype(np.float64), np.dtype(np.complex64): np.dtype(np.float32)}
_COMPLEX = {part: whole for whole, part in _PART.items()}


def part_of(dtype: Any) -> Any:
    """The dtype of the real and the imaginary part of complex numbers; other dtypes as they are."""
    return _PART.get(dtype, dtype)


def complex_of(dtype: Any) -> Any:
    """The dtype of complex numbers that are made of such real ones; complex ones as they are."""
    return _COMPLEX.get(dtype, dtype)


def _as_long_as(length: Callable[[int], int], makes: Callable[[Any], Any]) -> Callable[..., Any]:
    """The typing of a transform of a signal of `n` elements: how many come out, and of which dtype."""

    def typing(inputs: list[Any], options: Any) -> Any:
        (dtype, shape), axis = inputs[0], options["axis"]
        return makes(dtype), (*shape[:axis], length(options["n"]), *shape[axis + 1 :])

    return typing


def _transform(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, n, axis, norm: function(x, n, axis, norm)


TRANSFORMS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "fft": (_as_long_as(lambda n: n, complex_of), _transform(np.fft.fft)),
    "ifft": (_as_long_as(lambda n: n, complex_of), _transform(np.fft.ifft)),
    "rfft": (_as_long_as(lambda n: n // 2 + 1, complex_of), _transform(np.fft.rfft)),
    "irfft": (_as_long_as(lambda n: n, part_of), _transform(np.fft.irfft)),
}
"""What each has as a type, and what it computes in NumPy. `n` is how long the signal is taken to be."""
