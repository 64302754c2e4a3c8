"""The ufuncs of germs: smooth ones by their Taylor series, inverse ones by integrating their slopes, the rest by cases."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.germs.arithmetic import (
    add,
    compare,
    cube_root,
    differentiated,
    integral,
    logarithm,
    multiply,
    power,
    series,
    shifted,
    sign,
)
from gategrad.germs.germ import Array, Germ, germ, joined

__all__ = ["UFUNCS", "chosen"]

_TERMS = 33
_LN2, _LN10 = np.log(np.longdouble(2)), np.log(np.longdouble(10))

Unary = Callable[[Germ], Any]


def chosen(c: Any, x: Any, y: Any) -> Germ:
    """x where c, else y: of what is not taken nothing is left."""
    x, y, c = germ(x), germ(y), np.asarray(c)
    shape = np.broadcast_shapes(c.shape, x.shape, y.shape)
    return joined([(c, _stretched(x, shape)), (~c, _stretched(y, shape))], shape).kept()


def _stretched(x: Germ, shape: tuple[int, ...]) -> Germ:
    return Germ({p: np.broadcast_to(c, shape) for p, c in x.terms.items()}, np.broadcast_to(x.order, shape))


# --- smooth ones: f^(k) / k! at the point ---------------------------------------------------------------------------


def _exp(x: Germ) -> Germ:
    def derivatives(at: Array) -> list[Any]:
        z = np.exp(at)
        return [z / math.factorial(k) for k in range(_TERMS)]

    return series(x, derivatives)


def _turned(quarter: int) -> Unary:
    """sin(x + quarter · π/2), by sines and cosines of x."""

    def rule(x: Germ) -> Germ:
        def derivatives(at: Array) -> list[Any]:
            circle = [np.sin(at), np.cos(at), -np.sin(at), -np.cos(at)]
            return [circle[(k + quarter) % 4] / math.factorial(k) for k in range(_TERMS)]

        return series(x, derivatives)

    return rule


_sin, _cos = _turned(0), _turned(1)


def _divide(x: Any, y: Any) -> Germ:
    return multiply(x, power(germ(y), -1.0))


def _minus(x: Any, y: Any) -> Germ:
    return add(x, multiply(y, -1.0))


def _half_sum(swing: float) -> Unary:
    return lambda x: multiply(add(_exp(x), multiply(_exp(multiply(x, -1.0)), swing)), 0.5)


_sinh, _cosh = _half_sum(-1.0), _half_sum(1.0)


def _tanh(x: Germ) -> Germ:
    signs = sign(x)
    decay = _exp(multiply(multiply(x, signs), -2.0))
    return multiply(_divide(_minus(1.0, decay), add(1.0, decay)), signs)


# --- inverse ones: f(x) is f where x tends to, and the integral of f'(x) · x' ---------------------------------------


def _integrated(f: Any, slope: Unary) -> Unary:
    def rule(x: Germ) -> Germ:
        at = x.coefficient(0.0)
        start = f(np.where(x.lead() < 0, np.nan, at))
        return integral(start, multiply(slope(x), differentiated(x)))

    return rule


def _one_less_square(x: Germ) -> Germ:
    return multiply(_minus(1.0, x), add(1.0, x))


_arcsin = _integrated(np.arcsin, lambda x: power(_one_less_square(x), -0.5))
_arccos = _integrated(np.arccos, lambda x: multiply(power(_one_less_square(x), -0.5), -1.0))
_arctan = _integrated(np.arctan, lambda x: power(add(multiply(x, x), 1.0), -1.0))
_arcsinh = _integrated(np.arcsinh, lambda x: power(add(multiply(x, x), 1.0), -0.5))
_arccosh = _integrated(np.arccosh, lambda x: power(multiply(_one_less_square(x), -1.0), -0.5))
_arctanh = _integrated(np.arctanh, lambda x: power(_one_less_square(x), -1.0))


def _arctan2(y: Any, x: Any) -> Germ:
    y, x = add(y, np.zeros(np.shape(x))), add(x, np.zeros(np.shape(y)))
    lead = np.minimum(x.lead(), y.lead())
    parts = []
    for p in np.unique(lead):
        by = 0.0 if np.isinf(p) else -float(p)
        sine, cosine = shifted(y, by), shifted(x, by)
        start = np.arctan2(sine.coefficient(0.0), cosine.coefficient(0.0))
        square = add(multiply(sine, sine), multiply(cosine, cosine))
        across = _minus(multiply(cosine, differentiated(sine)), multiply(sine, differentiated(cosine)))
        parts.append((lead == p, integral(start, _divide(across, square))))
    return joined(parts, x.shape)


# --- the rest -------------------------------------------------------------------------------------------------------


def _absolute(x: Germ) -> Germ:
    if x.dtype.kind != "c":
        return multiply(x, sign(x))
    x, y = x.mapped(np.real), x.mapped(np.imag)
    return _hypot(x, y)


def _sign(x: Germ) -> Any:
    return sign(x) if x.dtype.kind != "c" else _divide(x, _absolute(x))


def _copysign(x: Any, y: Any) -> Germ:
    signs = np.where(np.signbit(germ(y).leading()), -1.0, 1.0)
    return multiply(_absolute(germ(x)), signs)


def _heaviside(x: Any, y: Any) -> Any:
    return chosen(sign(x) == 0, y, sign(x) > 0)


def _floor_divide(x: Any, y: Any) -> Array:
    return np.asarray(UFUNCS[np.floor](_divide(x, y)))


def _remainder(x: Any, y: Any) -> Germ:
    return _minus(x, multiply(_floor_divide(x, y), y))


def _fmod(x: Any, y: Any) -> Germ:
    return _minus(x, multiply(UFUNCS[np.trunc](_divide(x, y)), y))


def _power(x: Any, y: Any) -> Germ:
    if type(y) is Germ and any(p and c.any() for p, c in y.terms.items()):
        return _exp(multiply(y, logarithm(germ(x))))
    exponents = np.asarray(y.coefficient(0.0) if type(y) is Germ else y, np.float64)
    shape = np.broadcast_shapes(np.shape(x), exponents.shape)
    base, exponents = _stretched(germ(x), shape), np.broadcast_to(exponents, shape)
    return joined([(exponents == r, power(base, float(r))) for r in np.unique(exponents)], shape)


def _hypot(x: Any, y: Any) -> Germ:
    return power(add(multiply(x, x), multiply(y, y)), 0.5)


def _logaddexp(x: Any, y: Any) -> Germ:
    top, apart = chosen(compare(x, y) > 0, x, y), _absolute(_minus(x, y))
    return add(top, logarithm(add(_exp(multiply(apart, -1.0)), 1.0)))


def _larger(x: Any, y: Any) -> Germ:
    return chosen(compare(x, y) >= 0, x, y)


def _smaller(x: Any, y: Any) -> Germ:
    return chosen(compare(x, y) <= 0, x, y)


def _step(f: Any) -> Callable[[Germ], Array]:
    """A function that is constant between its steps: its value beside the point."""

    def rule(x: Germ) -> Array:
        at = x.coefficient(0.0).astype(np.float64)
        return np.asarray(f(np.nextafter(at, at + sign(_minus(x, at)))))

    return rule


def _over_one(rule: Unary, scale: Any) -> Unary:
    return lambda x: _divide(rule(x), scale)


def _comparison(holds: Callable[[Array], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, y: holds(compare(x, y))


def _infinite(x: Germ) -> Array:
    found = np.zeros(x.shape, bool)
    for c in x.terms.values():
        found = found | np.isinf(c)
    return found


UFUNCS: dict[Any, Callable[..., Any]] = {
    np.add: add, np.subtract: _minus, np.multiply: multiply, np.divide: _divide,
    np.negative: lambda x: multiply(x, -1.0), np.positive: lambda x: x, np.conjugate: lambda x: x.mapped(np.conjugate),
    np.square: lambda x: multiply(x, x), np.reciprocal: lambda x: power(x, -1.0), np.power: _power,
    np.float_power: _power, np.sqrt: lambda x: power(x, 0.5), np.cbrt: cube_root, np.hypot: _hypot,
    np.absolute: _absolute, np.fabs: _absolute, np.sign: _sign, np.copysign: _copysign, np.heaviside: _heaviside,
    np.floor_divide: _floor_divide, np.remainder: _remainder, np.fmod: _fmod,
    np.maximum: _larger, np.fmax: _larger, np.minimum: _smaller, np.fmin: _smaller,
    np.exp: _exp, np.exp2: lambda x: _exp(multiply(x, _LN2)), np.expm1: lambda x: add(_exp(x), -1.0),
    np.log: logarithm, np.log2: _over_one(logarithm, _LN2), np.log10: _over_one(logarithm, _LN10),
    np.log1p: lambda x: logarithm(add(x, 1.0)), np.logaddexp: _logaddexp,
    np.sin: _sin, np.cos: _cos, np.tan: lambda x: _divide(_sin(x), _cos(x)),
    np.sinh: _sinh, np.cosh: _cosh, np.tanh: _tanh,
    np.arcsin: _arcsin, np.arccos: _arccos, np.arctan: _arctan, np.arctan2: _arctan2,
    np.arcsinh: _arcsinh, np.arccosh: _arccosh, np.arctanh: _arctanh,
    np.floor: _step(np.floor), np.ceil: _step(np.ceil), np.trunc: _step(np.trunc), np.rint: _step(np.rint),
    np.isnan: Germ.isnan, np.isinf: _infinite, np.isfinite: lambda x: ~Germ.isnan(x) & ~_infinite(x),
    np.equal: _comparison(lambda s: s == 0), np.not_equal: _comparison(lambda s: s != 0),
    np.less: _comparison(lambda s: s < 0), np.less_equal: _comparison(lambda s: s <= 0),
    np.greater: _comparison(lambda s: s > 0), np.greater_equal: _comparison(lambda s: s >= 0),
    np.logical_not: lambda x: sign(x) == 0, np.signbit: lambda x: sign(x) < 0,
    np.deg2rad: lambda x: multiply(x, np.pi / 180.0), np.rad2deg: lambda x: multiply(x, 180.0 / np.pi),
}  # fmt: skip
