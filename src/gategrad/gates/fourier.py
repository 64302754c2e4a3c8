"""numpy.fft: discrete Fourier transforms along an axis, and what NumPy makes of them for several.

The transposed matrix of a transform is that of the same transform, so gradients are transforms too; what was cut off on the
way there receives nothing, and what was padded is cut off. Real transforms keep half of a spectrum, whose other half
mirrors it: all but the first and, of an even number, the last element stand for two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_input, axes_of, refuse, shape_of
from gategrad.gates.conjugation import conj
from gategrad.kinds import Example, Linear

__all__ = ["FFT", "IFFT", "IRFFT", "RFFT"]

_INVERSE: dict[Any, Any] = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}
"""The norm under which the transform the other way has the same factor."""


class Fourier(Linear):
    """A transform along one axis: `n` is how long the signal is taken to be, `norm` where the factor 1 / n stands."""

    pattern = "distributor"

    def __init__(self, n: int | None = None, axis: int = -1, norm: Any = None) -> None:
        self.n = n
        self.axis = axis
        self.norm = norm

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Even and odd lengths, padded and cut, every norm."""
        for n, axis, norm in ((None, -1, None), (7, 0, "ortho"), (3, 1, "forward"), (6, -1, "backward"), (2, 0, None)):
            yield cls(n=n, axis=axis, norm=norm), (rng.uniform(-1.0, 1.0, (5, 4)),)


class FFT(Fourier):
    """z_k = Σ x_j exp(−2πi j k / n). A distributor: x receives the transform of dz."""

    symbol = "fft"

    def forward(self, x: Any) -> Any:
        self.length = x.shape[self.axis]
        return np.fft.fft(x, self.n, self.axis, self.norm)

    def backward(self, dz: Any) -> Any:
        return _resized(np.fft.fft(dz, None, self.axis, self.norm), self.length, self.axis)


class IFFT(Fourier):
    """z_j = Σ x_k exp(2πi j k / n) / n. A distributor: x receives the inverse transform of dz."""

    symbol = "ifft"

    def forward(self, x: Any) -> Any:
        self.length = x.shape[self.axis]
        return np.fft.ifft(x, self.n, self.axis, self.norm)

    def backward(self, dz: Any) -> Any:
        return _resized(np.fft.ifft(dz, None, self.axis, self.norm), self.length, self.axis)


class RFFT(Fourier):
    """z_k = Σ x_j exp(−2πi j k / n) for k ≤ n/2, x real. A distributor: x receives the transform of dz, padded with zeros."""

    symbol = "rfft"
    takes_complex = False

    def forward(self, x: Any) -> Any:
        self.length = x.shape[self.axis]
        return np.fft.rfft(x, self.n, self.axis, self.norm)

    def backward(self, dz: Any) -> Any:
        n = self.length if self.n is None else self.n
        return _resized(np.real(np.fft.fft(dz, n, self.axis, self.norm)), self.length, self.axis)


