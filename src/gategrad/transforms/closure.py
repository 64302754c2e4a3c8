"""closure_of: the variables that a function closes over, and the same function over others."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from gategrad.gate import on_meeting
from gategrad.transforms.containers import flatten

__all__ = ["closure_of"]

_Refill = Callable[[list[Any]], Any]


def closure_of(f: Any, outside: tuple[Any, ...] = ()) -> tuple[list[Any], _Refill]:
    """What a function closes over that has variables (or symbols) in it, and how to make the function that closes over others.

    Functions that it closes over are opened too. What has no variables stays the very same object.

    >>> import gategrad as gg
    >>> w = gg.variable(2.0)
    >>> held, refill = closure_of((lambda w: lambda x: w * x)(w))
    >>> held, refill([10.0])(3.0)
    ([variable(2.0)], 30.0)
    """
    if not isinstance(f, types.FunctionType) or f.__closure__ is None or f in outside:
        return [], lambda _: f
    cells = f.__closure__
    opened = [_open(cell, (*outside, f)) for cell in cells]
    counts = [len(held) for held, _ in opened]

    def refill(held: list[Any]) -> Any:
        rest = iter(held)
        filled = [
            types.CellType(fill([next(rest) for _ in range(count)])) if count else cell
            for cell, count, (_, fill) in zip(cells, counts, opened, strict=True)
        ]
        made = types.FunctionType(f.__code__, f.__globals__, f.__name__, f.__defaults__, tuple(filled))
        made.__kwdefaults__ = f.__kwdefaults__
        return made

    return [x for held, _ in opened for x in held], refill if any(counts) else lambda _: f


def _open(cell: types.CellType, outside: tuple[Any, ...]) -> tuple[list[Any], _Refill]:
    try:
        content = cell.cell_contents
    except ValueError:  # a name without a value yet
        return [], lambda _: None
    if isinstance(content, types.FunctionType):
        return closure_of(content, outside)
    values, _ = flatten(content)
    return ([content] if any(type(x) in on_meeting for x in values) else []), lambda held: held[0]
