"""The interpreter: a program evaluated operation by operation with NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gategrad.compiler.program.value import Value

__all__ = ["interpret"]


def interpret(
    inputs: Sequence[Value], values: Sequence[Value], outputs: Sequence[Value], arrays: Sequence[Any]
) -> list[Any]:
    """The outputs of a program for these arrays as its inputs: Python floats for float64 scalars, arrays for the rest."""
    computed: dict[Any, Any] = dict(zip(inputs, arrays, strict=True))
    last_use = {x: position for position, value in enumerate(values) for x in value.inputs}
    kept = {*outputs, *inputs}
    for position, value in enumerate(values):
        if value.op.name == "input":
            continue
        result = value.op.evaluate(*[computed[x] for x in value.inputs], **value.options)
        computed[value] = np.asarray(result, dtype=value.dtype)
        for x in set(value.inputs):
            if last_use[x] == position and x not in kept:
                del computed[x]
    return [as_output(computed[z]) for z in outputs]


def as_output(z: Any) -> Any:
    """A result as callers see it: a Python float if it is a float64 scalar, else an array of their own."""
    array = np.asarray(z)
    if array.shape == ():
        return float(array) if array.dtype == np.float64 else array[()]
    return np.array(array)
