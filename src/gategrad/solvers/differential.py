"""scipy.integrate: initial value problems, differentiable in where and when they begin and in whatever the equation holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate
import scipy.optimize

from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_input
from gategrad.pause import no_grad
from gategrad.recording import plain
from gategrad.solvers.calls import Plainly, as_args, joined, plain_all, refuse_variables
from gategrad.solvers.clock import Clock
from gategrad.solvers.collocation import through_points
from gategrad.solvers.hosting import solver
from gategrad.solvers.implicit import recorded
from gategrad.solvers.runge_kutta import METHODS, along_steps
from gategrad.transforms.containers import flatten

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
    shown = recorded(y0, begin, end, t_eval, *flatten(args)[0])

    def solve(dense: bool) -> Any:
        with no_grad():
            return scipy.integrate.solve_ivp(
                called, plain_all((begin, end)), plain(y0), method, plain(t_eval), dense, events, vectorized,
                plain_all(args) or None, **options,
            )  # fmt: skip

    found = solve(dense_output or shown)
    shown = shown or recorded(*_of_events(events, found, args))
    if not (shown or called.met) or not len(found.t):
        return found
    _refuse(method, events, dense_output)
    found = found if found.sol is not None else solve(True)

    def rates(t: Any, y: Any) -> Any:
        return np.reshape(joined(fun(t, y[:, None] if vectorized else y, *args)), -1)

    wanted = None if t_eval is None else t_eval[: len(found.t)]
    ends, still = Clock([begin, end]), not recorded(begin, end)
    if method in METHODS:
        times = found.sol.ts if still else ends(ends.between(found.sol.ts))
        y = np.stack(along_steps(METHODS[method], rates, times, y0, wanted), axis=1)
    else:
        times = wanted if wanted is not None else found.t if still else ends(ends.between(found.t))
        stops = list(times) if wanted is None else [begin, *wanted]
        states = _along_trajectory(rates, stops, found.y.T, found.sol, y0, options.get("rtol", 1e-3))
        y = states[-len(found.t) :].T
    if recorded(y):  # else `no_grad` pauses all tapes of the variables that were met
        found.t, found.y = times if wanted is None else wanted, y
    found.sol = None
    return found


def _state(y0: Any) -> Any:
    """Where a trajectory begins, in double precision at least, as SciPy has it."""
    y0 = joined(y0)
    return np.astype(y0, np.result_type(y0.dtype, np.float64))


def _of_events(events: Any, found: Any, args: tuple[Any, ...]) -> list[Any]:
    """What events say of where it ends: they may compute with variables that the equation does not know."""
    functions = [] if events is None else events if isinstance(events, (tuple, list)) else [events]
    return [event(found.t[-1], found.y[:, -1], *args) for event in functions] if len(found.t) else []


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
    args, y0, t = as_args(args), np.atleast_1d(_state(y0)), as_input(t)
    called = Plainly(func)
    with no_grad():
        found = scipy.integrate.odeint(
            called, plain(y0), plain(t), plain_all(args), Dfun, col_deriv, full_output, ml, mu, rtol, atol, tcrit, h0, hmax,
            hmin, *rest, tfirst=tfirst, **options,
        )  # fmt: skip
    if not (called.met or recorded(y0, t, *flatten(args)[0])):
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
    z = _along_trajectory(rates, list(t), found[0] if full_output else found, path, y0, accuracy["rtol"])
    if not recorded(z):  # `no_grad` pauses all tapes of the variables that were met
        return found
    return (z, found[1]) if full_output else z


_DEFAULT = 1.49012e-8  # of SciPy's


def _along_trajectory(rates: Callable[[Any, Any], Any], times: list[Any], y: Any, path: Any, y0: Any, rtol: Any) -> Any:
    """The states at these times, the first of which is where it begins, as they move.

    `y` has the numbers that a solver found at the last of the times, one in a row, and `path` what it found in between.
    """
    clock = Clock(times)
    known = dict(zip(clock.plain[-len(y) :].tolist(), y, strict=True))

    def at(moments: Any) -> Any:
        states = path(moments).T
        for n, moment in enumerate(moments.tolist()):
            if moment in known:
                states[n] = known[moment]
        return states

    size = np.max(np.abs(y), axis=0)
    limit = min(_CLOSE, _MANY * float(np.max(rtol))) * np.maximum(size, np.max(size) * _CLOSE)
    stride = max(_STEPS_IN_ONE, len(path.ts) // _FIRST)
    ends, hands = through_points(rates, clock, clock.between(path.ts[::stride]), y0, at, limit)
    return np.concatenate([np.reshape(y0, (1, -1)), ends])[np.searchsorted(hands, np.arange(len(times)))]


_CLOSE, _MANY = 1e-2, 1e3  # what adds up over a trajectory is more than the tolerance of one step
_STEPS_IN_ONE, _FIRST = (
    4,
    50,
)  # the points of one of our steps reach as far as some of the solver's, or else it is halved
