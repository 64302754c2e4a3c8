"""Rules for arithmetic, powers, choices and truth values."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.compiler.passes.simplify import Simplifier, rule, uniform
from gategrad.compiler.program.value import Value

__all__: list[str] = []


def _is(value: Value, number: float, negative_zero: bool | None = None) -> bool:
    """Whether a value is this number everywhere; of zeros of floats the sign matters.

    Complex ones are left alone: an infinity times 1 + 0i is not what it was.
    """
    found = uniform(value)
    if found is None or found != number or value.dtype.kind == "c":
        return False
    return negative_zero is None or value.dtype.kind != "f" or bool(np.signbit(found)) == negative_zero


@rule("add")
def _add(simplifier: Simplifier, z: Value) -> Value | None:
    """x + (-0) = x, while x + 0 turns -0 into 0; x + (-y) = x - y."""
    x, y = z.inputs
    if z.dtype.kind == "b":
        return None
    for one, other in ((x, y), (y, x)):
        if _is(other, 0, negative_zero=True):
            return one
        if other.op.name == "negative":
            return simplifier.emit("subtract", [one, other.inputs[0]])
    return None


@rule("subtract")
def _subtract(simplifier: Simplifier, z: Value) -> Value | None:
    """x - 0 = x, while x - (-0) turns -0 into 0; x - (-y) = x + y."""
    x, y = z.inputs
    if _is(y, 0, negative_zero=False):
        return x
    return simplifier.emit("add", [x, y.inputs[0]]) if y.op.name == "negative" else None


@rule("multiply")
def _multiply(simplifier: Simplifier, z: Value) -> Value | None:
    """x · 1 = x, x · (-1) = -x, (-x) · (-y) = x · y."""
    x, y = z.inputs
    if z.dtype.kind == "b":
        return None
    for one, other in ((x, y), (y, x)):
        if _is(other, 1):
            return one
        if z.dtype.kind == "f" and _is(other, -1):
            return simplifier.emit("negative", [one])
    if x.op.name == y.op.name == "negative":
        return simplifier.emit("multiply", [x.inputs[0], y.inputs[0]])
    return None


@rule("divide")
def _divide(simplifier: Simplifier, z: Value) -> Value | None:
    """x / 1 = x, x / (-1) = -x; dividing by a power of two is multiplying by another."""
    x, y = z.inputs
    divisor = uniform(y)
    if divisor is None or z.dtype.kind != "f":
        return None
    if divisor == 1:
        return x
    if divisor == -1:
        return simplifier.emit("negative", [x])
    mantissa, exponent = np.frexp(divisor)
    if abs(mantissa) == 0.5 and abs(int(exponent)) < 100:
        return simplifier.emit("multiply", [x, simplifier.full(1 / divisor, y)])
    return None


@rule("negative")
def _negative(simplifier: Simplifier, z: Value) -> Value | None:
    """-(-x) = x, -(x - y) is left alone: it has the other sign where x = y."""
    (x,) = z.inputs
    return x.inputs[0] if x.op.name == "negative" else None


@rule("maximum", "minimum", "bitwise_and", "bitwise_or", "logical_and", "logical_or")
def _same_twice(simplifier: Simplifier, z: Value) -> Value | None:
    x, y = z.inputs
    return x if x is y and x.dtype == z.dtype else None


@rule("power")
def _power(simplifier: Simplifier, z: Value) -> Value | None:
    """Powers that NumPy computes otherwise too: 1, 2, 0.5, -1; and small integers as products."""
    x, y = z.inputs
    exponent = uniform(y)
    if exponent is None or z.dtype.kind != "f":
        return None
    one = simplifier.full(1, z)
    if exponent == 0:
        return one
    if abs(exponent) in (0.5, 1, 2, 3, 4):
        size = abs(float(exponent))
        base = _product(simplifier, x, int(size)) if size >= 1 else simplifier.emit("sqrt", [x])
        return base if exponent > 0 else simplifier.emit("divide", [one, base])
    return None


def _product(simplifier: Simplifier, x: Value, count: int) -> Value:
    if count == 1:
        return x
    half = _product(simplifier, x, count // 2)
    square = simplifier.emit("multiply", [half, half])
    return simplifier.emit("multiply", [square, x]) if count % 2 else square


# --- choices -----------------------------------------------------------------------------------------------------------


@rule("select")
def _select(simplifier: Simplifier, z: Value) -> Value | None:
    """A choice that is none; one by the opposite; one among what the same mask has already chosen."""
    mask, x, y = z.inputs
    if x is y:
        return x
    known = uniform(mask)
    if known is not None:
        return x if known else y
    if mask.op.name == "logical_not" and mask.inputs[0].dtype.kind == "b":
        return simplifier.emit("select", [mask.inputs[0], y, x])
    if x.op.name == "select" and x.inputs[0] is mask:
        return simplifier.emit("select", [mask, x.inputs[1], y])
    if y.op.name == "select" and y.inputs[0] is mask:
        return simplifier.emit("select", [mask, x, y.inputs[2]])
    return None


# --- truth values --------------------------------------------------------------------------------------------------------

_OPPOSITE = {"equal": "not_equal", "not_equal": "equal"}  # not so < and >=: both are false of NaN


@rule("logical_not", "invert")
def _not(simplifier: Simplifier, z: Value) -> Value | None:
    """not not m = m; not (x == y) = x != y."""
    (m,) = z.inputs
    if m.dtype.kind != "b":
        return None
    if z.op.name == "invert":
        return simplifier.emit("logical_not", [m])
    if m.op.name == "logical_not" and m.inputs[0].dtype.kind == "b":
        return m.inputs[0]
    if m.op.name in _OPPOSITE:
        return simplifier.emit(_OPPOSITE[m.op.name], m.inputs)
    return None


@rule("logical_and", "logical_or", "bitwise_and", "bitwise_or")
def _with_known_truth(simplifier: Simplifier, z: Value) -> Value | None:
    """m and True = m, m and False = False; the other way round for or."""
    x, y = z.inputs
    if x.dtype.kind != "b" or y.dtype.kind != "b":
        return None
    leaves_alone = z.op.name.endswith("and")
    for one, other in ((x, y), (y, x)):
        known: Any = uniform(other)
        if known is not None:
            return one if bool(known) == leaves_alone else other
    return None


@rule("copy")
def _copy(simplifier: Simplifier, z: Value) -> Value | None:
    return z.inputs[0]


@rule("cast")
def _cast(simplifier: Simplifier, z: Value) -> Value | None:
    """A cast to the same dtype is none; on the way through a wider dtype nothing is lost."""
    (x,) = z.inputs
    if x.dtype == z.dtype:
        return x
    if x.op.name == "cast" and np.can_cast(x.inputs[0].dtype, x.dtype, "safe"):
        return simplifier.emit("cast", [x.inputs[0]], dtype=z.dtype)
    return None
