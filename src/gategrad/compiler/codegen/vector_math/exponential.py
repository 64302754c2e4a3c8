"""exp, exp2, expm1 and the sigmoid.

x = n·ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite's reduction; with a fused multiply-add its first step is exact),
a minimax polynomial for exp(r), and the exponent n put back in two factors, so that the result is rounded once
where it is subnormal and overflows only where it must.
"""

from __future__ import annotations

from gategrad.compiler.codegen.vector_math.arithmetic import (
    at_least,
    at_most,
    fast_two_sum,
    fma,
    polynomial,
    quotient,
    select,
)
from gategrad.compiler.codegen.vector_math.builder import Value
from gategrad.compiler.codegen.vector_math.precision import (
    coefficients,
    constant_parts,
    identity_near_zero,
    nearest_integer,
    power_of_two,
    precision,
)
from gategrad.compiler.codegen.vector_math.registry import elementary

# Beyond these the exponential is infinity or zero, and n + spread is still a normal exponent.
OVERFLOW = {"f64": 710.0, "f32": 89.0}
UNDERFLOW = {"f64": -746.0, "f32": -104.5}
OVERFLOW_2 = {"f64": 1025.0, "f32": 129.0}
UNDERFLOW_2 = {"f64": -1076.0, "f32": -151.0}
SPREAD = {"f64": 128, "f32": 64}


def reduced(x: Value) -> tuple[Value, Value, Value, Value]:
    """n as float and integer, and r + r_low = x − n·ln 2."""
    high, low, _ = constant_parts("ln2", x)
    n, integer = nearest_integer(x, constant_parts("log2e", x)[0])
    exact = fma(n, -high, x)
    r = fma(n, -low, exact)
    return n, integer, r, fma(n, -low, exact - r)


def exp_tail(r: Value) -> Value:
    """exp(r) − 1 − r."""
    return r * r * polynomial(r, coefficients("exp", r.body))


def exp_of_reduced(r: Value) -> Value:
    return 1.0 + fma(r * r, polynomial(r, coefficients("exp", r.body)), r)


def scaled(y: Value, n: Value, growing: Value) -> Value:
    """y·2^n where n may lie outside the exponents of normal numbers; `growing` says where n ≥ 0."""
    p = precision(y)
    spread = SPREAD[p.name]
    up, down = ((p.bias + sign * spread) << p.mantissa for sign in (1, -1))
    first = ((n << p.mantissa) + select(growing, n.like(down), up)).as_float()
    second = select(growing, y.like(2.0**spread), 2.0**-spread)
    return y * first * second


@elementary("exp")
def exp(x: Value) -> Value:
    name = precision(x).name
    x = at_least(at_most(x, OVERFLOW[name]), UNDERFLOW[name])
    _, n, r, _ = reduced(x)
    return scaled(exp_of_reduced(r), n, x > 0.0)


def exp_of_sum(x: Value, x_low: Value) -> tuple[Value, Value, Value]:
    """n and two floats whose sum times 2^n is exp(x + x_low)."""
    _, n, r, r_low = reduced(x)
    tail = exp_tail(r)
    high, error = fast_two_sum(x.like(1.0), r)
    low = error + tail
    return n, high, fma(r_low + x_low, high + low, low)


def exp_of_negative(x: Value) -> Value:
    """exp(x) for x ≤ 0: no overflow to prepare for."""
    name = precision(x).name
    _, n, r, _ = reduced(at_least(x, UNDERFLOW[name]))
    spread = SPREAD[name]
    return exp_of_reduced(r) * power_of_two(n, x, spread) * 2.0**-spread


@elementary("sigmoid")
def sigmoid(x: Value) -> Value:
    """1/(1 + exp(−x)), from exp(−|x|), which cannot overflow."""
    e = exp_of_negative(-abs(x))
    numerator = select(x < 0.0, e, 1.0)
    z, z_low = quotient(numerator, None, *fast_two_sum(x.like(1.0), e))
    return z + z_low


def expm1_parts(x: Value, offset: int = 0) -> Value:
    """2^offset·(exp(x) − 1), for an x whose n + offset is a normal exponent.

    2^n − 1 and 2^n·r are added with their rounding error kept: they cancel for n = −1 and nearly do for n = 1.
    """
    _, n, r, r_low = reduced(x)
    scale = power_of_two(n, x, offset)
    whole = scale - 2.0**offset
    total = fma(scale, r, whole)
    error = fma(scale, r, whole - total)
    return total + fma(scale, exp_tail(r) + r_low, error)


@elementary("expm1")
def expm1(x: Value) -> Value:
    name = precision(x).name
    # Half the result is computed: exp(709.7) = 2^1024·r has no exponent of its own.
    half = expm1_parts(at_least(at_most(x, OVERFLOW[name]), -60.0), offset=-1)
    return identity_near_zero(x, half * 2.0)


@elementary("exp2")
def exp2(x: Value) -> Value:
    name = precision(x).name
    x = at_least(at_most(x, OVERFLOW_2[name]), UNDERFLOW_2[name])
    n, integer = nearest_integer(x, 1.0)
    r = x - n
    return scaled(fma(r, polynomial(r, coefficients("exp2", x.body)), 1.0), integer, x > 0.0)