class IRFFT(Fourier):
    """z_j = Σ x_k exp(2πi j k / n) / n over a spectrum of which x is half, z real. A distributor: x receives 2 conj(rfft(dz)).

    The first element, and of an even n the last, stands for itself alone; its imaginary part counts for nothing.
    """

    symbol = "irfft"

    def forward(self, x: Any) -> Any:
        self.length = x.shape[self.axis]
        return np.fft.irfft(x, self.n, self.axis, self.norm)

    def backward(self, dz: Any) -> Any:
        n = dz.shape[self.axis]
        weights = np.full(n // 2 + 1, 2.0, dz.dtype)
        weights[0] = 1.0
        if n % 2 == 0:
            weights[-1] = 1.0
        along = [1] * len(dz.shape)
        along[self.axis] = -1
        half = np.fft.rfft(dz, None, self.axis, _INVERSE[self.norm])
        return _resized(np.conjugate(half) * weights.reshape(along), self.length, self.axis)


def _resized(x: Any, length: int, axis: int) -> Any:
    """x cut off, or padded with zeros, to this length along the axis."""
    have = x.shape[axis]
    if have == length:
        return x
    if have > length:
        return x[(slice(None),) * (axis % len(x.shape)) + (slice(length),)]
    shape = list(x.shape)
    shape[axis] = length - have
    return np.concatenate([x, np.zeros(shape, x.dtype)], axis=axis)


# --- NumPy's functions ----------------------------------------------------------------------------------------


def _one_axis(function: Any, gate: type[Fourier]) -> None:
    @implements(function)
    def transform(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
        refuse(f"np.fft.{function.__name__}", out=out)
        return gate(n, axis, norm)(as_input(a))


for _function, _gate in ((np.fft.fft, FFT), (np.fft.ifft, IFFT), (np.fft.rfft, RFFT), (np.fft.irfft, IRFFT)):
    _one_axis(_function, _gate)


@implements(np.fft.hfft)
def _hfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    refuse("np.fft.hfft", out=out)
    return IRFFT(n, axis, _INVERSE[norm])(conj(as_input(a)))


@implements(np.fft.ihfft)
def _ihfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    refuse("np.fft.ihfft", out=out)
    return np.conjugate(RFFT(n, axis, _INVERSE[norm])(as_input(a)))


def _lengths(shape: tuple[int, ...], s: Any, axes: Any) -> tuple[Sequence[Any], tuple[int, ...]]:
    """How long each axis is taken to be, None where nothing is said, and which axes are meant."""
    if axes is None:
        axes = range(len(shape)) if s is None else range(len(shape) - len(s), len(shape))
    axes = tuple(axes)
    if s is None:
        return (None,) * len(axes), axes
    if len(s) != len(axes):
        raise ValueError("Shape and axes have different lengths.")
    return [shape[axis] if n == -1 else n for n, axis in zip(s, axes, strict=True)], axes


def _complex_axes(function: Any, gate: type[Fourier], default: Any) -> None:
    @implements(function)
    def transform(a: Any, s: Any = None, axes: Any = default, norm: Any = None, out: Any = None) -> Any:
        refuse(f"np.fft.{function.__name__}", out=out)
        a = as_input(a)
        for n, axis in reversed(list(zip(*_lengths(shape_of(a), s, axes), strict=True))):
            a = gate(n, axis, norm)(a)
        return a


for _of_several, _gate, _default in (
    (np.fft.fftn, FFT, None),
    (np.fft.ifftn, IFFT, None),
    (np.fft.fft2, FFT, (-2, -1)),
    (np.fft.ifft2, IFFT, (-2, -1)),
):
    _complex_axes(_of_several, _gate, _default)


def _real_axes(forward: Any, inverse: Any, default: Any) -> None:
    @implements(forward)
    def transform(a: Any, s: Any = None, axes: Any = default, norm: Any = None, out: Any = None) -> Any:
        refuse(f"np.fft.{forward.__name__}", out=out)
        a = as_input(a)
        (*others, (n, axis)) = zip(*_lengths(shape_of(a), s, axes), strict=True)
        a = RFFT(n, axis, norm)(a)
        for n, axis in reversed(others):
            a = FFT(n, axis, norm)(a)
        return a

    @implements(inverse)
    def back(a: Any, s: Any = None, axes: Any = default, norm: Any = None, out: Any = None) -> Any:
        refuse(f"np.fft.{inverse.__name__}", out=out)
        a = as_input(a)
        (*others, (n, axis)) = zip(*_lengths(shape_of(a), s, axes), strict=True)
        for m, other in others:
            a = IFFT(m, other, norm)(a)
        return IRFFT(n, axis, norm)(a)


_real_axes(np.fft.rfftn, np.fft.irfftn, None)
_real_axes(np.fft.rfft2, np.fft.irfft2, (-2, -1))


@implements(np.fft.fftshift)
def _fftshift(x: Any, axes: Any = None) -> Any:
    shape, axes = shape_of(x), _shifted(x, axes)
    return np.roll(x, tuple([shape[axis] // 2 for axis in axes]), axes)


@implements(np.fft.ifftshift)
def _ifftshift(x: Any, axes: Any = None) -> Any:
    shape, axes = shape_of(x), _shifted(x, axes)
    return np.roll(x, tuple([-(shape[axis] // 2) for axis in axes]), axes)


def _shifted(x: Any, axes: Any) -> tuple[int, ...]:
    return axes_of(tuple(axes) if isinstance(axes, list) else axes, len(shape_of(x)))
