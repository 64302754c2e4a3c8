"""scipy.optimize: minima, whose derivatives SciPy is handed, and which have derivatives themselves."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize

from gategrad.compiler.compile import compile as compiled
from gategrad.gates.axes import shape_of
from gategrad.pause import no_grad
from gategrad.recording import plain
from gategrad.solvers.calls import Plainly, Unknowns, as_args, plain_all, refuse_variables
from gategrad.solvers.constrained import constrained, constraints_of, with_slopes
from gategrad.solvers.hosting import solver
from gategrad.solvers.implicit import recorded
from gategrad.solvers.stationary import stationary
from gategrad.transforms.grad import value_and_grad
from gategrad.transforms.hessian import hessian, hvp

__all__ = ["minimize", "minimize_scalar"]

_BY_VALUE = {"nelder-mead", "powell", "cobyla", "cobyqa"}
"""Methods that ask for values alone."""

_BY_PRODUCT = {"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"}
"""Methods that ask for the product of the Hessian and a vector."""

_BY_HESSIAN = {"dogleg", "trust-exact"}


@solver(lambda found: (found.x, found.fun), lambda z: scipy.optimize.OptimizeResult(x=z[0], fun=z[1]))
def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: Any = None,
    callback: Any = None,
    options: Any = None,
    *,
    compile: bool = False,
) -> Any:
    """The x where f(x, *args) is least; as `scipy.optimize.minimize`, which is handed the derivatives that it asks for.

    `x0` is a vector or any container of numbers and arrays, and `x` in the result is one like it. SciPy gets the gradient,
    and from methods that ask for more the Hessian or its product with a vector, and the Jacobians of constraints; `jac`, `hess` and `hessp` of your own are
    used instead. With `compile=True` all of these are compiled (a function made by `gg.compile` is used as it is).

    The minimum is differentiable: dx = −(∂²f/∂x²)⁻¹ ∂²f/∂x∂p dp, in `args` and in every variable that `fun` computes with,
    to any order. It is the derivative of the exact minimum at the point that SciPy returned: what `tol` leaves in x is left
    in it too. At a bound x does not move; under `constraints`, which may compute with variables as well, it moves as those allow
    that hold it back. It does not depend on `x0`, which receives 0. `x` and `fun` in the result carry
    gradients; all else there is SciPy's report in plain numbers.

    `NoRuleError` for variables in `bounds` or `tol`; `NoGradientError` if the Hessian is singular, x still far from a minimum, or
    a constraint is met without holding x back. J. Nocedal and S. Wright, Numerical Optimization (2006).

    >>> import numpy as np, gategrad as gg
    >>> def rosenbrock(x, a):
    ...     return np.sum((a - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2)
    >>> solution = lambda a: minimize(rosenbrock, np.zeros(2), (a,), tol=1e-10).x       # (a, a²)
    >>> solution(1.5).round(5), gg.jacobian(solution)(1.5).round(5)
    (array([1.5 , 2.25]), array([1., 3.]))
    """
    refuse_variables("scipy.optimize.minimize", bounds=bounds, tol=tol)
    args, unknowns = as_args(args), Unknowns(x0)
    if jac is True:
        fun, jac = _halves(fun)
    f = unknowns.function(fun)
    if unknowns.start.size == 1:
        f = _one_number(f)
    name = method.lower() if isinstance(method, str) else ""
    objective, known = _handed_over(f, name, jac, hess, hessp, compile)
    with no_grad():
        found = scipy.optimize.minimize(
            objective, unknowns.start, plain_all(args), method, bounds=bounds, constraints=with_slopes(constraints), tol=tol,
            callback=_in_containers(callback, unknowns), options=options, **known,
        )  # fmt: skip
    x = found.x
    conditions = constraints_of(constraints, bounds)
    if recorded(f(x, *args), *[c.fun(x) for c in conditions]):
        least = lambda y: f(y, *args)
        x = constrained(least, x, conditions) if conditions else stationary(least, x, bounds)
        found.fun = f(x, *args)
    found.x = unknowns.back(x)
    return found


def _one_number(f: Callable[..., Any]) -> Callable[..., Any]:
    """Of a single unknown SciPy takes f(x) in an array too."""

    def of_one(*args: Any) -> Any:
        z = f(*args)
        return np.reshape(z, ()) if shape_of(z) == (1,) else z

    return of_one


def _handed_over(
    f: Callable[..., Any], method: str, jac: Any, hess: Any, hessp: Any, compile: bool
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The function that SciPy minimises, and the derivatives of it that it is handed."""
    make = compiled if compile else lambda g: g
    if method in _BY_VALUE or jac is not None:
        known = {"jac": jac} if jac is not None else {}
        objective = Plainly(make(f))
    else:
        known = {"jac": True}
        objective = Plainly(make(value_and_grad(f)))
    if hess is None and hessp is None and method in _BY_HESSIAN:
        hess = Plainly(make(hessian(f)))
    if hess is None and hessp is None and method in _BY_PRODUCT:

        def product(x: Any, v: Any, *args: Any) -> Any:
            return hvp(lambda y: f(y, *args), x, v)

        hessp = Plainly(make(product))
    return objective, {**known, **{k: v for k, v in (("hess", hess), ("hessp", hessp)) if v is not None}}


def _halves(fun: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A function that returns its value and its gradient, as two."""
    return (lambda *xs: fun(*xs)[0]), (lambda *xs: plain(fun(*xs)[1]))


def _in_containers(callback: Any, unknowns: Unknowns) -> Any:
    """The user's callback, which sees x as it was written."""
    if callback is None or unknowns.is_vector:
        return callback

    @functools.wraps(callback)
    def seen(xk: Any, *more: Any) -> Any:
        return callback(unknowns.back(xk), *more)

    return seen


@solver(lambda found: (found.x, found.fun), lambda z: scipy.optimize.OptimizeResult(x=z[0], fun=z[1]))
def minimize_scalar(
    fun: Callable[..., Any],
    bracket: Any = None,
    bounds: Any = None,
    args: Any = (),
    method: Any = None,
    tol: Any = None,
    options: Any = None,
) -> Any:
    """The number x where f(x, *args) is least; as `scipy.optimize.minimize_scalar`, and differentiable as `minimize` is.

    `NoRuleError` for variables in `bracket`, `bounds` and `tol`; `NoGradientError` where the curvature is 0.

    >>> import gategrad as gg
    >>> solution = lambda a: minimize_scalar(lambda x: (x - a * a) ** 2).x
    >>> round(gg.grad(solution)(1.5), 6)
    3.0
    """
    refuse_variables("scipy.optimize.minimize_scalar", bracket=bracket, bounds=bounds, tol=tol)
    args = as_args(args)
    with no_grad():
        found = scipy.optimize.minimize_scalar(Plainly(fun), bracket, bounds, plain_all(args), method, tol, options)
    if not recorded(fun(found.x, *args)):
        return found
    pair = None if bounds is None else [bounds]
    x = stationary(lambda y: fun(y[0], *args), np.array([float(found.x)]), pair)[0]
    found.x, found.fun = x, fun(x, *args)
    return found
