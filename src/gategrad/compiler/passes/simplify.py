"""Simplify: algebra that IEEE arithmetic allows, NaN, infinities and the sign of zero included (but for sums of one).

A rule looks at one value whose inputs are already simple and answers with another that is equal, or None. Rules make
values through `Simplifier.emit`, so what they make is simplified too, and what is computed twice is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gategrad.compiler.program.ops import ELEMENTWISE
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Builder, Value

__all__ = ["Rule", "Simplifier", "rule", "simplify", "uniform"]

Rule = Callable[["Simplifier", Value], Value | None]

_FOLDED = 64
"""Up to so many elements a value that depends on constants alone becomes a constant."""

_NEVER_FOLDED = frozenset(["constant", "callback", "broadcast", "eig"])

_rules: dict[str, list[Rule]] = {}


def rule(*operations: str) -> Callable[[Rule], Rule]:
    """Decorator: the function below is tried on values of these operations."""

    def register(function: Rule) -> Rule:
        for name in operations:
            _rules.setdefault(name, [_fold]).append(function)
        return function

    return register


class Simplifier:
    """Writes the simpler program, through one builder."""

    def __init__(self) -> None:
        self.builder = Builder()

    def emit(self, op: str, inputs: Sequence[Value], **options: Any) -> Value:
        """The simplest value known that equals this operation on these inputs."""
        return self.simplest(self.builder.emit(op, inputs, **options))

    def constant(self, array: Any) -> Value:
        """A constant."""
        return self.builder.constant(array)

    def full(self, number: Any, like: Value) -> Value:
        """A value with one element repeated, in the dtype and shape of another."""
        return self.constant(np.full(like.shape, number, like.dtype))

    def simplest(self, value: Value) -> Value:
        """Apply rules until none has an answer."""
        while True:
            for apply in _rules.get(value.op.name, _NONE):
                simpler = apply(self, value)
                if simpler is not None and simpler is not value:
                    value = simpler
                    break
            else:
                return value


def simplify(program: Program) -> Program:
    """The same program, with every value replaced by the simplest one known to be equal."""
    simplifier = Simplifier()
    new: dict[Value, Value] = {x: x for x in program.inputs}
    for value in program.values:
        if value.op.name == "input":
            continue
        made = simplifier.simplest(simplifier.builder.again(value, [new[x] for x in value.inputs]))
        if made.name is None and made.op.name != "constant":
            made.name = value.name
        new[value] = made
    return Program(program.inputs, [new[z] for z in program.outputs], program.name)


def uniform(value: Value) -> Any:
    """The one number that all elements of a constant are, as a NumPy scalar; None for anything else."""
    if value.op.name == "broadcast":
        value = value.inputs[0]
    if value.op.name == "constant" and value.size == 1:
        return value.options["value"].array.reshape(())[()]
    return None


def _fold(simplifier: Simplifier, value: Value) -> Value | None:
    """An operation on constants is a constant; one on single numbers that are repeated is computed once."""
    name, inputs = value.op.name, value.inputs
    if not inputs or inputs[0].op.name not in ("constant", "broadcast") or name in _NEVER_FOLDED:
        return None
    if value.size <= _FOLDED and all(x.op.name == "constant" for x in inputs):
        with np.errstate(all="ignore"):
            result = value.op.evaluate(*[x.options["value"].array for x in inputs], **value.options)
        return simplifier.constant(np.asarray(result, value.dtype).reshape(value.shape))
    if name in ELEMENTWISE and all(x.op.name == "broadcast" and x.inputs[0].shape == () for x in inputs):
        number = simplifier.emit(name, [x.inputs[0] for x in inputs], **value.options)
        return simplifier.emit("broadcast", [number], shape=value.shape)
    return None


_NONE: list[Rule] = [_fold]
"""The rules for operations that have none of their own."""
