"""Trajectories of any solver as solutions of equations: collocation at Radau's points, differentiated implicitly.

An implicit method, or one in Fortran, cannot be run again on variables. But what it returns solves the differential equation,
and a polynomial through s points of a step, whose derivative is right at each, solves it to order 2s − 1: these are equations
for the numbers at hand. Linearised they are a chain of small linear systems, one for each step, forwards for tangents and
backwards for gradients; stiff equations included, for which these points are made (E. Hairer and G. Wanner, Solving
Ordinary Differential Equations II, 1996, section IV.5).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.special

from gategrad.errors import NoGradientError
from gategrad.gates.axes import shape_of
from gategrad.pause import no_grad
from gategrad.recording import plain
from gategrad.solvers.clock import Clock
from gategrad.solvers.implicit import Inverse, as_it_moves
from gategrad.transforms.vjp import vjp

__all__ = ["through_points"]

Rates = Callable[[Any, Any], Any]


@functools.cache
def radau(s: int) -> tuple[Any, Any]:
    """The points in (0, 1], the last of which is 1, and the integrals of their cardinal polynomials up to each.

    >>> points, integrals = radau(2)
    >>> (points * 3).round(12), (integrals * 12).round(12)
    (array([1., 3.]), array([[ 5., -1.],
           [ 9.,  3.]]))
    """
    inner = (scipy.special.roots_jacobi(s - 1, 1.0, 0.0)[0] + 1) / 2 if s > 1 else np.zeros(0)
    points = np.append(inner, 1.0)
    powers = np.arange(s)
    return points, (points[:, None] ** (powers + 1) / (powers + 1)) @ np.linalg.inv(points[:, None] ** powers)


def through_points(
    rates: Rates, clock: Clock, hands: Any, y0: Any, at: Callable[[Any], Any], limit: Any
) -> tuple[Any, Any]:
    """The states at the ends of steps, as functions of whatever variables the rates compute with; and where the hands stood.

    `hands` says where on the clock steps end, to begin with, and `at(t)` what the solver says of plain times. These equations
    and the solver agree if a step of Newton's method changes no state by more than `limit`; steps in which they do not are
    halved. `NoGradientError` if that does not help.
    """
    worst: list[float] = []
    for _ in range(_ATTEMPTS):
        chain = _Chain(rates, clock, hands, y0)
        states = np.reshape(at(np.ravel(plain(chain.t))), (len(hands) - 1, len(chain.c), -1))
        with no_grad():
            found = chain.linearised(states, plain)
            change = found.undo[0](found.residual)
        if np.all(np.abs(change) <= limit):

            def inverse(x: Any, keep: Any, chain: _Chain = chain, found: _Linearised = found) -> Inverse:
                return found.undo if keep is plain else chain.linearised(x, keep).undo

            return as_it_moves(states, chain.residual, inverse, "this trajectory")[:, -1], hands
        worst.append(float(np.max(np.abs(change) / limit)))
        if len(worst) > _PATIENCE and worst[-1] > worst[-1 - _PATIENCE] / 2:
            break
        wrong = np.any(np.abs(found.alone) > limit, axis=(1, 2))
        middles = (hands[:-1] + hands[1:]) / 2
        hands = np.sort(np.concatenate([hands, middles[wrong] if wrong.any() else middles]))
    raise NoGradientError(
        "this trajectory has no gradient that could be trusted: the numbers that the solver returned do not solve the equation "
        "closely enough. Lower rtol and atol, or split the integration where the right-hand side jumps"
    )


_ATTEMPTS, _PATIENCE = 10, 2  # how often to halve, and after how often it must have made a difference


class _Linearised(NamedTuple):
    """What is to be 0; what each step alone would change about that; and the inverse of the Jacobian."""

    residual: Any
    alone: Any
    undo: Inverse


class _Chain:
    """The equations Y_j − y − h Σ_k a_jk f(t_k, Y_k) = 0 of all steps, y being what the step before ends with."""

    def __init__(self, rates: Rates, clock: Clock, hands: Any, y0: Any, s: int = 4) -> None:
        self.rates, self.y0 = rates, y0
        self.c, self.a = radau(s)
        ends = clock(hands)
        self.h = ends[1:] - ends[:-1]
        self.t = ends[:-1, None] + self.h[:, None] * self.c  # the last of each row is the end of a step

    def slopes(self, states: Any) -> Any:
        """The right-hand side at every point."""
        steps, s, _ = shape_of(states)
        return np.stack([np.stack([self.rates(self.t[i, j], states[i, j]) for j in range(s)]) for i in range(steps)])

    def residual(self, states: Any) -> Any:
        """What is to be 0."""
        return self._equations(states, self.slopes(states))

    def _equations(self, states: Any, slopes: Any) -> Any:
        before = np.concatenate([np.reshape(self.y0, (1, -1)), states[:-1, -1]])
        return states - before[:, None] - self.h[:, None, None] * (self.a @ slopes)

    def linearised(self, states: Any, keep: Any) -> _Linearised:
        """The equations' residual, and the inverse of their Jacobian as `implicit.as_it_moves` wants it."""
        steps, s, n = shape_of(states)
        found, pullback = vjp(self.slopes, states)
        units = [np.broadcast_to(unit, (steps, s, n)) for unit in np.eye(n)]
        slopes = np.stack(
            [keep(pullback(unit)[0]) for unit in units], axis=-2
        )  # each depends on the states at its point alone
        blocks = keep(self.h)[:, None, None, None, None] * (self.a[:, :, None, None] * slopes[:, None])
        blocks = np.reshape(np.transpose(blocks, (0, 1, 3, 2, 4)), (steps, s * n, s * n))
        solved = np.linalg.inv(np.eye(s * n) - blocks)

        def forwards(dr: Any) -> Any:
            moved, found = np.zeros(n), []
            for i in range(steps):
                found.append(np.reshape(solved[i] @ np.reshape(dr[i] + moved, -1), (s, n)))
                moved = found[-1][-1]
            return np.stack(found)

        def backwards(dz: Any) -> Any:
            upstream, found = np.zeros(n), []
            last = np.eye(s)[-1][:, None]
            for i in reversed(range(steps)):
                found.append(np.reshape(np.reshape(dz[i] + last * upstream, -1) @ solved[i], (s, n)))
                upstream = np.sum(found[-1], axis=0)
            return np.stack(found[::-1])

        residual = keep(self._equations(states, found))
        alone = np.reshape(solved @ np.reshape(residual, (steps, s * n, 1)), (steps, s, n))
        return _Linearised(residual, alone, (forwards, backwards))
