"""Minimax polynomials by the exchange algorithm of Remez, in mpmath's arithmetic."""

from __future__ import annotations

from collections.abc import Callable

from mpmath import mp, mpf

Real = Callable[[mpf], mpf]


def chebyshev_points(low: mpf, high: mpf, count: int) -> list[mpf]:
    return [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]


def levelled(f: list[mpf], weight: list[mpf], points: list[mpf], degree: int) -> list[mpf]:
    """The polynomial whose weighted errors on the degree + 2 points have one size and alternating signs."""
    rows = mp.matrix(degree + 2, degree + 2)
    for i, t in enumerate(points):
        for power in range(degree + 1):
            rows[i, power] = t**power
        rows[i, degree + 1] = (-1) ** i / weight[i]
    solution = mp.lu_solve(rows, mp.matrix(f))
    return [solution[i] for i in range(degree + 1)]


def alternating_peaks(errors: list[mpf], count: int) -> list[int]:
    """Positions of the largest error within each run of one sign; the outermost small ones are dropped."""
    peaks = [0]
    for i in range(1, len(errors)):
        if (errors[i] > 0) == (errors[peaks[-1]] > 0):
            if abs(errors[i]) > abs(errors[peaks[-1]]):
                peaks[-1] = i
        else:
            peaks.append(i)
    while len(peaks) > count:
        peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
    return peaks


def minimax(f: Real, weight: Real, low: mpf, high: mpf, degree: int) -> tuple[list[mpf], mpf]:
    """Coefficients (lowest first) of the polynomial P of the degree that minimises max |weight·(P − f)|, and that error."""
    grid = chebyshev_points(low, high, 40 * (degree + 2))
    values, weights = [f(t) for t in grid], [weight(t) for t in grid]
    chosen = [40 * i + 20 for i in range(degree + 2)]
    for _ in range(20):
        picked = [[row[i] for i in chosen] for row in (values, weights, grid)]
        coefficients = levelled(*picked, degree)
        errors = [w * (mp.polyval(coefficients[::-1], t) - v) for t, v, w in zip(grid, values, weights, strict=True)]
        worst = max(abs(error) for error in errors)
        peaks = alternating_peaks(errors, degree + 2)
        if len(peaks) < degree + 2 or min(abs(errors[i]) for i in peaks) > worst * mpf("0.98"):
            break
        chosen = peaks
    return coefficients, worst


def shortest(f: Real, weight: Real, low: mpf, high: mpf, tolerance: mpf) -> list[mpf]:
    """The minimax polynomial of the lowest degree that keeps the weighted error within the tolerance."""
    for degree in range(1, 30):
        coefficients, worst = minimax(f, weight, low, high, degree)
        if worst <= tolerance:
            return coefficients
    raise ValueError("no polynomial up to degree 29 reaches the tolerance")
