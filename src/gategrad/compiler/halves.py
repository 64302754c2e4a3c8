"""A function and its pullback as two programs: the first hands what the second needs over, so nothing is computed twice.

Both are cut from one trace, of the function and its pullback together. What does not depend on the upstream gradients
belongs to the first half. Of that, what the rest reads is handed over (the *residuals*), but for constants, inputs and
views, which the second half makes itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.careful import doubted, spared, writing
from gategrad.compiler.program.ops import OPS
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Builder, Value
from gategrad.compiler.schedule.views import VIEW_OPS
from gategrad.compiler.trace.symbol import Symbol, as_value
from gategrad.masked import Masked
from gategrad.transforms.call import as_numpy_has_it, pulled_back
from gategrad.transforms.containers import flatten
from gategrad.values import NUMPYS, SINGLE, spec_of

__all__ = ["Halves", "with_numpys"]

_MOST = 32
"""Residuals, above which the function is computed again instead: each is an object made and taken apart by the call."""

_KEPT = 64  # cuts that are remembered, each for leaves of certain shapes


@dataclasses.dataclass(frozen=True)
class _Second:
    """The second half for leaves of certain shapes: what it starts from, and what it computes."""

    inputs: tuple[Value, ...]  # leaves, residuals, upstream gradients
    program: Program
    has_alarm: bool  # whether the program's last output is one
    has_spared: bool


class Halves:
    """The halves of a function of flat values; `needs` says which of them want a gradient."""

    def __init__(
        self, function: Callable[..., Any], needs: tuple[bool, ...],
        made: Callable[[Callable[..., Any]], Callable[..., Any]],
    ) -> None:  # fmt: skip
        self._function, self._needs = function, needs
        self._seconds: dict[Any, _Second] = {}  # by the shapes and dtypes of the leaves
        self.first = made(self._first)
        """From leaves to what the function returns, the residuals (None in their place where there are too many), and which
        of the outputs are single float64s of NumPy's, which native code returns as floats: bit by bit of a number."""
        self.second = made(self._second)
        """From leaves, residuals and upstream gradients, one for each output that flows, to the gradients."""

    def _first(self, leaves: tuple[Any, ...]) -> Any:
        builder = next((x.builder for x in leaves if type(x) is Symbol), None)
        if builder is None:  # without a program the function runs as it is
            return self._function(*leaves), None, 0
        with writing() as caution:
            whole, flowing, pullback = pulled_back(self._function, leaves, self._needs)
        numpys = sum([1 << n for n, z in enumerate(flatten(whole)[0]) if type(z) is Symbol and z.spec == NUMPYS])
        if caution.has_spared:
            for where in caution.left_out:
                spared(where)
            return whole, None, numpys  # the other half could not tell which program the residuals are from
        if caution.doubtful:
            for mask, is_tie in caution.doubtful:
                doubted(mask, is_tie=is_tie)
            return whole, None, numpys
        upstream = [Symbol(_standing_for(z), builder, is_python=spec_of(z) is None) for z in flowing]
        with writing() as caution:
            gradients = [_value(dx, builder) for dx in pullback(tuple(upstream))]
        if caution.doubtful:
            return whole, None, numpys  # what is in doubt is counted where the two halves are one
        alarm = caution.alarm
        alarms = () if alarm is None else (alarm.value,)
        places = [x.value for x in leaves if type(x) is Symbol]
        residuals = _residuals(Program((), [*gradients, *alarms]), {x.value for x in upstream})
        if len(residuals) > _MOST:
            return whole, None, numpys
        inputs = (*places, *residuals, *[x.value for x in upstream])
        self._seconds[_key(leaves)] = _Second(
            inputs, Program((), [*gradients, *alarms]), bool(alarms), caution.has_spared
        )
        if len(self._seconds) > _KEPT:
            self._seconds.pop(next(iter(self._seconds)), None)
        return whole, tuple([Symbol(x, builder) for x in residuals]), numpys

    def _second(self, leaves: tuple[Any, ...], residuals: tuple[Any, ...], upstream: tuple[Any, ...]) -> Any:
        if not any(
            type(x) is Symbol for x in (*leaves, *upstream)
        ):  # no program, or beside points in doubt: the function runs as it is
            return tuple(pulled_back(self._function, leaves, self._needs)[2](upstream))
        if _key(leaves) not in self._seconds:  # thrown out: traced once more, for what it notes
            self._first(leaves)
        second = self._seconds[_key(leaves)]
        given = [x for x in (*leaves, *residuals, *upstream) if type(x) is Symbol]
        builder = given[0].builder
        new = dict(zip(second.inputs, [x.value for x in given], strict=True))
        for value in second.program.values:
            if value not in new and all(x in new for x in value.inputs):
                new[value] = builder.emit(value.op.name, [new[x] for x in value.inputs], **value.options)
        *gradients, alarm = [Symbol(new[z], builder) for z in second.program.outputs] + [None] * (not second.has_alarm)
        if second.has_spared and not spared(alarm):  # the careful program starts from the leaves once more
            return tuple(pulled_back(self._function, leaves, self._needs)[2](upstream))
        return tuple(gradients)


def with_numpys(whole: Any, numpys: int) -> Any:
    """What a function returned, with NumPy's numbers in the places that the bits of `numpys` say."""
    if type(whole) is float:  # written out: one value
        return np.float64(whole)
    outputs, rebuild = flatten(whole)
    return rebuild([as_numpy_has_it(z) if numpys >> n & 1 else z for n, z in enumerate(outputs)])


def _standing_for(z: Any) -> Value:
    """A value of a program that nobody gives: what depends on it can only be computed later."""
    spec = spec_of(z)
    shape, dtype = spec or SINGLE
    return Value(OPS["input"], (), {"dtype": np.dtype(dtype), "shape": shape})


def _value(dx: Any, builder: Builder) -> Value:
    return as_value(dx.resolve() if type(dx) is Masked else dx, builder)


def _key(leaves: tuple[Any, ...]) -> Any:
    return tuple([(x.value.shape, x.value.dtype) if type(x) is Symbol else None for x in leaves])


def _residuals(program: Program, upstream: set[Value]) -> list[Value]:
    """What the part of the program that depends on the upstream gradients, and its outputs, read of the other part."""
    later = set(upstream)
    read: dict[Value, None] = {}
    for value in program.values:
        if any(x in later for x in value.inputs):
            later.add(value)
            read.update(dict.fromkeys(value.inputs))
    read.update(dict.fromkeys(program.outputs))
    found: dict[Value, None] = {}
    for x in read:
        while x.op.name in VIEW_OPS and x not in later:
            x = x.inputs[0]
        if x not in later and x.op.name not in ("input", "constant"):
            found[x] = None
    return list(found)
