"""checkpoint: compute again on the way back what would have to be remembered otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gategrad.constant import Constant
from gategrad.errors import GateError
from gategrad.recording import plain
from gategrad.transforms.call import Call, Rule, record
from gategrad.transforms.closure import closure_of
from gategrad.transforms.containers import flatten
from gategrad.transforms.derivative import Transformed
from gategrad.variable import Variable

__all__ = ["checkpoint"]


class checkpoint(Transformed):
    """The same function, of which only what goes in and out is remembered for the way back: time for memory.

    On the way back `f` is computed once more, so a chain of n steps in √n checkpointed stretches needs the memory of
    2√n steps and the time of one more pass forward. Derivatives of any order are right; checkpoints may be nested. `f`
    takes and returns numbers, arrays and containers, and may close over variables. Inside `gg.compile` nothing is
    computed twice: there the program decides what it keeps.

    Raises `GateError` if `f` answers otherwise when it is asked again (random numbers), or if it computes with a
    variable that it neither is given nor closes over: its gradient would be lost.

    >>> import numpy as np, gategrad as gg
    >>> step = gg.checkpoint(lambda x: np.sin(np.exp(x)))
    >>> bool(gg.grad(step)(1.0) == gg.grad(lambda x: np.sin(np.exp(x)))(1.0))
    True
    """

    prefix = "checkpoint of"

    def __call__(self, *args: Any, **options: Any) -> Any:
        held, refill = closure_of(self._f)
        values, rebuild = flatten((args, options, held))
        if not any(type(x) is Variable for x in values):
            return self._f(*args, **options)
        places = [n for n, x in enumerate(values) if isinstance(x, (Variable, np.ndarray))]
        name = getattr(self._f, "__name__", "the function")
        return record(Checkpoint(_FlatFunction(name, refill, values, rebuild, places)), [values[n] for n in places])


class Checkpoint(Call):
    """z = f(x, …), computed again on the way back. A black box with an exact gradient."""

    symbol = "checkpoint"

    def __init__(self, flat: _FlatFunction) -> None:
        super().__init__(checkpoint(flat))
        self.flat = flat

    def derivative(self, rule: Rule, *which: Any) -> Callable[..., Any]:
        for n, source in enumerate(self.inputs):
            if type(source) is Constant:
                source.verify(type(self).__name__, n)
        return checkpoint(rule(_Again(self.flat, self.outputs), *which))


class _FlatFunction:
    """The function of those values that a gate can take: the variables and arrays in its arguments and its closure."""

    def __init__(
        self, name: str, refill: Callable[..., Any], values: list[Any], rebuild: Any, places: Sequence[int]
    ) -> None:
        self.__name__ = name
        self._refill, self._rebuild, self._places = refill, rebuild, places
        taken = set(places)
        self._values = [None if n in taken else x for n, x in enumerate(values)]

    def __call__(self, *chosen: Any) -> Any:
        values = list(self._values)
        for place, x in zip(self._places, chosen, strict=True):
            values[place] = x
        args, options, held = self._rebuild(values)
        return self._refill(held)(*args, **options)


class _Again:
    """The same function, held to what it answered the first time."""

    def __init__(self, flat: _FlatFunction, outputs: list[Any]) -> None:
        self._flat = flat
        self._outputs = outputs

    def __call__(self, *chosen: Any) -> Any:
        z = self._flat(*chosen)
        outputs, _ = flatten(z)
        if len(outputs) != len(self._outputs) or not all(map(_agrees, outputs, self._outputs)):
            raise GateError(
                f"{self._flat.__name__} under checkpoint answered otherwise when it was computed again for the way "
                "back, so its gradient would be wrong. Draw random numbers outside and pass them as arguments"
            )
        return z


def _agrees(z: Any, before: Any) -> bool:
    """Whether two values are equal, but for the rounding of sums whose order may differ; unknown values count as equal."""
    z, before = plain(z), plain(before)
    if not isinstance(z, _KNOWN) or not isinstance(before, _KNOWN):
        return True
    z, before = np.asarray(z), np.asarray(before)
    if z.shape != before.shape or z.dtype.kind not in "fc":
        return np.array_equal(z, before)
    finite = np.isfinite(before)
    scale = np.max(np.abs(before), where=finite, initial=0.0)
    return np.allclose(z, before, rtol=0.0, atol=_TOLERANCE * np.finfo(z.dtype).eps * scale, equal_nan=True)


_KNOWN = (float, int, np.ndarray, np.generic)
_TOLERANCE = 2.0**20  # in units of the last place: far above rounding, far below another random number
