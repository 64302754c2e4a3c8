"""Decompositions into values and vectors, and what their rules divide by: gaps and sums of values, which may all vanish.

Where values coincide, their vectors are any basis of a space, and the rule comes to 0 / 0: a part of the upstream gradient that
vanishes if the loss does not mind the basis, over a gap that is 0. If the loss is a smooth function of the matrix, the quotient has a
limit: how the part changes as the values move apart, over how they do. Only the circuit behind the gate can tell that, so the rule
says that it is undecided, and `transforms/parting.py` asks.

So a rule is written once, with what divides handed in: `Plain` divides where it can, `Noted` looks at what would be divided,
`Limits` has the limits.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gategrad.errors import NoGradientError, UndecidedError
from gategrad.gates.linalg.coinciding import (
    MINDS,
    REMEDY,
    TOGETHER,
    Decomposition,
    differing,
    is_significant,
    is_traced,
)
from gategrad.gates.linalg.matrices import checked, known, no_gradient
from gategrad.recording import plain

__all__ = [
    "Divide",
    "Eigendecomposition",
    "Limits",
    "Noted",
    "Parted",
    "Plain",
    "anywhere",
    "collapsed",
    "gaps",
    "refuse",
    "sums",
]

Gap = Callable[[Any], Any]
Refusal = tuple[Any, Callable[[], NoGradientError]]


def gaps(w: Any) -> Any:
    """w_j − w_i at [i, j]."""
    return w[..., None, :] - w[..., :, None]


def sums(w: Any) -> Any:
    """w_i + w_j at [i, j]."""
    return w[..., None, :] + w[..., :, None]


class Divide:
    """What a rule divides with: `x / gap(values)`, which is 0 / 0 in the places of the refusals.

    Each refusal is such places, and the error if x is there more than rounding of `whole`.
    """

    is_told = False
    """Whether what would be 0 / 0 is known, so that losses need not be such that it is nothing."""

    def __call__(self, x: Any, values: Any, gap: Gap, whole: Any, *refusals: Refusal) -> Any:
        raise NotImplementedError


class Plain(Divide):
    """Nothing where both are zero: right for losses that do not use values and vectors together."""

    def __call__(self, x: Any, values: Any, gap: Gap, whole: Any, *refusals: Refusal) -> Any:
        x = refuse(x, is_significant(known(x), whole), refusals)
        return np.where(anywhere(refusals), 0.0, _divided(x, values, gap, refusals))


class Noted(Divide):
    """Nothing is divided, but what would be is noted, for the limits."""

    is_told = True

    def __init__(self) -> None:
        self.parts: list[tuple[Any, Gap, Any, tuple[Refusal, ...]]] = []

    def __call__(self, x: Any, values: Any, gap: Gap, whole: Any, *refusals: Refusal) -> Any:
        self.parts.append((x, gap, whole, refusals))
        return x


class Limits(Divide):
    """The limits, in the order in which the rule asks for them."""

    is_told = True

    def __init__(self, limits: Iterator[Any]) -> None:
        self._limits = limits

    def __call__(self, x: Any, values: Any, gap: Gap, whole: Any, *refusals: Refusal) -> Any:
        return np.where(anywhere(refusals), next(self._limits), _divided(x, values, gap, refusals))


def anywhere(refusals: Sequence[Refusal]) -> Any:
    """The places of all refusals."""
    return functools.reduce(operator.or_, [where for where, _ in refusals])


def refuse(x: Any, significant: Any, refusals: Sequence[Refusal]) -> Any:
    """x, if it is nothing but rounding in those places."""
    for where, error in refusals:
        x = checked(x, where & significant, error)
    return x


def _divided(x: Any, values: Any, gap: Gap, refusals: Sequence[Refusal]) -> Any:
    return x / np.where(anywhere(refusals), np.ones((), known(values).dtype), gap(values))


class Parted(Decomposition):
    """A decomposition into values and vectors, whose rule is undecided where values coincide. A kind."""

    equal: Any
    """Which values coincide, at [i, j]."""

    meets: Any
    """Whether values coincide, or vanish where that matters: a truth value, or a symbol of one."""

    at: int
    """Which of the outputs are the values."""

    together_with_vectors = TOGETHER
    """Why there is no telling the gradient of a loss that uses both, …"""

    remedy = REMEDY
    """… and what to do."""

    @property
    def function(self) -> str:
        """NumPy's name for it."""
        return type(self).__name__.lower()

    def uses_vectors(self, dz: Any) -> bool:
        """Whether anything arrives at the vectors."""
        return any(part is not None for n, part in enumerate(dz) if n != self.at)

    def backward(self, dz: Any) -> Any:
        if self.uses_vectors(dz):
            if is_traced(self.meets):  # the program that is being written gives up then, and the function runs itself
                dz = tuple([None if part is None else checked(part, self.meets, self.undecided) for part in dz])
            elif self.meets:
                raise self.undecided()
        elif not is_traced(self.meets) and self.meets and self.differs(dz[self.at]):
            raise self.undecided()  # but for rounding, perhaps, of values that are the same
        return self.rule(dz, Plain())

    def rule(self, dz: Any, over: Divide) -> Any:
        """`backward`, with what divides handed in."""
        raise NotImplementedError

    def differs(self, dz: Any) -> bool:
        """Whether something else arrives at values that coincide."""
        return bool(np.any(differing(known(dz), self.equal)))

    @property
    def outputs(self) -> tuple[Any, ...]:
        """What `forward` returned."""
        raise NotImplementedError

    def together(self) -> Parted:
        """The same application with values that coincide to rounding taken for one."""
        raise NotImplementedError

    def elsewhere(self) -> Parted:
        """The same in another basis of the spaces of values that coincide, on plain numbers."""
        raise NotImplementedError

    def apart(self, *, uneven: bool) -> Any:
        """How values that coincide move apart: a number for each, no two of one space alike."""
        return places(self.equal, uneven=uneven)

    def undecided(self) -> UndecidedError:
        """The error if there is no circuit to ask."""
        return UndecidedError(str(no_gradient(self.function, self.together_with_vectors, self.remedy)))

    def minds(self) -> NoGradientError:
        """The error for a loss that is another one in another basis."""
        return no_gradient(self.function, MINDS, self.remedy)

    def changed(self, **remembered: Any) -> Parted:
        """The same application, remembering something else."""
        gate: Parted = object.__new__(type(self))
        gate.__dict__ = self.__dict__ | remembered
        return gate


class Eigendecomposition(Parted):
    """One into w and v, eigenvalues and eigenvectors. A kind."""

    at = 0
    w: Any
    v: Any

    @property
    def outputs(self) -> tuple[Any, ...]:
        return self.w, self.v

    def together(self) -> Parted:
        return self.changed(w=collapsed(self.w, self.equal))


def collapsed(w: Any, equal: Any) -> Any:
    """w, with values that coincide at their mean."""
    value = plain(w)
    mean = np.sum(np.where(equal, value[..., None, :], 0.0), axis=-1) / np.sum(equal, axis=-1)
    return w + (mean.astype(value.dtype) - value)


def places(equal: Any, *, uneven: bool) -> Any:
    """The place of each value among those that coincide with it: 1, 2, 3 …, or numbers with other gaps."""
    place = np.sum(np.tril(equal), axis=-1).astype(np.float64)
    return place + 0.25 * np.sin(2.0 * place * place) if uneven else place
