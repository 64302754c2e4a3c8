"""Between points: linear interpolation, and points at equal distances (linspace, logspace, geomspace)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import as_double, as_input, shape_of
from gategrad.recording import plain

__all__: list[str] = []


@implements(np.interp)
def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    x, xp, fp = [as_double(v) for v in (x, xp, fp)]
    if len(shape_of(xp)) != 1 or len(shape_of(fp)) != 1:
        raise ValueError("Data points must be 1-D sequences")
    if shape_of(xp) != shape_of(fp):
        raise ValueError("fp and xp are not of the same length.")
    if period is not None:
        x, xp, fp = _periodic(x, xp, fp, abs(period))
        left = right = None
    n = shape_of(xp)[0]
    if n == 0:
        raise ValueError("array of sample points is empty")
    below, above = plain(x) < plain(xp)[0], plain(x) > plain(xp)[n - 1]
    z = fp[0] + (x - xp[0]) * 0.0 if n == 1 else _between(x, xp, fp, n)
    z = np.where(below, fp[0] if left is None else left, z)
    return np.where(above, fp[n - 1] if right is None else right, z)


def _between(x: Any, xp: Any, fp: Any, n: int) -> Any:
    """On the line through the two neighbours; the gradient at a point itself is that of the line to its right."""
    place = np.clip(np.searchsorted(plain(xp), plain(x), side="right") - 1, 0, n - 2)
    slope = (fp[place + 1] - fp[place]) / (xp[place + 1] - xp[place])
    return slope * (x - xp[place]) + fp[place]


def _periodic(x: Any, xp: Any, fp: Any, period: Any) -> tuple[Any, Any, Any]:
    x, xp = np.remainder(x, period), np.remainder(xp, period)
    order = np.argsort(plain(xp))
    xp, fp = xp[order], fp[order]
    xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
    return x, xp, np.concatenate([fp[-1:], fp, fp[:1]])


# --- at equal distances -----------------------------------------------------------------------------------------


@implements(np.linspace)
def _linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    start, stop, shares = _ends(start, stop, num, endpoint)
    z = _shaped(start + shares * (stop - start), dtype, axis)
    parts = num - 1 if endpoint else num
    return (z, (stop - start) / parts if parts > 0 else np.nan) if retstep else z


@implements(np.logspace)
def _logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    start, stop, shares = _ends(start, stop, num, endpoint)
    return _shaped(np.power(base, start + shares * (stop - start)), dtype, axis)


@implements(np.geomspace)
def _geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    start, stop, shares = _ends(as_double(start), as_double(stop), num, endpoint)
    return _shaped(start * np.power(stop / start, shares), dtype, axis)


def _ends(start: Any, stop: Any, num: int, endpoint: bool) -> tuple[Any, Any, Any]:
    """Both ends, and how far between them each point lies, along a new first axis."""
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    start, stop = as_input(start), as_input(stop)
    shape = np.broadcast_shapes(shape_of(start), shape_of(stop))
    dtype = np.result_type(*[x for x in (start, stop) if hasattr(x, "dtype")] or [np.float64])
    parts = max(num - 1 if endpoint else num, 1)
    shares = (np.arange(num) / parts).astype(dtype if dtype.kind == "f" else np.float64)
    return start, stop, np.reshape(shares, (num, *[1] * len(shape)))


def _shaped(z: Any, dtype: Any, axis: int) -> Any:
    z = z if dtype is None else np.astype(z, dtype)
    return z if axis == 0 else np.moveaxis(z, 0, axis)
