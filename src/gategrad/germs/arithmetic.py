"""Arithmetic of germs: sums, products, powers, and the functions that are made of power series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.germs.germ import WIDTH, Array, Germ, germ, joined, spend

__all__ = [
    "add",
    "bilinear",
    "compare",
    "cube_root",
    "differentiated",
    "integral",
    "logarithm",
    "multiply",
    "power",
    "series",
    "shifted",
    "sign",
]

_FRACTIONS = 5040  # halves, thirds … tenths, and their halves and thirds
_ROUNDING = 2.0 * float(np.finfo(np.float64).eps)


def add(x: Any, y: Any) -> Germ:
    """x + y."""
    x, y = germ(x), germ(y)
    shape = np.broadcast_shapes(x.shape, y.shape)
    terms = {p: _stretched(c, shape) for p, c in x.terms.items()}
    for p, c in y.terms.items():
        terms[p] = _sum(terms[p], c) if p in terms else _stretched(c, shape)
    return Germ(terms, np.asarray(np.minimum(x.order, y.order))).kept()


def _sum(a: Array, b: Array) -> Array:
    """a + b; 0 where what is left of the two is what rounding leaves."""
    c = a + b
    return np.asarray(np.where(np.abs(c) <= _ROUNDING * (np.abs(a) + np.abs(b)), 0.0, c))


def multiply(x: Any, y: Any) -> Germ:
    """x · y."""
    return bilinear(np.multiply, x, y)


def bilinear(product: Callable[[Array, Array], Any], x: Any, y: Any) -> Germ:
    """A product of any kind: linear in each of the two. What is exactly 0 outweighs what is infinite."""
    x, y = germ(x), germ(y)
    if product is np.multiply:
        return _multiplied(x, y)
    spend(
        len(x.terms) * len(y.terms) * x.size * (y.shape[-1] if y.ndim > 1 else 1)
    )  # before: it may be by far the dearest
    terms: dict[float, Any] = {}
    for p, a in x.terms.items():
        for q, b in y.terms.items():
            _gather(terms, p + q, product(a, b))
    shape = np.shape(product(np.zeros(x.shape), np.zeros(y.shape)))
    least = [_later(np.min(a.order, initial=np.inf), np.min(b.lead(), initial=np.inf)) for a, b in ((x, y), (y, x))]
    return Germ({p: _stretched(c, shape) for p, c in terms.items()}, np.full(shape, min(least))).kept()


def _multiplied(x: Germ, y: Germ) -> Germ:
    """x · y, element by element."""
    lead = np.asarray(x.lead() + y.lead())
    end = np.max(lead, where=np.isfinite(lead), initial=-np.inf) + WIDTH
    terms: dict[float, Any] = {}
    beyond: Any = None
    for p, a in x.terms.items():
        for q, b in y.terms.items():
            c = _times(a, b)
            if p + q < end:
                _gather(terms, p + q, c)
            else:  # it would not be kept
                beyond = c != 0 if beyond is None else beyond | (c != 0)
    order = np.asarray(np.minimum(_later(x.order, y.lead()), _later(y.order, x.lead())))
    if beyond is not None:
        order = np.asarray(np.where(beyond, np.minimum(order, lead + WIDTH), order))
    return Germ({p: _stretched(c, order.shape) for p, c in terms.items()}, order).kept()


def _times(a: Array, b: Any) -> Array:
    c = a * b
    return np.asarray(np.where((a == 0) | (b == 0), 0.0, c) if np.isnan(c).any() else c)


def _gather(terms: dict[float, Any], p: float, c: Any) -> None:
    key = _exponent(p)
    terms[key] = _sum(terms[key], c) if key in terms else c


def _stretched(c: Any, shape: tuple[int, ...]) -> Array:
    return np.asarray(c if np.shape(c) == shape else np.broadcast_to(c, shape))


def _later(order: Any, lead: Any) -> Any:
    return np.where(np.isinf(order), np.inf, order + lead)


def _exponent(p: float) -> float:
    """One number for each exponent, however it was come to: fractions that roots make of whole ones are exact."""
    whole = round(p * _FRACTIONS)
    return whole / _FRACTIONS if abs(p * _FRACTIONS - whole) < 1e-7 else round(p, 9) + 0.0


def shifted(x: Germ, by: float) -> Germ:
    """x · ε^by."""
    return Germ({_exponent(p + by): c for p, c in x.terms.items()}, x.order + by)


def sign(x: Any) -> Array:
    """The sign of each element, beside the point: plain numbers."""
    return np.asarray(np.sign(np.real(germ(x).leading())), np.float64)


def compare(x: Any, y: Any) -> Array:
    """The sign of x − y; NaN where either is."""
    return sign(add(x, multiply(y, -1.0)))


def _by_lead(x: Germ, rule: Callable[[float, Array, Germ], Germ], at_zero: Any) -> Germ:
    """Apply a rule to x = c ε^p (1 + u) for each p that elements begin with."""
    lead, leading = x.lead(), x.leading()
    known = leading != 0
    unknown = ~known & np.isfinite(x.order)
    parts = [(~known, germ(np.where(unknown, np.nan, np.broadcast_to(at_zero, x.shape))))]
    for p in np.unique(lead[known]):
        here = known & (lead == p)
        c = np.where(here, leading, 1.0)
        rest = {q: np.where(here, a, 0.0) / c for q, a in x.terms.items() if q != p}
        u = shifted(Germ(rest, np.where(here, x.order, np.inf)), -float(p)).kept()
        parts.append((here, rule(float(p), c, u)))
    return joined(parts, x.shape).kept()


def power(x: Germ, r: float) -> Germ:
    """x ** r for a number r; NaN for negative x unless r is whole."""

    def rule(p: float, c: Array, u: Germ) -> Germ:
        factors = [1.0]
        while len(factors) < 64:
            k = len(factors)
            factors.append(factors[-1] * (r - k + 1) / k)
        return shifted(multiply(_polynomial(u, factors), c**r), p * r)

    with np.errstate(all="ignore"):
        return _by_lead(x, rule, 0.0 if r > 0 else 1.0 if r == 0 else np.inf)


def cube_root(x: Germ) -> Germ:
    """∛x."""
    signs = sign(x)
    return multiply(power(multiply(x, signs), 1.0 / 3.0), signs)


def logarithm(x: Germ) -> Germ:
    """log x; NaN where x is infinitesimal or infinite, whose logarithm no power of ε is."""

    def rule(p: float, c: Array, u: Germ) -> Germ:
        if p:
            return germ(np.full(x.shape, np.nan))
        factors = [0.0] + [(-1.0) ** (k + 1) / k for k in range(1, 64)]
        return add(_polynomial(u, factors), np.log(c))

    with np.errstate(all="ignore"):
        return _by_lead(x, rule, -np.inf)


def _polynomial(u: Germ, factors: list[Any]) -> Germ:
    """Σ_k factors[k] · u^k of what is infinitesimal, as far as it is worth keeping."""
    lost = u.isnan()
    if lost.any():  # its powers would never vanish
        u = Germ({p: np.where(lost, 0.0, c) for p, c in u.terms.items()}, u.order)
        factors = [np.where(lost, np.nan, factors[0]), *factors[1:]]
    total, product = germ(np.zeros(u.shape) + factors[0]), germ(np.ones(u.shape))
    terms, order = dict[float, Any](total.terms), total.order
    for factor in factors[1:]:
        product = _below(WIDTH, _multiplied(product, u))
        if not np.any(product.lead() < WIDTH):
            exact = np.isinf(product.order) & (product.leading() == 0)
            return Germ(terms, np.asarray(np.where(exact, order, np.minimum(order, WIDTH))))
        for p, c in product.terms.items():
            _gather(terms, p, _times(c, factor))
        order = np.asarray(np.minimum(order, np.where(factor != 0, product.order, np.inf)))
    return Germ(terms, np.minimum(order, 0.0))


def _below(end: float, x: Germ) -> Germ:
    """Without the terms from ε^end on."""
    terms, order = {}, x.order
    for p, c in x.terms.items():
        if p < end:
            terms[p] = c
        else:
            order = np.where(c != 0, np.minimum(order, end), order)
    return Germ(terms, np.asarray(order))


def series(x: Germ, derivatives: Callable[[Array], list[Any]]) -> Germ:
    """f(x) of an f that is smooth at what x tends to: its Taylor series, from f^(k) / k! there. NaN where x is infinite."""
    at = x.coefficient(0.0)
    u = Germ({p: c for p, c in x.terms.items() if p > 0}, x.order)
    z = _polynomial(u, derivatives(at))
    return joined([(x.lead() >= 0, z), (x.lead() < 0, germ(np.full(x.shape, np.nan)))], x.shape)


def differentiated(x: Germ) -> Germ:
    """∂x/∂ε."""
    return Germ({_exponent(p - 1): p * c for p, c in x.terms.items() if p}, x.order - 1)


def integral(start: Any, slope: Germ) -> Germ:
    """start + ∫₀ slope dε; NaN where that is a logarithm."""
    terms = {
        _exponent(p + 1): c / np.longdouble(p + 1) if p != -1 else np.where(c != 0, np.nan, 0.0)
        for p, c in slope.terms.items()
    }
    return add(Germ(terms, slope.order + 1), start)
