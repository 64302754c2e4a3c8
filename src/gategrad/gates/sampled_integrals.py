"""scipy.integrate of samples: trapezoid, simpson, romb and what adds up on the way; and Gauss's rule. Compositions of gates.

Imported by those who name `gategrad.scipy.integrate`, since SciPy is heavy.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.gates.axes import as_input, axis_of, everywhere, shape_of
from gategrad.gates.scipy_names import Namespace
from gategrad.recording import plain

__all__ = ["cumulative_simpson", "cumulative_trapezoid", "fixed_quad", "romb", "simpson", "trapezoid"]

INTEGRATE = Namespace("scipy.integrate")


@INTEGRATE.rule
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Σ (y_i + y_{i+1}) (x_{i+1} − x_i) / 2 along an axis; as `scipy.integrate.trapezoid`.

    Gradients flow to the samples, to where they were taken, and to `dx`.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda y: trapezoid(y, dx=2.0))(np.array([1.0, 5.0, 2.0]))
    array([1., 2., 1.])
    """
    y = as_input(y)
    z = np.trapezoid(y, as_input(x), dx, axis)
    return np.astype(z, y.dtype) if y.dtype.kind in "fc" else z  # as there


@INTEGRATE.rule
def cumulative_trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Any:
    """The partial sums of `trapezoid`, with a 0 before them if `initial` is 0; as `scipy.integrate.cumulative_trapezoid`.

    `ValueError` for shapes that do not fit.

    >>> import numpy as np, gategrad as gg
    >>> gg.jacobian(cumulative_trapezoid)(np.array([1.0, 5.0, 2.0]))
    array([[0.5, 0.5, 0. ],
           [0.5, 1. , 0.5]])
    """
    if initial is not None and initial != 0:
        raise ValueError("`initial` must be `None` or `0`.")
    y, h, axis = _samples(y, x, dx, axis)
    z = np.cumsum((y[..., 1:] + y[..., :-1]) * h / 2, axis=-1)
    return np.moveaxis(z if initial is None else _after(0.0, z), -1, axis)


