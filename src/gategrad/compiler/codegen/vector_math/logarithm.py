"""log, log2, log10 and log1p.

x = 2^k·(1 + f) with 1 + f between √½ and √2, and log(1 + f) = 2 artanh(s) with s = f/(2 + f), arranged as
f − f²/2 + s·(f²/2 + R(s²)) after the FreeBSD/Sun libm; f − f²/2 is kept as an unevaluated sum of two floats.
"""

from __future__ import annotations

import math

from gategrad.compiler.codegen.vector_math.builder import Value, fma, polynomial, select
from gategrad.compiler.codegen.vector_math.precision import coefficients, constant_parts, precision
from gategrad.compiler.codegen.vector_math.registry import elementary

SQRT_HALF_BITS = {"f64": 0x3FE6A09E667F3BCD, "f32": 0x3F3504F3}


def decomposed(x: Value) -> tuple[Value, Value]:
    """k (a float) and m with x = 2^k·m and √½ ≤ m < √2, for x positive and finite."""
    p = precision(x)
    subnormal = x < p.smallest_normal
    raised = p.mantissa + 2
    x = select(subnormal, x * 2.0**raised, x)
    low = SQRT_HALF_BITS[p.name]
    # Offset so that the exponent field steps at √½ instead of at 1; what remains below it is m's distance from √½.
    offset = x.bits() + ((p.bias << p.mantissa) - low)
    m = ((offset & p.fraction_mask) + low).as_float()
    # The exponent k + bias as a float: put it under the leading bit of 2^mantissa, subtract 2^mantissa + bias.
    two_to_mantissa = (p.bias + p.mantissa) << p.mantissa
    k_biased = ((offset >> p.mantissa) | two_to_mantissa).as_float()
    unbias = 2.0**p.mantissa + p.bias
    return k_biased - select(subnormal, x.like(unbias + raised), unbias), m


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


@elementary("log")
def log(x: Value) -> Value:
    k, m = decomposed(x)
    high, low = log_of_one_plus(m - 1.0)
    ln2_high, ln2_low, *_ = constant_parts("ln2_short", x)
    whole = k * ln2_high
    total = whole + high
    error = high - (total - whole)
    return with_special_values(x, total + (error + fma(k, ln2_low, low)))
