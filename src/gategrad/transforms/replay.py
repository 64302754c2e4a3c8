"""How `backward` looks again where a doubt was noted (see `limits.py`): its circuit once more, from other leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gategrad import backward, careful
from gategrad.constant import Constant
from gategrad.gate import Gate
from gategrad.recording import leaf
from gategrad.tape import next_level, walk
from gategrad.transforms.behind import gates_behind, once_more
from gategrad.transforms.limits import settled
from gategrad.transforms.sides import Sample
from gategrad.variable import Variable

__all__: list[str] = []


def _settled(root: Gate, dz: Any, gradients: dict[Any, Any], before: int) -> dict[Any, Any]:
    """The gradients that a walk from this gate found, corrected by their limits."""
    leaves, gates = list(gradients), gates_behind([root])
    again = lambda values: _again(gates, root, dz, leaves, values)
    found = settled(
        again,
        [x.raw for x in leaves],
        tuple(gradients.values()),
        before,
        tuple(map(type, gates)),
        None,
        careful.noted(before),
    )
    return dict(zip(leaves, found, strict=True))


backward.second_look = _settled


def _again(gates: list[Gate], root: Gate, dz: Any, leaves: list[Any], values: Sequence[Any]) -> Sample:
    level = next_level()
    lifted = {x: leaf(value, level) for x, value in zip(leaves, values, strict=True)}

    def given(x: Any) -> Any:
        if type(x) is Variable:
            return lifted.get(x, x.raw)
        return x.array if type(x) is Constant else x

    z = once_more(gates, given)[root]
    gradients = walk(z.gate, dz)
    return Sample(np.sum(z.raw * dz), tuple([gradients[lifted[x]] for x in leaves]))
