"""scipy.integrate: initial value problems, differentiable in where and when they begin and in whatever the equation holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate
import scipy.optimize

from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_input
from gategrad.numpy import array
from gategrad.pause import no_grad
from gategrad.solvers.calls import Plainly, as_args, joined, plain_all, refuse_variables
from gategrad.solvers.collocation import through_points
from gategrad.solvers.hosting import solver
from gategrad.solvers.implicit import recorded
from gategrad.solvers.runge_kutta import METHODS, along_steps
from gategrad.tape import UNTRACKED, paused
from gategrad.transforms.containers import flatten
from gategrad.variable import plain

__all__ = ["odeint", "solve_ivp"]


@solver(lambda found: (found.t, found.y), lambda z: scipy.optimize.OptimizeResult(t=z[0], y=z[1]))
def solve_ivp(
    fun: Callable[..., Any],
    t_span: Any,
    y0: Any,
    method: Any = "RK45",
    t_eval: Any = None,
    dense_output: bool = False,
    events: Any = None,
    vectorized: bool = False,
    args: Any = None,
    **options: Any,
) -> Any:
    """The solution of dy/dt = f(t, y, *args), y(t₀) = y0; as `scipy.integrate.solve_ivp`, whose numbers these are.

    `y` in the result is differentiable in `y0`, `args`, both ends of `t_span`, `t_eval`, and every variable that `fun` computes
    with, to any order.

    - RK23, RK45, DOP853: SciPy chooses the steps, and they are taken once more with gates. The gradient is exactly that of the
      numbers returned, for the steps that were chosen (discretise, then differentiate).
    - Radau, BDF, LSODA: the gradient is that of the differential equation, along the trajectory that SciPy found, to about
      its tolerances: a chain of linear systems, n × n Jacobians of `fun`. So stiff equations have gradients as well.

    The way back remembers every evaluation of `fun` on the accepted steps. If nothing is recorded, SciPy's own answer is
    returned, whatever the options; else `NoRuleError` for `events`, `dense_output` and methods that are not SciPy's, and
    for variables in other options. E. Hairer, S. Nørsett and G. Wanner, Solving Ordinary Differential Equations I (1993).

    >>> import numpy as np, gategrad as gg
    >>> def logistic(t, y, rate):
    ...     return rate * y * (1 - y)
    >>> final = lambda rate: solve_ivp(logistic, (0.0, 2.0), [0.1], args=(rate,), rtol=1e-9, atol=1e-9).y[0, -1]
    >>> y = final(1.5)
    >>> bool(np.isclose(gg.grad(final)(1.5), 2.0 * y * (1 - y)))                      # 0.1 e^{2r} / (0.9 + 0.1 e^{2r})
    True
    """
    args = () if args is None else as_args(args)
    refuse_variables("scipy.integrate.solve_ivp", **options)
    y0, t_eval = _state(y0), as_input(t_eval)
    called, (begin, end) = Plainly(fun), t_span
    with no_grad():
        found = scipy.integrate.solve_ivp(
            called, plain_all((begin, end)), plain(y0), method, plain(t_eval), True, events, vectorized,
            plain_all(args) or None, **options,
        )  # fmt: skip
    if not (called.met or recorded(y0, begin, end, t_eval, *flatten(args)[0])) or paused() != UNTRACKED:
        found.sol = found.sol if dense_output else None
        return found
    _refuse(method, events, dense_output)

    def rates(t: Any, y: Any) -> Any:
        return np.reshape(joined(fun(t, y[:, None] if vectorized else y, *args)), -1)

    wanted = None if t_eval is None else t_eval[: len(found.t)]
    if method in METHODS:
        times = _clock([begin, end])(found.sol.ts)
        found.y = np.stack(along_steps(METHODS[method], rates, times, y0, wanted), axis=1)
        found.t = times if wanted is None else wanted
    else:
        anchors = [begin, end] if wanted is None else _distinct([begin, *wanted, end])
        found.y = _along_trajectory(
            rates, found.t, found.y.T, found.sol, _clock(anchors), y0, options.get("rtol", 1e-3)
        ).T
        found.t = _clock(anchors)(found.t) if wanted is None else wanted
    found.sol = None
    return found


def _state(y0: Any) -> Any:
    """Where a trajectory begins: a vector, in double precision at least, as SciPy has it."""
    y0 = np.reshape(joined(y0), -1)
    return np.astype(y0, np.result_type(y0.dtype, np.float64))


def _refuse(method: Any, events: Any, dense_output: bool) -> None:
    """Raise `NoRuleError` for what would lose a gradient."""
    name = "scipy.integrate.solve_ivp"
    if events is not None:
        raise NoRuleError(
            f"{name} with variables takes no events=: find the time without them, or as a root (gategrad.scipy.optimize), "
            "and integrate up to it"
        )
    if dense_output:
        raise NoRuleError(f"{name} with variables takes no dense_output=: name the times in t_eval=")
    if not isinstance(method, str):
        raise NoRuleError(f"{name} with variables takes SciPy's methods by name, not {method!r}")


@solver(lambda found: found[0] if isinstance(found, tuple) else found)
def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    args: Any = (),
    Dfun: Any = None,
    col_deriv: Any = 0,
    full_output: Any = 0,
    ml: Any = None,
    mu: Any = None,
    rtol: Any = None,
    atol: Any = None,
    tcrit: Any = None,
    h0: float = 0.0,
    hmax: float = 0.0,
    hmin: float = 0.0,
    *rest: Any,
    tfirst: bool = False,
    **options: Any,
) -> Any:
    """The solution of dy/dt = f(y, t, *args) at the times t, y(t[0]) = y0; as `scipy.integrate.odeint`, whose numbers these are.

    Differentiable in `y0`, `t`, `args` and every variable that `func` computes with, to any order. The gradient is that of the
    differential equation, along the trajectory that SciPy's LSODA finds, to about `rtol` and `atol`: a chain of linear
    systems with n × n Jacobians of `func`, stiff or not (`solve_ivp` with method "LSODA"). For many unknowns `solve_ivp` with an
    explicit method is the better choice. `NoRuleError` for variables in other options.

    >>> import numpy as np, gategrad as gg
    >>> final = lambda rate: odeint(lambda y, t: -rate * y, [1.0], np.array([0.0, 2.0]))[-1, 0]
    >>> bool(np.isclose(gg.grad(final)(0.5), -2.0 * np.exp(-1.0), rtol=1e-6))
    True
    """
    refuse_variables("scipy.integrate.odeint", rtol=rtol, atol=atol, tcrit=tcrit, rest=rest, **options)
    args, y0, t = as_args(args), _state(y0), as_input(t)
    called = Plainly(func)
    with no_grad():
        found = scipy.integrate.odeint(
            called, plain(y0), plain(t), plain_all(args), Dfun, col_deriv, full_output, ml, mu, rtol, atol, tcrit, h0, hmax,
            hmin, *rest, tfirst=tfirst, **options,
        )  # fmt: skip
    if not (called.met or recorded(y0, t, *flatten(args)[0])) or paused() != UNTRACKED:
        return found

    def rates(time: Any, y: Any) -> Any:
        return np.reshape(joined(func(time, y, *args) if tfirst else func(y, time, *args)), -1)

    accuracy = {"rtol": _DEFAULT if rtol is None else rtol, "atol": _DEFAULT if atol is None else atol}
    ends = plain(t)
    with no_grad():
        path = scipy.integrate.solve_ivp(
            Plainly(rates), (ends[0], ends[-1]), plain(y0), "LSODA", dense_output=True, **accuracy,
            max_step=hmax or np.inf, min_step=hmin, first_step=h0 or None,
        ).sol  # fmt: skip
    clock = _clock(_distinct(list(t)) if recorded(t) else [ends[0], ends[-1]])
    z = _along_trajectory(rates, ends, found[0] if full_output else found, path, clock, y0, accuracy["rtol"])
    return (z, found[1]) if full_output else z


_DEFAULT = 1.49012e-8  # of SciPy's


def _along_trajectory(
    rates: Callable[[Any, Any], Any], t: Any, y: Any, path: Any, clock: Callable[[Any], Any], y0: Any, rtol: Any
) -> Any:
    """The states y that a solver found at times t, one in a row, as they move; `path` is what it found in between."""
    direction = 1 if t[-1] >= t[0] else -1
    grid = np.unique(np.concatenate([path.ts[::_STEPS_IN_ONE], t]))[::direction]
    known = dict(zip(t.tolist(), y, strict=True))

    def at(times: Any) -> Any:
        states = path(times).T
        for n, time in enumerate(times.tolist()):
            if time in known:
                states[n] = known[time]
        return states

    size = np.max(np.abs(y), axis=0)
    limit = min(_CLOSE, _MANY * float(np.max(rtol))) * np.maximum(size, np.max(size) * _CLOSE)
    ends, grid = through_points(rates, grid, clock, y0, at, limit)
    whole = np.concatenate([np.reshape(y0, (1, -1)), ends])
    return whole[np.searchsorted(direction * grid, direction * t)]


_CLOSE, _MANY = 1e-2, 1e3  # what adds up over a trajectory is more than the tolerance of one step
_STEPS_IN_ONE = 4  # the points of one of our steps reach as far as some of the solver's


def _clock(anchors: list[Any]) -> Callable[[Any], Any]:
    """Plain times as functions of the anchors, some of which are variables: those in between move in proportion."""
    plain_anchors = np.array([plain(a) for a in anchors], dtype=float)
    if not recorded(*anchors):
        return lambda times: times
    sign = 1.0 if plain_anchors[-1] >= plain_anchors[0] else -1.0
    moving = array(anchors, float)

    def clock(times: Any) -> Any:
        left = np.clip(np.searchsorted(sign * plain_anchors, sign * times, side="right") - 1, 0, len(anchors) - 2)
        share = (times - plain_anchors[left]) / (plain_anchors[left + 1] - plain_anchors[left])
        return moving[left] * (1 - share) + moving[left + 1] * share

    return clock


def _distinct(times: list[Any]) -> list[Any]:
    """Times without those that are the one before once more, if no variable is lost by that."""
    kept = times[:1]
    for time in times[1:]:
        if plain(time) != plain(kept[-1]):
            kept.append(time)
        elif recorded(time) and recorded(kept[-1]):
            raise NoRuleError("times that are equal have no gradients of their own: name each time once")
        elif recorded(time):
            kept[-1] = time
    return kept
