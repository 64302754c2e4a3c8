"""SciPy's ufuncs that programs have an operation for (erf, erfc), and those that are compositions of operations.

The others are called on the host.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gategrad.compiler.trace.symbol import composes, elementwise, emit

__all__: list[str] = []

composes("erf")(lambda x: emit("erf", x))
composes("erfc")(lambda x: emit("erfc", x))
composes("ndtr")(lambda x: np.multiply(0.5, emit("erfc", x * -math.sqrt(0.5))))
composes("expm1")(lambda x: elementwise(np.expm1, (x,)))
composes("log1p")(lambda x: elementwise(np.log1p, (x,)))
composes("exp2")(lambda x: elementwise(np.exp2, (x,)))
composes("exp10")(lambda x: np.power(10.0, x))
composes("log_expit")(lambda x: np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x))))


@composes("cosm1")
def _cosm1(x: Any) -> Any:
    half = np.sin(0.5 * x)
    return -2.0 * half * half


@composes("logit")
def _logit(x: Any) -> Any:
    """Around ½ the quotient is about 1, and its logarithm is left to log1p."""
    s = 2.0 * (x - 0.5)
    middle = np.logical_and(x > 0.3, x < 0.65)
    return np.where(middle, np.log1p(s) - np.log1p(-s), np.log(x / (1.0 - x)))


@composes("xlogy")
def _xlogy(x: Any, y: Any) -> Any:
    return np.where(np.logical_and(np.equal(x, 0.0), np.equal(y, y)), 0.0, np.multiply(x, np.log(y)))


@composes("xlog1py")
def _xlog1py(x: Any, y: Any) -> Any:
    return np.where(np.logical_and(np.equal(x, 0.0), np.equal(y, y)), 0.0, np.multiply(x, np.log1p(y)))


@composes("entr")
def _entr(x: Any) -> Any:
    return np.where(x > 0.0, -x * np.log(x), np.where(x < 0.0, -np.inf, 0.0 * x))


@composes("rel_entr")
def _rel_entr(x: Any, y: Any) -> Any:
    return _divergence(x, y, lambda product: product, 0.0)


@composes("kl_div")
def _kl_div(x: Any, y: Any) -> Any:
    return _divergence(x, y, lambda product: np.add(np.subtract(product, x), y), y)


def _divergence(x: Any, y: Any, finish: Any, at_zero: Any) -> Any:
    """What x · log(x / y) becomes inside, its limit at x = 0, +inf outside, and NaN where either is."""
    inside = np.logical_and(np.greater(x, 0.0), np.greater(y, 0.0))
    zero = np.logical_and(np.equal(x, 0.0), np.greater_equal(y, 0.0))
    outside = np.where(zero, at_zero, np.inf)
    known = np.logical_and(np.equal(x, x), np.equal(y, y))
    product = np.multiply(x, np.log(np.divide(x, y)))
    return np.where(known, np.where(inside, finish(product), outside), np.nan)


@composes("exprel")
def _exprel(x: Any) -> Any:
    zero = np.equal(x, 0.0)
    return np.where(zero, 1.0, np.expm1(x) / np.where(zero, 1.0, x))


@composes("huber")
def _huber(delta: Any, r: Any) -> Any:
    size = np.abs(r)
    inner, outer = np.multiply(0.5 * r, r), np.multiply(delta, np.subtract(size, np.multiply(delta, 0.5)))
    return np.where(np.less(delta, 0.0), np.inf, np.where(np.less_equal(size, delta), inner, outer))
