"""Complex numbers: their conjugates, parts and angles. The gates here are the ones that are not holomorphic.

In rules dz is the unconjugated cotangent, dL = Re(Σ dz · δz), so that a holomorphic gate has the rule of its real twin:
local gradient × dz. What people see is the conjugate of that (see `values.conjugated`). When a complex value meets a
real one, the engine keeps the real part of the gradient, since a real number cannot move in the imaginary direction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.assignment import viewed
from gategrad.gates.conjugation import conj
from gategrad.gates.singular import occurs
from gategrad.kinds import Elementwise, Example
from gategrad.masked import select
from gategrad.recording import plain
from gategrad.values import is_complex, lock

__all__ = ["Angle", "Conjugate", "Imag", "Real"]


class Conjugate(Elementwise):
    """z = conj(x). A distributor: x receives conj(dz); of a real x, dz as it is."""

    ufunc, pattern, symbol = np.conjugate, "distributor", "conj"
    remembers_inputs = False
    takes_complex = True

    def forward(self, x: Any) -> Any:
        return np.conjugate(x)

    def backward(self, dz: Any) -> Any:
        return conj(dz)


class Real(Elementwise):
    """z = Re(x). A distributor: x receives dz, a real number."""

    pattern, symbol = "distributor", "Re"
    remembers_inputs = False
    takes_complex = True

    def forward(self, x: Any) -> Any:
        return np.real(x)

    def backward(self, dz: Any) -> Any:
        return dz


class Imag(Elementwise):
    """z = Im(x). A distributor: x receives −i · dz; a real x nothing."""

    pattern, symbol = "distributor", "Im"
    remembers_inputs = False
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.turns = is_complex(x)
        return np.imag(x)

    def backward(self, dz: Any) -> Any:
        return -1j * dz if self.turns else None


class Angle(Elementwise):
    """z = the angle of x, in (−π, π]. A scaler: x receives −i · dz / x.

    Singular: the angle of 0 is anybody's guess, and nothing flows there.
    """

    pattern, symbol = "scaler", "∠"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.angle(x)

    def backward(self, dz: Any) -> Any:
        x = self.x
        zero = plain(x) == 0
        if not occurs(zero):
            return -1j * dz / x
        some = np.logical_not(zero)
        dz = select(some, dz)
        return None if dz is None else dz * (-1j / np.where(zero, np.ones_like(plain(x)), x))

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Complex numbers in all four quadrants; of real ones the angle is a step."""
        corners = np.array([1 + 1j, -1 + 1j, -1 - 1j, 1 - 1j])
        yield cls(), (corners * rng.uniform(0.5, 2.0, 4),)
        yield cls(), (np.complex128(0.5 - 1j),)


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.real)
def _real(val: Any) -> Any:
    return viewed(val, Real()) if is_complex(val) else val


@implements(np.imag)
def _imag(val: Any) -> Any:
    return viewed(val, Imag()) if is_complex(val) else lock(np.zeros_like(plain(val)))


@implements(np.angle)
def _angle(z: Any, deg: bool = False) -> Any:
    if is_complex(z):
        angle = Angle()(z)
    else:
        x = plain(z)
        angle = np.angle(x)  # 0 or π: a step, through which nothing flows
    return angle * (180 / math.pi) if deg else angle


@implements(np.sort_complex)
def _sort_complex(a: Any) -> Any:
    return np.sort(a if is_complex(a) else np.astype(a, np.complex128))
