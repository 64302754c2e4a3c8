"""scipy.optimize: roots and fixed points, differentiated at the solution, whatever way led there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize

from gategrad.gates.axes import shape_of
from gategrad.pause import no_grad
from gategrad.recording import plain
from gategrad.solvers.calls import Plainly, Unknowns, as_args, joined, plain_all, refuse_variables
from gategrad.solvers.hosting import solver
from gategrad.solvers.implicit import as_it_moves, dense, elementwise, recorded
from gategrad.transforms.elementwise_grad import elementwise_grad
from gategrad.transforms.grad import grad
from gategrad.transforms.jacobian import jacobian
from gategrad.values import is_complex

__all__ = ["bisect", "brenth", "brentq", "fixed_point", "fsolve", "newton", "ridder", "root", "root_scalar", "toms748"]

_BY_JACOBIAN = {"hybr", "lm"}


def _first(found: Any) -> Any:
    """The root alone, of a function that may return more beside it."""
    return found[0] if isinstance(found, tuple) else found


@solver(lambda found: found.x, lambda x: scipy.optimize.OptimizeResult(x=x))
def root(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str = "hybr",
    jac: Any = None,
    tol: Any = None,
    callback: Any = None,
    options: Any = None,
) -> Any:
    """An x with f(x, *args) = 0; as `scipy.optimize.root`, whose methods hybr and lm are handed the Jacobian.

    `x0` is a vector or any container of numbers and arrays, and so is what `fun` returns: as many numbers as x has. The
    root is differentiable: dx = −(∂f/∂x)⁻¹ ∂f/∂p dp, in `args` and in every variable that `fun` computes with, to any order; it
    does not depend on `x0`, which receives 0.

    `NoRuleError` for a variable in `tol`; `NoGradientError` if ∂f/∂x is singular, or x no root after all. S. Krantz and H. Parks, The
    Implicit Function Theorem (2002).

    >>> import numpy as np, gategrad as gg
    >>> def meeting(x, r):                                   # of a circle and a diagonal, at (r, r) / √2
    ...     return [x[0] ** 2 + x[1] ** 2 - r * r, x[0] - x[1]]
    >>> gg.jacobian(lambda r: root(meeting, [1.0, 2.0], (r,)).x)(3.0).round(8)
    array([0.70710678, 0.70710678])
    """
    refuse_variables("scipy.optimize.root", tol=tol)
    args, unknowns = as_args(args), Unknowns(x0)
    if jac is True:
        fun, jac = (lambda *xs, both=fun: both(*xs)[0]), (lambda *xs, both=fun: both(*xs)[1])
    f = unknowns.equations(fun)
    if jac is None and method in _BY_JACOBIAN:
        jac = jacobian(f)
    with no_grad():
        found = scipy.optimize.root(
            Plainly(f), unknowns.start, plain_all(args), method, jac=Plainly(jac) if callable(jac) else jac, tol=tol,
            callback=callback, options=options,
        )  # fmt: skip
    found.x = unknowns.back(_moving(lambda x: f(x, *args), found.x, "this root"))
    return found


@solver(_first)
def fsolve(func: Callable[..., Any], x0: Any, args: Any = (), fprime: Any = None, **options: Any) -> Any:
    """An x with f(x, *args) = 0; as `scipy.optimize.fsolve`, which is handed the Jacobian. Differentiable as `root` is.

    >>> import numpy as np, gategrad as gg
    >>> round(gg.grad(lambda a: fsolve(lambda x: x**2 - a, 1.0)[0])(4.0), 8)       # of √a
    0.25
    """
    args, unknowns = as_args(args), Unknowns(x0)
    f = unknowns.equations(func)
    with no_grad():
        found = scipy.optimize.fsolve(
            Plainly(f), unknowns.start, plain_all(args), Plainly(jacobian(f) if fprime is None else fprime), **options
        )
    x = found[0] if isinstance(found, tuple) else found
    x = unknowns.back(_moving(lambda y: f(y, *args), x, "this root"))
    return (x, *found[1:]) if isinstance(found, tuple) else x


def _moving(residual: Callable[[Any], Any], x: Any, what: str) -> Any:
    return as_it_moves(x, residual, dense(residual, what), what)


# --- numbers ----------------------------------------------------------------------------------------------------------


@solver(lambda found: found.root, lambda x: scipy.optimize.OptimizeResult(root=x))
def root_scalar(
    f: Callable[..., Any],
    args: Any = (),
    method: Any = None,
    bracket: Any = None,
    fprime: Any = None,
    fprime2: Any = None,
    x0: Any = None,
    x1: Any = None,
    xtol: Any = None,
    rtol: Any = None,
    maxiter: Any = None,
    options: Any = None,
) -> Any:
    """A number x with f(x, *args) = 0; as `scipy.optimize.root_scalar`, whose methods newton and halley get derivatives.

    dx = −∂f/∂p dp / (∂f/∂x), in `args` and in every variable that `f` computes with, to any order. Neither the bracket nor
    where the search began has an influence on it: they receive 0. `NoGradientError` where ∂f/∂x is 0, or x no root after all.

    >>> import numpy as np, gategrad as gg
    >>> solution = lambda a: root_scalar(lambda x: x * np.exp(x) - a, bracket=(0.0, 2.0)).root
    >>> gg.value_and_grad(solution)(np.e)[1] * 2 * np.e                            # Lambert's W: 1 / (e + e)
    1.0
    """
    args = as_args(args)
    slope, bend = fprime, fprime2
    if method in ("newton", "halley") or (method is None and bracket is None and x1 is None):
        slope = Plainly(grad(f)) if fprime is None else fprime
    if method == "halley" and fprime2 is None:
        bend = Plainly(grad(grad(f)))
    with no_grad():
        found = scipy.optimize.root_scalar(
            Plainly(f), plain_all(args), method, plain_all(bracket), slope, bend, plain(x0), plain(x1), xtol, rtol,
            maxiter, options,
        )  # fmt: skip
    found.root = _number(f, found.root, args)
    return found


def _number(f: Callable[..., Any], x: Any, args: tuple[Any, ...]) -> Any:
    """A root in one number, or in each of an array of them, as it moves."""

    def residual(y: Any) -> Any:
        return f(y, *args)

    if not recorded(residual(x)):
        return x
    if shape_of(x):
        return as_it_moves(x, residual, elementwise(elementwise_grad(residual), "this root"), "this root")
    if is_complex(x):
        return as_it_moves(np.complex128(x), residual, dense(residual, "this root"), "this root")
    return as_it_moves(float(x), residual, dense(residual, "this root", grad(residual)), "this root")


def _in_bracket(name: str) -> Any:
    """A function of SciPy's that finds a root between two numbers, made differentiable."""
    theirs = getattr(scipy.optimize, name)

    def function(f: Callable[..., Any], a: Any, b: Any, args: Any = (), *rest: Any, **options: Any) -> Any:
        args = as_args(args)
        with no_grad():
            found = theirs(Plainly(f), plain(a), plain(b), plain_all(args), *rest, **options)
        if isinstance(found, tuple):
            return (_number(f, found[0], args), *found[1:])
        return _number(f, found, args)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"A number x between a and b with f(x, *args) = 0; as `scipy.optimize.{name}`, and differentiable as `root_scalar` is."
    return solver(_first)(function)


