"""Explicit Runge–Kutta methods once more, on the steps that SciPy has chosen: so the gradient is that of the numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.integrate

from gategrad.gate import Gate
from gategrad.gates.axes import shape_of
from gategrad.recording import plain

__all__ = ["METHODS", "Increment", "along_steps"]

METHODS = {name: getattr(scipy.integrate, name) for name in ("RK23", "RK45", "DOP853")}

Rates = Callable[[Any, Any], Any]


class Increment(Gate):
    """z = y + h Σ a_j k_j, for the rates k_j of a step. A distributor, and h receives Σ dz · a_j k_j."""

    pattern, symbol = "distributor", "y + h Σ a k"
    takes_complex = True

    def __init__(self, weights: Sequence[float]) -> None:
        self.weights = weights

    def forward(self, y: Any, h: Any, *rates: Any) -> Any:
        self.h = h
        self.mean = sum(a * k for a, k in zip(self.weights, rates, strict=True))
        return y + h * self.mean

    def backward(self, dz: Any) -> Any:
        scaled = self.h * dz
        dh = np.real(np.sum(dz * self.mean)) if self.needs[1] else None
        return dz, dh, *[a * scaled if need else None for a, need in zip(self.weights, self.needs[2:], strict=True)]

    def jvp(self, dy: Any, dh: Any, *moving: Any) -> Any:
        parts = [dy, None if dh is None else dh * self.mean]
        parts += [None if dk is None else self.h * a * dk for a, dk in zip(self.weights, moving, strict=True)]
        return sum(part for part in parts if part is not None)


def _increment(y: Any, h: Any, weights: Any, rates: Sequence[Any]) -> Any:
    used = [(float(a), k) for a, k in zip(weights, rates, strict=True) if a]
    return Increment([a for a, _ in used])(y, h, *[k for _, k in used])


def along_steps(method: Any, rates: Rates, times: Any, y: Any, wanted: Any) -> list[Any]:
    """The states at the ends of the steps, or at the times that are `wanted`, as SciPy's class `method` computes them."""
    last = shape_of(times)[0] - 1
    ends = plain(times)
    found = [y] if wanted is None else []
    inside = _by_step(wanted, ends)
    rate = rates(times[0], y)
    for n in range(last):
        t, h = times[n], times[n + 1] - times[n]
        ks = [rate]
        for a, c in zip(method.A[1:], method.C[1:], strict=True):
            ks.append(rates(t + c * h, _increment(y, h, a[: len(ks)], ks)))
        end = _increment(y, h, method.B, ks)
        if n < last or wanted is not None:
            ks.append(rates(times[n + 1], end))
        if wanted is None:
            found.append(end)
        elif inside[n]:
            between = (_by_hermite if hasattr(method, "A_EXTRA") else _by_polynomial)(method, rates, t, h, y, end, ks)
            found += [between((wanted[m] - t) / h) for m in inside[n]]
        y, rate = end, ks[-1]
    return found


def _by_step(wanted: Any, ends: Any) -> list[list[int]]:
    """Which of the wanted times lie in which step; the first step takes what lies at its beginning too."""
    steps: list[list[int]] = [[] for _ in range(len(ends) - 1)]
    if wanted is not None:
        sign = 1.0 if ends[-1] >= ends[0] else -1.0
        places = np.searchsorted(sign * ends, sign * plain(wanted), side="left") - 1
        for m, n in enumerate(np.clip(places, 0, len(steps) - 1)):
            steps[n].append(m)
    return steps


def _by_polynomial(method: Any, rates: Rates, t: Any, h: Any, y: Any, end: Any, ks: list[Any]) -> Any:
    """The interpolant of RK23 and RK45: y + h Σ k_j Σ P_ji x^{i+1}."""
    slopes = np.stack(ks).T @ method.P

    def between(x: Any) -> Any:
        return y + h * (slopes @ np.stack([x ** (i + 1) for i in range(method.P.shape[1])]))

    return between


def _by_hermite(method: Any, rates: Rates, t: Any, h: Any, y: Any, end: Any, ks: list[Any]) -> Any:
    """The interpolant of DOP853, after three more evaluations."""
    ks = list(ks)
    for a, c in zip(method.A_EXTRA, method.C_EXTRA, strict=True):
        ks.append(rates(t + c * h, _increment(y, h, a[: len(ks)], ks)))
    change, first, final = end - y, ks[0], ks[method.n_stages]
    parts = [change, h * first - change, 2 * change - h * (final + first)]
    parts += [h * sum(float(d) * k for d, k in zip(row, ks, strict=True) if d) for row in method.D]

    def between(x: Any) -> Any:
        z: Any = 0.0
        for i, part in enumerate(reversed(parts)):
            z = (z + part) * (x if i % 2 == 0 else 1 - x)
        return z + y

    return between
