"""Kinds of gates: what a family of gates has in common, written once and inherited.

A kind is a class that nobody applies; a gate is a class that nobody subclasses. Each kind also knows how to
make up inputs for its gates (`examples`), on which one test file checks every gate there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from gategrad.constant import zeros_for
from gategrad.gate import Gate, from_backward

__all__ = ["Bilinear", "Elementwise", "Example", "Linear", "Reduction", "Router"]

Example = tuple[Gate, tuple[Any, ...]]
"""A gate that has not been applied yet, and inputs for it."""


class Elementwise(Gate):
    """Each element of the output depends on the same element of each input; inputs are broadcast as in NumPy."""

    sums_broadcasts = True
    passes_masks = True

    domain: ClassVar[tuple[tuple[float, float], ...]] = ((-2.0, 2.0),)
    """Where the gate is smooth: an open interval for each input, from which tests draw."""

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Numbers, arrays, and arrays that broadcast against each other."""

        def draw(*shape: int) -> list[Any]:
            return [rng.uniform(low, high, shape) for low, high in cls.domain]

        yield cls(), tuple(float(x) for x in draw())
        yield cls(), tuple(draw(2, 3))
        if len(cls.domain) > 1:
            broadcast = draw(2, 3)
            yield cls(), (broadcast[0][0], *broadcast[1:])
            yield cls(), (*broadcast[:-1], broadcast[-1][:, :1])
            yield cls(), (broadcast[0][0, 0], *broadcast[1:])

    def jvp(self, *tangents: Any) -> Any:
        """Σ local gradient × tangent, which `backward` computes: element by element a rule is its own transpose."""
        dz = None
        for index, dx in enumerate(tangents):
            if dx is not None:
                part = self.scale(index, dx)
                dz = part if dz is None else dz if part is None else dz + part
        return dz

    def scale(self, index: int, dx: Any) -> Any:
        """Local gradient of one input × `dx`, which is broadcast to the shape of the output."""
        shape = self.spec[0] if self.spec else ()
        if (() if type(dx) is float else dx.shape) != shape:
            dx = np.broadcast_to(dx, shape)
        gate = self if sum(self.needs) == 1 else self._alone(index)
        dxs = gate.backward(dx)
        return dxs[index] if isinstance(dxs, (tuple, list)) else dxs

    def _alone(self, index: int) -> Elementwise:
        """The same application as if one input alone wanted a gradient, so that nothing else is computed.

        It is a gate of its own: several threads may push tangents through one circuit.
        """
        gate: Elementwise = object.__new__(type(self))
        gate.__dict__, gate.inputs = self.__dict__, self.inputs
        gate.needs = tuple([n == index for n in range(len(self.needs))])
        return gate


class Linear(Gate):
    """The output is a linear function of all inputs together; nothing but shapes is remembered.

    `backward` may be left out: the transpose of `forward` is then found by recording it.
    """

    remembers_inputs = False
    takes_complex = True
    passes_masks = True

    def jvp(self, *tangents: Any) -> Any:
        """The gate itself, on the tangents."""
        if len(tangents) == 1:
            return self.fresh()(*tangents)
        inputs = zip(tangents, self.inputs, strict=True)
        return self.fresh()(*[zeros_for(source) if dx is None else dx for dx, source in inputs])


class Bilinear(Gate):
    """The output is linear in each of two inputs while the other is held: products of all kinds.

    `forward` keeps the inputs as `self.x` and `self.y`, each if the other one needs a gradient.
    """

    pattern = "switcher"
    sums_broadcasts = True
    passes_masks = True
    takes_complex = True

    x: Any
    y: Any

    def jvp(self, *tangents: Any) -> Any:
        """The product rule: the gate itself on the tangent of each input and the other input."""
        dx, dy = tangents
        if dx is None:
            return self.fresh()(self.x, dy)
        through_x = self.fresh()(dx, self.y)
        return through_x if dy is None else through_x + self.fresh()(self.x, dy)


from_backward.add(Elementwise.jvp)


class Reduction(Gate):
    """Axes of the one input are folded away: `axis` names them, `keepdims` leaves them with length 1."""

    passes_masks = True

    def __init__(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> None:
        self.axis = axis
        self.keepdims = keepdims

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Every axis, several, all; with and without `keepdims`."""
        for axis in (None, 0, 1, -1, (0, 2)):
            for keepdims in (False, True):
                yield cls(axis=axis, keepdims=keepdims), (rng.uniform(0.5, 2.0, (2, 3, 4)),)
        yield cls(), (rng.uniform(0.5, 2.0, 4),)


class Router(Gate):
    """Values pass through unchanged, to other places: the gradient takes the same way back."""

    pattern = "router"
    passes_masks = True
