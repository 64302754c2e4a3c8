"""Donated arguments: which outputs are written over which inputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import count
from typing import cast

from gategrad.compiler.codegen.entry.signature import Array, Container, Scalar, Structure, data_leaves

__all__ = ["write_over", "write_over_flat"]


def write_over(inputs: Sequence[Structure], donated: Sequence[int], output: Structure) -> Structure:
    """The output, with arrays that are written over those of the inputs at the positions `donated`.

    Each donated input goes to the first part of the output, seen from outside, that is built like it.
    """
    numbers = count()
    numbered = [_numbered(x, numbers) for x in inputs]
    for position in donated:
        output = _give(numbered[position], output) or output
    return output


def write_over_flat(inputs: Sequence[Structure], donated: Sequence[int], outputs: Sequence[Structure]) -> Structure:
    """The same for outputs whose containers native code does not know: flat arrays in order, all in one tuple.

    Each donated input goes to the first run of outputs with the same dtypes and shapes.
    """
    numbers = count()
    numbered = [_numbered(x, numbers) for x in inputs]
    flat = list(outputs)
    for position in donated:
        parts = tuple(data_leaves(numbered[position]))
        for start in range(len(flat) - len(parts) + 1):
            run = Container(tuple, tuple(flat[start : start + len(parts)]))
            given = _put_over(Container(tuple, parts), run)
            if given is not None:
                flat[start : start + len(parts)] = cast(Container, given).items
                break
    return Container(tuple, tuple(flat))


def _numbered(structure: Structure, numbers: Iterator[int]) -> Structure:
    """The structure of an input with the number of each array among the flat inputs in its field `over`."""
    if isinstance(structure, Container):
        return dataclasses.replace(structure, items=tuple([_numbered(item, numbers) for item in structure.items]))
    if isinstance(structure, Array):
        return dataclasses.replace(structure, over=next(numbers))
    if isinstance(structure, Scalar):
        next(numbers)
    return structure


def _give(given: Structure, output: Structure) -> Structure | None:
    """The output with its first part that is built like `given` written over it; None if there is no such part."""
    whole = _put_over(given, output)
    if whole is not None or not isinstance(output, Container):
        return whole
    for place, item in enumerate(output.items):
        found = _give(given, item)
        if found is not None:
            return dataclasses.replace(output, items=(*output.items[:place], found, *output.items[place + 1 :]))
    return None


def _put_over(given: Structure, output: Structure) -> Structure | None:
    """The output written over `given`; None if they are not built alike, or if the output is written over another."""
    if isinstance(given, Array) and isinstance(output, Array):
        free = output.over is None and (given.dtype, given.shape) == (output.dtype, output.shape)
        return given if free else None
    if not isinstance(given, Container) or not isinstance(output, Container):
        is_same = isinstance(given, Scalar) and isinstance(output, Scalar) and given.kind == output.kind
        return output if is_same or given == output else None
    if given.kind is not output.kind or len(given.items) != len(output.items):
        return None
    items = given.items
    if given.kind is dict:  # in whatever order the keys are
        named = dict(zip(given.keys, items, strict=True))
        if named.keys() != set(output.keys):
            return None
        items = tuple([named[key] for key in output.keys])
    parts = [_put_over(x, z) for x, z in zip(items, output.items, strict=True)]
    if any(part is None for part in parts):
        return None
    return dataclasses.replace(output, items=tuple(cast("list[Structure]", parts)))
