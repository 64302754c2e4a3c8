"""What happens when a compiled function meets variables: one gate, whose pullback is compiled too.

The pullback is itself a compiled function of the inputs and the upstream gradients, so it can be differentiated
in turn, to any order. It computes the forward pass again: `compile(grad(f))` shares it, `grad(compile(f))` cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.gate import Gate
from gategrad.masked import Masked
from gategrad.transforms.containers import flatten
from gategrad.transforms.vjp import vjp

__all__ = ["Call", "PullbackMaker", "pullback_of", "record"]

PullbackMaker = Callable[[tuple[bool, ...], tuple[int, ...]], Callable[..., Any]]
"""From which inputs need a gradient and which outputs received one to the compiled pullback."""


class Call(Gate):
    """z = f(x, …) for a compiled f. A black box with an exact gradient: its pullback is compiled as well."""

    pattern, symbol = "function", "compiled"

    def __init__(self, function: Callable[..., Any], pullback: PullbackMaker) -> None:
        self.function = function
        self.pullback = pullback

    def forward(self, *leaves: Any) -> Any:
        self.leaves = leaves
        outputs, self.rebuild = flatten(self.function(*leaves))
        self.outputs = outputs
        self.places = [n for n, z in enumerate(outputs) if _flows(z)]
        flowing = [outputs[n] for n in self.places]
        return flowing[0] if len(flowing) == 1 else tuple(flowing)

    def backward(self, dz: Any) -> Any:
        dzs = dz if type(dz) is tuple else (dz,)
        given = tuple([place for place, part in zip(self.places, dzs, strict=True) if part is not None])
        upstream = tuple([part.resolve() if type(part) is Masked else part for part in dzs if part is not None])
        found = iter(self.pullback(self.needs, given)(self.leaves, upstream))
        return tuple([next(found) if need else None for need in self.needs])


def record(gate: Call, leaves: list[Any]) -> Any:
    """Apply the gate, and put its outputs back among those through which no gradient flows (integers, constants)."""
    answered = gate(*leaves)
    flowing = iter(answered if type(answered) is tuple else (answered,))
    outputs = list(gate.outputs)
    for place in gate.places:
        outputs[place] = next(flowing)
    return gate.rebuild(outputs)


def pullback_of(function: Callable[..., Any], needs: tuple[bool, ...], given: tuple[int, ...]) -> Callable[..., Any]:
    """The pullback of a function of flat values, as a function of those values and of the upstream gradients."""

    def pullback(leaves: tuple[Any, ...], upstream: tuple[Any, ...]) -> tuple[Any, ...]:
        def of_needed(*chosen: Any) -> tuple[Any, ...]:
            rest = iter(chosen)
            outputs, _ = flatten(function(*[next(rest) if need else x for x, need in zip(leaves, needs, strict=True)]))
            return tuple([outputs[place] for place in given])

        _, back = vjp(of_needed, *[x for x, need in zip(leaves, needs, strict=True) if need])
        return back(upstream)

    return pullback


def _flows(z: Any) -> bool:
    return type(z) is float or getattr(z, "dtype", np.dtype(bool)).kind == "f"
