"""sinh and cosh.

Both put x = n·ln 2 + r together from the polynomials for sinh(r) and cosh(r):

    sinh(x) = a·cosh(r) + b·sinh(r),    cosh(x) = b·cosh(r) + a·sinh(r),    a, b = (2ⁿ ∓ 2⁻ⁿ)/2
"""

from __future__ import annotations

from gategrad.compiler.codegen.vector_math.arithmetic import (
    at_most,
    copysign,
    fma,
    polynomial,
    select,
)
from gategrad.compiler.codegen.vector_math.builder import Value
from gategrad.compiler.codegen.vector_math.exponential import reduced
from gategrad.compiler.codegen.vector_math.precision import (
    coefficients,
    identity_near_zero,
    power_of_two,
    precision,
)
from gategrad.compiler.codegen.vector_math.registry import elementary

# sinh and cosh are infinite from here on.
OVERFLOW = {"f64": 710.6, "f32": 89.6}


def combined(x: Value, odd: bool) -> Value:
    """sinh(|x|) where `odd`, else cosh(x); the quarter of it is computed, so that 2ⁿ stays finite."""
    count, n, r, r_low = reduced(at_most(abs(x), OVERFLOW[precision(x).name]))
    up = power_of_two(n, x, -3)
    down = select(count < 64.0, power_of_two(0 - n, x, -3), 0.0)
    a, b = up - down, up + down
    weight_cosh, weight_sinh = (a, b) if odd else (b, a)
    z = r * r
    sinh_tail = fma(r * z, polynomial(z, coefficients("sinh", x.body)), r_low)
    cosh_tail = z * polynomial(z, coefficients("cosh", x.body))
    total = fma(weight_sinh, r, weight_cosh)
    error = fma(weight_sinh, r, weight_cosh - total)
    return (total + fma(weight_cosh, cosh_tail, fma(weight_sinh, sinh_tail, error))) * 4.0


@elementary("sinh")
def sinh(x: Value) -> Value:
    return identity_near_zero(x, copysign(combined(x, odd=True), x))


@elementary("cosh")
def cosh(x: Value) -> Value:
    return combined(x, odd=False)
