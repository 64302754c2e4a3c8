"""Sums of parts that lie beside each other, as one concatenation.

The gradient of an array that was read element by element, or slice by slice, is a sum of arrays that are zero but for
one part. Where the parts do not overlap, joining them writes every element once. A large part alone is joined with the
zeros around it, which are then not written where it goes.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np

from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Builder, Value

__all__ = ["join_parts"]

_LARGE = 4096  # elements of an array from which on a part alone is joined: below, one loop less is worth more


def join_parts(program: Program) -> Program:
    """The same program, with sums of parts along the first axis as concatenations."""
    if "embed" not in program.operations:
        return program
    uses = Counter(x for value in program.values for x in value.inputs)
    uses.update(program.outputs)
    inner = {x for value in program.values if _is_sum(value) for x in value.inputs if _is_sum(x) and uses[x] == 1}
    builder = Builder()
    new: dict[Value, Value] = {}
    for value in program.values:
        inputs = [new[x] for x in value.inputs]
        if value.op.name == "input":
            made = value
        else:
            parts = _parts(value, uses) if value not in inner else None
            joined = None if parts is None else _joined(value, parts, new, builder)
            made = joined or builder.emit(value.op.name, inputs, **value.options)
        made.name = made.name or value.name
        new[value] = made
    return Program(program.inputs, [new[z] for z in program.outputs], program.name)


def _is_sum(value: Value) -> bool:
    return value.op.name == "add" and value.dtype.kind == "f" and len(value.shape) > 0


def _parts(value: Value, uses: Counter[Value]) -> list[Value] | None:
    """The embedded parts that a value is made of, from the first place to the last; None if it is not made of such."""
    if not _is_sum(value):
        return [value] if value.op.name == "embed" and value.size >= _LARGE and _axis(value) is not None else None
    parts, stack = [], [value]
    while stack:
        x = stack.pop()
        if x is value or (_is_sum(x) and uses[x] == 1):
            stack.extend(x.inputs)
        elif x.op.name == "embed" and uses[x] == 1:
            parts.append(x)
        else:
            return None
    axis = _axis(parts[0])
    if axis is None or any(_axis(part) != axis for part in parts):
        return None
    parts.sort(key=lambda part: part.options["parts"][axis][0])
    ranges = [part.options["parts"][axis] for part in parts]
    return parts if all(a[1] <= b[0] for a, b in pairwise(ranges)) else None


def _axis(part: Value) -> int | None:
    """The axis along which an array is zero but for one stretch; None if there are several, or if it has gaps."""
    cut = [
        n
        for n, (where, n_all) in enumerate(zip(part.options["parts"], part.shape, strict=True))
        if where != (0, n_all, 1)
    ]
    return cut[0] if len(cut) == 1 and part.options["parts"][cut[0]][2] == 1 else None


def _joined(value: Value, parts: list[Value], new: dict[Value, Value], builder: Builder) -> Value:
    """The parts beside each other, with zeros where there is none."""
    axis = _axis(parts[0]) or 0
    pieces: list[Value] = []
    place = 0

    def fill(stop: int) -> None:
        if stop > place:
            zero = builder.constant(np.zeros((), value.dtype))
            shape = (*value.shape[:axis], stop - place, *value.shape[axis + 1 :])
            pieces.append(builder.emit("broadcast", [zero], shape=shape))

    for part in parts:
        start, stop, _ = part.options["parts"][axis]
        fill(start)
        pieces.append(new[part.inputs[0]])
        place = stop
    fill(value.shape[axis])
    return builder.emit("concatenate", pieces, axis=axis)
