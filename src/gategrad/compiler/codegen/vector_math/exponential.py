"""exp, exp2 and expm1.

x = n·ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite's reduction; with a fused multiply-add its first step is exact),
a minimax polynomial for exp(r), and n added to its exponent. A vector in which some result may not be a normal number
takes a branch, where the exponent is put back in two factors, so that the result is rounded once where it is subnormal
and overflows only where it must: most vectors are spared what few of them need.
"""

from __future__ import annotations

from collections.abc import Mapping

from gategrad.compiler.codegen.vector_math.arithmetic import (
    at_least,
    at_most,
    fast_two_sum,
    fma,
    polynomial,
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
from gategrad.compiler.codegen.vector_math.registry import Formula, elementary

# Beyond these the exponential is infinity or zero, and n + spread is still a normal exponent.
OVERFLOW = {"f64": 710.0, "f32": 89.0}
UNDERFLOW = {"f64": -746.0, "f32": -104.5}
OVERFLOW_2 = {"f64": 1025.0, "f32": 129.0}
UNDERFLOW_2 = {"f64": -1076.0, "f32": -151.0}
# Within these, of either sign, it is a normal number.
NORMAL = {"f64": 708.0, "f32": 87.0}
NORMAL_2 = {"f64": 1021.0, "f32": 125.0}
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


def raised(y: Value, n: Value) -> Value:
    """y·2^n where y is near 1 and the result is a normal number: n is added to the exponent."""
    return (y.bits() + (n << precision(y).mantissa)).as_float()


def scaled(y: Value, n: Value, growing: Value) -> Value:
    """y·2^n where n may lie outside the exponents of normal numbers; `growing` says where n ≥ 0."""
    p = precision(y)
    spread = SPREAD[p.name]
    up, down = ((p.bias + sign * spread) << p.mantissa for sign in (1, -1))
    first = ((n << p.mantissa) + select(growing, n.like(down), up)).as_float()
    second = select(growing, y.like(2.0**spread), 2.0**-spread)
    return y * first * second


def bounded(x: Value, above: Mapping[str, float], below: Mapping[str, float]) -> tuple[Value, Value]:
    """x within the bounds, and where its exponential vanishes: it is not computed there, since underflow takes its time."""
    name = precision(x).name
    vanishes = x < below[name]
    return select(vanishes, x.like(0.0), at_most(x, above[name])), vanishes


def exp_anywhere(x: Value) -> Value:
    """exp(x), infinite and subnormal ones too."""
    inside, vanishes = bounded(x, OVERFLOW, UNDERFLOW)
    _, n, r, _ = reduced(inside)
    return select(vanishes, x.like(0.0), scaled(exp_of_reduced(r), n, inside > 0.0))


def exp_where_normal(x: Value) -> Value:
    """exp(x) where that is a normal number; no sense elsewhere."""
    _, n, r, _ = reduced(x)
    return raised(exp_of_reduced(r), n)


def near_or_far(x: Value, limits: Mapping[str, float], near: Formula, far: Formula) -> Value:
    """near(x) where |x| is below the limit, far(x) where it is not; a branch skips the latter where there is none."""
    (result,) = x.body.where_any(~(abs(x) < limits[precision(x).name]), lambda: [far(x)], [near(x)])
    return result


@elementary("exp")
def exp(x: Value) -> Value:
    return near_or_far(x, NORMAL, exp_where_normal, exp_anywhere)


def exp_of_sum(x: Value, x_low: Value) -> tuple[Value, Value, Value]:
    """n and two floats whose sum times 2^n is exp(x + x_low)."""
    _, n, r, r_low = reduced(x)
    tail = exp_tail(r)
    high, error = fast_two_sum(x.like(1.0), r)
    low = error + tail
    return n, high, fma(r_low + x_low, high + low, low)


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


def exp2_reduced(x: Value) -> tuple[Value, Value]:
    """y and n with 2^x = y·2^n."""
    n, integer = nearest_integer(x, 1.0)
    r = x - n
    return fma(r, polynomial(r, coefficients("exp2", x.body)), 1.0), integer


def exp2_anywhere(x: Value) -> Value:
    inside, vanishes = bounded(x, OVERFLOW_2, UNDERFLOW_2)
    return select(vanishes, x.like(0.0), scaled(*exp2_reduced(inside), inside > 0.0))


def exp2_where_normal(x: Value) -> Value:
    """2^x where that is a normal number; no sense elsewhere."""
    return raised(*exp2_reduced(x))


@elementary("exp2")
def exp2(x: Value) -> Value:
    return near_or_far(x, NORMAL_2, exp2_where_normal, exp2_anywhere)
