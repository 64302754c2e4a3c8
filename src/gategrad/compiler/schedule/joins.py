"""Sums of parts that lie beside each other, as one concatenation.

The gradient of an array that was read element by element, or slice by slice, is a sum of arrays that are zero but for
one part. Where the parts do not overlap, joining them writes every element once.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np

from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Builder, Value

__all__ = ["join_parts"]

_FEWEST = 3  # below, the sum is as quick and may fuse with what is around


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
            parts = _parts(value, uses) if _is_sum(value) and value not in inner else None
            joined = None if parts is None else _joined(value, parts, new, builder)
            made = joined or builder.emit(value.op.name, inputs, **value.options)
        made.name = made.name or value.name
        new[value] = made
    return Program(program.inputs, [new[z] for z in program.outputs], program.name)


def _is_sum(value: Value) -> bool:
    return value.op.name == "add" and value.dtype.kind == "f" and len(value.shape) > 0


def _parts(value: Value, uses: Counter[Value]) -> list[Value] | None:
    """The embedded parts that a tree of sums adds up, from the first place to the last; None if it is no such tree."""
    parts, stack = [], [value]
    while stack:
        x = stack.pop()
        if x is value or (_is_sum(x) and uses[x] == 1):
            stack.extend(x.inputs)
        elif x.op.name == "embed" and _is_along_first(x):
            parts.append(x)
        else:
            return None
    parts.sort(key=lambda part: part.options["parts"][0][0])
    ranges = [part.options["parts"][0] for part in parts]
    apart = all(a[1] <= b[0] for a, b in pairwise(ranges))
    return parts if apart and len(parts) >= _FEWEST else None


def _is_along_first(part: Value) -> bool:
    (_, _, step), *others = part.options["parts"]
    return step == 1 and all(other == (0, n, 1) for other, n in zip(others, part.shape[1:], strict=True))


def _joined(value: Value, parts: list[Value], new: dict[Value, Value], builder: Builder) -> Value:
    """The parts beside each other, with zeros where there is none."""
    pieces: list[Value] = []
    place = 0

    def fill(stop: int) -> None:
        if stop > place:
            zero = builder.constant(np.zeros((), value.dtype))
            pieces.append(builder.emit("broadcast", [zero], shape=(stop - place, *value.shape[1:])))

    for part in parts:
        start, stop, _ = part.options["parts"][0]
        fill(start)
        pieces.append(new[part.inputs[0]])
        place = stop
    fill(value.shape[0])
    return builder.emit("concatenate", pieces, axis=0)
