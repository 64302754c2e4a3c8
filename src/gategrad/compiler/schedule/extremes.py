"""argmax and argmin as reductions: the extreme first, then the lowest place that holds it.

As reductions they run in vectors, and in one pass over memory with whatever computes their input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.compiler.program.program import Program, rewrite
from gategrad.compiler.program.value import Builder, Value

__all__ = ["as_reductions"]

_EXTREMES = {"argmax": "max", "argmin": "min"}
_SHORT = 3  # along a shorter axis one loop with two registers is quicker


def as_reductions(program: Program) -> Program:
    """The same program with the places of extremes of numbers as reductions."""
    return rewrite(program, _reduced, frozenset(_EXTREMES))


def _reduced(value: Value, inputs: list[Value], builder: Builder) -> Value | None:
    if value.op.name in _EXTREMES and _worthwhile(inputs[0], value.options["axis"]):
        return _place(inputs[0], value.options["axis"], _EXTREMES[value.op.name], builder)
    return None


def _worthwhile(x: Value, axis: int) -> bool:
    return x.dtype.kind in "fiu" and x.shape[axis] >= _SHORT and x.size > 0


def _place(x: Value, axis: int, extreme: str, builder: Builder) -> Value:
    """The lowest place along `axis` that holds the extreme, which is NaN if there is one: then it is the first NaN."""
    length = x.shape[axis]

    def along(value: Value) -> Value:
        shape = tuple(1 if n == axis else size for n, size in enumerate(x.shape))
        return builder.emit("broadcast", [builder.emit("reshape", [value], shape=shape)], shape=x.shape)

    def everywhere(number: Any) -> Value:
        return builder.emit("broadcast", [builder.constant(number)], shape=x.shape)

    best = along(builder.emit(extreme, [x], axes=(axis,)))
    holds = builder.emit("equal", [x, best])
    if x.dtype.kind == "f":
        holds = builder.emit("bitwise_or", [holds, builder.emit("isnan", [x])])
    column = tuple(length if n == axis else 1 for n in range(len(x.shape)))
    places = builder.emit("broadcast", [builder.constant(np.arange(length).reshape(column))], shape=x.shape)
    candidates = builder.emit("select", [holds, places, everywhere(np.int64(length))])
    return builder.emit("min", [candidates], axes=(axis,))
