"""log, log2, log10 and log1p.

x = 2^k·(1 + f) with 1 + f between √½ and √2, and log(1 + f) = 2 artanh(s) with s = f/(2 + f), arranged as
f − f²/2 + s·(f²/2 + R(s²)) after the FreeBSD/Sun libm; f − f²/2 is kept as an unevaluated sum of two floats.
"""

from __future__ import annotations

import math

from gategrad.compiler.codegen.vector_math.arithmetic import fast_two_sum, fma, polynomial, select, two_product, two_sum
from gategrad.compiler.codegen.vector_math.builder import Value
from gategrad.compiler.codegen.vector_math.exponential import exp
from gategrad.compiler.codegen.vector_math.precision import (
    coefficients,
    constant_parts,
    identity_near_zero,
    precision,
)
from gategrad.compiler.codegen.vector_math.registry import elementary

SQRT_HALF_BITS = {"f64": 0x3FE6A09E667F3BCD, "f32": 0x3F3504F3}


def decomposed(x: Value, subnormals: bool = True) -> tuple[Value, Value]:
    """k (a float) and m with x = 2^k·m and √½ ≤ m < √2, for x positive and finite."""
    p = precision(x)
    unbias = x.like(2.0**p.mantissa + p.bias)
    if subnormals:
        raised = p.mantissa + 2
        subnormal = x < p.smallest_normal
        x = select(subnormal, x * 2.0**raised, x)
        unbias = select(subnormal, unbias.like(2.0**p.mantissa + p.bias + raised), unbias)
    low = SQRT_HALF_BITS[p.name]
    # Offset so that the exponent field steps at √½ instead of at 1; what remains below it is m's distance from √½.
    offset = x.bits() + ((p.bias << p.mantissa) - low)
    m = ((offset & p.fraction_mask) + low).as_float()
    # The exponent k + bias as a float: put it under the leading bit of 2^mantissa, subtract 2^mantissa + bias.
    two_to_mantissa = (p.bias + p.mantissa) << p.mantissa
    k_biased = ((offset >> p.mantissa) | two_to_mantissa).as_float()
    return k_biased - unbias, m


def log_of_one_plus(f: Value) -> tuple[Value, Value]:
    """log(1 + f) as a sum of two floats, for 1 + f between √½ and √2."""
    half = f * 0.5
    high = fma(-half, f, f)
    low = fma(-half, f, f - high)
    s = f / (f + 2.0)
    z = s * s
    r = z * polynomial(z, coefficients("log", f.body))
    return high, fma(s, fma(half, f, r), low)


def with_special_values(x: Value, result: Value) -> Value:
    """log's values outside (0, inf): −inf at zero, NaN below it, inf and NaN themselves."""
    result = select(x < math.inf, result, x)
    below = select(x.equals(0.0), x.like(-math.inf), math.nan)
    return select(x <= 0.0, below, result)


def in_base_e(k: Value, high: Value, low: Value) -> Value:
    """k·ln 2 + high + low."""
    ln2_high, ln2_low, *_ = constant_parts("ln2_short", k)
    total, error = fast_two_sum(k * ln2_high, high)
    return total + (error + fma(k, ln2_low, low))


@elementary("log")
def log(x: Value) -> Value:
    k, m = decomposed(x)
    return with_special_values(x, in_base_e(k, *log_of_one_plus(m - 1.0)))


def in_base(constant: str, k: Value, scale: Value, high: Value, low: Value) -> Value:
    """scale (an exact multiple of k) + (high + low)·constant."""
    factor, factor_low, *_ = constant_parts(constant, k)
    product, error = two_product(high, factor)
    total, rest = fast_two_sum(scale, product)
    return total + (rest + fma(low, factor, fma(high, factor_low, error)))


@elementary("log2")
def log2(x: Value) -> Value:
    k, m = decomposed(x)
    high, low = log_of_one_plus(m - 1.0)
    return with_special_values(x, in_base("log2e", k, k, high, low))


@elementary("log10")
def log10(x: Value) -> Value:
    k, m = decomposed(x)
    high, low = log_of_one_plus(m - 1.0)
    two_high, two_low, *_ = constant_parts("log10_2_short", x)
    return with_special_values(x, in_base("log10e", k, k * two_high, high, fma(k, two_low * math.log(10.0), low)))


def log1p_sum(x: Value, x_low: Value) -> Value:
    """log(1 + x + x_low), x_low being smaller than x's last place."""
    u, u_low = two_sum(x.like(1.0), x)
    u_low = u_low + x_low
    k, m = decomposed(u, subnormals=False)
    # m = u·2⁻ᵏ, so the same factor for u_low is the difference of their bits; it has no meaning for huge u.
    factor = (m.bits() - u.bits() + (precision(x).bias << precision(x).mantissa)).as_float()
    near = k.equals(0.0)
    f = select(near, x, m - 1.0)
    f_low = select(near, x_low, select(u < 2.0**62, u_low * factor, 0.0))
    high, low = log_of_one_plus(f)
    reciprocal = polynomial(f, (1.0, -1.0, 1.0, -1.0))  # of 1 + f, good enough for a correction
    return with_special_values(u, in_base_e(k, high, fma(f_low, reciprocal, low)))


@elementary("log1p")
def log1p(x: Value) -> Value:
    return identity_near_zero(x, log1p_sum(x, x.like(0.0)))


@elementary("softplus")
def softplus(x: Value) -> Value:
    """log(1 + exp(x)) = max(x, 0) + log1p(exp(−|x|))."""
    small = log1p(exp(-abs(x)))
    return select(x > 0.0, x + small, small)


@elementary("logaddexp", inputs=2)
def logaddexp(x: Value, y: Value) -> Value:
    """log(exp(x) + exp(y)) = max(x, y) + log1p(exp(−|x − y|)), where the two may cancel as in NumPy's."""
    larger, smaller = select(x > y, x, y), select(x > y, y, x)
    distance, distance_low = two_sum(larger, -smaller)
    finite = distance < math.inf
    distance = select(x.equals(y), x.like(0.0), distance)  # inf − inf is no distance
    small = exp(-distance)
    small = fma(small, -select(finite, distance_low, 0.0), small)
    return select(x.unordered(y), x + y, larger + log1p(small))
