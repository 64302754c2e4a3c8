"""What the two float formats are made of, as the bit tricks of this package need it."""

from __future__ import annotations

from dataclasses import dataclass

from gategrad.compiler.codegen.vector_math.arithmetic import fma, select
from gategrad.compiler.codegen.vector_math.builder import Body, Value
from gategrad.compiler.codegen.vector_math.coefficients import CONSTANTS, POLYNOMIALS


@dataclass(frozen=True, slots=True)
class Precision:
    """A binary float format of IEEE 754."""

    name: str
    mantissa: int
    bias: int

    @property
    def magic(self) -> float:
        """1.5·2^mantissa: adding it to a small number leaves the nearest integer in the low bits of the sum."""
        return 1.5 * 2.0**self.mantissa

    @property
    def smallest_normal(self) -> float:
        return 2.0 ** (1 - self.bias)

    @property
    def fraction_mask(self) -> int:
        return (1 << self.mantissa) - 1


PRECISIONS = {64: Precision("f64", 52, 1023), 32: Precision("f32", 23, 127)}


def precision(x: Value) -> Precision:
    return PRECISIONS[x.type.bits]


def constant_parts(name: str, x: Value) -> tuple[float, ...]:
    """A constant as a sum of floats of x's format, largest first."""
    return CONSTANTS[name][precision(x).name]


def coefficients(name: str, body: Body) -> tuple[float, ...]:
    """The polynomial that is accurate enough for the dtype the function returns."""
    return POLYNOMIALS[name][body.goal]


def nearest_integer(x: Value, factor: float) -> tuple[Value, Value]:
    """n = x·factor rounded to the nearest integer, as a float and as the low bits of an integer.

    For |n| below 2^(mantissa − 1); a NaN stays one in the float.
    """
    magic = precision(x).magic
    shifted = fma(x, factor, magic)
    return shifted - magic, shifted.bits()


def power_of_two(n: Value, like: Value, offset: int = 0) -> Value:
    """2^(n + offset) for an integer n that may carry rubbish above its exponent bits; the result must be normal."""
    p = precision(like)
    return ((n << p.mantissa) + ((p.bias + offset) << p.mantissa)).as_float()


def identity_near_zero(x: Value, result: Value) -> Value:
    """x itself where it is so small that f(x) = x·(1 + x·…) rounds to it: keeps −0 and subnormal numbers exact."""
    return select(abs(x) < 2.0 ** -(precision(x).mantissa + 3), x, result)
