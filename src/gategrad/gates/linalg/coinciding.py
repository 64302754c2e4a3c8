"""Eigenvalues and singular values that coincide, but for rounding: which do, in what basis, and what may be asked of them.

The vectors of values that coincide are any basis of a space. In the basis that LAPACK happens to find (unit vectors, for a diagonal
matrix) a loss that depends on the choice can be stationary by accident, and then its gradient looks like that of one that does not.
So the gates hand on a basis that nothing distinguishes: there, what depends on the basis, or on the order of the values, shows it
in its first derivative, and can be reported.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from gategrad.array_methods import ArrayMethods
from gategrad.errors import UndecidedError
from gategrad.gate import Gate
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.matrices import adjoint, checked, known, no_gradient

__all__ = [
    "MINDS",
    "REMEDY",
    "TOGETHER",
    "Decomposition",
    "any_of",
    "coinciding",
    "differing",
    "gaps_of",
    "is_significant",
    "is_traced",
    "others",
    "parting",
    "refuse_order",
    "refuse_parting",
    "turned",
    "turned_within_kernel",
]

REMEDY = (
    "Use a function of all of them that does not depend on their order or on the basis, such as a sum, a trace, "
    "np.linalg.det, np.linalg.matrix_power or gg.spectral, or perturb the matrix"
)


MINDS = "values coincide, and the loss depends on their order or on the basis of their space"


TOGETHER = "eigenvalues coincide, and their values and vectors are used together, as in v f(w) vᴴ, whose gradient needs the slope of f"


class Decomposition(Gate):
    """A decomposition whose values may coincide. A kind: what its `jvp` answers there is right if the loss is invariant.

    Only the loss knows that. Those who push tangents ask `is_parted`, and if so, ask `backward` of the loss.
    """

    pattern = "switcher"

    def is_parted(self, dx: Any) -> bool:
        """Whether values that coincide part along dx, so that a tangent depends on the choice of a basis."""
        raise NotImplementedError


def is_traced(x: Any) -> bool:
    """Whether numbers are only known when a program runs."""
    return isinstance(known(x), ArrayMethods)


def coinciding(w: Any) -> Any:
    """Which of these values, in ascending or descending order, are the same but for rounding, one by one or in a chain: at [i, j]."""
    value = known(w)
    size = np.abs(value).max(axis=-1, initial=0.0)[..., None]
    near = np.abs(value[..., 1:] - value[..., :-1]) <= 4 * value.shape[-1] * np.finfo(value.dtype).eps * size
    first = np.zeros(value[..., :1].shape, value.dtype)
    place = np.cumsum(np.concatenate([first, np.where(near, first[..., :1], 1.0)], axis=-1), axis=-1)
    return place[..., None, :] == place[..., :, None]


@functools.lru_cache(64)
def others(n: int) -> Any:
    """The places beside the diagonal."""
    places = ~np.eye(n, dtype=bool)
    places.flags.writeable = False
    return places


def any_of(equal: Any, zero: Any = None) -> Any:
    """Whether any two values coincide, or one vanishes: a truth value, or a symbol of one."""
    several = np.any(equal & others(equal.shape[-1]))
    return several if zero is None else several | np.any(zero)


def gaps_of(w: Any, equal: Any) -> Any:
    """w_j − w_i at [i, j], and 1 where they are equal, so that dividing by it is safe."""
    return np.where(equal, np.ones((), known(w).dtype), w[..., None, :] - w[..., :, None])


def turned(v: Any, equal: Any, *, again: bool = False) -> Any:
    """v, with the columns whose values coincide reflected within their space to a basis that nothing distinguishes; or to another one."""
    n = equal.shape[-1]
    several = equal & others(n)
    if not is_traced(several) and not np.any(several):
        return v
    mirror = _uneven(n, again).astype(np.real(known(v)).dtype)
    length = np.sum(np.where(several, mirror * mirror, 0.0), axis=-1) + mirror * mirror
    twice = np.where(np.any(several, axis=-1), 2.0 / length, 0.0)
    return v - v @ (np.where(equal, mirror[:, None] * mirror, 0.0) * twice[..., None, :])


def turned_within_kernel(u: Any, zero: Any, *, again: bool = False) -> Any:
    """u, with the columns that mean nothing reflected within all that the others do not reach, if that has two dimensions or more."""
    rows, columns = u.shape[-2:]
    several = np.any(zero, axis=-1) & (np.sum(np.where(zero, 1.0, 0.0), axis=-1) > 1 - (rows - columns))
    if not is_traced(several) and not np.any(several):
        return u
    kept = np.where(zero[..., None, :], 0.0, u)
    mirror = _uneven(rows, again).astype(np.real(known(u)).dtype)[:, None]
    mirror = mirror - kept @ (adjoint(kept) @ mirror)
    length = np.sum(np.real(mirror * conj(mirror)), axis=(-2, -1))
    twice = np.where(several, 2.0 / np.where(several, length, 1.0), 0.0)
    return u - (mirror @ (adjoint(mirror) @ (u - kept))) * twice[..., None, None]


def _uneven(n: int, again: bool) -> Any:
    """Numbers of which each and the next are the sides of an angle of 30 to 38 degrees, far from any with a symmetry; or of 15 to 25."""
    k = np.arange(n)
    return np.where(k % 2, 0.36, 1.0) + 0.1 * np.cos(k) if again else np.where(k % 2, 0.67, 1.0) + 0.1 * np.sin(k)


def is_significant(part: Any, of: Any, slack: Any = 1.0) -> Any:
    """Which elements are more than rounding of the whole."""
    eps = np.finfo(of.dtype).eps
    return np.abs(part) > 1e3 * of.shape[-1] * eps * slack * np.abs(of).max(axis=(-2, -1), initial=0.0, keepdims=True)


def differing(dw: Any, equal: Any, slack: Any = 1.0) -> Any:
    """Where values that coincide have gradients, or tangents, that do not."""
    return equal & is_significant(dw[..., None, :] - dw[..., :, None], dw[..., None, :], slack)


def refuse_order(name: str, dw: Any, equal: Any, why: str = "", remedy: str = REMEDY, slack: Any = 1.0) -> Any:
    """dw, if the gradient of values that coincide is the same for all of them: else it depends on their order."""
    why = why or "values coincide, and they are treated differently"
    return checked(dw, differing(known(dw), equal, slack), lambda: no_gradient(name, why, remedy))


def parting(inner: Any, equal: Any) -> Any:
    """Where the movement of a matrix, in the basis of its vectors, tells between values that coincide."""
    beside = equal & others(inner.shape[-1]) & is_significant(inner, inner)
    return beside | differing(np.real(np.diagonal(inner, axis1=-2, axis2=-1)), equal)


def refuse_parting(name: str, inner: Any, parts: Any) -> Any:
    """The movement, if it leaves together what coincides: a program cannot ask the loss whether it minds."""
    why = (
        "values coincide and part in this direction, which forward mode in a compiled function cannot tell from a kink"
    )
    remedy = "Use reverse mode (gg.grad, gg.vjp), or gg.spectral"
    return checked(inner, parts, lambda: UndecidedError(str(no_gradient(name, why, remedy))))
