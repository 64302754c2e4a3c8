"""What formulas are written with besides operators: fused products, selections, error-free sums, polynomials."""

from __future__ import annotations

from collections.abc import Sequence

from gategrad.compiler.codegen.vector_math.builder import Number, Value


def fma(x: Value, y: Value | Number, z: Value | Number) -> Value:
    """x·y + z, rounded once."""
    return x.body.intrinsic("fma", x, x.like(y), x.like(z))


def sqrt(x: Value) -> Value:
    """The correctly rounded square root."""
    return x.body.intrinsic("sqrt", x)


def copysign(x: Value, sign: Value) -> Value:
    """|x| with the sign bit of `sign`."""
    return x.body.intrinsic("copysign", x, sign)


def select(mask: Value, x: Value, y: Value | Number) -> Value:
    """x where the mask is set, y elsewhere."""
    return x.body.select(mask, x, x.like(y))


def flipped(x: Value, sign: Value) -> Value:
    """x with its sign changed where the mask `sign` is set."""
    return select(sign, -x, x)


def negative(x: Value) -> Value:
    """Where the sign bit is set, of −0 too."""
    return x.bits() < 0


def fast_two_sum(x: Value, y: Value) -> tuple[Value, Value]:
    """x + y and its rounding error, for |x| ≥ |y| or x = 0 (Dekker)."""
    total = x + y
    return total, y - (total - x)


def two_sum(x: Value, y: Value) -> tuple[Value, Value]:
    """x + y and its rounding error (Knuth)."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)


def two_product(x: Value, y: Value | Number) -> tuple[Value, Value]:
    """x·y and its rounding error."""
    product = x * y
    return product, fma(x, y, -product)


def quotient(x: Value, x_low: Value | None, y: Value, y_low: Value) -> tuple[Value, Value]:
    """(x + x_low)/(y + y_low) as a sum of two floats, from one division and one Newton step."""
    inverse = 1.0 / y
    z = x * inverse
    rest = fma(-z, y_low, fma(-z, y, x))
    return z, (rest if x_low is None else rest + x_low) * inverse


def at_most(x: Value, limit: Number) -> Value:
    """x, or the limit where x exceeds it; a NaN stays."""
    return select(x > limit, x.like(limit), x)


def at_least(x: Value, limit: Number) -> Value:
    """x, or the limit where x is below it; a NaN stays."""
    return select(x < limit, x.like(limit), x)


def horner(x: Value, coefficients: Sequence[float]) -> Value:
    """c₀ + x·(c₁ + x·(c₂ + …)), lowest coefficient first."""
    total = x.like(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = fma(total, x, coefficient)
    return total


def polynomial(x: Value, coefficients: Sequence[float]) -> Value:
    """c₀ + c₁x + c₂x² + …: long ones as an even and an odd half in x², which the processor computes side by side."""
    if len(coefficients) < 5:
        return horner(x, coefficients)
    square = x * x
    return fma(polynomial(square, coefficients[1::2]), x, polynomial(square, coefficients[::2]))
