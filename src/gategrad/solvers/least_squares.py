"""scipy.optimize: least squares and curves through points, with the Jacobian supplied, differentiable in the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize

from gategrad.gates.axes import as_input, shape_of
from gategrad.pause import no_grad
from gategrad.recording import plain
from gategrad.solvers.calls import Plainly, Unknowns, as_args, joined, plain_all, refuse_variables
from gategrad.solvers.hosting import solver
from gategrad.solvers.implicit import recorded
from gategrad.solvers.stationary import stationary
from gategrad.transforms.jacobian import jacobian

__all__ = ["curve_fit", "least_squares"]

_LOSSES: dict[str, Callable[[Any], Any]] = {
    "linear": lambda z: z,
    "soft_l1": lambda z: 2.0 * (np.sqrt(1.0 + z) - 1.0),
    "huber": lambda z: np.where(z <= 1.0, z, 2.0 * np.sqrt(np.where(z <= 1.0, 1.0, z)) - 1.0),
    "cauchy": lambda z: np.log1p(z),
    "arctan": lambda z: np.arctan(z),
}


@solver(lambda found: (found.x, found.cost), lambda z: scipy.optimize.OptimizeResult(x=z[0], cost=z[1]))
def least_squares(
    fun: Callable[..., Any],
    x0: Any,
    jac: Any = None,
    bounds: Any = (-np.inf, np.inf),
    method: str = "trf",
    *,
    loss: Any = "linear",
    f_scale: float = 1.0,
    args: Any = (),
    kwargs: Any = None,
    **options: Any,
) -> Any:
    """The x where ½ Σ s² ρ(f_i(x)² / s²) is least, s = `f_scale`; as `scipy.optimize.least_squares`, handed the Jacobian.

    `x0` is a vector or any container of numbers and arrays; `fun` returns a vector or a list. The minimum is differentiable
    in `args`, `kwargs` and every variable that `fun` computes with, to any order, as that of `minimize` is: for exact x, and
    not across bounds that hold it. `x`, `fun` and `cost` in the result carry gradients; the rest is SciPy's report.

    `NoRuleError` for variables in options; `NoGradientError` where the problem has no single solution (a singular Hessian).

    >>> import numpy as np, gategrad as gg
    >>> times = np.array([1.0, 2.0, 3.0])
    >>> fit = lambda heights: least_squares(lambda x: x[0] * times - heights, [1.0]).x[0]
    >>> (gg.grad(fit)(np.array([2.0, 4.1, 5.9])) * 14).round(6)
    array([1., 2., 3.])
    """
    refuse_variables("scipy.optimize.least_squares", bounds=bounds, f_scale=f_scale, **options)
    args, kwargs, unknowns = as_args(args), kwargs or {}, Unknowns(x0)
    f = unknowns.function(fun)

    def residuals(x: Any, *more: Any, **named: Any) -> Any:
        return np.reshape(joined(f(x, *more, **named)), -1)

    slope = jacobian(residuals) if jac is None else jac
    with no_grad():
        found = scipy.optimize.least_squares(
            Plainly(residuals), unknowns.start, Plainly(slope) if callable(slope) else slope, bounds, method, loss=loss,
            f_scale=f_scale, args=plain_all(args), kwargs=plain_all(kwargs), **options,
        )  # fmt: skip

    def cost(x: Any) -> Any:
        z = (residuals(x, *args, **kwargs) / f_scale) ** 2
        return 0.5 * f_scale**2 * np.sum(_LOSSES[loss](z) if isinstance(loss, str) else loss(z)[0])

    x = found.x
    if recorded(cost(x)):
        x = stationary(cost, x, _rows(bounds, len(x)), "this fit")
        found.fun, found.cost = residuals(x, *args, **kwargs), cost(x)
    found.x = unknowns.back(x)
    return found


def _rows(bounds: Any, count: int = 1) -> Any:
    """Bounds as two rows of numbers; None if there are none."""
    if isinstance(bounds, scipy.optimize.Bounds):
        return bounds
    low, high = (
        np.broadcast_to(np.asarray(b, dtype=float), count) if np.ndim(b) == 0 else np.asarray(b) for b in bounds
    )
    return None if np.all(np.isneginf(low)) and np.all(np.isposinf(high)) else (low, high)


@solver(lambda found: found[:2])
def curve_fit(
    f: Callable[..., Any],
    xdata: Any,
    ydata: Any,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    check_finite: bool | None = None,
    bounds: Any = (-np.inf, np.inf),
    method: Any = None,
    jac: Any = None,
    **options: Any,
) -> Any:
    """The parameters that bring the curve f(xdata, *p) closest to `ydata`, and their covariance; as `scipy.optimize.curve_fit`.

    SciPy is handed the Jacobian. Both are differentiable in the data, in `sigma` and in every variable that `f` computes with,
    to any order, as the minimum that `least_squares` finds: so one sees what each measurement contributes. `sigma` is a
    row of standard deviations or a covariance matrix.

    `NoRuleError` for variables in `p0` or options; `NoGradientError` where the data do not determine the parameters.

    >>> import numpy as np, gategrad as gg
    >>> line = lambda x, slope, height: slope * x + height
    >>> slope = lambda y: curve_fit(line, np.array([-1.0, 0.0, 1.0]), y)[0][0]
    >>> gg.grad(slope)(np.array([0.0, 1.0, 2.5])).round(8)
    array([-0.5,  0. ,  0.5])
    """
    refuse_variables("scipy.optimize.curve_fit", p0=p0, bounds=bounds, **options)
    xdata, ydata = as_input(xdata), as_input(ydata)
    if check_finite is not None:
        options["check_finite"] = check_finite

    def slopes(x: Any, *p: Any) -> Any:
        return jacobian(lambda q: np.reshape(f(x, *q), -1))(np.array(p))

    with no_grad():
        found = scipy.optimize.curve_fit(
            Plainly(f), plain_all(xdata), plain(ydata), p0, plain(sigma), absolute_sigma, bounds=bounds, method=method,
            jac=Plainly(slopes) if jac is None else Plainly(jac) if callable(jac) else jac, **options,
        )  # fmt: skip

    def residuals(p: Any) -> Any:
        difference = np.reshape(f(xdata, *p) - ydata, -1)
        if sigma is None:
            return difference
        deviations = as_input(sigma)
        if len(shape_of(deviations)) == 2:
            return np.linalg.solve(np.linalg.cholesky(deviations), difference)
        return difference / deviations

    p = found[0]
    if not recorded(residuals(p)):
        return found
    p = stationary(lambda q: 0.5 * np.sum(residuals(q) ** 2), p, _rows(bounds, len(p)), "this fit")
    return (p, _covariance(residuals, p, absolute_sigma), *found[2:])


def _covariance(residuals: Callable[[Any], Any], p: Any, absolute: bool) -> Any:
    """(JᵀJ)⁻¹, scaled so that the residuals have the size that they are expected to have."""
    slopes = jacobian(residuals)(p)
    z = np.linalg.inv(slopes.T @ slopes)
    if absolute:
        return z
    count, unknowns = shape_of(slopes)
    return z * (np.sum(residuals(p) ** 2) / (count - unknowns) if count > unknowns else np.inf)
