"""Call: a whole function as one gate, whose derivatives compute the function again.

Compiled and checkpointed functions are such: the gate remembers what went in and nothing of what happened inside. (One
that is compiled also hands over what its pullback reads, where it can: `compiler/halves.py`.) Its pullback is itself
such a function of the inputs and the upstream gradients, and its pushforward one of the inputs and their tangents; so
either can be differentiated in turn, to any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gategrad.errors import GateError
from gategrad.gate import Gate
from gategrad.masked import Masked
from gategrad.transforms.containers import flatten, single
from gategrad.transforms.jvp import jvp
from gategrad.transforms.vjp import vjp
from gategrad.values import NUMPYS, conjugated, spec_of
from gategrad.variable import Variable

__all__ = ["Call", "Rule", "as_numpy_has_it", "pullback_of", "pulled_back", "pushforward_of", "record"]

Rule = Callable[..., Callable[..., Any]]
"""`pullback_of` or `pushforward_of`: the derivative of a function of flat values."""


class Call(Gate):
    """z = f(x, …) for a whole function. A black box with an exact gradient, which is a whole function too."""

    pattern = "function"

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def derivative(self, rule: Rule, *which: Any) -> Callable[..., Any]:
        """The derivative of the function by one of the two rules below, made into what the function is."""
        raise NotImplementedError

    def run(self, leaves: tuple[Any, ...]) -> Any:
        """What the function returns."""
        return self.function(*leaves)

    def pull(self, upstream: tuple[Any, ...], given: tuple[int, ...]) -> Any:
        """The gradients of the leaves that need one, for upstream gradients of the outputs at the places `given`."""
        return self.derivative(pullback_of, self.needs, given)(self.leaves, upstream)

    numpys: tuple[int, ...] = ()
    """Which of the leaves are numbers of NumPy's that travel as floats: the function is to know them for what they are."""

    outputs: list[Any]
    rebuild: Callable[[list[Any]], Any]
    places: tuple[int, ...]  # of the outputs through which gradients flow

    def forward(self, *leaves: Any) -> Any:
        if self.numpys:
            leaves = tuple([as_numpy_has_it(x) if n in self.numpys else x for n, x in enumerate(leaves)])
        self.leaves = leaves
        whole = self.run(leaves)
        if type(whole) is float or (type(whole) is np.ndarray and whole.dtype.kind in "fc"):  # written out: one value
            self.outputs, self.rebuild, self.places = [whole], single, (0,)
            return whole
        self.outputs, self.rebuild = flatten(whole)
        self.places = tuple([n for n, z in enumerate(self.outputs) if _flows(z)])
        flowing = [self.outputs[n] for n in self.places]
        if any(getattr(z, "level", -1) >= max(self.level, 0) for z in flowing):
            name = getattr(self.function, "__name__", "the function")
            raise GateError(
                f"{name} computed with a variable that is not among its arguments, and whose gradient would be lost: "
                "make it an argument, or pass its .value"
            )
        return flowing[0] if len(flowing) == 1 else tuple(flowing)

    def backward(self, dz: Any) -> Any:
        # The pullback takes and gives gradients as people see them, the walk their conjugates.
        if type(dz) is float and len(self.leaves) == 1:  # written out: one real number of one value
            (dx,) = self.pull((dz,), self.places)
            return (conjugated(dx, spec_of(self.leaves[0])),)
        dzs = [
            conjugated(part, spec_of(self.outputs[n]))
            for n, part in zip(self.places, dz if type(dz) is tuple else (dz,), strict=True)
        ]
        given = tuple([place for place, part in zip(self.places, dzs, strict=True) if part is not None])
        upstream = tuple([part.resolve() if type(part) is Masked else part for part in dzs if part is not None])
        found = iter(self.pull(upstream, given))
        return tuple(
            [
                conjugated(next(found), spec_of(x)) if need else None
                for x, need in zip(self.leaves, self.needs, strict=True)
            ]
        )

    def jvp(self, *tangents: Any) -> Any:
        moving = tuple([dx is not None for dx in tangents])
        dxs = tuple([dx for dx in tangents if dx is not None])
        dz = self.derivative(pushforward_of, moving, self.places)(self.leaves, dxs)
        return dz[0] if len(dz) == 1 else dz


def record(gate: Call, leaves: Sequence[Any]) -> Any:
    """Apply the gate, and put its outputs back among those through which no gradient flows (integers, constants)."""
    numpys = [n for n, x in enumerate(leaves) if type(x) is Variable and x.spec == NUMPYS]
    if numpys:
        gate.numpys = tuple(numpys)
    answered = gate(*leaves)
    if gate.rebuild is single and type(answered) is Variable:  # written out: one value
        return answered
    flowing = iter(answered if type(answered) is tuple else (answered,))
    outputs = list(gate.outputs)
    for place in gate.places:
        outputs[place] = next(flowing)
    return gate.rebuild(outputs)


def pullback_of(function: Callable[..., Any], needs: tuple[bool, ...], given: tuple[int, ...]) -> Callable[..., Any]:
    """The pullback of a function of flat values, as a function of those values and of the upstream gradients.

    `needs` says which values want a gradient, `given` which outputs received one.
    """

    def pullback(leaves: tuple[Any, ...], upstream: tuple[Any, ...]) -> tuple[Any, ...]:
        inner, chosen = _of_chosen(function, leaves, needs, given)
        gradients: tuple[Any, ...] = vjp(inner, *chosen)[1](upstream)
        return gradients

    return pullback


def pushforward_of(
    function: Callable[..., Any], moving: tuple[bool, ...], places: tuple[int, ...]
) -> Callable[..., Any]:
    """The pushforward of a function of flat values, as a function of those values and of the tangents.

    `moving` says which values have a tangent, `places` of which outputs it is wanted.
    """

    def pushforward(leaves: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, ...]:
        inner, chosen = _of_chosen(function, leaves, moving, places)
        dzs: tuple[Any, ...] = jvp(inner, chosen, tangents)[1]
        return dzs

    return pushforward


def pulled_back(function: Callable[..., Any], leaves: tuple[Any, ...], needs: tuple[bool, ...]) -> Any:
    """What a function of flat values returns, those of its outputs through which gradients flow, and their pullback."""

    def inner(*xs: Any) -> Any:
        rest = iter(xs)
        whole = function(*[next(rest) if take else x for x, take in zip(leaves, needs, strict=True)])
        outputs, _ = flatten(whole)
        return tuple([z for z in outputs if _flows(z)]), whole

    flowing, pullback, whole = vjp(inner, *[x for x, take in zip(leaves, needs, strict=True) if take], has_aux=True)
    return whole, flowing, pullback


def _of_chosen(
    function: Callable[..., Any], leaves: tuple[Any, ...], chosen: tuple[bool, ...], places: tuple[int, ...]
) -> tuple[Callable[..., tuple[Any, ...]], list[Any]]:
    """The function of some of its values alone, returning some of its outputs; and those values."""

    def inner(*xs: Any) -> tuple[Any, ...]:
        rest = iter(xs)
        outputs, _ = flatten(function(*[next(rest) if take else x for x, take in zip(leaves, chosen, strict=True)]))
        return tuple([outputs[place] for place in places])

    return inner, [x for x, take in zip(leaves, chosen, strict=True) if take]


def as_numpy_has_it(x: Any) -> Any:
    """A float as a float64 of NumPy's, anything else as it is."""
    return np.float64(x) if type(x) is float else x


def _flows(z: Any) -> bool:
    return type(z) is float or getattr(z, "dtype", np.dtype(bool)).kind in "fc"
