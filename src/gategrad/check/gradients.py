"""check_gradients: every gradient against central differences, with a report that a person can read."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.errors import GategradError
from gategrad.transforms.containers import flatten
from gategrad.transforms.vjp import differentiable, vjp
from gategrad.variable import plain

__all__ = ["Comparison", "GradientMismatchError", "GradientReport", "check_gradients"]

_STEP = float(np.finfo(np.float64).eps ** (1 / 3))  # balances truncation (h²) against rounding (eps / h)


class GradientMismatchError(GategradError, AssertionError):
    """A gradient differs from its central differences; `report` holds every number."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(str(report))
        self.report = report


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One element of one input: what backward says beside what central differences say."""

    input: str
    index: tuple[int, ...]
    order: int
    backward: float
    differences: float
    verdict: str  # "agrees", "kink" or "differs"

    def __str__(self) -> str:
        element = f"{self.input}[{', '.join(map(str, self.index))}]" if self.index else self.input
        what = "gradient" if self.order == 1 else "second-order gradient"
        line = f"{what} at {element}: backward says {self.backward:.9g}, central differences say {self.differences:.9g}"
        return line + ("  (a kink: any slope between its two sides is right)" if self.verdict == "kink" else "")


@dataclasses.dataclass(frozen=True)
class GradientReport:
    """What `check_gradients` found: all comparisons, and in `str()` what a person wants to know."""

    function: str
    comparisons: tuple[Comparison, ...]

    @property
    def mismatches(self) -> tuple[Comparison, ...]:
        """The elements where backward and central differences differ."""
        return tuple(c for c in self.comparisons if c.verdict == "differs")

    @property
    def kinks(self) -> tuple[Comparison, ...]:
        """The elements that sit on a kink, where backward gives one of the right answers."""
        return tuple(c for c in self.comparisons if c.verdict == "kink")

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.mismatches

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        wrong, count = self.mismatches, len(self.comparisons)
        if not wrong:
            kinks = f", {len(self.kinks)} of them on a kink" if self.kinks else ""
            worst = max((_distance(c.backward, c.differences) for c in self.comparisons), default=0.0)
            return f"{self.function}: all {count} gradients agree with central differences{kinks} (worst: {worst:.1e})"
        lines = [f"{self.function}: {len(wrong)} of {count} gradients differ from central differences"]
        lines += [f"  {c}" for c in wrong[:8]]
        if len(wrong) > 8:
            lines.append(f"  … and {len(wrong) - 8} more")
        return "\n".join(lines)


def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    tolerance: float = 1e-5,
    elements: int = 64,
    seed: int = 0,
) -> GradientReport:
    """Compare the gradients of `f` at `args` with central differences, (f(x + h) - f(x - h)) / 2h.

    `f` may return a number, an array or a container: it is projected on a random direction first. All arguments
    must be made of floats, which are used as float64, or of complex numbers, which are moved in both directions:
    in a comparison with an imaginary step `backward` is the imaginary part of the gradient. `order=2` also checks the gradient of the gradient. Of an
    input with many elements, `elements` are drawn at random. An element on a kink, where the slopes on its two
    sides differ, is right if the gradient lies between them, and is reported.

    Returns a `GradientReport`; raises `GradientMismatchError`, which shows input, index and both numbers, if any
    differs by more than `tolerance` (relative to the larger of the two and 1).

    >>> import numpy as np, gategrad as gg
    >>> print(gg.check_gradients(lambda x, y: x * np.exp(y), 2.0, np.array([0.5, 1.0]), order=1))
    <lambda>: all 3 gradients agree with central differences (worst: ...)
    """
    rng = np.random.default_rng(seed)
    values, rebuild = flatten(tuple(args))
    point = [_as_float64(x, f"argument {n}") for n, x in enumerate(values)]
    names = _names(f, args)
    comparisons: list[Comparison] = []

    def g(*leaves: Any) -> Any:
        return f(*rebuild(list(leaves)))

    for level in range(1, order + 1):
        scalar, g = _project(g, point, rng)
        comparisons += _compare(scalar, g, point, names, level, tolerance, elements, rng)
    report = GradientReport(getattr(f, "__name__", repr(f)), tuple(comparisons))
    if not report:
        raise GradientMismatchError(report)
    return report


def _project(f: Callable[..., Any], point: list[Any], rng: np.random.Generator) -> tuple[Any, Any]:
    """A scalar function ⟨dz, f(x)⟩ for a random dz, and its gradient function by backward."""
    outputs, _ = flatten(f(*point))
    dzs = [_direction(plain(z), rng) for z in outputs]

    def scalar(*leaves: Any) -> float:
        zs, _ = flatten(f(*leaves))
        return float(sum(np.sum(np.real(np.conjugate(dz) * plain(z))) for dz, z in zip(dzs, zs, strict=True)))

    def gradient(*leaves: Any) -> Any:
        z, pullback = vjp(f, *leaves)
        _, rebuild = flatten(z)
        return pullback(rebuild([float(dz) if np.ndim(dz) == 0 and np.isrealobj(dz) else dz for dz in dzs]))

    return scalar, gradient


def _direction(z: Any, rng: np.random.Generator) -> Any:
    """A random direction for an output, complex if it is."""
    direction = rng.uniform(0.5, 1.5, np.shape(z))[()] * rng.choice([-1.0, 1.0])
    return direction * np.exp(1j * rng.uniform(0.5, 1.0, np.shape(z)))[()] if np.iscomplexobj(z) else direction


def _compare(
    scalar: Callable[..., float],
    gradient: Callable[..., Any],
    point: list[Any],
    names: list[str],
    order: int,
    tolerance: float,
    elements: int,
    rng: np.random.Generator,
) -> list[Comparison]:
    dxs = gradient(*point)
    centre = scalar(*point)
    found = []
    for position, (x, dx) in enumerate(zip(point, dxs, strict=True)):
        indices = list(np.ndindex(np.shape(x)))
        if len(indices) > elements:
            indices = [indices[i] for i in sorted(rng.choice(len(indices), elements, replace=False))]
        for index, unit in itertools.product(indices, (1.0, 1j) if np.iscomplexobj(x) else (1.0,)):
            step = _STEP * max(1.0, float(abs(np.asarray(x)[index])))
            above, below = (scalar(*_nudged(point, position, index, h * unit)) for h in (step, -step))
            slopes = (centre - below) / step, (above - centre) / step
            backward = float(np.real(np.conjugate(unit) * np.asarray(dx)[index]))
            differences = (above - below) / (2 * step)
            verdict = _verdict(backward, differences, slopes, tolerance)
            name = f"{names[position]} in the imaginary direction" if unit == 1j else names[position]
            found.append(Comparison(name, index, order, backward, differences, verdict))
    return found


def _verdict(backward: float, differences: float, slopes: tuple[float, float], tolerance: float) -> str:
    if _distance(backward, differences) <= tolerance:
        return "agrees"
    low, high = sorted(slopes)
    between = low - tolerance <= backward <= high + tolerance
    return "kink" if between and _distance(low, high) > np.sqrt(tolerance) else "differs"


def _distance(a: float, b: float) -> float:
    """|a − b|, relative to the larger of the two and 1; infinite if just one of them is not finite."""
    if a == b or (np.isnan(a) and np.isnan(b)):
        return 0.0
    distance = abs(a - b) / max(1.0, abs(a), abs(b))
    return distance if np.isfinite(distance) else float("inf")


def _nudged(point: list[Any], position: int, index: tuple[int, ...], step: complex) -> list[Any]:
    x = np.array(point[position])
    x[index] += step
    return [*point[:position], x if x.ndim else x.item() if np.isrealobj(x) else x[()], *point[position + 1 :]]


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
