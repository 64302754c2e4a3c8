"""atan, atan2, asin and acos.

The arc tangent of a quotient n/d ≤ 1 is that of (n − d)/(n + d) plus π/4 where n/d > tan(π/8), so that one
division and one polynomial serve atan and atan2. The arc sine beyond ½ is π/2 − 2·asin(√((1 − |x|)/2)). Both keep
what the division or the root rounded away, and add it with the low part of π.
"""

from __future__ import annotations

import math

from gategrad.compiler.codegen.vector_math.arithmetic import (
    at_least,
    at_most,
    copysign,
    fast_two_sum,
    flipped,
    fma,
    negative,
    polynomial,
    quotient,
    select,
    sqrt,
)
from gategrad.compiler.codegen.vector_math.builder import Value
from gategrad.compiler.codegen.vector_math.precision import (
    coefficients,
    constant_parts,
    identity_near_zero,
)
from gategrad.compiler.codegen.vector_math.registry import elementary


def atan_of_quotient(n: Value, d: Value) -> tuple[Value, Value]:
    """atan(n/d) as a sum of two floats, for 0 ≤ n ≤ d of moderate size."""
    beyond = n > d * math.tan(math.pi / 8)
    zero = n.like(0.0)
    difference, difference_low = fast_two_sum(-d, n)
    sum, sum_low = fast_two_sum(d, n)
    t, t_low = quotient(
        select(beyond, difference, n),
        select(beyond, difference_low, zero),
        select(beyond, sum, d),
        select(beyond, sum_low, zero),
    )
    z = t * t
    tail = fma(t * z, polynomial(z, coefficients("atan", n.body)), t_low)
    base, base_low, *_ = constant_parts("quarter_pi", n)
    high, error = fast_two_sum(select(beyond, n.like(base), 0.0), t)
    return high, (error + select(beyond, n.like(base_low), 0.0)) + tail


def added(base: Value, base_low: Value, high: Value, low: Value) -> Value:
    """base + base_low + high + low, for |base| ≥ |high| or base = 0."""
    total, error = fast_two_sum(base, high)
    return total + (error + (base_low + low))


@elementary("atan")
def atan(x: Value) -> Value:
    size = at_most(abs(x), 2.0**60)  # beyond it atan is π/2
    inverted = size > 1.0
    one = x.like(1.0)
    high, low = atan_of_quotient(select(inverted, one, size), select(inverted, size, one))
    base, base_low, *_ = constant_parts("half_pi", x)
    result = added(
        select(inverted, x.like(base), 0.0),
        select(inverted, x.like(base_low), 0.0),
        flipped(high, inverted),
        flipped(low, inverted),
    )
    return identity_near_zero(x, copysign(result, x))


def moderate_pair(n: Value, d: Value) -> tuple[Value, Value]:
    """The same quotient n/d from numbers whose sum and reciprocal neither overflow nor underflow; 0/0 is 0."""
    infinite = d.equals(math.inf)
    n = select(infinite, select(n.equals(math.inf), n.like(1.0), 0.0), n)
    d = select(infinite | d.equals(0.0), d.like(1.0), d)
    large, small = (1000, -900) if n.type.bits == 64 else (120, -90)
    shift = 2.0 ** (large // 5)
    factor = select(d > 2.0**large, d.like(1 / shift), select(d < 2.0**small, d.like(shift), 1.0))
    return n * factor, d * factor


@elementary("atan2", inputs=2)
def atan2(x: Value, y: Value) -> Value:
    """The angle of the point (y, x), x being the ordinate as in NumPy's arctan2."""
    steep = abs(x) > abs(y)
    backward = negative(y)
    n, d = moderate_pair(select(steep, abs(y), abs(x)), select(steep, abs(x), abs(y)))
    high, low = atan_of_quotient(n, d)
    half, half_low, *_ = constant_parts("half_pi", x)
    # 0 + angle, π − angle, π/2 − angle or π/2 + angle
    base, base_low = (
        select(steep, x.like(number), select(backward, x.like(2 * number), 0.0)) for number in (half, half_low)
    )
    minus = steep ^ backward
    result = added(base, base_low, flipped(high, minus), flipped(low, minus))
    return select(x.unordered(y), x + y, copysign(result, x))


def asin_parts(size: Value) -> tuple[Value, Value, Value]:
    """Where |x| > ½, and asin(|x|) below it or 2·asin(√((1 − |x|)/2)) = acos(|x|) beyond it, as a sum of two floats."""
    beyond = size > 0.5
    z = select(beyond, fma(size, -0.5, 0.5), size * size)
    s = select(beyond, sqrt(z), size)
    tail = s * z * polynomial(z, coefficients("asin", size.body))
    root_low = fma(-s, s, z) / (at_least(s, 2.0**-60) * 2.0)
    twice = select(beyond, size.like(2.0), 1.0)
    return beyond, s * twice, select(beyond, (tail + root_low) * 2.0, tail)


@elementary("asin")
def asin(x: Value) -> Value:
    beyond, high, low = asin_parts(abs(x))
    base, base_low, *_ = constant_parts("half_pi", x)
    result = added(
        select(beyond, x.like(base), 0.0),
        select(beyond, x.like(base_low), 0.0),
        flipped(high, beyond),
        flipped(low, beyond),
    )
    return identity_near_zero(x, copysign(result, x))


@elementary("acos")
def acos(x: Value) -> Value:
    beyond, high, low = asin_parts(abs(x))
    below = negative(x)
    half, half_low, *_ = constant_parts("half_pi", x)
    base, base_low = (select(beyond, select(below, x.like(2 * number), 0.0), number) for number in (half, half_low))
    minus = beyond ^ ~below
    return added(base, base_low, flipped(high, minus), flipped(low, minus))
