"""detect_anomaly: stop at the first gate that makes a gradient NaN or infinite, and say where and why."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from gategrad import postponed
from gategrad.check.fault import Fault, fault_of, is_bad, kind_of, numbers
from gategrad.check.patterns import meets_zero, why_bad, why_taken
from gategrad.errors import AnomalyError
from gategrad.watch import Note, Watch

__all__ = ["AnomalyWarning", "DetectAnomaly", "detect_anomaly"]

F = TypeVar("F", bound=Callable[..., Any])


class AnomalyWarning(RuntimeWarning):
    """A gradient of 0 met an infinite slope; or it became NaN or infinite, where no `AnomalyError` was asked for."""


class DetectAnomaly(Watch):
    """What `detect_anomaly()` returns: a block to enter, or a decorator."""

    def __init__(self, warn: bool = False) -> None:
        self.warn = warn
        self._origin: Fault | None = None  # the first value that was not finite

    def noted(self, note: Note) -> None:
        """Remember where values stopped being finite: gradients may follow them."""
        if self._origin is None and is_bad(note.z) and not any(map(is_bad, note.values)):
            self._origin = fault_of(note, kind_of(note.z), why_bad(note))

    def answered(self, note: Note, dz: Any, dxs: tuple[Any, ...]) -> None:
        """Raise (or warn) if a finite gradient came in and one that is not goes out."""
        if note.gate.is_steep and meets_zero(note, dz):
            index = note.gate.needs.index(True)
            fault = fault_of(note, "0 · inf", why_taken(note), numbers(dz), index, numbers(dxs[index]))
            warnings.warn(f"a choice was made in {fault}", AnomalyWarning, stacklevel=2)
        if all(dx is None or postponed.is_finite(dx) for dx in dxs):
            return
        came = numbers(dz)
        if is_bad(came):
            return
        for index, (dx, need) in enumerate(zip(map(numbers, dxs), note.gate.needs, strict=False)):
            if need and is_bad(dx):
                fault = fault_of(note, kind_of(dx), why_bad(note, came), came, index, dx)
                message = f"the gradient becomes {fault.kind} in {fault}"
                before = self._origin
                if before is not None and (before.gate, before.place) != (fault.gate, fault.place):
                    message += f"\nbefore that, a value became {before.kind} in {before}"
                if not self.warn:
                    raise AnomalyError(message, fault)
                warnings.warn(message, AnomalyWarning, stacklevel=2)
                return

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def watched(*args: Any, **options: Any) -> Any:
            with DetectAnomaly(self.warn):
                return function(*args, **options)

        return watched  # type: ignore[return-value]


def detect_anomaly(*, warn: bool = False) -> DetectAnomaly:
    """Stop where a gradient first becomes NaN or infinite: a context manager, and a decorator.

    Inside the block each gate is noted with the line of your code that applied it, and watched on the way back, also
    if `backward()` is called after the block. Values that are not finite raise nothing by themselves: `np.where` may
    leave them unused. Where a gradient of 0 meets an infinite slope, and is taken for 0, an `AnomalyWarning` says so. With `warn=True` an `AnomalyWarning` is given instead, and the gradient goes on as it is.

    Raises `AnomalyError`, whose `fault` has the gate, the line, the values, the upstream gradient and a remedy.

    >>> import numpy as np, gategrad as gg
    >>> with gg.detect_anomaly():
    ...     gg.grad(lambda x: np.sqrt(x) * 2.0)(0.0)
    Traceback (most recent call last):
        ...
    gategrad.errors.AnomalyError: the gradient becomes Inf in Sqrt at ...: the slope of a root is infinite at 0
    ...
    """
    return DetectAnomaly(warn)
