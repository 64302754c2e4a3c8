"""Minima under constraints as they move: the conditions of Karush, Kuhn and Tucker are equations, too.

Where constraints c hold with equality and hold x back, ∇f = Σ λᵢ ∇cᵢ and c = their limits: as many equations as there are
unknowns x and multipliers λ, to which the implicit function theorem applies. Which constraints those are is read off the
solution that SciPy found. J. Nocedal and S. Wright, Numerical Optimization (2006), chapter 12.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize

from gategrad.errors import NoGradientError
from gategrad.pause import no_grad
from gategrad.recording import plain
from gategrad.solvers.calls import Plainly, as_args, joined
from gategrad.solvers.implicit import as_it_moves, dense
from gategrad.solvers.stationary import limits
from gategrad.transforms.grad import grad
from gategrad.transforms.hessian import hessian
from gategrad.transforms.jacobian import jacobian

__all__ = ["Constraint", "constrained", "constraints_of", "with_slopes"]

_NEAR = 1e-4
"""How close to its limit a constraint may hold x back, …"""
_THERE = 1e-6
"""… how close it counts as met, …"""
_HOLDS = 1e-6
"""… and how much it must hold, as part of what the objective pulls."""


class Constraint(NamedTuple):
    """lower ≤ fun(x) ≤ upper, a vector."""

    fun: Callable[[Any], Any]
    lower: Any
    upper: Any


def constraints_of(constraints: Any, bounds: Any) -> list[Constraint]:
    """The constraints in any form in which SciPy takes them, bounds among them."""
    if constraints is None:
        constraints = []
    listed = list(constraints) if isinstance(constraints, (tuple, list)) else [constraints]
    found = [_read(constraint) for constraint in listed]
    return [*found, Constraint(lambda x: x, *limits(bounds))] if found and bounds is not None else found


def _read(constraint: Any) -> Constraint:
    if isinstance(constraint, dict):
        fun, args = constraint["fun"], as_args(constraint.get("args", ()))
        upper = 0.0 if constraint["type"].lower() == "eq" else np.inf
        return Constraint(lambda x: np.atleast_1d(joined(fun(x, *args))), 0.0, upper)
    if isinstance(constraint, scipy.optimize.LinearConstraint):
        matrix = constraint.A.toarray() if hasattr(constraint.A, "toarray") else constraint.A
        return Constraint(lambda x: matrix @ x, constraint.lb, constraint.ub)
    return Constraint(lambda x: np.atleast_1d(joined(constraint.fun(x))), constraint.lb, constraint.ub)


def with_slopes(constraints: Any) -> Any:
    """The constraints as SciPy gets them: with their Jacobians, where the user gives none."""
    if isinstance(constraints, (tuple, list)):
        return [with_slopes(constraint) for constraint in constraints]
    if isinstance(constraints, dict) and constraints.get("jac") is None:
        return {**constraints, "jac": Plainly(_slope_of(constraints["fun"]))}
    if isinstance(constraints, scipy.optimize.NonlinearConstraint) and constraints.jac == "2-point":
        handed = copy.copy(constraints)
        handed.jac = Plainly(_slope_of(constraints.fun))
        return handed
    return constraints


def _slope_of(fun: Callable[..., Any]) -> Callable[..., Any]:
    return jacobian(lambda x, *args: np.atleast_1d(joined(fun(x, *args))))


def constrained(objective: Callable[[Any], Any], x: Any, constraints: list[Constraint]) -> Any:
    """A minimum under constraints, as a function of whatever variables these and the objective compute with.

    `NoGradientError` where the constraints that hold x back are not independent, and where one is met without holding it
    back: a little change of the parameters decides whether it will, so there is a kink.
    """
    what = "this minimum under constraints"
    with no_grad():
        held, limit, multipliers = _active(objective, x, constraints, what)

    def excess(y: Any) -> Any:
        return np.concatenate([c.fun(y) for c in constraints])[held] - limit

    def residual(z: Any) -> Any:
        y, weights = z[: len(x)], z[len(x) :]
        slope = grad(lambda y: objective(y) - excess(y) @ weights)(y)
        return np.concatenate([slope, excess(y)])

    start = np.concatenate([x, multipliers])
    return as_it_moves(start, residual, dense(residual, what), what)[: len(x)]


def _active(objective: Any, x: Any, constraints: list[Constraint], what: str) -> tuple[Any, Any, Any]:
    """Which constraints hold x back, where their limits are, and how much they do: (places, limits, multipliers)."""
    values = [plain(c.fun(x)) for c in constraints]
    c = np.concatenate(values)
    lower, upper = [
        np.concatenate([np.broadcast_to(getattr(c, side), v.shape) for c, v in zip(constraints, values, strict=True)])
        for side in ("lower", "upper")
    ]
    below, scale = c - lower < upper - c, np.maximum(1.0, np.abs(c))
    limit, fixed = np.where(below, lower, upper), lower == upper
    gap = np.abs(c - limit) / scale
    places = np.flatnonzero(fixed | (gap < _NEAR))
    slopes = np.concatenate([plain(jacobian(c.fun)(x)) for c in constraints])
    slope = plain(grad(objective)(x))
    multipliers = _multipliers(slope, slopes[places], what)
    pull = np.where(below[places], 1.0, -1.0) * multipliers * np.linalg.norm(slopes[places], axis=1)
    size = np.linalg.norm(plain(hessian(objective)(x))) * max(1.0, np.max(np.abs(x), initial=0.0))
    holds = fixed[places] | (pull > _HOLDS * size)  # without it x would move by some of its size
    if np.any(~holds & (gap[places] < _THERE)):
        raise NoGradientError(
            f"{what} has no gradient here: a constraint is met without holding x back, so x moves in one way if the "
            "parameters change in one direction, and in another if they change in the other. Leave that constraint out, or "
            "move the parameters a little"
        )
    places = places[holds]
    return places, limit[places], _multipliers(slope, slopes[places], what)


def _multipliers(slope: Any, slopes: Any, what: str) -> Any:
    """λ with ∇f = Σ λᵢ ∇cᵢ, as well as can be."""
    multipliers, _, rank, _ = np.linalg.lstsq(slopes.T, slope, rcond=None)
    if rank < len(slopes):
        raise NoGradientError(
            f"{what} has no gradient here: {len(slopes)} constraints hold x back, but their slopes span {rank} dimensions, so "
            "the multipliers are not the only ones. Remove constraints that say the same"
        )
    return multipliers
