"""Family: what distributions have in common: parameters as SciPy takes them, standardising, and the support.

A family writes its density and distribution for location 0 and scale 1, inside its support, in functions that have
gates; the gradient in every parameter, of any order, follows. Outside of the support a density is 0 (its logarithm
−inf) and nothing flows; where a parameter is not allowed the answer is NaN, as in SciPy.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_input, everywhere
from gategrad.gates.comparison import where
from gategrad.recording import plain

__all__ = ["Continuous", "Discrete", "Family", "log_of"]


def log_of(x: Any) -> Any:
    """log x, where log 0 = −inf is meant."""
    with np.errstate(divide="ignore"):
        return np.log(x)


def _nan_without_warning() -> Any:
    """Parameters that are not allowed give NaN, and SciPy does not warn of it either."""
    return np.errstate(invalid="ignore")


class Family:
    """A family of distributions, under SciPy's name; an instance is the object that users call."""

    name: ClassVar[str]
    shapes: ClassVar[tuple[str, ...]] = ()
    scaled: ClassVar[bool] = True

    def allowed(self, *shapes: Any) -> Any:
        """Where the shape parameters are allowed: all positive, unless a family says otherwise."""
        good: Any = True
        for shape in shapes:
            good = good & (shape > 0)
        return good

    def parameters(self, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], Any, Any]:
        """The shapes, the location and the scale, from arguments given by place or by name."""
        names = (*self.shapes, "loc", *(("scale",) if self.scaled else ()))
        given: dict[str, Any] = {"loc": 0.0, "scale": 1.0}
        if len(args) > len(names):
            raise TypeError(f"{self.name} takes {', '.join(names)}, but got {len(args)} parameters")
        for name, value in (*zip(names, args, strict=False), *named.items()):
            if name not in names or (name in names[: len(args)] and name in named):
                raise TypeError(f"{self.name} takes {', '.join(names)}, each once; got {name!r}")
            given[name] = as_input(value)
        missing = [name for name in self.shapes if name not in given]
        if missing:
            raise TypeError(f"{self.name} needs {', '.join(missing)}")
        return tuple([given[name] for name in self.shapes]), given["loc"], given["scale"]

    def _unknown(self, what: str) -> NoRuleError:
        return NoRuleError(f"{self.name}.{what} is not known to gategrad: compose it, or use SciPy's on plain values")

    def __repr__(self) -> str:
        return f"gategrad.scipy.stats.{self.name}"


class Continuous(Family):
    """A family with a density: `density` and `below` (and what is more exact than made of these) are the subclass's."""

    start: ClassVar[Any] = -np.inf
    stop: ClassVar[Any] = np.inf
    middle: ClassVar[float] = 0.5

    def support(self, *shapes: Any) -> tuple[Any, Any]:
        """Where the standard distribution lives, ends included."""
        return self.start, self.stop

    # --- what a subclass writes, for a standardised y inside the support

    def log_density(self, y: Any, *shapes: Any) -> Any:
        """log of the density of the standard distribution."""
        raise self._unknown("logpdf")

    def below(self, y: Any, *shapes: Any) -> Any:
        """The probability of less than y."""
        raise self._unknown("cdf")

    def above(self, y: Any, *shapes: Any) -> Any:
        """The probability of more than y."""
        return 1.0 - self.below(y, *shapes)

    def log_below(self, y: Any, *shapes: Any) -> Any:
        """log of the probability of less than y."""
        return log_of(self.below(y, *shapes))

    def log_above(self, y: Any, *shapes: Any) -> Any:
        """log of the probability of more than y."""
        return log_of(self.above(y, *shapes))

    def quantile(self, q: Any, *shapes: Any) -> Any:
        """The y below which the probability is q."""
        raise self._unknown("ppf")

    def upper_quantile(self, q: Any, *shapes: Any) -> Any:
        """The y above which the probability is q."""
        return self.quantile(1.0 - q, *shapes)

    # --- what users call

    def logpdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of the density at x; −inf outside of the support."""
        (y, shapes, scale), (inside, _, _) = self._standard(x, args, named)
        with _nan_without_warning():
            return self._checked(where(inside, self.log_density(y, *shapes) - np.log(scale), -np.inf), shapes, scale)

    def pdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The density at x; 0 outside of the support."""
        (y, shapes, scale), (inside, _, _) = self._standard(x, args, named)
        with _nan_without_warning():
            return self._checked(where(inside, np.exp(self.log_density(y, *shapes)) / scale, 0.0), shapes, scale)

    def cdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The probability of less than x."""
        return self._probability(self.below, (0.0, 1.0), x, args, named)

    def sf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The probability of more than x."""
        return self._probability(self.above, (1.0, 0.0), x, args, named)

    def logcdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of the probability of less than x."""
        return self._probability(self.log_below, (-np.inf, 0.0), x, args, named)

    def logsf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of the probability of more than x."""
        return self._probability(self.log_above, (0.0, -np.inf), x, args, named)

    def ppf(self, q: Any, *args: Any, **named: Any) -> Any:
        """The x below which the probability is q."""
        shapes, loc, scale = self.parameters(args, named)
        return self._checked(loc + scale * self.quantile(as_input(q), *shapes), shapes, scale)

    def isf(self, q: Any, *args: Any, **named: Any) -> Any:
        """The x above which the probability is q."""
        shapes, loc, scale = self.parameters(args, named)
        return self._checked(loc + scale * self.upper_quantile(as_input(q), *shapes), shapes, scale)

    # --- how

    def _standard(self, x: Any, args: Any, named: Any) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
        """y, moved to a harmless place where it is outside; the shapes; the scale; and where it is inside or beyond."""
        shapes, loc, scale = self.parameters(args, named)
        y = (as_input(x) - loc) / scale
        start, stop = self.support(*[plain(shape) for shape in shapes])
        flat = plain(y)
        before, after = flat < start, flat > stop
        inside = np.logical_not(before | after)
        if start is not self._everywhere[0] or stop is not self._everywhere[1]:
            y = where(inside, y, self._inner(start, stop))
        return (y, shapes, scale), (inside, before, after)

    _everywhere: ClassVar[tuple[Any, Any]] = (-np.inf, np.inf)

    def _inner(self, start: Any, stop: Any) -> Any:
        return self.middle + np.where(np.isfinite(start), start, 0.0)

    def _probability(self, inner: Any, outer: tuple[float, float], x: Any, args: Any, named: Any) -> Any:
        (y, shapes, scale), (inside, before, _) = self._standard(x, args, named)
        beyond = where(before, outer[0], outer[1])
        with _nan_without_warning():
            return self._checked(where(inside, inner(y, *shapes), beyond), shapes, scale)

    def _checked(self, z: Any, shapes: tuple[Any, ...], scale: Any) -> Any:
        good = self.allowed(*[plain(shape) for shape in shapes]) & (plain(scale) > 0)
        return z if everywhere(good) else where(good, z, np.nan)


