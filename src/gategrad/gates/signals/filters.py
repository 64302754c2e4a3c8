"""Filters along an axis: recursive ones, second-order sections, Savitzky–Golay; trends; the analytic signal."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.signal

from gategrad.errors import NoRuleError
from gategrad.gate import Gate
from gategrad.gates.axes import as_input, axis_of, shape_of, tracks
from gategrad.gates.signals.convolution import SIGNAL, Overlap
from gategrad.kinds import Example
from gategrad.variable import Variable

__all__ = ["AllPole", "detrend", "hilbert", "lfilter", "savgol_filter", "sosfilt"]


class AllPole(Gate):
    """z = the rows with z_n = x_n − Σ_{k>0} a_k z_{n−k}. A switcher: x receives λ, dz through the same filter from its end.

    And a_k receives −Σ λ_n z_{n−k}.
    """

    pattern, symbol = "switcher", "1/a"
    takes_complex = True

    def forward(self, a: Any, x: Any) -> Any:
        if any(type(v) is Variable for v in (a, x)):
            self.z: Any = self.fresh()(a, x)
        else:
            self.z = scipy.signal.lfilter([1.0], np.concatenate([[1.0], np.asarray(a)]), np.asarray(x), axis=-1)
            self.z = self.z.astype(np.result_type(a, x), copy=False)
        self.a = a
        return self.z

    def backward(self, dz: Any) -> Any:
        need_a, need_x = self.needs
        adjoint = np.flip(self.fresh()(self.a, np.flip(dz, -1)), -1)
        if not need_a:
            return None, adjoint
        length = shape_of(dz)[-1]
        delays = range(1, shape_of(self.a)[0] + 1)
        parts = [-np.sum(adjoint[..., k:] * self.z[..., : max(length - k, 0)]) for k in delays]
        return np.stack(parts), adjoint if need_x else None

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """One row and several, one pole and several, more of them than samples."""
        for poles, shape in ((2, (6,)), (1, (2, 4)), (3, (2, 1, 2))):
            yield cls(), (rng.uniform(-0.4, 0.4, poles), rng.uniform(-1.0, 1.0, shape))


@SIGNAL.rule
def lfilter(b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """The rational filter a_0 z_n = Σ b_k x_{n−k} − Σ_{k>0} a_k z_{n−k} along an axis; as `scipy.signal.lfilter`.

    Gradients flow to the samples and to all coefficients. `NoRuleError` for `zi`: prepend the samples that led there.

    >>> import numpy as np, gategrad as gg
    >>> impulse = np.array([1.0, 0.0, 0.0])
    >>> gg.grad(lambda a: lfilter([1.0], [1.0, -a], impulse)[2])(0.5)                  # of a²
    1.0
    """
    if zi is not None:
        raise NoRuleError("scipy.signal.lfilter of a variable takes no zi=: prepend the samples that led to this state")
    b, a, x = _row(b), _row(a), np.moveaxis(as_input(x), axis, -1)
    kind = np.result_type(b.dtype, a.dtype, x.dtype, np.float32)
    b, a, x = np.astype(b, kind), np.astype(a, kind), np.astype(x, kind)
    z = _delayed_sum(b / a[0], x)
    if shape_of(a)[0] > 1:
        z = AllPole()(a[1:] / a[0], z)
    return np.moveaxis(z, -1, axis)


def _row(coefficients: Any) -> Any:
    """Coefficients as a vector: a list may hold variables among them."""
    return np.reshape(
        np.stack(coefficients)
        if isinstance(coefficients, (list, tuple)) and tracks(coefficients)
        else as_input(coefficients),
        -1,
    )


def _delayed_sum(b: Any, x: Any) -> Any:
    """Σ b_k x_{n−k} along the last axis."""
    z, length = b[0] * x, shape_of(x)[-1]
    none = [(0, 0)] * (len(shape_of(x)) - 1)
    for k in range(1, min(shape_of(b)[0], length)):
        z = z + np.pad(b[k] * x[..., : length - k], [*none, (k, 0)])
    return z


@SIGNAL.rule
def sosfilt(sos: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """`lfilter` by one section of second order after the other; as `scipy.signal.sosfilt`. `NoRuleError` for `zi`."""
    if zi is not None:
        raise NoRuleError("scipy.signal.sosfilt of a variable takes no zi=: prepend the samples that led to this state")
    sos = as_input(sos)
    if len(shape_of(sos)) != 2 or shape_of(sos)[1] != 6:
        raise ValueError("sos array must be shape (n_sections, 6)")
    for n in range(shape_of(sos)[0]):
        x = lfilter(sos[n, :3], sos[n, 3:], x, axis)
    return x


@SIGNAL.rule
def savgol_filter(
    x: Any,
    window_length: int,
    polyorder: int,
    deriv: int = 0,
    delta: float = 1.0,
    axis: int = -1,
    mode: str = "interp",
    cval: float = 0.0,
) -> Any:
    """The polynomial that fits the samples of a window best, or a derivative of it, in the middle; as `scipy.signal.savgol_filter`.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: savgol_filter(x, 3, 1)[1])(np.zeros(4)).round(12)
    array([0.33333333, 0.33333333, 0.33333333, 0.        ])
    """
    x = np.moveaxis(as_input(x), axis, -1)
    options = {"deriv": deriv, "delta": delta}
    weights = scipy.signal.savgol_coeffs(window_length, polyorder, **options)
    before, after = (window_length - 1) // 2, window_length // 2
    if mode == "interp":
        if window_length > shape_of(x)[-1]:
            raise ValueError("If mode is 'interp', window_length must be less than or equal to the size of x.")
        ends = scipy.signal.savgol_filter(np.eye(window_length), window_length, polyorder, axis=0, **options)
        parts = [
            x[..., :window_length] @ _as(ends[:after].T, x),
            _slid(x, weights)[..., after - before :],
            x[..., shape_of(x)[-1] - window_length :] @ _as(ends[window_length - after :].T, x),
        ]
        z = np.concatenate(parts, axis=-1)
    else:
        z = _slid(_extended(x, before, after, mode, cval), weights)
    return np.moveaxis(z, -1, axis)


_EXTENSIONS: dict[str, Any] = {"mirror": "reflect", "nearest": "edge", "wrap": "wrap"}


def _extended(x: Any, before: int, after: int, mode: str, cval: float) -> Any:
    around = [(0, 0)] * (len(shape_of(x)) - 1) + [(before, after)]
    if mode == "constant":
        return np.pad(x, around, constant_values=cval)
    if mode not in _EXTENSIONS:
        raise ValueError("mode must be 'mirror', 'constant', 'nearest' 'wrap' or 'interp'.")
    return np.pad(x, around, mode=_EXTENSIONS[mode])


def _slid(x: Any, weights: Any) -> Any:
    """Each window along the last axis, weighted by coefficients in the order of a convolution."""
    return Overlap("direct")(x, _as(weights.reshape((1,) * (len(shape_of(x)) - 1) + (-1,)), x))


def _as(weights: Any, x: Any) -> Any:
    return weights.astype(x.dtype, copy=False)


@SIGNAL.rule
def detrend(data: Any, axis: int = -1, type: str = "linear", bp: Any = 0) -> Any:
    """The samples without their mean, or without the line that fits each piece best; as `scipy.signal.detrend`.

    `ValueError` for another `type` and for a break behind the end.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: detrend(x, type="constant")[0])(np.zeros(4))
    array([ 0.75, -0.25, -0.25, -0.25])
    """
    data = as_input(data)
    axis = axis_of(axis, len(shape_of(data)))
    if type in ("constant", "c"):
        return data - np.mean(data, axis, keepdims=True)
    if type not in ("linear", "l"):
        raise ValueError("Trend type must be 'linear' or 'constant'.")
    if tracks(bp):
        raise NoRuleError("scipy.signal.detrend of a variable takes no variable bp=: breaks are indices")
    length = shape_of(data)[axis]
    breaks = np.unique([0, *np.ravel(bp).tolist(), length]).astype(int)
    if breaks[-1] > length:
        raise ValueError("Breakpoints must be less than length of data along given axis.")
    rows = np.moveaxis(data, axis, -1)
    pieces = [_without_line(rows[..., a:b]) for a, b in itertools.pairwise(breaks)]
    return np.moveaxis(np.concatenate(pieces, axis=-1), -1, axis)


def _without_line(x: Any) -> Any:
    length = shape_of(x)[-1]
    basis, _ = np.linalg.qr(np.stack([np.ones(length), np.arange(1.0, length + 1.0)], axis=1))
    basis = _as(basis, x)
    return x - (x @ basis) @ basis.T


@SIGNAL.rule
def hilbert(x: Any, N: Any = None, axis: int = -1) -> Any:
    """The analytic signal, x + i · its Hilbert transform: the spectrum without its negative half; as `scipy.signal.hilbert`.

    `ValueError` for complex samples.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: np.imag(hilbert(x))[0])(np.zeros(4))
    array([ 0. , -0.5,  0. ,  0.5])
    """
    x = as_input(x)
    if x.dtype.kind == "c":
        raise ValueError("x must be real.")
    length = shape_of(x)[axis] if N is None else N
    if length <= 0:
        raise ValueError("N must be positive.")
    weights = np.zeros(length, x.dtype)
    weights[0] = 1.0
    weights[1 : (length + 1) // 2] = 2.0
    if length % 2 == 0:
        weights[length // 2] = 1.0
    along = [1] * len(shape_of(x))
    along[axis] = length
    return np.fft.ifft(np.fft.fft(x, length, axis) * weights.reshape(along), axis=axis)
