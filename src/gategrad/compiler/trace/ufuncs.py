"""Ufuncs that are no operation of programs: compositions of those that are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gategrad.compiler.trace.symbol import common_dtype, composes, elementwise, emit

__all__: list[str] = []

composes("square")(lambda x: x * x)
composes("positive", "conjugate")(lambda x: x)
composes("fabs")(lambda x: np.abs(x))
composes("deg2rad", "radians")(lambda x: x * (math.pi / 180))
composes("rad2deg", "degrees")(lambda x: x * (180 / math.pi))


@composes("reciprocal")
def _reciprocal(x: Any) -> Any:
    """Of integers 0, but for 1 and -1: not rounded down."""
    return 1.0 / x if x.dtype.kind == "f" else np.where((x == 1) | (x == -1), x, x.dtype.type(0))


@composes("float_power", as_given=True)
def _float_power(x: Any, y: Any) -> Any:
    base, exponent = (z.astype(np.float64) if hasattr(z, "astype") else float(z) for z in (x, y))
    return np.power(base, exponent)


@composes("power", as_given=True)
def _power(x: Any, y: Any) -> Any:
    """An operation of its own, except for the exponents that NumPy's `**` has short ways for, just as exact."""
    if isinstance(y, (float, int)) and x.dtype.kind == "f":
        x = x.astype(common_dtype((x, y)))
        if y == 2:
            return elementwise(np.multiply, (x, x))
        if y == 1:
            return x
        if y == -1:
            return elementwise(np.divide, (1.0, x))
    return elementwise(np.power, (x, y))


@composes("expit")
def _expit(x: Any) -> Any:
    return emit("sigmoid", x)


@composes("logaddexp")
def _logaddexp(x: Any, y: Any) -> Any:
    """The larger one plus log(1 + exp(-|x - y|)); equal ones alone, lest infinities meet."""
    apart = np.maximum(x, y) + np.log1p(np.exp(-np.abs(np.subtract(x, y))))
    return np.where(np.equal(x, y), x + math.log(2.0), apart)


@composes("logaddexp2")
def _logaddexp2(x: Any, y: Any) -> Any:
    apart = np.maximum(x, y) + np.log1p(np.exp2(-np.abs(np.subtract(x, y)))) * (1.0 / math.log(2.0))
    return np.where(np.equal(x, y), x + 1.0, apart)


@composes("cbrt")
def _cbrt(x: Any) -> Any:
    """A power, and one step of Newton's method: 1/3 is no float, and its error grows with log |x|."""
    size = np.abs(x)
    root = np.power(size, 1.0 / 3.0)
    better = root - (root - size / (root * root)) / 3.0
    return np.where((size == 0.0) | np.isinf(size), x, np.copysign(better, x))


@composes("heaviside")
def _heaviside(x: Any, y: Any) -> Any:
    step = np.where(np.greater(x, 0.0), 1.0, np.where(np.less(x, 0.0), 0.0, x))
    return np.where(np.equal(x, 0.0), y, step)


@composes("fmod")
def _fmod(x: Any, y: Any) -> Any:
    """The remainder with the sign of x rather than that of y."""
    if common_dtype((x, y)).kind == "f":  # abs() of a number of Python's is one, np.abs() is not
        return np.copysign(np.remainder(abs(x), abs(y)), x)
    rest = np.remainder(x, y)
    return np.where((rest != 0) & ((x < 0) != (y < 0)), rest - y, rest)