brentq = _in_bracket("brentq")
brenth = _in_bracket("brenth")
bisect = _in_bracket("bisect")
ridder = _in_bracket("ridder")
toms748 = _in_bracket("toms748")


@solver(_first)
def newton(func: Callable[..., Any], x0: Any, fprime: Any = None, args: Any = (), *rest: Any, **options: Any) -> Any:
    """A number x near x0 with f(x, *args) = 0, or an array of them; as `scipy.optimize.newton`.

    By secants if `fprime` is None, as there. Differentiable as `root_scalar` is; of an array, f(x) may not mix elements.

    >>> import numpy as np, gategrad as gg
    >>> a = np.array([4.0, 9.0])
    >>> gg.grad(lambda a: np.sum(newton(lambda x: x * x - a, np.array([1.0, 2.0]))))(a).round(8)
    array([0.25      , 0.16666667])
    """
    args = as_args(args)
    with no_grad():
        found = scipy.optimize.newton(
            Plainly(func), plain(x0), None if fprime is None else Plainly(fprime), plain_all(args), *rest, **options
        )
    if isinstance(found, tuple):
        return (_number(func, found[0], args), *found[1:])
    return _number(func, found, args)


@solver(_first)
def fixed_point(
    func: Callable[..., Any], x0: Any, args: Any = (), xtol: float = 1e-8, maxiter: int = 500, method: str = "del2"
) -> Any:
    """An x with f(x, *args) = x; as `scipy.optimize.fixed_point`.

    dx = (1 − ∂f/∂x)⁻¹ ∂f/∂p dp, in `args` and in every variable that `func` computes with, to any order; x may be an array of
    any shape. `NoGradientError` where 1 − ∂f/∂x is singular.

    >>> import numpy as np, gategrad as gg
    >>> x = fixed_point(np.cos, 0.5)
    >>> slope = gg.grad(lambda a: fixed_point(lambda x: np.cos(a * x), 0.5))(1.0)
    >>> bool(np.isclose(slope, -x * np.sin(x) / (1 + np.sin(x))))
    True
    """
    args = as_args(args)

    def plainly(x: Any, *more: Any) -> Any:
        return Plainly(func)(x if shape_of(x0) else np.float64(x), *more)

    with no_grad():
        x = scipy.optimize.fixed_point(plainly, plain(x0), plain_all(args), xtol, maxiter, method)
    shape = shape_of(x)

    def residual(y: Any) -> Any:
        z = joined(func(np.reshape(y, shape) if shape else y, *args))
        return (np.reshape(z, -1) if shape else z) - y

    return (
        np.reshape(_moving(residual, np.reshape(x, -1), "this fixed point"), shape)
        if shape
        else _moving(residual, float(x), "this fixed point")
    )
