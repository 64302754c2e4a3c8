"""scipy.integrate, by the names of gategrad.scipy.integrate."""

from __future__ import annotations

import functools

import numpy as np

from gategrad.scipy import integrate

from ..cases import case

rng = np.random.default_rng(22)
SAMPLES, PLACES = rng.uniform(-1.0, 1.0, (2, 5)), np.array([0.0, 0.3, 0.9, 1.4, 2.0])
FIXED = "in its times; compiled where these are constants"


def row(name, *inputs, call=None, **options):
    """A case of a function of ours, under SciPy's name; for plain values it is SciPy's own, so that values are compared."""
    said = {key: options.pop(key) for key in ("note", "order", "compiles") if key in options}
    return case(
        f"scipy.integrate.{name}", *inputs, call=call or functools.partial(getattr(integrate, name), **options), **said
    )


def swing(t, y, stiffness, friction):
    """A pendulum."""
    return [y[1], -stiffness * np.sin(y[0]) - friction * y[1]]


def pendulum(method):
    """Where it is at the end and before, of where it began and what it is like; and of when, if that is said."""

    def where(y0, stiffness, friction, begin=0.0, end=0.4):
        return integrate.solve_ivp(
            swing, (begin, end), y0, method, [0.25], args=(stiffness, friction), rtol=1e-7, atol=1e-9, first_step=0.1,
            max_step=0.2,
        ).y  # fmt: skip

    return where


def by_odeint(y0, t, stiffness):
    """The same, by LSODA in Fortran."""
    return integrate.odeint(swing, y0, t, (stiffness, 0.2), tfirst=True, rtol=1e-10, atol=1e-10)


START = np.array([0.7, 0.1])

CASES = [
    row("trapezoid", SAMPLES, PLACES),
    row("trapezoid", SAMPLES, dx=0.3, axis=0),
    row("cumulative_trapezoid", SAMPLES, PLACES, initial=0),
    row("simpson", SAMPLES, PLACES, call=lambda y, x: integrate.simpson(y, x)),
    row("simpson", SAMPLES[:, :4], dx=0.3),
    row("cumulative_simpson", SAMPLES, PLACES, call=lambda y, x: integrate.cumulative_simpson(y, x=x, initial=0.5)),
    row("cumulative_simpson", SAMPLES, dx=0.2),
    row("romb", SAMPLES, 0.3),
    row("fixed_quad", 0.2, 1.3, 0.7, call=lambda a, b, p: integrate.fixed_quad(lambda x: np.exp(-p * x * x), a, b)[0]),
    row(
        "quad", 0.2, 1.3, np.array([0.7, 1.1]), note="parameters in args or in the closure; infinite limits",
        call=lambda a, b, p: integrate.quad(lambda x: np.exp(-p[0] * x) * np.sin(p[1] * x), a, b)[0],
    ),
    *[
        row("solve_ivp", START, 1.3, 0.2, call=pendulum(method), note=note)
        for method, note in (("RK45", "RK23, RK45, DOP853: of the numbers; Radau, BDF, LSODA: of the equation"), ("DOP853", ""))
    ],
    row("solve_ivp", START, 1.3, 0.2, 0.0, 0.4, call=pendulum("RK45"), compiles=False, note=FIXED),
    row("odeint", START, np.array([0.0, 0.2, 0.5]), 1.3, call=by_odeint, note="of the equation; in its times too"),
]  # fmt: skip
