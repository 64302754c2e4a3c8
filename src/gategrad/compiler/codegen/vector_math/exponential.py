"""exp, exp2, expm1 and the sigmoid.

x = n·ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite's reduction; with a fused multiply-add its first step is exact),
a minimax polynomial for exp(r), and the exponent n put back in two factors, so that the result is rounded once
where it is subnormal and overflows only where it must.
"""

from __future__ import annotations

from gategrad.compiler.codegen.vector_math.builder import (
    Value,
    at_least,
    at_most,
    copysign,
    fma,
    polynomial,
    select,
)
from gategrad.compiler.codegen.vector_math.precision import (
    coefficients,
    constant_parts,
    nearest_integer,
    power_of_two,
    precision,
)
from gategrad.compiler.codegen.vector_math.registry import elementary

# Beyond these the exponential is infinity or zero, and n + spread is still a normal exponent.
OVERFLOW = {"f64": 710.0, "f32": 89.0}
UNDERFLOW = {"f64": -746.0, "f32": -104.5}
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
    return scaled(1.0 + (r + exp_tail(r)), n, x > 0.0)


def exp_of_negative(x: Value) -> Value:
    """exp(x) for x ≤ 0: no overflow to prepare for."""
    name = precision(x).name
    _, n, r, _ = reduced(at_least(x, UNDERFLOW[name]))
    spread = SPREAD[name]
    return (1.0 + (r + exp_tail(r))) * power_of_two(n, x, spread) * 2.0**-spread


@elementary("sigmoid")
def sigmoid(x: Value) -> Value:
    """1/(1 + exp(−x)), from exp(−|x|), which cannot overflow."""
    e = exp_of_negative(-abs(x))
    return select(x < 0.0, e, 1.0) / (1.0 + e)


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
    return select(abs(x) < precision(x).smallest_normal * 2.0**60, x, half * 2.0)


@elementary("tanh")
def tanh(x: Value) -> Value:
    """t/(t + 2) with t = expm1(2|x|); 1 is reached before 2|x| = 44."""
    t = expm1_parts(at_most(abs(x) * 2.0, 44.0))
    return copysign(t / (t + 2.0), x)
