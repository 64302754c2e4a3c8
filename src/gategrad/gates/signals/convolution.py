"""Convolution and correlation along all axes: in sums, or by Fourier transforms."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import scipy.fft
import scipy.signal

from gategrad.gates.axes import as_input, axes_of, shape_of
from gategrad.gates.scipy_names import Namespace
from gategrad.gates.signals.over_axes import convolve_over
from gategrad.kinds import Bilinear, Example
from gategrad.values import is_complex
from gategrad.variable import Variable

__all__ = [
    "SIGNAL",
    "ConvolveAll",
    "Overlap",
    "convolve",
    "convolve2d",
    "correlate",
    "correlate2d",
    "fftconvolve",
    "oaconvolve",
]

SIGNAL = Namespace("scipy.signal")


class ConvolveAll(Bilinear):
    """z_k = Σ x_j · y_{k−j} along every axis, wherever they overlap. A switcher: each input receives dz over the other."""

    symbol = "∗"

    def __init__(self, method: str = "auto") -> None:
        self.method = method

    def forward(self, x: Any, y: Any) -> Any:
        return _slid(self, "full", x, y)

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        inner = Overlap(self.method)
        dx = inner(dz, np.flip(self.y)) if need_x else None
        dy = inner.fresh()(dz, np.flip(self.x)) if need_y else None
        return dx, dy

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """One axis and several; the larger first or second."""
        for shape, other in (((5,), (3,)), ((2, 4), (3, 2)), ((2, 1, 3), (1, 2, 2))):
            yield cls("direct"), (rng.uniform(-1.0, 1.0, shape), rng.uniform(-1.0, 1.0, other))


class Overlap(Bilinear):
    """z_k = Σ x_{k+j} · y_{m−1−j}, where all of y lies within x. A switcher: each input receives dz over the other."""

    symbol = "∗"

    def __init__(self, method: str = "auto") -> None:
        self.method = method

    def forward(self, x: Any, y: Any) -> Any:
        return _slid(self, "valid", x, y)

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        dx = ConvolveAll(self.method)(dz, np.flip(self.y)) if need_x else None
        dy = np.flip(self.fresh()(self.x, np.flip(dz))) if need_y else None
        return dx, dy

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """One axis and several, equal lengths among them."""
        for shape, other in (((5,), (3,)), ((4, 4), (4, 2)), ((2, 3, 3), (1, 2, 3))):
            yield cls("direct"), (rng.uniform(-1.0, 1.0, shape), rng.uniform(-1.0, 1.0, other))


def _slid(gate: Any, mode: Literal["full", "valid"], x: Any, y: Any) -> Any:
    """The product of arrays, by SciPy; variables of a lower tape are recorded there. The gate keeps what the way back needs."""
    need_x, need_y = gate.needs
    gate.x = x if need_y else None
    gate.y = y if need_x else None
    if any(type(v) is Variable for v in (x, y)):
        return gate.fresh()(x, y)
    if not (math.prod(shape_of(x)) and math.prod(shape_of(y))):
        raise ValueError("convolve: an array without elements cannot be convolved")
    if len(shape_of(x)) == 1 and gate.method != "fft":
        return np.convolve(x, y, mode)  # of values in programs as well
    return scipy.signal.convolve(np.asarray(x), np.asarray(y), mode, gate.method)


# --- SciPy's functions ------------------------------------------------------------------------------------------------


def convolve(
    in1: Any, in2: Any, mode: str = "full", method: str = "auto", *, axes: Any = None, dot_axes: Any = None
) -> Any:
    """z_k = Σ x_j · y_{k−j} along all axes of two arrays of the same number of axes; as `scipy.signal.convolve`.

    `mode` "full", "valid", or "same" as `in1`; `method` "direct", "fft", or what is quicker, on the way back too. Real,
    complex and float32. For batches see `fftconvolve`, whose `axes` leaves the others alone. `ValueError` for other words
    and for shapes that do not fit.

    What SciPy has not: `axes` and `dot_axes` are pairs of sequences, of axes of `in1` and of `in2`. Along the first the
    arrays are convolved, over the second summed, and all others are side by side: the axes of the result are the others of
    `in1`, the others of `in2`, and those convolved. So images of channels meet kernels, as in a layer of a network.

    >>> import numpy as np, gategrad as gg
    >>> image, edge = np.arange(6.0).reshape(2, 3), np.array([[1.0, -1.0]])
    >>> gg.grad(lambda k: np.sum(convolve(image, k, mode="valid") ** 2))(edge)
    array([[24., 16.]])
    >>> images, kernels = np.ones((8, 3, 28, 28)), np.ones((3, 16, 5, 5))           # 3 channels to 16
    >>> convolve(images, kernels, "valid", axes=((2, 3), (2, 3)), dot_axes=((1,), (0,))).shape
    (8, 16, 24, 24)
    """
    if axes is None and dot_axes is None:
        return _along_all(in1, in2, mode, method)
    return convolve_over(in1, in2, axes, dot_axes, mode)


def _along_all(in1: Any, in2: Any, mode: str, method: str) -> Any:
    x, y = _pair(in1, in2, "convolve")
    if method not in ("auto", "direct", "fft"):
        raise ValueError("Acceptable method flags are 'auto', 'direct', or 'fft'.")
    if not shape_of(x):
        return x * y
    if mode == "valid":
        return Overlap(method)(*_larger_first(x, y, range(len(shape_of(x)))))
    full = ConvolveAll(method)(x, y)
    return _cut(full, shape_of(x), shape_of(y), mode, range(len(shape_of(x))))


_along_all.__name__ = "convolve"  # by which SciPy's is found
_along_all = SIGNAL.rule(_along_all)


@SIGNAL.rule
def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """z_k = Σ x_{j+k} · conj(y_j) along all axes; as `scipy.signal.correlate`. Modes, methods and errors as of `convolve`.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: correlate(x, np.array([1.0, 2.0]), mode="valid")[0])(np.array([0.0, 3.0, 0.0]))
    array([1., 2., 0.])
    """
    return convolve(in1, _turned(as_input(in2)), mode, method)


@SIGNAL.rule
def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """`convolve` by Fourier transforms, along some axes: a composition of `numpy.fft`; as `scipy.signal.fftconvolve`.

    Along the other axes the arrays are broadcast against each other, so that a batch is convolved with one kernel or each
    with its own. `ValueError` for axes that do not fit.

    >>> import numpy as np, gategrad as gg
    >>> rows = np.arange(6.0).reshape(2, 3)
    >>> kernel = np.array([[1.0, 1.0]])
    >>> gg.grad(lambda k: np.sum(fftconvolve(rows, k, mode="valid", axes=1)))(kernel).round(12)
    array([[12.,  8.]])
    """
    x, y = _pair(in1, in2, "fftconvolve")
    if not shape_of(x):
        return x * y
    along = axes_of(tuple(axes) if isinstance(axes, list) else axes, len(shape_of(x)))
    along = tuple([a for a in along if shape_of(x)[a] != 1 and shape_of(y)[a] != 1])  # the others are broadcast
    _refuse_unless_broadcast(shape_of(x), shape_of(y), along)
    if mode == "valid":
        x, y = _larger_first(x, y, along)
    return _cut(_by_transforms(x, y, along), shape_of(x), shape_of(y), mode, along)


@SIGNAL.rule
def oaconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """`fftconvolve`, by the same transforms for a variable; as `scipy.signal.oaconvolve`."""
    return fftconvolve(in1, in2, mode, axes)


@SIGNAL.rule
def convolve2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> Any:
    """`convolve` of two matrices, with a choice of what lies around the first; as `scipy.signal.convolve2d`.

    `boundary` "fill" (with `fillvalue`), "wrap" or "symm": the first matrix is padded by `np.pad`.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: convolve2d(x, np.ones((2, 2)), boundary="wrap")[0, 0])(np.eye(2))
    array([[1., 1.],
           [1., 1.]])
    """
    x, y = _pair(in1, in2, "convolve2d")
    if len(shape_of(x)) != 2:
        raise ValueError("convolve2d inputs must both be 2-D arrays")
    if mode == "valid":
        return convolve(x, y, "valid", "direct")
    around = [(n - 1, n - 1) for n in shape_of(y)]
    if boundary == "fill":
        padded = np.pad(x, around, constant_values=fillvalue)
    elif boundary in ("wrap", "circular"):
        padded = np.pad(x, around, mode="wrap")
    elif boundary in ("symm", "symmetric"):
        padded = np.pad(x, around, mode="symmetric")
    else:
        raise ValueError("Acceptable boundary flags are 'fill', 'circular' (or 'wrap'), and 'symmetric' (or 'symm').")
    return _cut(Overlap("direct")(padded, y), shape_of(x), shape_of(y), mode, (0, 1))


@SIGNAL.rule
def correlate2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> Any:
    """`correlate` of two matrices, with a choice of what lies around the first; as `scipy.signal.correlate2d`."""
    x, y = _pair(in1, in2, "correlate2d")
    if mode == "valid" and any(n < m for n, m in zip(shape_of(x), shape_of(y), strict=True)):
        return np.flip(convolve2d(y, _turned(x), mode))  # of complex numbers the conjugate of what one expects: SciPy's
    if mode == "same":
        return _correlated_same(x, y, boundary, fillvalue)
    return convolve2d(x, _turned(y), mode, boundary, fillvalue)


def _correlated_same(x: Any, y: Any, boundary: str, fillvalue: Any) -> Any:
    """The middle of a correlation begins, for an even length, one place later than that of a convolution."""
    whole = convolve2d(x, _turned(y), "full", boundary, fillvalue)
    first = [m // 2 for m in shape_of(y)]
    return whole[tuple([slice(a, a + n) for a, n in zip(first, shape_of(x), strict=True)])]


# --- how --------------------------------------------------------------------------------------------------------------


def _pair(in1: Any, in2: Any, name: str) -> tuple[Any, Any]:
    x, y = as_input(in1), as_input(in2)
    if len(shape_of(x)) != len(shape_of(y)):
        raise ValueError(
            f"{name}: in1 and in2 should have the same dimensionality, not {shape_of(x)} and {shape_of(y)}"
        )
    return x, y


def _turned(y: Any) -> Any:
    """Back to front along every axis, and conjugated: what makes a convolution of a correlation."""
    flipped = np.flip(y) if shape_of(y) else y
    return np.conjugate(flipped) if is_complex(flipped) else flipped


def _larger_first(x: Any, y: Any, axes: Sequence[int]) -> tuple[Any, Any]:
    pairs = [(shape_of(x)[a], shape_of(y)[a]) for a in axes]
    if all(n >= m for n, m in pairs):
        return x, y
    if all(n <= m for n, m in pairs):
        return y, x
    raise ValueError("For 'valid' mode, one must be at least as large as the other in every dimension")


def _cut(full: Any, shape: Sequence[int], other: Sequence[int], mode: str, axes: Sequence[int]) -> Any:
    """The part of all overlaps that a mode asks for, along these axes."""
    if mode == "full":
        return full
    if mode not in ("same", "valid"):
        raise ValueError("acceptable mode flags are 'valid', 'same', or 'full'")
    index = [slice(None)] * len(shape)
    for a in axes:
        n, m = shape[a], other[a]
        index[a] = slice((m - 1) // 2, (m - 1) // 2 + n) if mode == "same" else slice(m - 1, n)
    return full[tuple(index)]


def _by_transforms(x: Any, y: Any, axes: tuple[int, ...]) -> Any:
    if not axes:
        return x * y
    real = not (is_complex(x) or is_complex(y))
    lengths = [shape_of(x)[a] + shape_of(y)[a] - 1 for a in axes]
    fast = [scipy.fft.next_fast_len(n, real) for n in lengths]
    to, back = (np.fft.rfftn, np.fft.irfftn) if real else (np.fft.fftn, np.fft.ifftn)
    z = back(to(x, fast, axes) * to(y, fast, axes), fast, axes)
    index = [slice(None)] * len(shape_of(z))
    for a, n in zip(axes, lengths, strict=True):
        index[a] = slice(n)
    return z[tuple(index)]


def _refuse_unless_broadcast(shape: Sequence[int], other: Sequence[int], axes: Sequence[int]) -> None:
    for a, (n, m) in enumerate(zip(shape, other, strict=True)):
        if a not in axes and n != m and 1 not in (n, m):
            raise ValueError(f"incompatible shapes for in1 and in2: {tuple(shape)} and {tuple(other)}")
