"""What complex operations do with the parts of complex numbers, written in NumPy on symbols.

Infinities, NaN and zeros with a sign mean what they mean in NumPy, but for the signs of zeros and NaN in places where the
C standard leaves them open.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gategrad.compiler.passes.simplify import uniform
from gategrad.compiler.program.fourier import part_of
from gategrad.compiler.trace.symbol import Symbol

__all__ = ["BOTH", "RULES", "Pair"]


class Pair(NamedTuple):
    """The parts of a complex value, as symbols."""

    re: Any
    im: Any


BOTH = frozenset(
    ["add", "subtract", "negative", "rint", "copy", "select", "sum", "cumsum", "reshape", "transpose", "broadcast", "slice",
     "embed", "concatenate", "gather", "scatter_add", "check"]
)  # fmt: skip
"""Operations that treat both parts alike."""

RULES: dict[str, Callable[..., Any]] = {}


def _rule(name: str) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        RULES[name] = function
        return function

    return register


_rule("real")(lambda z: z.re)
_rule("imag")(lambda z: z.im)
_rule("conjugate")(lambda z: Pair(z.re, -z.im))
_rule("modulus")(lambda z: np.hypot(z.re, z.im))
_rule("isnan")(lambda z: np.isnan(z.re) | np.isnan(z.im))
_rule("isinf")(lambda z: np.isinf(z.re) | np.isinf(z.im))
_rule("isfinite")(lambda z: np.isfinite(z.re) & np.isfinite(z.im))
_rule("equal")(lambda x, y: np.equal(x.re, y.re) & np.equal(x.im, y.im))
_rule("not_equal")(lambda x, y: np.not_equal(x.re, y.re) | np.not_equal(x.im, y.im))


@_rule("cast")
def _cast(x: Any, dtype: Any) -> Any:
    if dtype.kind != "c":
        return np.not_equal(x.re, 0.0) | np.not_equal(x.im, 0.0)  # a truth value: whether it is not zero
    part = part_of(dtype)
    if isinstance(x, Pair):
        return Pair(x.re.astype(part), x.im.astype(part))
    re = x.astype(part)
    return Pair(re, Symbol(re.builder.constant(np.zeros(re.shape, part)), re.builder))


@_rule("multiply")
def _multiply(x: Pair, y: Pair) -> Pair:
    return Pair(x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re)


@_rule("divide")
def _divide(x: Pair, y: Pair) -> Pair:
    """By the larger part of the divisor first, as NumPy does, lest squares overflow. R. L. Smith, Algorithm 116 (1962)."""
    wide = np.abs(y.re) >= np.abs(y.im)
    large, small = np.where(wide, y.re, y.im), np.where(wide, y.im, y.re)
    ratio = small / large
    scale = 1.0 / (large + small * ratio)
    re = np.where(wide, x.re + x.im * ratio, x.re * ratio + x.im) * scale
    im = np.where(wide, x.im - x.re * ratio, x.im * ratio - x.re) * scale
    zero = np.equal(y.re, 0.0) & np.equal(y.im, 0.0)
    size = np.abs(y.re)
    return Pair(np.where(zero, x.re / size, re), np.where(zero, x.im / size, im))


@_rule("matmul")
def _matmul(x: Pair, y: Pair) -> Pair:
    """Four products of real matrices; two where one of the factors is real."""
    if uniform(y.im.value) == 0.0:
        return Pair(x.re @ y.re, x.im @ y.re)
    if uniform(x.im.value) == 0.0:
        return Pair(x.re @ y.re, x.re @ y.im)
    return Pair(x.re @ y.re - x.im @ y.im, x.re @ y.im + x.im @ y.re)


@_rule("exp")
def _exp(z: Pair) -> Pair:
    """In two halves where exp of the real part alone overflows; what is real stays real.

    An infinite real part says zero or infinity whichever way an infinite or unknown angle points.
    """
    tall = np.greater(z.re, _tallest(z.re.dtype))
    part = np.exp(np.where(tall, 0.5 * z.re, z.re))
    rest = np.where(tall, part, 1.0)
    lost = np.logical_not(np.isfinite(z.im))
    none, all_ = lost & np.equal(z.re, -np.inf), lost & np.equal(z.re, np.inf)
    cos, sin = (np.where(none, still, turned) for still, turned in ((1.0, np.cos(z.im)), (0.0, np.sin(z.im))))
    re = np.where(all_, np.inf, part * cos * rest)
    return Pair(re, np.where(np.equal(z.im, 0.0), z.im, part * sin * rest))


def _tallest(dtype: Any) -> float:
    """Beyond this, exp overflows; half of twice as much does not."""
    return float(np.log(np.finfo(dtype).max)) - 1.0


@_rule("sign")
def _sign(z: Pair) -> Pair:
    """z / |z|, 0 of 0; an infinite part is all that counts, and two of them have no direction."""
    size = np.hypot(z.re, z.im)
    infinite = np.isinf(size)
    still = np.equal(size, 0.0)

    def part(x: Any) -> Any:
        shorter = np.where(np.isinf(x), np.sign(x), 0.0)
        return np.where(still, 0.0, np.where(infinite, shorter, x / size))

    unknown = np.isnan(size) | (np.isinf(z.re) & np.isinf(z.im))
    return Pair(*[np.where(unknown, np.nan, part(x)) for x in z])


# --- roots and logarithms ------------------------------------------------------------------------------------------------


@_rule("sqrt")
def _sqrt(z: Pair) -> Pair:
    """The root with a real part that is not negative: that of the larger part first, the other by division."""
    known = np.finfo(z.re.dtype)
    largest = np.maximum(np.abs(z.re), np.abs(z.im))
    shrinks, grows = np.greater(largest, known.max / 4), np.less(largest, known.tiny * 4)
    scale = np.where(shrinks, 0.25, np.where(grows, 2.0**54, 1.0)).astype(z.re.dtype)
    back = np.where(shrinks, 2.0, np.where(grows, 2.0**-27, 1.0)).astype(z.re.dtype)
    re, im = z.re * scale, z.im * scale
    large = np.sqrt(0.5 * (np.abs(re) + np.hypot(re, im)))
    small = np.where(np.equal(large, 0.0), np.abs(im), 0.5 * np.abs(im) / large)
    right = np.greater_equal(re, 0.0)
    root = np.where(right, large, small) * back
    side = np.where(right, small, large) * back
    wide = np.isinf(z.im)
    return Pair(np.where(wide, np.inf, root), np.copysign(np.where(wide, np.inf, side), z.im))


@_rule("log")
def _log(z: Pair) -> Pair:
    """log |z| and the angle; near |z| = 1 by log1p of what |z|² is apart from 1."""
    return Pair(_log_size(z), np.arctan2(z.im, z.re))


def _log_size(z: Pair) -> Any:
    known = np.finfo(z.re.dtype)
    a, b = np.abs(z.re), np.abs(z.im)
    large, small = np.maximum(a, b), np.minimum(a, b)
    shrinks, grows = np.greater(large, known.max / 4), np.less(large, known.tiny / known.eps)
    scale = np.where(shrinks, 0.25, np.where(grows, 2.0**54, 1.0)).astype(z.re.dtype)
    back = np.where(shrinks, 2.0 * math.log(2.0), np.where(grows, -54.0 * math.log(2.0), 0.0)).astype(z.re.dtype)
    size = np.hypot(z.re * scale, z.im * scale)
    near = np.greater(size, 0.7) & np.less(size, 1.5) & np.logical_not(shrinks | grows)
    apart = (large - 1.0) * (large + 1.0) + small * small
    return np.where(near, 0.5 * np.log1p(np.where(near, apart, 0.0)), np.log(size) + back)


_rule("log2")(lambda z: Pair(_log_size(z) * (1 / math.log(2.0)), np.arctan2(z.im, z.re) * (1 / math.log(2.0))))
_rule("log10")(lambda z: Pair(_log_size(z) * (1 / math.log(10.0)), np.arctan2(z.im, z.re) * (1 / math.log(10.0))))


# --- angles --------------------------------------------------------------------------------------------------------------


def _times(x: Any, y: Any) -> Any:
    """x · y, where a y that is zero makes zero of an infinite x, and an x that is zero of a y that nobody knows."""
    zero = y * np.copysign(1.0, x).astype(x.dtype)
    return np.where(np.equal(y, 0.0), zero, np.where(np.equal(x, 0.0) & np.isnan(y), x, x * y))


def _sinh_cosh(z: Pair) -> tuple[Pair, Pair]:
    """Both; an infinite real part stays so whatever the angle."""
    sin, cos, sinh, cosh = np.sin(z.im), np.cos(z.im), np.sinh(z.re), np.cosh(z.re)
    stays = np.isinf(z.re) & np.isnan(cos)
    re = [np.where(stays, x, _times(x, cos)) for x in (sinh, cosh)]
    return Pair(re[0], _times(cosh, sin)), Pair(re[1], _times(sinh, sin))


def _turned(z: Pair) -> Pair:
    """i z."""
    return Pair(-z.im, z.re)


_rule("sinh")(lambda z: _sinh_cosh(z)[0])
_rule("cosh")(lambda z: _sinh_cosh(z)[1])
_rule("cos")(lambda z: _sinh_cosh(_turned(z))[1])


@_rule("sin")
def _sin(z: Pair) -> Pair:
    """sin z = −i sinh(i z)."""
    sinh, _ = _sinh_cosh(_turned(z))
    return Pair(sinh.im, -sinh.re)
