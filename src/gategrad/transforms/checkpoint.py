"""checkpoint: compute again on the way back what would have to be remembered otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gategrad.transforms.call import Call, Rule, record
from gategrad.transforms.containers import flatten
from gategrad.transforms.derivative import Transformed
from gategrad.variable import Variable

__all__ = ["checkpoint"]


class checkpoint(Transformed):
    """The same function, of which only what goes in is remembered for the way back: time for memory.

    On the way back `f` is computed once more, so a chain of n steps in √n checkpointed stretches needs the memory of
    2√n steps and the time of one more pass forward. Derivatives of any order are right; checkpoints may be nested. `f`
    takes and returns numbers, arrays and containers, and must answer the same for the same arguments. Inside
    `gg.compile` nothing is computed twice: there the program decides what it keeps.

    Raises `GateError` if `f` computes with a variable that is not among its arguments: its gradient would be lost.

    >>> import numpy as np, gategrad as gg
    >>> step = gg.checkpoint(lambda x: np.sin(np.exp(x)))
    >>> bool(gg.grad(step)(1.0) == gg.grad(lambda x: np.sin(np.exp(x)))(1.0))
    True
    """

    prefix = "checkpoint of"

    def __call__(self, *args: Any, **options: Any) -> Any:
        values, rebuild = flatten((args, options))
        if not any(type(x) is Variable for x in values):
            return self._f(*args, **options)
        places = [n for n, x in enumerate(values) if isinstance(x, (Variable, np.ndarray))]
        flat = _Flat(self._f, values, rebuild, places)
        return record(Checkpoint(checkpoint(flat), flat.derive), [values[n] for n in places])


class Checkpoint(Call):
    """z = f(x, …), computed again on the way back. A black box with an exact gradient."""

    symbol = "checkpoint"


class _Flat:
    """The function of those values in its arguments that a gate can take: variables and arrays."""

    def __init__(self, f: Callable[..., Any], values: list[Any], rebuild: Any, places: Sequence[int]) -> None:
        self.__name__ = getattr(f, "__name__", "the function")
        self._f, self._rebuild, self._places = f, rebuild, places
        taken = set(places)
        self._values = [None if n in taken else x for n, x in enumerate(values)]

    def __call__(self, *chosen: Any) -> Any:
        values = list(self._values)
        for place, x in zip(self._places, chosen, strict=True):
            values[place] = x
        args, options = self._rebuild(values)
        return self._f(*args, **options)

    def derive(self, rule: Rule, *which: Any) -> Callable[..., Any]:
        """A derivative of the function, which remembers as little as the function."""
        return checkpoint(rule(self, *which))
