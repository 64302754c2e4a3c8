"""scipy.integrate: integrals of functions by adaptive quadrature, and their gradients, which are integrals too."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate

from gategrad.errors import GateError, NoRuleError
from gategrad.gate import Gate, on_meeting
from gategrad.gates.axes import shape_of
from gategrad.recording import plain
from gategrad.solvers.calls import as_args, refuse_variables
from gategrad.transforms.closure import closure_of
from gategrad.transforms.containers import flatten
from gategrad.transforms.vjp import vjp
from gategrad.values import spec_of
from gategrad.variable import Variable

__all__ = ["quad"]


def quad(
    func: Callable[..., Any],
    a: Any,
    b: Any,
    args: Any = (),
    full_output: Any = 0,
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
    limit: int = 50,
    points: Any = None,
    **options: Any,
) -> tuple[Any, ...]:
    """∫ f(x, *args) dx from a to b, and an estimate of its error; as `scipy.integrate.quad`.

    db receives f(b), da −f(a), and a parameter p ∫ ∂f/∂p dx: an integral of its own, which adapts to the slopes of f and is held
    to the same tolerances; so is a derivative of any order. Parameters are the variables in `args` and those that `func` closes
    over; a variable that it finds elsewhere raises `GateError`, for its gradient would be lost. A limit may be infinite.

    `NoRuleError` for variables in other options, and with variables for `weight` and the like, `complex_func` and `full_output`.
    G. Leibniz's rule; R. Piessens et al., QUADPACK (1983).

    >>> import numpy as np, gategrad as gg
    >>> bell = lambda width: quad(lambda x: np.exp(-((x / width) ** 2)), -np.inf, np.inf)[0]
    >>> round(gg.grad(bell)(2.0) ** 2, 10) == round(np.pi, 10)
    True
    """
    refuse_variables("scipy.integrate.quad", points=points, **options)
    held, refill = closure_of(func)
    values, rebuild = flatten((as_args(args), held))
    places = [n for n, x in enumerate(values) if type(x) in on_meeting]

    def flat(x: Any, *leaves: Any) -> Any:
        filled = list(values)
        for place, leaf in zip(places, leaves, strict=True):
            filled[place] = leaf
        more, inside = rebuild(filled)
        return refill(inside)(x, *more)

    leaves = [values[n] for n in places]
    if not any(type(x) in on_meeting for x in (a, b, *leaves)):
        return scipy.integrate.quad(  # type: ignore[no-any-return]
            _closed(flat), a, b, (), full_output, epsabs, epsrel, limit, points, **options
        )
    if full_output or any(option is not None and option is not False for option in options.values()):
        asked = ["full_output"] * bool(full_output) + sorted(options)
        raise NoRuleError(
            f"scipy.integrate.quad with variables takes no {asked[0]}=: write the weight into the function"
        )
    errors: list[float] = [0.0]
    gate = Integral(flat, {"epsabs": epsabs, "epsrel": epsrel, "limit": limit, "points": points}, errors)
    return gate(a, b, *leaves), errors[-1]


class Integral(Gate):
    """z = ∫ f(x, p) dx from a to b. b receives dz · f(b), a −dz · f(a), and p an integral: a black box with an exact gradient."""

    pattern, symbol = "integral", "∫"

    def __init__(self, function: Callable[..., Any], options: dict[str, Any], errors: list[float]) -> None:
        self.function = function
        self.how = options
        self.errors = errors

    def forward(self, a: Any, b: Any, *leaves: Any) -> Any:
        self.limits, self.leaves = (a, b), leaves
        if any(type(x) is Variable for x in (a, b, *leaves)):
            return self.fresh()(a, b, *leaves)
        leaves = tuple([_double(x) for x in leaves])
        integrand = _closed(lambda x: self.function(x, *leaves))
        a, b = float(a), float(b)
        if shape_of(integrand(_somewhere(a, b))):
            z, error = _of_vector(integrand, a, b, self.how)
        else:
            z, error = scipy.integrate.quad(integrand, a, b, **self.how)
        self.errors.append(error)
        return z

    def backward(self, dz: Any) -> Any:
        need_a, need_b, *needed = self.needs
        a, b = self.limits
        da = -self._at(a, dz) if need_a else None
        db = self._at(b, dz) if need_b else None
        if not any(needed):
            return (da, db, *[None] * len(needed))
        found = iter(self._of_parameters(dz, needed))
        return (da, db, *[next(found) if need else None for need in needed])

    def _at(self, limit: Any, dz: Any) -> Any:
        if np.isinf(plain(limit)):
            return 0.0
        z = self.function(limit, *self.leaves)
        return z * dz if not shape_of(dz) else np.sum(z * dz)

    def _of_parameters(self, dz: Any, needed: list[bool]) -> list[Any]:
        """∫ dz · ∂f/∂p dx for each p, all at once: as one row of numbers."""
        chosen = [x for x, need in zip(self.leaves, needed, strict=True) if need]
        size = float(np.max(np.abs(plain(dz)))) or 1.0  # so that tolerances mean what they say
        pulled = Integral(_Pulled(self.function, needed), self.how, [])
        row = pulled(*self.limits, *self.leaves, dz / size) * size
        return _apart(row, [spec_of(x) for x in chosen])


class _Pulled:
    """The gradient of dz · f(x, p) in some of its parameters, in one row: what is integrated for the way back."""

    def __init__(self, function: Callable[..., Any], needed: list[bool]) -> None:
        self.function, self.needed = function, needed

    def __call__(self, x: Any, *leaves: Any) -> Any:
        *leaves_of_function, dz = leaves

        def of_chosen(*chosen: Any) -> Any:
            rest = iter(chosen)
            pairs = zip(leaves_of_function, self.needed, strict=True)
            return self.function(x, *[next(rest) if need else leaf for leaf, need in pairs])

        chosen = [leaf for leaf, need in zip(leaves_of_function, self.needed, strict=True) if need]
        return np.concatenate([np.reshape(part, -1) for part in vjp(of_chosen, *chosen)[1](dz)])


def _double(x: Any) -> Any:
    """In the precision of QUADPACK, whose tolerances float32 could not meet."""
    return np.astype(np.asarray(x), np.result_type(x, np.float64))[()]


def _apart(row: Any, specs: list[Any]) -> list[Any]:
    """A row of numbers as values that look like these."""
    parts, start = [], 0
    for spec in specs:
        shape = spec[0] if spec else ()
        stop = start + int(np.prod(shape, dtype=int))
        parts.append(np.reshape(row[start:stop], shape))
        start = stop
    return parts


def _of_vector(integrand: Callable[[float], Any], a: float, b: float, how: dict[str, Any]) -> tuple[Any, float]:
    options = {**how, "limit": max(how["limit"], 50)}
    z, error, information = scipy.integrate.quad_vec(integrand, a, b, full_output=True, norm="max", **options)
    if not information.success:
        warnings.warn(
            f"the gradient of an integral: {information.message}; it may be off by {error:.1e}",
            scipy.integrate.IntegrationWarning,
            stacklevel=2,
        )
    return z, error


def _closed(integrand: Callable[..., Any]) -> Callable[..., Any]:
    """The integrand, of which each answer is a plain one: else there is a variable that nobody has named."""

    def plainly(*args: Any) -> Any:
        z = integrand(*args)
        if type(z) is Variable and z.level >= 0:
            raise GateError(
                "the integrand computed with a variable that is neither among args nor in its closure, and whose gradient would "
                "be lost: make it an argument, quad(f, a, b, args=(v,)), or pass its .value"
            )
        return plain(z)

    return plainly


def _somewhere(a: float, b: float) -> float:
    """A point between the limits."""
    low, high = max(min(a, b), -1e3), min(max(a, b), 1e3)
    return low + (high - low) * 0.381966
