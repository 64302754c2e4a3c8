"""Germ: an array of numbers Σ c_p ε^p, ε > 0 as small as you like. What a value looks like beside a point, not at it.

√ε is a number that is not 0, ε² is smaller than ε, 1 / √ε is not infinite, and √ε / √ε is 1: in such numbers a rule
says what a gradient tends to where floating-point numbers say 0 · ∞. Exponents are any real numbers, so that roots have
a place. Coefficients have the range of `np.longdouble`: where that is wider than a double, an exponential that
overflows in those is a number like others.

A germ knows its terms below `order`, element by element; ∞ where it is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from gategrad.values import FLOAT64

_numpy: Any = np  # what it makes of germs its stubs do not know

__all__ = ["WIDTH", "Array", "Germ", "TooDearError", "beside", "germ", "joined", "protocol", "spend", "within"]

Array = np.ndarray[Any, Any]
Terms = dict[float, Array]

protocol: dict[str, Callable[..., Any]] = {}
"""What ufuncs and NumPy's other functions do with germs; `protocol.py` joins."""

_COMPLEX = np.dtype(np.complex128)

WIDTH = 6.0
"""So far beyond the first exponent of an element its terms are kept."""


class Germ(np.lib.mixins.NDArrayOperatorsMixin):
    """Σ c_p ε^p for each element: `terms` has an array of coefficients for each exponent p."""

    __slots__ = ("_lead", "order", "terms")

    def __init__(self, terms: Terms, order: Array, lead: Array | None = None) -> None:
        self.terms = terms
        self.order = order
        self._lead = lead
        spend(_EACH + len(terms) * order.size)

    @property
    def dtype(self) -> Any:
        """What it looks like to others: double precision, complex if a coefficient is."""
        return _COMPLEX if any(c.dtype.kind == "c" for c in self.terms.values()) else FLOAT64

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        shape: tuple[int, ...] = self.order.shape
        return shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.order.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.order.size

    @property
    def T(self) -> Any:
        """The axes the other way round."""
        return _numpy.transpose(self)

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: Any) -> Germ:
        return Germ({p: np.asarray(c[index]) for p, c in self.terms.items()}, np.asarray(self.order[index]))

    def astype(self, dtype: Any, **_: Any) -> Germ:
        """Itself, in as good a precision as there is; complex if that is asked for."""
        if np.dtype(dtype).kind != "c" or self.dtype.kind == "c":
            return self
        return Germ(
            {p: c.astype(np.clongdouble) for p, c in (self.terms or {0.0: np.zeros(self.shape)}).items()}, self.order
        )

    def copy(self, *_: Any) -> Germ:
        """Itself: nobody writes into a germ."""
        return self

    def reshape(self, *shape: Any) -> Any:
        """The same in another shape."""
        return _numpy.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Any:
        """The axes in another order."""
        return _numpy.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The sum along axes."""
        return _numpy.sum(self, axis=axis, keepdims=keepdims)

    def limit(self) -> Array:
        """What each element tends to as ε → 0; NaN where that is not known."""
        lead = self.lead()
        value = np.where(self.order > 0, self.coefficient(0.0), np.nan)
        for p, c in self.terms.items():
            if p < 0:
                value = np.where(lead == p, np.copysign(np.inf, c), value)
        return np.asarray(np.where(self.isnan(), np.nan, value))

    def isnan(self) -> Array:
        """Which elements are undefined."""
        found = np.zeros(self.shape, bool)
        for c in self.terms.values():
            found = found | np.isnan(c)
        return found

    def coefficient(self, p: float) -> Array:
        """The coefficients of ε^p."""
        return self.terms[p] if p in self.terms else np.zeros(self.shape, np.longdouble)

    def lead(self) -> Array:
        """The first exponent of each element; of those without a term the order."""
        if self._lead is None:
            lead = np.full(self.shape, np.inf)
            for p in sorted(self.terms, reverse=True):
                np.copyto(lead, p, where=self.terms[p] != 0)
            self._lead = np.asarray(np.minimum(lead, self.order))
        return self._lead

    def leading(self) -> Array:
        """The coefficient of the first term of each element; 0 where there is none."""
        lead, found = self.lead(), np.zeros(self.shape, np.longdouble)
        for p, c in self.terms.items():
            found = np.where(lead == p, c, found)
        return np.asarray(found)

    def kept(self) -> Germ:
        """What is worth keeping: known terms, not too far from the first."""
        lead = self.lead()
        end = np.minimum(self.order, lead + WIDTH)
        nearest = np.min(end, initial=np.inf)
        terms, order = {}, self.order
        for p, c in self.terms.items():
            if p >= nearest:
                beyond = (p >= end) & (c != 0)
                order = np.where(beyond, np.minimum(order, end), order)
                c = np.where(beyond, 0.0, c)
            if c.any():
                terms[p] = c
        return Germ(terms, np.asarray(order), lead)

    def mapped(self, linear: Callable[[Array], Any]) -> Germ:
        """What a linear function makes of it; as little is then known of each element as of the least known."""
        images = {p: np.asarray(linear(c)) for p, c in self.terms.items()}
        shape = np.shape(linear(np.zeros(self.shape)))
        return Germ(images, np.full(shape, np.min(self.order, initial=np.inf)))

    def __bool__(self) -> bool:
        return bool(np.any(self.leading() != 0))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return protocol["ufunc"](ufunc, method, inputs, options) if all(map(_is_plain, inputs)) else NotImplemented

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if not all(issubclass(kind, (Germ, np.ndarray, np.generic)) for kind in types):
            return NotImplemented
        return protocol["function"](function, args, options)


class TooDearError(Exception):
    """More was computed with germs than was allowed."""


class _Purse:
    """How much may still be computed, in coefficients."""

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, price: int) -> None:
        """Take something out."""
        self.left -= price
        if self.left < 0:
            raise TooDearError


_EACH = 4000  # what the calls into NumPy cost, in coefficients
_purse: ContextVar[_Purse | None] = ContextVar("gategrad_purse", default=None)


def spend(price: int) -> None:
    """Take the price of something out of what may be computed, if there is a bound; raise `TooDearError` if it is too much."""
    purse = _purse.get()
    if purse is not None:
        purse.spend(price)


@contextmanager
def within(coefficients: int) -> Iterator[None]:
    """While no more than so many coefficients may be computed: germs know no other bound, and whoever asks for one needs it."""
    token = _purse.set(_Purse(coefficients))
    try:
        yield
    finally:
        _purse.reset(token)


def _is_plain(x: Any) -> bool:
    return isinstance(x, (Germ, np.ndarray, np.generic, float, int, complex, list))


def germ(x: Any) -> Germ:
    """A germ, or plain numbers as one."""
    if type(x) is Germ:
        return x
    c = np.asarray(x)
    c = c.astype(np.clongdouble if c.dtype.kind == "c" else np.longdouble)
    return Germ({0.0: c} if c.any() else {}, np.full(c.shape, np.inf))


def beside(x: Any, direction: Any) -> Germ:
    """x + ε · direction."""
    x, direction = np.asarray(x, np.longdouble), np.asarray(direction, np.longdouble)
    return Germ({0.0: x, 1.0: direction}, np.full(x.shape, np.inf)).kept()


def joined(parts: list[tuple[Array, Germ]], shape: tuple[int, ...]) -> Germ:
    """One germ of several, each of which counts where its mask is true."""
    order, terms = np.full(shape, np.inf), dict[float, Any]()
    for mask, part in parts:
        order = np.where(mask, part.order, order)
        for p, c in part.terms.items():
            terms[p] = np.where(mask, c, terms[p] if p in terms else np.longdouble(0))
    return Germ({p: np.asarray(np.broadcast_to(c, shape)) for p, c in terms.items()}, np.asarray(order))
