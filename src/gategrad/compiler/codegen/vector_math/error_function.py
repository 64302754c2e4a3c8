"""erf and erfc.

Near zero erf(x) = x + x·P(x²). Beyond, erf(x) = 1 − 2^(−Q(x)) with a polynomial Q for −log₂(erfc(x)), which has to be
good only relative to 1; and erfc(x) = exp(−x²)·S((x − 2)/(x + 2))/(1 + 2x), whose polynomial S varies by a tenth
(the form is that of M. M. Shepherd and J. G. Laframboise, Math. Comp. 36, 1981).
"""

from __future__ import annotations

from gategrad.compiler.codegen.vector_math.arithmetic import (
    at_most,
    copysign,
    fast_two_sum,
    fma,
    polynomial,
    quotient,
    select,
    two_product,
)
from gategrad.compiler.codegen.vector_math.builder import Value
from gategrad.compiler.codegen.vector_math.exponential import SPREAD, exp2_where_normal, exp_of_sum
from gategrad.compiler.codegen.vector_math.precision import coefficients, power_of_two, precision
from gategrad.compiler.codegen.vector_math.registry import elementary

ONE_FROM = {"f64": 6.0, "f32": 4.0}  # erf rounds to 1
ZERO_FROM = 28.0  # erfc rounds to 0


def erf_near_zero(x: Value) -> Value:
    return fma(x, polynomial(x * x, coefficients("erf", x.body)), x)


@elementary("erf")
def erf(x: Value) -> Value:
    size = at_most(abs(x), ONE_FROM[precision(x).name])
    far = 1.0 - exp2_where_normal(-polynomial(size, coefficients("log2_erfc", x.body)))
    return copysign(select(size < 1.0, erf_near_zero(size), far), x)


def erfc_far(x: Value) -> Value:
    """erfc(x) for x ≥ ½."""
    x = at_most(x, ZERO_FROM)
    square, square_low = two_product(x, x)
    n, power, power_low = exp_of_sum(-square, -square_low)
    q = (x - 2.0) / (x + 2.0)
    constant, *rest = coefficients("erfc", x.body)
    s, s_low = fast_two_sum(x.like(constant), q * polynomial(q, rest))
    above, above_low = two_product(power, s)
    above_low = fma(power, s_low, fma(power_low, s, above_low))
    high, low = quotient(above, above_low, *fast_two_sum(x * 2.0, x.like(1.0)))
    spread = SPREAD[precision(x).name]
    return (high + low) * power_of_two(n, x, spread) * 2.0**-spread


@elementary("erfc", widened=True)
def erfc(x: Value) -> Value:
    size = abs(x)
    far = erfc_far(size)
    near = 1.0 - erf_near_zero(x)
    return select(size < 0.5, near, select(x < 0.0, 2.0 - far, far))
