"""The circuit behind a value: which gates it is made of, and the same computed once more, by fresh copies of them.

The gates of a circuit outlive a walk, though they forget what they remembered: each knows its inputs and its options.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from gategrad.gate import Gate
from gategrad.tape import Output

__all__ = ["gates_behind", "once_more"]


def gates_behind(ends: Iterable[Gate], beyond: Collection[Gate] = ()) -> list[Gate]:
    """Every gate that the outputs of these depend on, themselves included, in the order in which they were recorded.

    The search ends at the gates `beyond`, which are none of them.
    """
    ahead = list(ends)
    found = {*ahead, *beyond}
    while ahead:
        for source in ahead.pop().inputs:
            if isinstance(source, Gate) and source not in found:
                found.add(source)
                ahead.append(source)
    return sorted(found.difference(beyond), key=lambda gate: -gate.order)


def once_more(gates: Iterable[Gate], given: Callable[[Any], Any]) -> dict[Any, Any]:
    """What fresh copies of gates compute, in the order in which they were recorded.

    `given` says what stands for an input that none of them made: a leaf, a constant, the output of another gate.
    """
    made: dict[Any, Any] = {}
    for gate in gates:
        inputs = [made[x] if isinstance(x, Gate) and x in made else given(x) for x in gate.inputs]
        made[gate] = inputs[0][gate.index] if type(gate) is Output else gate.fresh()(*inputs)
    return made