class Discrete(Family):
    """A family on whole numbers: `log_mass` and `below` are the subclass's. k, counted from `loc`, takes no gradient."""

    scaled = False
    start: ClassVar[int] = 0

    def last(self, *shapes: Any) -> Any:
        """The largest k."""
        return np.inf

    def log_mass(self, k: Any, *shapes: Any) -> Any:
        """log of the probability of k."""
        raise self._unknown("logpmf")

    def below(self, k: Any, *shapes: Any) -> Any:
        """The probability of at most k."""
        raise self._unknown("cdf")

    def above(self, k: Any, *shapes: Any) -> Any:
        """The probability of more than k."""
        raise self._unknown("sf")

    def logpmf(self, k: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of the probability of k; −inf where k is no whole number or outside of the support."""
        shapes, flat, good = self._count(k, args, named)
        inside = (flat >= self.start) & (flat <= self.last(*[plain(s) for s in shapes])) & (np.floor(flat) == flat)
        z = where(inside, self.log_mass(np.where(inside, flat, self.start), *shapes), -np.inf)
        return z if everywhere(good) else where(good, z, np.nan)

    def pmf(self, k: Any, *args: Any, **named: Any) -> Any:
        """The probability of k."""
        return np.exp(self.logpmf(k, *args, **named))

    def cdf(self, k: Any, *args: Any, **named: Any) -> Any:
        """The probability of at most k."""
        return self._probability(self.below, (0.0, 1.0), k, args, named)

    def sf(self, k: Any, *args: Any, **named: Any) -> Any:
        """The probability of more than k."""
        return self._probability(self.above, (1.0, 0.0), k, args, named)

    def logcdf(self, k: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of the probability of at most k."""
        return log_of(self.cdf(k, *args, **named))

    def logsf(self, k: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of the probability of more than k."""
        return log_of(self.sf(k, *args, **named))

    def _count(self, k: Any, args: Any, named: Any) -> tuple[tuple[Any, ...], Any, Any]:
        shapes, loc, _ = self.parameters(args, named)
        return shapes, np.subtract(plain(as_input(k)), plain(loc)), self.allowed(*[plain(s) for s in shapes])

    def _probability(self, inner: Any, outer: tuple[float, float], k: Any, args: Any, named: Any) -> Any:
        shapes, flat, good = self._count(k, args, named)
        last = self.last(*[plain(s) for s in shapes])
        flat = np.floor(flat)
        before, after = flat < self.start, flat >= last
        inside = np.logical_not(before | after)
        z = where(inside, inner(np.where(inside, flat, self.start), *shapes), np.where(before, *outer))
        return z if everywhere(good) else where(good, z, np.nan)