@INTEGRATE.rule
def simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of the parabolas through three samples each, the last interval by Cartwright's; as `scipy.integrate.simpson`.

    Gradients flow to the samples, to where they were taken, and to `dx`. `ValueError` for shapes that do not fit.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(simpson)(np.zeros(5)) * 3
    array([1., 4., 2., 4., 1.])
    """
    y, h, _ = _samples(y, x, dx, axis)
    count = shape_of(y)[-1]
    if x is not None and count > 2:
        h = np.astype(h, np.float64)  # as there
    if count == 2:
        return h[..., 0] * (y[..., 0] + y[..., 1]) / 2
    pairs = count - 1 - (count + 1) % 2  # intervals that make whole parabolas
    z = np.sum(_parabolas(y[..., : pairs + 1], h[..., :pairs]), axis=-1)
    return z if count % 2 else z + _second_halves(y[..., -3:], h[..., -2:])[..., 0]


def _parabolas(y: Any, h: Any) -> Any:
    """The integrals over pairs of intervals, each of the parabola through its three samples."""
    return _first_halves(y, h)[..., ::2] + _second_halves(y, h)[..., ::2]


def _first_halves(y: Any, h: Any) -> Any:
    """The integral of the parabola through samples i, i + 1, i + 2 over the first of its two intervals, for every i."""
    near, far = h[..., :-1], h[..., 1:]
    share = near / (near + far)
    rest = share * near / far
    f, g, e = y[..., :-2], y[..., 1:-1], y[..., 2:]
    return near / 6 * ((3 - share) * f + (3 + rest + share) * g - rest * e)


def _second_halves(y: Any, h: Any) -> Any:
    """The same over the second of its two intervals."""
    return np.flip(_first_halves(np.flip(y, -1), np.flip(h, -1)), -1)


@INTEGRATE.rule
def cumulative_simpson(y: Any, *, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Any:
    """What the parabolas of `simpson` add up to at each sample; as `scipy.integrate.cumulative_simpson`.

    Gradients flow to the samples, to where they were taken, to `dx` and `initial`. `ValueError` for shapes that do not fit
    and for `x` that does not increase.

    >>> import numpy as np, gategrad as gg
    >>> x = np.linspace(0.0, 1.0, 5)
    >>> cumulative_simpson(gg.variable(x**2), x=x).value * 192
    array([ 1.,  8., 27., 64.])
    """
    if shape_of(as_input(y))[axis] < 3:
        return _begun(cumulative_trapezoid(y, x, dx, axis), initial, axis)
    if x is None:
        y = np.astype(as_input(y), np.result_type(as_input(y).dtype, np.float64))  # as there
    y, h, axis = _samples(y, x, dx, axis)
    if x is not None and everywhere(np.any(plain(h) <= 0)):
        raise ValueError("Input x must be strictly increasing.")
    first, second = _first_halves(y, h), _second_halves(y, h)
    even = np.arange(shape_of(y)[-1] - 2) % 2 == 0
    # Intervals 0, 2, 4 … are first halves, 1, 3, 5 … second halves of the same parabolas; the last is always a second half.
    inner = np.where(even[1:], first[..., 1:], second[..., :-1])
    z = np.cumsum(np.concatenate([first[..., :1], inner, second[..., -1:]], axis=-1), axis=-1)
    return _begun(np.moveaxis(z, -1, axis), initial, axis)


def _begun(z: Any, initial: Any, axis: int) -> Any:
    """Added to what was there before, and that in front; a number is in double precision, as there."""
    if initial is None:
        return z
    initial = initial if hasattr(initial, "dtype") else np.float64(initial)
    return np.moveaxis(_after(initial, np.moveaxis(z, axis, -1)), -1, axis)


def _after(initial: Any, z: Any) -> Any:
    """Added to what was there before, and that in front, along the last axis."""
    if not hasattr(initial, "dtype"):
        initial = np.full((), initial, z.dtype)[()]
    first = initial if shape_of(initial) else np.reshape(initial, (1,) * len(shape_of(z)))
    return np.concatenate([np.broadcast_to(first, (*shape_of(z)[:-1], 1)), z + first], axis=-1)


@INTEGRATE.rule
def romb(y: Any, dx: Any = 1.0, axis: int = -1, show: bool = False) -> Any:
    """Romberg's extrapolation of `trapezoid`, of 2^k + 1 samples at equal distances; as `scipy.integrate.romb`.

    Gradients flow to the samples and to `dx`. `ValueError` for any other number of samples; nothing is shown.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(romb)(np.zeros(3)) * 3
    array([1., 4., 1.])
    """
    y = np.moveaxis(as_input(y), axis, -1)
    y = np.astype(y, np.result_type(y.dtype, np.float64))  # as there
    intervals = shape_of(y)[-1] - 1
    if intervals < 1 or intervals & (intervals - 1):
        raise ValueError("Number of samples must be one plus a non-negative power of 2.")
    steps = [intervals >> k for k in range(intervals.bit_length())]
    row = [np.trapezoid(y[..., ::step], dx=step * dx) for step in steps]
    for order in range(1, len(row)):
        row = [fine + (fine - coarse) / (4**order - 1) for coarse, fine in itertools.pairwise(row)]
    return row[0]


def fixed_quad(func: Callable[..., Any], a: Any, b: Any, args: Any = (), n: int = 5) -> tuple[Any, None]:
    """∫ f(x) dx from a to b by Gauss's rule with n points, and None; as `scipy.integrate.fixed_quad`.

    `func` is called once, with all points, and its last axis is summed. Gradients flow to a, b, `args` and whatever `func`
    computes with: those of the sum. `ValueError` for infinite limits.

    >>> import numpy as np, gategrad as gg
    >>> round(gg.grad(lambda p: fixed_quad(lambda x: np.exp(p * x), 0.0, 1.0)[0])(0.0), 12)
    0.5
    """
    if everywhere(np.isinf(plain(a))) or everywhere(np.isinf(plain(b))):
        raise ValueError("Gaussian quadrature is only available for finite limits.")
    points, weights = np.polynomial.legendre.leggauss(n)
    args = args if isinstance(args, tuple) else (args,)
    return np.sum((b - a) / 2.0 * weights * func((b - a) * (points + 1) / 2.0 + a, *args), axis=-1), None


def _samples(y: Any, x: Any, dx: Any, axis: int) -> tuple[Any, Any, int]:
    """The samples along the last axis, the lengths of the intervals between them, and which axis it was."""
    y = as_input(y)
    axis = axis_of(axis, len(shape_of(y)))
    shape = shape_of(y)
    y = np.moveaxis(y, axis, -1)
    if x is None:
        if not hasattr(dx, "dtype"):
            dx = np.full((), dx, np.real(y[:0]).dtype)[()]  # a number adds no precision
        return y, _equal(dx, shape, axis), axis
    x = as_input(x)
    if len(shape_of(x)) == 1:
        if shape_of(x)[0] != shape[axis]:
            raise ValueError("If given, length of x along axis must be the same as y.")
        return y, np.diff(x), axis
    if len(shape_of(x)) != len(shape):
        raise ValueError("If given, shape of x must be 1-D or the same as y.")
    return y, np.diff(np.moveaxis(x, axis, -1), axis=-1), axis


def _equal(dx: Any, shape: tuple[int, ...], axis: int) -> Any:
    """Intervals of one length, or of one for each row."""
    if shape_of(dx):
        return np.broadcast_to(np.moveaxis(dx, axis, -1), (*shape[:axis], *shape[axis + 1 :], shape[axis] - 1))
    return np.broadcast_to(np.reshape(dx, 1), (shape[axis] - 1,))
