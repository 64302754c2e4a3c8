"""The passes of a Jacobian while it is traced: one is written, for a unit vector that is not known, and then all at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.careful import doubted, spared, writing
from gategrad.compiler.program.batch import BatchError, batched, units
from gategrad.compiler.program.ops import OPS
from gategrad.compiler.program.value import Builder, Value
from gategrad.compiler.trace.symbol import Symbol
from gategrad.transforms import jacobian
from gategrad.values import Spec
from gategrad.variable import Variable

_LEAST = 8  # passes: fewer are written one by one, where numbers that are 0 or 1 fold away
_MOST_BYTES = 2**26  # of any value for all passes: one after the other they need less


def _together(spec: Spec, work: Callable[[Any], list[Any]], among: list[Any]) -> list[Any] | None:
    """What `work` returns for each unit vector of a shape, in front of one another; None if they must come one by one."""
    builder = _builder(among)
    if builder is None or not spec or spec[1].kind != "f":
        return None
    shape, dtype = spec
    count = math.prod(shape)
    if count < _LEAST or count**2 * dtype.itemsize > _MOST_BYTES:
        return None
    single = Value(OPS["input"], (), {"dtype": dtype, "shape": shape}, "unit")
    try:
        with writing() as caution:
            rows = work(Symbol(single, builder))
    except Exception:  # a rule that looks at the numbers of a unit vector, say: passes one by one do, or raise it again
        return None
    masks = [mask for mask, _ in caution.doubtful]
    if any(isinstance(x, Variable) for x in (*rows, *masks)):
        return None
    wanted = [row.value for row in rows if type(row) is Symbol]
    many = units(builder, shape, dtype)
    try:
        made = batched(builder, [*wanted, *[mask.value for mask in masks]], single, many, _MOST_BYTES)
    except BatchError:
        return None
    if caution.has_spared:
        spared()
    for (mask, is_tie), new in zip(caution.doubtful, made[len(wanted) :], strict=True):
        doubted(mask if new is None else Symbol(new, builder), is_tie=is_tie)
    rest = iter(made)
    return [_repeated(row, next(rest) if type(row) is Symbol else None, count, builder) for row in rows]


def _repeated(row: Any, made: Value | None, count: int, builder: Builder) -> Any:
    """What all passes have, as often as there are passes, unless each has its own."""
    if made is not None:
        return Symbol(made, builder)
    return np.broadcast_to(row, (count, *np.shape(row)))


def _builder(among: list[Any]) -> Builder | None:
    """The builder of the program that is being traced, if no other tape records it."""
    for x in among:
        raw = x.raw if isinstance(x, Variable) else x
        if type(raw) is Symbol:
            return raw.builder
        if isinstance(raw, Variable):
            return None
    return None


jacobian.together = _together
