"""sin, cos and tan.

x = n·π/2 + r with |r| ≤ π/4. Below 2³⁰ the reduction subtracts π/2 in three parts (Cody and Waite): the fused
multiply-add makes the first difference exact, and the second is kept as a sum r + r_low. Beyond, a guarded branch
multiplies by the binary digits of 2/π (huge_angle.py). Polynomials for sin(r) and cos(r) do the rest; n picks one of
them and its sign. Single precision is computed in double: its reduction then needs no second part.
"""

from __future__ import annotations

from dataclasses import dataclass

from gategrad.compiler.codegen.vector_math.arithmetic import fast_two_sum, fma, polynomial, quotient, select
from gategrad.compiler.codegen.vector_math.builder import Value
from gategrad.compiler.codegen.vector_math.huge_angle import reduced_huge
from gategrad.compiler.codegen.vector_math.precision import (
    coefficients,
    constant_parts,
    identity_near_zero,
    nearest_integer,
)
from gategrad.compiler.codegen.vector_math.registry import elementary

LARGEST_QUICK = 2.0**30


@dataclass(frozen=True, slots=True)
class Angle:
    """r + r_low between −π/4 and π/4, and the number of quarter turns in the low bits of an integer.

    r_low is None where only single precision is asked for: r then is good enough alone.
    """

    r: Value
    turns: Value
    r_low: Value | None = None


def reduced_quick(x: Value) -> Angle:
    first, second, third = constant_parts("half_pi", x)
    n, turns = nearest_integer(x, constant_parts("two_over_pi", x)[0])
    exact = fma(n, -first, x)
    if x.body.goal == "f32":
        return Angle(fma(n, -second, exact), turns)
    product = n * second
    product_low = fma(n, second, -product)
    r = exact - product
    back = r - exact
    error = (exact - (r - back)) - (product + back)
    return Angle(r, turns, fma(n, -third, error - product_low))


def reduced(x: Value) -> Angle:
    quick = reduced_quick(x)
    usual = [part for part in (quick.r, quick.turns, quick.r_low) if part is not None]
    size = abs(x)
    huge = (size > LARGEST_QUICK) & (size < float("inf"))

    def rare() -> list[Value]:
        # Other lanes ride along as an angle whose digits of 2/π exist.
        return reduced_huge(select(huge, x, LARGEST_QUICK))[: len(usual)]

    return Angle(*x.body.where_any(huge, rare, usual))


def sine(angle: Angle) -> tuple[Value, Value]:
    """sin(r + r_low) as a sum of two floats."""
    r = angle.r
    z = r * r
    tail = r * z * polynomial(z, coefficients("sin", r.body))
    if angle.r_low is None:
        return r, tail
    return r, tail + fma(z * -0.5, angle.r_low, angle.r_low)


def cosine(angle: Angle) -> tuple[Value, Value]:
    """cos(r + r_low) as a sum of two floats."""
    r = angle.r
    z = r * r
    half = r * 0.5
    high = fma(-half, r, 1.0)
    tail = z * z * polynomial(z, coefficients("cos", r.body))
    if angle.r_low is None:
        return high, tail
    error = fma(-half, r, 1.0 - high)
    return high, error + fma(-r, angle.r_low, tail)


def picked(angle: Angle, quarter: int) -> Value:
    """sin(x + quarter·π/2)."""
    turns = angle.turns + quarter
    odd = (turns << 63) < 0
    (sine_high, sine_low), (cosine_high, cosine_low) = sine(angle), cosine(angle)
    result = select(odd, cosine_high, sine_high) + select(odd, cosine_low, sine_low)
    sign = (turns >> 1) << 63
    return (result.bits() ^ sign).as_float()


@elementary("sin", widened=True)
def sin(x: Value) -> Value:
    return identity_near_zero(x, picked(reduced(x), 0))


@elementary("cos", widened=True)
def cos(x: Value) -> Value:
    return picked(reduced(x), 1)


@elementary("tan", widened=True)
def tan(x: Value) -> Value:
    """sin/cos, or −cos/sin after an odd number of quarter turns."""
    angle = reduced(x)
    odd = (angle.turns << 63) < 0
    sine_sum, sine_low = fast_two_sum(*sine(angle))
    cosine_sum, cosine_low = fast_two_sum(*cosine(angle))
    above, below = select(odd, -cosine_sum, sine_sum), select(odd, sine_sum, cosine_sum)
    if angle.r_low is None:
        return identity_near_zero(x, above / below)
    above_low, below_low = select(odd, -cosine_low, sine_low), select(odd, sine_low, cosine_low)
    high, low = quotient(above, above_low, below, below_low)
    return identity_near_zero(x, high + low)
