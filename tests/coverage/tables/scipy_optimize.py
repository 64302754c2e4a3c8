"""scipy.optimize, by the names of gategrad.scipy.optimize."""

from __future__ import annotations

import numpy as np

from gategrad.scipy import optimize

from ..cases import case

WHERE = "in what the function computes with, arguments or not"
TARGET, TIMES = np.array([1.0, 2.0]), np.array([0.0, 0.7, 1.5, 2.0])
HEIGHTS = 2.0 * np.exp(-0.6 * TIMES)  # fits that are perfect converge quadratically, so that they have digits to spare


def row(name, *inputs, call, **said):
    """A case under SciPy's name."""
    return case(f"scipy.optimize.{name}", *inputs, call=call, **said)


def hill(x, p):
    """Convex for every p > 0."""
    return np.sum(np.exp(p * x) - TARGET * x) + 0.1 * (x[0] - x[1]) ** 2


def meeting(x, p):
    """Two curves that meet."""
    return [x[0] ** 2 + x[1] ** 2 - p * p, x[1] - p * np.sin(x[0])]


def curve(x, a, b):
    """A decay."""
    return a * np.exp(-b * x)


def fitted(y, sigma):
    """Parameters and their covariance."""
    return optimize.curve_fit(curve, TIMES, y, [2.0, 0.5], sigma, True, ftol=1e-14, xtol=1e-14, gtol=1e-14)


CASES = [
    row("minimize", 0.8, note=WHERE, call=lambda p: optimize.minimize(hill, np.zeros(2), (p,), "trust-exact", tol=1e-10).x),
    row("minimize", 0.8, call=lambda p: optimize.minimize(lambda x: hill(x, p), np.zeros(2), method="Newton-CG", tol=1e-12).fun),
    row("minimize_scalar", 0.8, call=lambda p: optimize.minimize_scalar(lambda x: (x - p * p) ** 2 * p, tol=1e-12).x),
    row("root", 1.3, note=WHERE, call=lambda p: optimize.root(meeting, [1.0, 1.0], (p,), tol=1e-14).x),
    row("fsolve", 1.3, call=lambda p: optimize.fsolve(meeting, [1.0, 1.0], (p,), xtol=1e-12)),
    row("root_scalar", 1.3, note=WHERE, call=lambda p: optimize.root_scalar(lambda x: x**3 + x - p, bracket=(0, 2)).root),
    *[
        row(name, 1.3, call=lambda p, name=name: getattr(optimize, name)(lambda x: x**3 + x - p, 0, 2, xtol=1e-14))
        for name in ("brentq", "brenth", "bisect", "ridder", "toms748")
    ],
    row("newton", np.array([1.3, 2.0]), call=lambda p: optimize.newton(lambda x: x**3 + x - p, np.ones(2), tol=1e-14)),
    row("fixed_point", 0.9, call=lambda p: optimize.fixed_point(lambda x: np.cos(p * x), 0.5, xtol=1e-14)),
    row(
        "least_squares", HEIGHTS, note="in the data",
        call=lambda y: optimize.least_squares(
            lambda p: curve(TIMES, *p) - y, [2.0, 0.5], method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14
        ).x,
    ),
    row("curve_fit", HEIGHTS, np.array([1.0, 2.0, 1.0, 0.5]), note="in the data and their deviations", call=fitted),
]  # fmt: skip
