"""tanh and the sigmoid, whose exponentials are quotients too: exp(2r) = (1 + t)/(1 − t) with t = tanh(r), a short polynomial.

x = m·ln 2 + r:      tanh(x) = 1 + (t − 1)/(a + ½ + (a − ½)·t),         a = 4ᵐ/2
−|x| = n·ln 2 + 2r:  sigmoid(−|x|) = (a + a·t)/(1 − t + (a + a·t)),     a = 2ⁿ
"""

from __future__ import annotations

from gategrad.compiler.codegen.vector_math.arithmetic import (
    at_most,
    copysign,
    fast_two_sum,
    fma,
    negative,
    polynomial,
    quotient,
    select,
)
from gategrad.compiler.codegen.vector_math.builder import Value
from gategrad.compiler.codegen.vector_math.exponential import exp_anywhere, near_or_far, reduced
from gategrad.compiler.codegen.vector_math.precision import (
    coefficients,
    constant_parts,
    nearest_integer,
    power_of_two,
    precision,
)
from gategrad.compiler.codegen.vector_math.registry import elementary

# tanh rounds to 1 before.
ONE_FROM = {"f64": 22.0, "f32": 10.0}
# tanh is the polynomial up to here, where it is above a half: what is added to 1 beyond is no larger than the sum.
NEAR = 0.55
# sigmoid(x) and what it is made of are normal numbers within these, of either sign.
NORMAL = {"f64": 707.0, "f32": 86.0}


@elementary("tanh")
def tanh(x: Value) -> Value:
    size = at_most(abs(x), ONE_FROM[precision(x).name])
    is_near = size < NEAR
    m, integer = nearest_integer(size, constant_parts("log2e", x)[0])
    r = fma(select(is_near, x.like(0.0), m), -constant_parts("ln2", x)[0], size)
    z = r * r
    t = fma(r * z, polynomial(z, coefficients("tanh", x.body)), r)
    a = power_of_two(integer << 1, x, -1)
    far = 1.0 + (t - 1.0) / fma(a - 0.5, t, a + 0.5)
    return copysign(select(is_near, t, far), x)


def sigmoid_where_normal(x: Value) -> Value:
    _, n, r, _ = reduced(-abs(x))
    z = r * r
    halved = [c * 0.5 ** (2 * i + 3) for i, c in enumerate(coefficients("tanh_near_zero", x.body))]
    t = fma(r * z, polynomial(z, halved), r * 0.5)
    a = power_of_two(n, x)
    larger, smaller = 1.0 - t, fma(a, t, a)
    high, low = quotient(select(negative(x), smaller, larger), None, *fast_two_sum(larger, smaller))
    return high + low


@elementary("sigmoid")
def sigmoid(x: Value) -> Value:
    """Beyond, it is exp(x) to the last digit, or 1."""
    return near_or_far(x, NORMAL, sigmoid_where_normal, lambda x: exp_anywhere(at_most(x, 0.0)))
