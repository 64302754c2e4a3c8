"""Solutions of equations: SciPy finds the numbers, the implicit function theorem says how they move.

Where r(x, p) = 0 holds, ∂r/∂x dx + ∂r/∂p dp = 0, so dx = −(∂r/∂x)⁻¹ ∂r/∂p dp. The residual r is recorded once more at the
solution, with whatever variables it computes with (arguments, variables in its closure, attributes of objects: none needs
to be named), and a gate turns its tangent, −(∂r/∂x)⁻¹ dr, into that of x. On nested tapes this is done for each in turn,
from the outermost to the innermost: the solution that the inner one starts from moves already, and so does ∂r/∂x. So the
gradient has a gradient, to any order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.errors import NoGradientError
from gategrad.gate import Gate
from gategrad.gates.axes import shape_of
from gategrad.pause import no_grad
from gategrad.recording import plain
from gategrad.tape import UNTRACKED
from gategrad.transforms.jacobian import jacobian
from gategrad.values import lock
from gategrad.variable import Variable
from gategrad.watch import floor

__all__ = ["Inverse", "Solution", "as_it_moves", "below", "dense", "elementwise", "recorded", "tapes"]

Inverse = tuple[Callable[[Any], Any], Callable[[Any], Any]]
"""The inverse of ∂r/∂x: what it does to a tangent, and what its transpose does to a gradient."""


class Solution(Gate):
    """z = the x for which r(x) = 0. r receives −(∂r/∂x)⁻ᵀ dz: a black box with an exact gradient."""

    pattern, symbol = "implicit", "r = 0"
    remembers_inputs = False
    takes_complex = True

    def __init__(self, x: Any, inverse: Inverse) -> None:
        self.x = x
        self.inverse = inverse

    def forward(self, residual: Any) -> Any:
        return self.x

    def backward(self, dz: Any) -> Any:
        return -self.inverse[1](dz)

    def jvp(self, dr: Any) -> Any:
        return -self.inverse[0](dr)


def as_it_moves(x: Any, residual: Callable[[Any], Any], inverse: Callable[[Any, Any], Inverse], what: str) -> Any:
    """The solution x of r(x) = 0, as a function of the variables that `residual` computes with; x itself if there are none.

    `inverse(x, keep)` finds the inverse of ∂r/∂x at x; `keep` takes a value computed there to the tapes that are meant.
    `NoGradientError` if `what` is not where r is 0: the theorem says nothing of other points.
    """
    zero = residual(x)
    levels = tapes(zero)
    if not levels:
        return x
    with no_grad():
        undo = inverse(x, plain)
    _refuse_far(undo[0](plain(zero)), x, what)
    x = Solution(lock(x), undo)(below(zero, levels[0]))
    for level in levels[1:]:
        undo = inverse(x, lambda value, level=level: below(value, level - 1))
        x = Solution(x, undo)(below(residual(x), level))
    return x


def tapes(z: Any) -> list[int]:
    """The levels of the tapes on which a value is recorded, outermost first; those that `no_grad` pauses are none."""
    levels = []
    while type(z) is Variable:
        if z.level > floor():
            levels.append(z.level)
        z = z.raw
    return levels[::-1]


def recorded(*values: Any) -> bool:
    """Whether any of these values is recorded on a tape."""
    return any(map(tapes, values))


def below(z: Any, level: int) -> Any:
    """What a value is on the tape of this level, or on the next one under it; a plain one if there is none."""
    while type(z) is Variable and (z.level > level or z.level == UNTRACKED):
        z = z.raw
    return z


def dense(
    residual: Callable[[Any], Any], what: str, slope: Callable[[Any], Any] | None = None
) -> Callable[[Any, Any], Inverse]:
    """For `as_it_moves`: the inverse of ∂r/∂x as a matrix, or of a number.

    `slope` computes ∂r/∂x where there is a better way than the Jacobian of r. `NoGradientError` if it is singular.
    """

    def inverse(x: Any, keep: Any) -> Inverse:
        matrix = keep((slope or jacobian(residual))(x))
        if not shape_of(matrix):
            _refuse_singular(np.reshape(plain(matrix), (1, 1)), what)
            return (lambda dr: dr / matrix), (lambda dz: dz / matrix)
        if shape_of(matrix)[0] != shape_of(matrix)[1]:
            raise NoGradientError(f"{what} has {shape_of(matrix)[0]} equations for {shape_of(matrix)[1]} unknowns")
        _refuse_singular(plain(matrix), what)
        return (lambda dr: np.linalg.solve(matrix, dr)), (lambda dz: np.linalg.solve(matrix.T, dz))

    return inverse


def elementwise(slope: Callable[[Any], Any], what: str) -> Callable[[Any, Any], Inverse]:
    """For `as_it_moves`: the inverse where each equation has one unknown of its own."""

    def inverse(x: Any, keep: Any) -> Inverse:
        slopes = keep(slope(x))
        for number in np.ravel(plain(slopes)):
            _refuse_singular(np.reshape(number, (1, 1)), what)
        return (lambda dr: dr / slopes), (lambda dz: dz / slopes)

    return inverse


def _refuse_far(step: Any, x: Any, what: str) -> None:
    """A point from which Newton's method would go on: SciPy gave up, or stopped early."""
    length = np.max(np.abs(step), initial=0.0) / max(1.0, np.max(np.abs(x), initial=0.0))
    if not length < _NEAR:
        raise NoGradientError(
            f"{what} has no gradient here: a step of Newton's method from the point that SciPy returned moves it by "
            f"{length:.1e} of its size, so it is no solution yet. Look at `success` and `message` in the result, lower tol, or "
            "begin elsewhere"
        )


_NEAR = 1e-2


def _refuse_singular(matrix: Any, what: str) -> None:
    """A slope without an inverse, or with one that is all rounding."""
    sizes = np.linalg.svd(matrix, compute_uv=False) if np.all(np.isfinite(matrix)) else np.zeros(1)
    if sizes.size and not sizes[-1] > len(matrix) * np.finfo(matrix.dtype).eps * sizes[0]:
        raise NoGradientError(
            f"{what} has no gradient here: the matrix of slopes at the solution is singular or not finite, so the solution is not the only "
            "one, or does not move smoothly. Remove what is redundant, add a regulariser, or pass .value of what is a "
            "constant"
        )
