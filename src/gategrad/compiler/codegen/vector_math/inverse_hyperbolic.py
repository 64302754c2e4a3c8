"""asinh, acosh and atanh, each the log1p of a sum kept in two floats."""

from __future__ import annotations

import math

from gategrad.compiler.codegen.vector_math.arithmetic import copysign, fast_two_sum, fma, quotient, select, sqrt
from gategrad.compiler.codegen.vector_math.builder import Value
from gategrad.compiler.codegen.vector_math.logarithm import log1p_sum
from gategrad.compiler.codegen.vector_math.precision import constant_parts, identity_near_zero
from gategrad.compiler.codegen.vector_math.registry import elementary

HUGE = 2.0**60  # from here on asinh and acosh are log(2x), and x² is still finite


def log_of_doubled(size: Value, t: Value, t_low: Value) -> Value:
    """log1p(t + t_low), or log(2·size) for a huge size."""
    huge = size > HUGE
    result = log1p_sum(select(huge, size, t), select(huge, size.like(0.0), t_low))
    return select(huge, result + constant_parts("ln2", size)[0], result)


@elementary("asinh")
def asinh(x: Value) -> Value:
    """log1p(|x| + x²/(1 + √(1 + x²)))."""
    size = abs(x)
    square = size * size
    t, t_low = fast_two_sum(size, square / (1.0 + sqrt(1.0 + square)))
    return identity_near_zero(x, copysign(log_of_doubled(size, t, t_low), x))


@elementary("acosh")
def acosh(x: Value) -> Value:
    """log1p(y + √(2y + y²)) with y = x − 1."""
    y = x - 1.0
    root = sqrt(fma(y, y, y * 2.0))
    t, t_low = fast_two_sum(root, y)
    return select(x < 1.0, x.like(math.nan), log_of_doubled(x, t, t_low))


@elementary("atanh")
def atanh(x: Value) -> Value:
    """½·log1p(2|x|/(1 − |x|))."""
    size = abs(x)
    below, below_low = fast_two_sum(x.like(1.0), -size)
    t, t_low = quotient(size * 2.0, None, below, below_low)
    return identity_near_zero(x, copysign(log1p_sum(t, t_low) * 0.5, x))
