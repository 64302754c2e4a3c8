"""What a small step to either side says of a derivative on a kink, in plain numbers: whether its convention stands.

A derivative in doubt is compared with what it is a step away, to the one side and to the other. Where the function that
is differentiated jumps it has no derivative, and the convention stands: so a network whose units tie has a gradient
that jumps, and the second derivatives that the slopes of the table say. Elsewhere it stands between the two. What is
wrong by more than the step shows, and is then asked more dearly (`limits.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gategrad import careful
from gategrad.transforms.containers import flatten

__all__ = ["Sample", "stands"]


class Sample(NamedTuple):
    """A function and its derivative at a point."""

    value: Any
    derivative: Any
    along: Callable[[Any], Any] | None = None
    """The derivative along a direction, where it is not found in `derivative`, which is then built like the value."""


def stands(
    sample: Callable[[tuple[Any, ...]], Sample], values: list[Any], rebuild: Callable[[list[Any]], Any], found: list[Any],
    value: Any = None,
) -> bool:  # fmt: skip
    """Whether what was `found` at these values is between what is beside them, or belongs to what jumps there.

    `value` is the function's at the values themselves.
    """
    if not values or not all(np.asarray(x).dtype.kind == "f" for x in (*values, *found)):
        return False
    if not all(np.isfinite(x).all() for x in found):
        return False
    step = max(float(np.finfo(np.asarray(x).dtype).eps) for x in (*values, *found)) ** 0.4
    direction = _direction(values)
    one, other = [_side(sample, values, rebuild, direction, way * step) for way in (1.0, -1.0)]
    if one is None or other is None:
        return False
    middle: list[Any] = [None] * len(one.values) if value is None else [np.asarray(x) for x in flatten(value)[0]]
    each = len(found) // len(one.values)
    for n, (z, y, dz, dy) in enumerate(zip(one.values, other.values, one.slopes, other.slopes, strict=True)):
        far = _FAR * step * (np.abs(dz) + np.abs(dy)) + step**2 * _largest(z, y)
        jumps = np.abs(z - y - step * (dz + dy)) > far
        if middle[n] is not None:
            jumps = jumps | (np.abs(z + y - 2.0 * middle[n]) > far)
        for m in range(n * each, (n + 1) * each):
            inside = _is_between(found[m], one.answers[m], other.answers[m], step)
            excused = jumps.reshape(jumps.shape + (1,) * (np.ndim(found[m]) - jumps.ndim))
            if not (inside | excused).all():
                return False
    return True


_FAR = 10.0
_SEED = 467


class _Side(NamedTuple):
    values: list[Any]
    answers: list[Any]
    slopes: list[Any]
    """What the values gain along the direction."""


def _direction(values: list[Any]) -> list[Any]:
    """A direction in general position, each array of it as large as the numbers it is added to."""
    rng = np.random.default_rng(_SEED)
    return [
        np.asarray(
            rng.uniform(0.5, 1.5, np.shape(x)) * rng.choice([-1.0, 1.0], np.shape(x)) * (_largest(x) or 1.0)
        ).astype(np.asarray(x).dtype)[()]
        for x in values
    ]


def _side(
    sample: Callable[[tuple[Any, ...]], Sample], values: list[Any], rebuild: Any, direction: list[Any], step: float
) -> _Side | None:
    """What there is a step away; None if that is in doubt for more than ties, which are ties beside the point as well."""
    before = careful.doubts
    try:
        with np.errstate(all="ignore"):
            there = sample(rebuild([_moved(x, d, step) for x, d in zip(values, direction, strict=True)]))
            found = [np.asarray(x) for x in flatten(there.value)[0]]
            answers = [np.asarray(x) for x in flatten(there.derivative)[0]]
            if there.along is not None:
                given = [float(d) if type(x) is float else d for x, d in zip(values, direction, strict=True)]
                slopes = [np.asarray(x) for x in flatten(there.along(rebuild(given)))[0]]
            else:
                slopes = _contracted(answers, direction)
    except Exception:  # who asks more dearly will say it
        return None
    finally:
        doubt = careful.noted(before)
        careful.without_doubt(before)
    if (
        (doubt is not None and not doubt.only_ties)
        or len(found) != len(slopes)
        or not all(np.isfinite(x).all() for x in (*found, *answers, *slopes))
    ):
        return None
    return _Side(found, answers, slopes)


def _moved(x: Any, direction: Any, step: float) -> Any:
    return float(x + step * direction) if type(x) is float else (x + np.asarray(step, x.dtype) * direction)[()]


def _contracted(answers: list[Any], direction: list[Any]) -> list[Any]:
    """Derivatives of each value with respect to each of several arrays, along a direction of all of these."""
    count = len(direction)
    parts = [
        np.tensordot(answer, direction[n % count], np.ndim(direction[n % count])) for n, answer in enumerate(answers)
    ]
    return [np.asarray(sum(parts[n : n + count])) for n in range(0, len(parts), count)]


def _is_between(x: Any, one: Any, other: Any, step: float) -> Any:
    low, high = np.minimum(one, other), np.maximum(one, other)
    noise = step * 1e-2 * np.maximum(np.abs(low), np.abs(high)) + step**1.5 * _largest(one, other)
    return (x >= low - noise) & (x <= high + noise)


def _largest(*xs: Any) -> float:
    return max([float(np.max(np.abs(x), initial=0.0)) for x in xs], default=0.0) if xs else math.nan
