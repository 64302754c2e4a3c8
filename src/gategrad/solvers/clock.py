"""Clock: times between given ones, some of which are variables."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.numpy import array
from gategrad.recording import plain
from gategrad.solvers.implicit import recorded

__all__ = ["Clock"]


class Clock:
    """Times as functions of the stops: the hand stands at n for stop n, and in between times move in proportion.

    Stops that are equal are still two: between them no time passes, but it would if one of them moved.

    >>> clock = Clock([0.0, 2.0, 2.0, 3.0])
    >>> clock(np.array([0.5, 1.5, 3.0])), clock.between(np.array([1.0, 2.0, 2.5]))
    (array([1., 2., 3.]), array([0. , 0.5, 1. , 2. , 2.5, 3. ]))
    """

    def __init__(self, stops: list[Any]) -> None:
        self.plain = np.array([plain(stop) for stop in stops], dtype=float)
        self._moving = array(stops, float) if recorded(*stops) else self.plain

    def __call__(self, hands: Any) -> Any:
        """The times at which the hand stands there."""
        stops = np.minimum(hands.astype(int), len(self.plain) - 2)
        share = hands - stops
        return self._moving[stops] * (1 - share) + self._moving[stops + 1] * share

    def between(self, times: Any) -> Any:
        """Where the hand stands at all stops, and at those of these plain times that lie strictly between two."""
        sign = 1.0 if self.plain[-1] >= self.plain[0] else -1.0
        stops = np.clip(np.searchsorted(sign * self.plain, sign * times, side="right") - 1, 0, len(self.plain) - 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (times - self.plain[stops]) / (self.plain[stops + 1] - self.plain[stops])
        inside = (share > 0) & (share < 1)
        return np.union1d(np.arange(float(len(self.plain))), (stops + share)[inside])
