"""What gates do with germs: linear ones work term by term, all others by their rules, whose functions know of germs."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.gate import Gate, on_meeting, unapplied
from gategrad.germs.germ import Germ, germ
from gategrad.kinds import Linear

__all__: list[str] = []


def _through(gate: Gate, inputs: tuple[Any, ...]) -> Any:
    for x in inputs:
        meet = on_meeting.get(type(x))
        if meet is not None and type(x) is not Germ:
            return meet(gate, inputs)  # a variable records, whatever else there is
    if isinstance(gate, Linear):
        germs = [germ(x) for x in inputs]
        exponents = {p for x in germs for p in x.terms} | {0.0}
        terms = {p: np.asarray(gate.fresh()(*[x.coefficient(p) for x in germs])) for p in exponents}
        order = min(np.min(x.order, initial=np.inf) for x in germs)
        return Germ(terms, np.full(terms[0.0].shape, order)).kept()
    gate = unapplied(gate)
    gate.options = dict(gate.__dict__)
    gate.needs = (False,) * len(inputs)
    return gate.forward(*inputs)


on_meeting[Germ] = _through
