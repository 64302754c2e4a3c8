"""A circuit once more, from other leaves: how `backward` looks again where a doubt was noted (see `limits.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gategrad import backward
from gategrad.constant import Constant
from gategrad.gate import Gate
from gategrad.recording import leaf
from gategrad.tape import Output, next_level, walk
from gategrad.transforms.limits import settled
from gategrad.variable import Variable

__all__: list[str] = []


def _settled(root: Gate, dz: Any, gradients: dict[Any, Any], before: int) -> dict[Any, Any]:
    """The gradients that a walk from this gate found, corrected by their limits."""
    leaves, gates = list(gradients), _recorded(root)
    again = lambda values: _again(gates, root, dz, leaves, values)
    found = settled(again, [x.raw for x in leaves], tuple(gradients.values()), before, tuple(map(type, gates)))
    return dict(zip(leaves, found, strict=True))


backward.second_look = _settled


def _recorded(root: Gate) -> list[Gate]:
    """The gates behind this one in the order of recording: what they were applied to outlives the walk."""
    found, ahead = {root}, [root]
    while ahead:
        new = [x for x in ahead.pop().inputs if isinstance(x, Gate) and x not in found]
        found.update(new)
        ahead += new
    return sorted(found, key=lambda gate: -gate.order)


def _again(gates: list[Gate], root: Gate, dz: Any, leaves: list[Any], values: Sequence[Any]) -> tuple[Any, ...]:
    level = next_level()
    lifted = {x: leaf(value, level) for x, value in zip(leaves, values, strict=True)}
    made: dict[Gate, Any] = {}
    for gate in gates:
        inputs = [_input(x, made, lifted) for x in gate.inputs]
        made[gate] = inputs[0][gate.index] if type(gate) is Output else gate.fresh()(*inputs)
    z = made[root]
    gradients = walk(z.gate, dz)
    return tuple([gradients[lifted[x]] for x in leaves])


def _input(x: Any, made: dict[Gate, Any], lifted: dict[Any, Any]) -> Any:
    if isinstance(x, Gate):
        return made[x]
    if type(x) is Variable:
        return lifted.get(x, x.raw)
    return x.array if type(x) is Constant else x
