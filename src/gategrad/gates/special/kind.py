"""Special: the kind of the gates for SciPy's special functions, which are told by their local gradients alone.

A gate names its ufunc and has one method `slope_x` for each argument x: the local gradient, written with NumPy's and
SciPy's functions on whatever flows. Since the functions in it have gates too, derivatives of any order follow.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import scipy.special._ufuncs

from gategrad.errors import NoRuleError
from gategrad.gates.singular import times
from gategrad.kinds import Elementwise, Example

__all__ = ["Special", "hidden"]

_SLOPE = "slope_"


class Special(Elementwise):
    """A ufunc of SciPy's. Each argument receives its local gradient (the method `slope_…`) times dz."""

    pattern = "scaler"

    arguments: ClassVar[tuple[str, ...]] = ()
    """The names of the inputs, in order: read from the slopes, all of which take all inputs."""

    uses_output: ClassVar[bool] = False
    """Whether a slope is written with z, as `self.z`."""

    without_slope: ClassVar[dict[str, str]] = {}
    """For an argument whose gradient is unknown: what to do instead, as the error says it."""

    whole: ClassVar[tuple[str, ...]] = ()
    """Arguments that take integers; tests draw them as such, and nothing flows into them."""

    complex_valued: ClassVar[bool] = False
    """Whether z is complex for real inputs too."""

    z: Any

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        slopes = [method for name, method in vars(cls).items() if name.startswith(_SLOPE)]
        if slopes:
            cls.arguments = tuple(inspect.signature(slopes[0]).parameters)[1:]

    def forward(self, *inputs: Any) -> Any:
        """The ufunc itself."""
        z = self.ufunc(*inputs)
        if True in self.needs:
            self.xs = inputs
            if self.uses_output:
                self.z = z
        return z

    def backward(self, dz: Any) -> Any:
        """Each slope that is asked for, times dz; where dz is 0, an infinite slope counts for nothing."""
        return tuple(
            [
                _flow(self._slope(name), dz) if need else None
                for name, need in zip(self.arguments, self.needs, strict=True)
            ]
        )

    def jvp(self, *tangents: Any) -> Any:
        """Σ slope · tangent, one such sum for each output."""
        outputs: list[list[Any]] = []
        for name, dx in zip(self.arguments, tangents, strict=True):
            if dx is not None:
                slope = self._slope(name)
                slopes = slope if type(slope) is tuple else (slope,)
                outputs.append([times(s, dx) for s in slopes])
        sums = tuple([_sum(parts) for parts in zip(*outputs, strict=True)])
        return sums[0] if len(sums) == 1 else sums

    def _slope(self, name: str) -> Any:
        slope = getattr(self, _SLOPE + name, None)
        if slope is None:
            function = f"{self.ufunc.__name__}({', '.join(self.arguments)})"
            instead = self.without_slope.get(name, "it is counted in integers; pass a plain int")
            raise NoRuleError(f"scipy.special.{function} has no gradient with respect to {name}: {instead}")
        return slope(*self.xs)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Numbers, and arrays of which the first is repeated by broadcasting; integers where integers belong."""
        for last in ((), (2, 3)):
            shapes = [last[1:], *[last] * (len(cls.domain) - 1)] if len(cls.domain) > 1 else [last]
            yield cls(), tuple([cls._draw(rng, index, shape) for index, shape in enumerate(shapes)])

    @classmethod
    def _draw(cls, rng: np.random.Generator, index: int, shape: tuple[int, ...]) -> Any:
        low, high = cls.domain[index]
        if cls.arguments[index] in cls.whole:
            return int(rng.integers(round(low), round(high) + 1))
        return rng.uniform(low, high, shape) if shape else float(rng.uniform(low, high))


def _flow(slope: Any, dz: Any) -> Any:
    """slope · dz; for several outputs the sum over those from which something comes back."""
    if type(slope) is not tuple:
        return times(slope, dz)
    return _sum([times(s, d) for s, d in zip(slope, dz, strict=True) if d is not None])


def _sum(parts: Sequence[Any]) -> Any:
    """The sum of what flows; None if nothing does."""
    total = None
    for part in parts:
        if part is not None:
            total = part if total is None else total + part
    return total


def hidden(name: str) -> Any:
    """A ufunc behind one of SciPy's functions: that one calls it, and so it is what meets the variable.

    None if this release of SciPy has none of that name: then the function does not dispatch.
    """
    return getattr(scipy.special._ufuncs, name, None)
