"""check_gradients: every gradient against central differences, forward mode against reverse, order by order."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.check.kinks import Kink, kinks
from gategrad.check.report import Comparison, GradientMismatchError, GradientReport, Modes, distance
from gategrad.check.suspects import find_at_fault
from gategrad.errors import GategradError
from gategrad.recording import plain
from gategrad.slopes import Quotients, moved, quotients, step_at
from gategrad.transforms.containers import flatten
from gategrad.transforms.jvp import jvp
from gategrad.transforms.vjp import differentiable, vjp

__all__ = ["check_gradients"]


def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    tolerance: float = 1e-5,
    elements: int = 64,
    seed: int = 0,
) -> GradientReport:
    """Compare the gradients of `f` at `args` with central differences, and forward mode with reverse mode.

    Every element is moved: (f(x + h) − f(x − h)) / 2h beside what backward says. Along a random direction dx,
    ⟨dz, J dx⟩ by `jvp` beside ⟨Jᵀ dz, dx⟩ by backward. `order=2` does the same for the gradient, as a function.
    `f` may return a number, an array or a container: it is projected on a random direction first. All arguments
    must be made of floats, which are used as float64, or of complex numbers, which are moved in both directions:
    in a comparison with an imaginary step `backward` is the imaginary part of the gradient. Of an input with many
    elements, `elements` are drawn at random. An element on a kink, where the slopes on its two sides differ or there is
    none, has no differences to agree with: it is skipped. Kinks are reported with their gate and line.

    Returns a `GradientReport`. Raises `GradientMismatchError` if anything differs by more than `tolerance` (relative to
    the larger of the two and 1): it shows input, index and both numbers, and the first gate whose own rules, at the
    inputs that it had, do not agree with its own `forward`, with your line that applied it.

    >>> import numpy as np, gategrad as gg
    >>> print(gg.check_gradients(lambda x, y: x * np.exp(y), 2.0, np.array([0.5, 1.0])))
    <lambda>: all 6 gradients agree with central differences (worst: ...), and forward mode with reverse
    """
    values, rebuild = flatten(tuple(args))
    point = [_as_float64(x, f"argument {n}") for n, x in enumerate(values)]

    def g(*leaves: Any) -> Any:
        return f(*rebuild([x.copy() if isinstance(x, np.ndarray) else x for x in leaves]))  # which f may write into

    comparisons, modes = _check(g, point, _names(f, args), order, tolerance, elements, seed)
    report = GradientReport(getattr(f, "__name__", repr(f)), tuple(comparisons), tuple(modes), _sat_on(g, point))
    if not report:
        first = min([*[c.order for c in report.mismatches], *[m.order for m in report.disagreements]])

        def thoroughly(gate: Any, point: list[Any], names: list[str]) -> tuple[list[Comparison], list[Modes]]:
            return _check(gate, point, names, first, tolerance, max(elements, _THOROUGH), seed)

        at_fault, remark = find_at_fault(g, point, thoroughly)
        raise GradientMismatchError(dataclasses.replace(report, at_fault=at_fault, remark=remark))
    return report


_THOROUGH = 1000  # elements of an input of a gate that may be at fault: fewer might miss the one that is wrong


def _check(
    f: Callable[..., Any],
    point: list[Any],
    names: list[str],
    orders: int,
    tolerance: float,
    elements: int,
    seed: int,
) -> tuple[list[Comparison], list[Modes]]:
    """All that there is to compare, for f and for its gradients."""
    rng = np.random.default_rng(seed)
    comparisons, modes, g = [], [], f
    for order in range(1, orders + 1):
        projected = _Projected(g, point, rng)
        dxs = projected.gradient(*point)
        comparisons += _against_differences(f, projected, dxs, point, names, order, tolerance, elements, rng)
        modes.append(_against_jvp(g, projected, dxs, point, order, tolerance, rng))
        g = projected.gradient
    return comparisons, modes


class _Projected:
    """A function as the scalar ⟨dz, f(x)⟩, for a random dz."""

    def __init__(self, f: Callable[..., Any], point: list[Any], rng: np.random.Generator) -> None:
        self.f = f
        self.dzs = [_direction(plain(z), rng) for z in flatten(f(*point))[0]]

    def value(self, *leaves: Any) -> float:
        """The scalar."""
        return _inner(self.dzs, flatten(self.f(*leaves))[0])

    def gradient(self, *leaves: Any) -> Any:
        """Its gradient, by backward."""
        z, pullback = vjp(self.f, *leaves)
        _, rebuild = flatten(z)
        return pullback(rebuild([float(dz) if np.ndim(dz) == 0 and np.isrealobj(dz) else dz for dz in self.dzs]))


def _direction(x: Any, rng: np.random.Generator) -> Any:
    """A random direction for a value, complex if it is."""
    direction = rng.uniform(0.5, 1.5, np.shape(x))[()] * rng.choice([-1.0, 1.0])
    return direction * np.exp(1j * rng.uniform(0.5, 1.0, np.shape(x)))[()] if np.iscomplexobj(x) else direction


def _inner(xs: Any, ys: Any) -> float:
    """Σ of the real parts of conj(x) · y, over all values and elements."""
    pairs = zip(xs, ys, strict=True)
    return float(sum(np.sum(np.real(np.conjugate(plain(x)) * plain(y))) for x, y in pairs))


def _against_jvp(
    f: Any, projected: _Projected, dxs: Any, point: list[Any], order: int, tolerance: float, rng: np.random.Generator
) -> Modes:
    """The dot-product test."""
    tangents = [_direction(x, rng) for x in point]
    backward = _inner(dxs, tangents)
    try:
        _, dz = jvp(f, tuple(point), tuple(tangents))
    except GategradError as error:
        reason, _, _ = str(error).partition("\n")  # the lines that quote code and advise are too much here
        return Modes(order, np.nan, backward, "unknown", f"{type(error).__name__}: {reason}")
    forward = _inner(projected.dzs, flatten(dz)[0])
    return Modes(order, forward, backward, "agrees" if distance(forward, backward) <= tolerance else "differs")


def _against_differences(
    f: Any, projected: _Projected, dxs: Any, point: list[Any], names: list[str], order: int, tolerance: float,
    elements: int, rng: np.random.Generator,
) -> list[Comparison]:  # fmt: skip
    centre = projected.value(*point)
    found = []
    for position, (x, dx) in enumerate(zip(point, dxs, strict=True)):
        indices = list(np.ndindex(np.shape(x)))
        if len(indices) > elements:
            indices = [indices[i] for i in sorted(rng.choice(len(indices), elements, replace=False))]
        for index, unit in itertools.product(indices, (1.0, 1j) if np.iscomplexobj(x) else (1.0,)):
            h = step_at(np.asarray(x)[index])

            def at(
                t: float, position: int = position, x: Any = x, index: Any = index, unit: complex = unit
            ) -> list[Any]:
                return [*point[:position], moved(x, index, t * unit), *point[position + 1 :]]

            slopes = quotients(lambda t, at=at: projected.value(*at(t)), h, centre)  # type: ignore[misc]
            backward = float(np.real(np.conjugate(unit) * np.asarray(dx)[index]))
            name = f"{names[position]} in the imaginary direction" if unit == 1j else names[position]
            agrees = distance(backward, slopes.central) <= tolerance
            met = () if agrees else _kinks_between(f, at(-h), at(0.0), at(h))
            verdict = "agrees" if agrees else "kink" if met or _is_between(backward, slopes, tolerance) else "differs"
            found.append(Comparison(name, index, order, backward, slopes.central, verdict, met))
    return found


def _is_between(backward: float, slopes: Quotients, tolerance: float) -> bool:
    """Whether a gradient lies between slopes that differ: there is a kink within the step, if no gate says so."""
    low, high = sorted((slopes.left, slopes.right))
    return low - tolerance <= backward <= high + tolerance and distance(low, high) > np.sqrt(tolerance)


def _kinks_between(f: Any, below: list[Any], centre: list[Any], above: list[Any]) -> tuple[Kink, ...]:
    """The gates that sit on more kinks at the centre than beside it, or on fewer."""
    here, *beside = [_kinks_at(f, leaves) for leaves in (centre, below, above)]
    return tuple(kink for key, kink in here.items() if any(key not in b or b[key].count != kink.count for b in beside))


def _sat_on(f: Any, leaves: list[Any]) -> tuple[Kink, ...]:
    return tuple(kink for kink in _kinks_at(f, leaves).values() if kink.count)


def _kinks_at(f: Any, leaves: list[Any]) -> dict[Any, Kink]:
    with kinks() as met, np.errstate(all="ignore"):
        vjp(f, *leaves)
    return {(kink.gate, kink.place): kink for kink in met}


def _as_float64(x: Any, where: str) -> Any:
    x = plain(differentiable(x, where))
    if np.iscomplexobj(x):
        return np.array(x, dtype=np.complex128)[()]
    return float(x) if np.ndim(x) == 0 else np.array(x, dtype=np.float64)


def _names(f: Callable[..., Any], args: tuple[Any, ...]) -> list[str]:
    """A name for each value: the parameter's, with the place in the container behind it."""
    try:
        parameters = list(inspect.signature(f).bind(*args).arguments)
    except (TypeError, ValueError):
        parameters = []
    names: list[str] = []
    for n, argument in enumerate(args):
        name = parameters[n] if n < len(parameters) else f"argument {n}"
        count = len(flatten(argument)[0])
        names += [name] if count == 1 else [f"{name} (value {i})" for i in range(count)]
    return names
