"""pow and hypot.

x^y = exp(y·log x), with log x as a sum of two doubles good to about 2⁻⁶⁵: the exponent reaches 745, so an error in
the logarithm grows by 2¹⁰. Single precision is computed in double, where one double is enough.
"""

from __future__ import annotations

import math

from gategrad.compiler.codegen.vector_math.arithmetic import (
    at_least,
    at_most,
    fast_two_sum,
    flipped,
    fma,
    negative,
    polynomial,
    quotient,
    select,
    sqrt,
    two_product,
)
from gategrad.compiler.codegen.vector_math.builder import Value
from gategrad.compiler.codegen.vector_math.exponential import (
    OVERFLOW,
    UNDERFLOW,
    exp_of_reduced,
    exp_of_sum,
    reduced,
    scaled,
)
from gategrad.compiler.codegen.vector_math.logarithm import decomposed
from gategrad.compiler.codegen.vector_math.precision import coefficients, constant_parts, power_of_two, precision
from gategrad.compiler.codegen.vector_math.registry import elementary


def log_sum(x: Value) -> tuple[Value, Value]:
    """log(x) as a sum of two doubles: 2s + s·z·(2/3 + z·P(z)) with s = (m − 1)/(m + 1), z = s²."""
    k, m = decomposed(x)
    f = m - 1.0
    s, s_low = quotient(f, None, *fast_two_sum(x.like(2.0), f))
    z, z_low = two_product(s, s)
    z_low = fma(s * 2.0, s_low, z_low)
    third, third_low, *_ = constant_parts("two_thirds", x)
    w, w_low = fast_two_sum(x.like(third), z * polynomial(z, coefficients("log_tail", x.body)))
    v, v_low = two_product(z, w)
    v_low = v_low + fma(z, w_low + third_low, z_low * w)
    u, u_low = two_product(s, v)
    u_low = u_low + fma(s, v_low, s_low * v)
    total, error = fast_two_sum(s * 2.0, u)
    ln2_high, ln2_low, *_ = constant_parts("ln2_short", x)
    whole, rest = fast_two_sum(k * ln2_high, total)
    return fast_two_sum(whole, rest + fma(k, ln2_low, error + fma(s_low, 2.0, u_low)))


def magnitude(size: Value, y: Value) -> Value:
    """size^y for 0 < size < inf, and NaN for 1^±inf."""
    if size.body.goal == "f32":
        return magnitude_single(size.widened(), y.widened()).narrowed()
    high, low = log_sum(size)
    product, product_low = two_product(y, high)
    product_low = select(abs(product) < -UNDERFLOW["f64"], fma(y, low, product_low), 0.0)
    exponent = at_least(at_most(product, OVERFLOW["f64"]), UNDERFLOW["f64"])
    n, high, low = exp_of_sum(exponent, product_low)
    return scaled(high + low, n, exponent > 0.0)


def magnitude_single(size: Value, y: Value) -> Value:
    """The same in doubles, good to single precision, whose subnormal numbers and overflow are ordinary doubles."""
    k, m = decomposed(size, subnormals=False)
    f = m - 1.0
    s = f / (f + 2.0)
    z = s * s
    series = fma(z * z, polynomial(z, coefficients("log_tail", size.body)), fma(z, 2.0 / 3.0, 2.0))
    logarithm = fma(k, math.log(2.0), s * series)
    _, n, r, _ = reduced(at_least(at_most(y * logarithm, 200.0), -200.0))
    return exp_of_reduced(r) * power_of_two(n, r)


def integral(y: Value) -> tuple[Value, Value]:
    """Where y is an integer (infinities count), and where it is an odd one."""
    whole = 2.0 ** precision(y).mantissa  # beyond it every float is an integer, beyond twice of it an even one

    def rounded(size: Value) -> Value:
        return (size + whole) - whole

    size = abs(y)
    half = size * 0.5
    integer = (size >= whole) | rounded(size).equals(size)
    odd = integer & (half < whole) & ~rounded(half).equals(half)
    return integer, odd


@elementary("pow", inputs=2)
def pow(x: Value, y: Value) -> Value:
    """x^y with every special value of IEEE 754 (and C99's annex F)."""
    size = abs(x)
    integer, odd = integral(y)
    one = x.like(1.0)
    grows = (size > 1.0) ^ (y < 0.0)
    limit = select(grows, x.like(math.inf), 0.0)
    result = select(size.equals(0.0) | size.equals(math.inf), limit, magnitude(size, y))
    result = select(size.equals(1.0) & abs(y).equals(math.inf), one, result)
    result = flipped(result, odd & negative(x))
    rootless = (x < 0.0) & (x > -math.inf) & ~integer
    result = select(rootless | x.unordered(y), x.like(math.nan), result)
    return select(x.equals(1.0) | y.equals(0.0), one, result)


@elementary("hypot", inputs=2, widened=True)
def hypot(x: Value, y: Value) -> Value:
    """√(x² + y²) without overflow or underflow on the way; infinity even beside a NaN."""
    x, y = abs(x), abs(y)
    infinite = x.equals(math.inf) | y.equals(math.inf)
    if x.body.goal == "f32":
        result = sqrt(fma(x, x, y * y))
    else:
        larger, smaller = select(x > y, x, y), select(x > y, y, x)
        grown = larger > 2.0**500
        shrunk = larger < 2.0**-400
        factor = select(grown, x.like(2.0**-600), select(shrunk, x.like(2.0**600), 1.0))
        back = select(grown, x.like(2.0**600), select(shrunk, x.like(2.0**-600), 1.0))
        larger, smaller = larger * factor, smaller * factor
        result = sqrt(fma(larger, larger, smaller * smaller)) * back
    return select(infinite, x.like(math.inf), result)
