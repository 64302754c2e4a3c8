"""What a derivative tends to beside the point, where at the point a choice was made that numbers alone cannot decide.

Where 0 met ∞, or a second derivative came through a kink, the rules note a doubt (`careful.doubted`). The outermost
derivative then computes itself again, of germs (`germs/`): of x + ε d in a few directions d. If they agree, that is the
answer: the function, or its derivative, is continuous there. If they do not, it has a kink, and the conventions hold as
long as they say something between those limits. If nothing can be said, a warning says that.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gategrad import careful
from gategrad.careful import Doubt
from gategrad.errors import KinkWarning
from gategrad.tape import Pause, paused, paused_level
from gategrad.transforms.containers import flatten
from gategrad.transforms.folds import are_folds
from gategrad.transforms.sides import Sample, stands
from gategrad.watch import floor, here

__all__ = ["settled"]

Compute = Callable[[tuple[Any, ...]], Sample]


def settled(
    compute: Compute, primals: Sequence[Any], found: Any, before: int, of: Any, value: Any, doubt: Doubt | None
) -> Any:
    """The derivative `of` a function that was `found` at the primals, corrected by what it tends to; `compute` computes both.

    Values on a tape, and the symbols of a program, are not looked at: who has put them there will. `before` is how many
    doubts there were: those since are settled, for whoever is around this as well; `doubt` is what there was to settle. `value`
    is that of the function, None if nobody knows it.
    """
    values, rebuild = flatten(tuple(primals))
    answers, put_back = flatten(found)
    if not all(isinstance(x, _REAL) and np.asarray(x).dtype.kind in "fiu" for x in (*values, *answers)):
        if (
            _are_complex([*values, *answers])
            and careful.in_doubt(before, gravely=True)
            and not (doubt and doubt.only_ties)
        ):
            _warn("complex numbers are not looked at", "Take it of the function of real and imaginary parts, which is")
            careful.without_doubt(before)
        return found
    pause = Pause(floor(), paused())  # whoever watches has seen it once
    try:
        paused_level.set(pause)
        if (
            doubt is not None
            and doubt.only_ties
            and (are_folds(doubt.ties) or stands(compute, values, rebuild, answers, value))
        ):
            return found
        limits = _looked(compute, values, rebuild, answers, before, _code(of))
        return found if limits is None else put_back(limits)
    except Exception as reason:
        _warn(f"{type(reason).__name__}: {reason}", _SIMPLIFY)
        return found
    finally:
        paused_level.set(pause.outer)
        careful.without_doubt(before)


def _are_complex(values: list[Any]) -> bool:
    """Whether there are complex numbers among plain ones."""
    kinds = [np.asarray(x).dtype.kind for x in values if isinstance(x, (*_REAL, complex))]
    return "c" in kinds and len(kinds) == len(values)


def _looked(
    compute: Compute, values: list[Any], rebuild: Any, answers: list[Any], before: int, code: Any
) -> list[Any] | None:
    """The answers corrected; None if they are right, or if looking is too dear."""
    from gategrad.germs.germ import TooDearError, within

    count = sum(int(np.size(x)) for x in values)
    is_dear = count > _MOST or (here(), code, count) in _dear
    if is_dear and careful.in_doubt(before, gravely=True):
        _give_up()
        return None
    careful.without_doubt(before)
    with careful.looking(), np.errstate(all="ignore"):
        again = flatten(compute(rebuild(values)).derivative)[0]
    if not careful.in_doubt(before):
        return None  # nothing serious
    if is_dear:
        _give_up()
        return None
    if not _is_same(again, answers):
        raise ValueError("the function answers differently each time")
    looks = [_Look(answer) for answer in answers]
    try:
        with within(_BUDGET):
            for direction in _directions(count):
                for way in (direction, -direction):
                    for look, limit in zip(looks, _limits(compute, values, rebuild, way), strict=True):
                        look.limits.append(limit)
                if not any(look.is_outside() for look in looks):
                    return None
    except TooDearError:
        if len(_dear) == _MOST:
            _dear.clear()
        _dear.add((here(), code, count))
        _give_up()
        return None
    return [look.corrected() for look in looks]


def _code(of: Any) -> Any:
    """What tells functions apart, and is the same for what is written in the same place."""
    of = inspect.unwrap(of) if callable(of) else of
    return of if type(of) is tuple else getattr(of, "__code__", type(of))


def _give_up() -> None:
    careful.give_up()
    _warn(
        "there is too much to compute",
        "gg.explain and gg.kinks name the gates and lines: keep those places out by gg.where, or take the derivative of fewer "
        "numbers at a time",
    )


_MOST = 4096
"""Elements of the arguments above which nobody looks."""

_BUDGET = 12_000_000
"""What may be computed with germs in one look: coefficients, of which some two tenths of a second have so many."""

_dear: set[Any] = set()
"""From which lines, at which functions and of how many elements looking has been too dear: that is not tried again."""

_REAL = (float, int, np.ndarray, np.generic)


def _directions(count: int) -> Iterator[Any]:
    """Three directions in general position, the first into the positive quadrant; of those that tie another wins in each.

    A single number has no more than two sides.
    """
    rng = np.random.default_rng(_SEED)
    for positive in (True, False, False)[: 3 if count > 1 else 1]:
        direction = rng.normal(size=count)
        yield 0.5 + np.abs(direction) if positive else direction


def _limits(compute: Compute, values: list[Any], rebuild: Any, direction: Any) -> list[Any]:
    """What the derivative tends to when x comes from x + ε d."""
    from gategrad.germs import beside

    moved, rest = [], direction
    for x in values:
        here, rest = rest[: np.size(x)], rest[np.size(x) :]
        moved.append(beside(x, here.reshape(np.shape(x))))
    with np.errstate(all="ignore"):
        parts = flatten(compute(rebuild(moved)).derivative)[0]
    return [np.asarray(part.limit() if hasattr(part, "limit") else part, np.float64) for part in parts]


def _is_same(again: list[Any], before: list[Any]) -> bool:
    return len(again) == len(before) and all(
        np.shape(x) == np.shape(y) and np.array_equal(x, y, equal_nan=True) for x, y in zip(again, before, strict=True)
    )


class _Look:
    """An array of derivatives as it was found, and what it tends to from several directions, by turns opposite ones."""

    def __init__(self, found: Any) -> None:
        self.found = found
        self.at = np.asarray(found)
        self.limits: list[Any] = []
        self.tolerance = float(np.finfo(self.at.dtype).eps) ** 0.5 if self.at.dtype.kind == "f" else 1e-8

    def is_outside(self) -> bool:
        """Whether anything is not between its limits: they may say something else. Where there is none nothing is said."""
        low, high = self._ends()
        return bool((~self._inside(low, high)).any())

    def corrected(self) -> Any:
        """What was found, with its limit in place of each element that says something else."""
        low, high = self._ends()
        inside, agree = self._inside(low, high), self._close(low, high)
        value = np.where(agree, high, self._middle())
        wrong = ~inside & ~np.isnan(value) & (agree | ~np.isnan(self.at))
        if (~inside & ~wrong & np.isfinite(self.at)).any():
            _warn("there is none, or none that is the same from all sides", _SIMPLIFY)
        if not wrong.any():
            return self.found
        z = np.where(wrong, value, self.at).astype(self.at.dtype)
        return float(z) if type(self.found) is float else z[()]

    def _ends(self) -> tuple[Any, Any]:
        return np.fmin.reduce(self.limits), np.fmax.reduce(self.limits)

    def _inside(self, low: Any, high: Any) -> Any:
        with np.errstate(invalid="ignore"):
            return ((self.at >= low) & (self.at <= high)) | self._close(self.at, low) | self._close(self.at, high)

    def _middle(self) -> Any:
        """Half way between what opposite directions say, if all of those say the same; else NaN."""
        with np.errstate(invalid="ignore"):
            halves = [0.5 * (a + b) for a, b in zip(self.limits[::2], self.limits[1::2], strict=True)]
            return np.where(self._close(np.minimum.reduce(halves), np.maximum.reduce(halves)), halves[0], np.nan)

    def _close(self, x: Any, y: Any) -> Any:
        with np.errstate(invalid="ignore", over="ignore"):
            noise = 4.0 * _EPSILON * np.max(np.abs(self.limits), where=np.isfinite(self.limits), initial=0.0)
            allowed = self.tolerance * np.maximum(np.abs(x), np.abs(y)) + noise
            return (x == y) | ((np.abs(x - y) <= allowed) & np.isfinite(x - y))


def _warn(why: str, advice: str) -> None:
    """Say that a derivative may be wrong, once for each line of the user's."""
    place = here()
    message = (
        "a derivative was taken where numbers alone do not say what it is (0 · ∞, or a second derivative on a kink), and its "
        f"limit beside the point was not found ({why}), so it may be wrong. {advice}"
    )
    file, line = (place.file, place.line) if place is not None else ("<unknown>", 0)
    warnings.warn_explicit(message, KinkWarning, file, line, registry=_warned)


_SIMPLIFY = "gg.explain and gg.kinks name the gates and lines: simplify the formula, or start from another point"
_EPSILON = float(np.finfo(np.float64).eps)
_SEED = 466  # of those that tie in twos, threes and fours another wins in each direction
_warned: dict[Any, Any] = {}
