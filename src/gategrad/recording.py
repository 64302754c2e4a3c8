"""Recording: how a gate that is applied to variables becomes a node of their circuit.

`record` is what happens in general; `unary` and `finish` are short ways for what is common, beside the operators that
`variable.py` writes out. All of them note on the gate where its inputs come from, run `forward` on the values one level
down, and hand out the result as a new variable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.constant import Constant, may_change
from gategrad.errors import GateError
from gategrad.forward import is_narrow, number, recover, settle
from gategrad.gate import NO_OPTIONS, Gate, on_meeting, taken, unapplied
from gategrad.masked import Masked, through_mask
from gategrad.tape import UNTRACKED, Output, next_order, paused
from gategrad.values import NUMPYS, Spec, as_value, lock, spec_of, strengthening
from gategrad.watch import WATCHED, floor, observe

__all__ = [
    "arrange",
    "as_numpys",
    "compute",
    "finish",
    "leaf",
    "of_numpy",
    "outermost",
    "plain",
    "record",
    "spread",
    "strengthen",
    "unary",
]

Variable: Any = None
"""The class of all variables. Their operators record, so its file is above this one, and joins it here."""

outermost: dict[type, Callable[[Gate, tuple[Any, ...]], Any]] = {Masked: through_mask}
"""Kinds of values around variables: when a gate meets one beside a variable, it goes through that first."""

_ONE = (True,)
_ARRAY, _FLOAT64 = np.ndarray, np.float64
_new: Callable[[type], Any] = object.__new__


# --- on a tape, and off it


def leaf(value: Any, level: int) -> Any:
    """A leaf on the tape of this level; `value` may itself be a value on a lower tape."""
    new = _new(Variable)
    new.gate = None
    new.level = level
    if type(value) is _FLOAT64:
        new.raw = float(value)
        new.spec = NUMPYS
    else:
        new.raw = value
        new.spec = spec_of(value)
    return new


def strengthen(z: Any) -> None:
    """Let a single number count as NumPy's, on all tapes: one that was just computed, and that nobody else has seen."""
    while type(z) is Variable:
        if z.gate is None:
            z.spec = NUMPYS
        else:
            z.gate.spec = NUMPYS
        z = z.raw
    if type(z) in strengthening:
        strengthening[type(z)](z)


def of_numpy(z: Any, inputs: tuple[Any, ...]) -> Any:
    """What a function of NumPy's made of these inputs: NumPy's own number, where the rule has computed with Python's."""
    if any(z is x for x in inputs):
        return np.positive(z)
    strengthen(z)
    return z


def as_numpys(x: Any) -> Any:
    """A plain value as NumPy has it: the float of a number that is NumPy's as a float64."""
    value = plain(x)
    return _FLOAT64(value) if type(value) is float and type(x) is Variable and x.spec is not None else value


def plain(x: Any) -> Any:
    """The float or array inside, whatever the number of tapes around it.

    >>> import gategrad as gg
    >>> plain(gg.variable(2.0)), plain(2.0)
    (2.0, 2.0)
    """
    while type(x) is Variable:
        x = x.raw
    return x


# --- in general


def record(gate: Gate, inputs: tuple[Any, ...]) -> Any:
    """Apply a gate to inputs of which some are variables, on the highest tape among them."""
    if len(inputs) == 1 and gate.is_ours and type(inputs[0]) is Variable:
        gate = unapplied(gate)
        return unary(gate, inputs[0], dict(gate.__dict__) or NO_OPTIONS)
    level = UNTRACKED
    for x in inputs:
        if type(x) is Variable:
            if x.level > level:
                level = x.level
        elif type(x) in outermost:
            return outermost[type(x)](gate, inputs)
    gate = unapplied(gate)
    gate.options = dict(gate.__dict__) or NO_OPTIONS
    if level <= paused():
        return compute(gate, inputs)
    return _in_full(gate, inputs, level)


def _in_full(gate: Gate, inputs: tuple[Any, ...], level: int) -> Any:
    values: list[Any] = []
    sources: list[Any] = []
    needs: list[bool] = []
    numpys: list[int] = []
    for x in inputs:
        kind = type(x)
        if kind is Variable:
            source = x.gate
            if (x.spec if source is None else source.spec) == NUMPYS:
                numpys.append(len(values))
            if x.level == level:
                values.append(x.raw)
                if source is not None:
                    source.users += 1
                if not gate.is_ours:
                    # other gates may remember it: a user's gate must not write behind their backs
                    values[-1] = np.positive(x.raw) if type(x.raw) in on_meeting else lock(x.raw)
                sources.append(source or x)
                needs.append(True)
                continue
            if x.level == UNTRACKED:
                x = x.raw
        elif kind is not float and kind is not int and (kind is not _ARRAY or x.dtype.kind not in "fciub"):
            x = as_value(x, gate, len(values))
        values.append(x)
        if type(x) is np.ndarray and gate.remembers_inputs and may_change(x):
            x = Constant(x)
        sources.append(x)
        needs.append(False)
    gate.needs = tuple(needs)
    gate.inputs = tuple(sources)
    if numpys:
        _widen(values, numpys)
    numbers = NUMPYS if numpys else None
    return (finish if gate.is_ours else _finish_foreign)(gate, level, tuple(values), gate.options, numbers)


def _widen(values: list[Any], numpys: list[int]) -> None:
    """Put NumPy's own numbers in place of the floats that are, where they meet others than float64 and are to widen them."""
    if any(map(is_narrow, values)):
        for n in numpys:
            if type(values[n]) is float:
                values[n] = _FLOAT64(values[n])


def _finish_foreign(
    gate: Gate, level: int, values: tuple[Any, ...], options: dict[str, Any], numbers: Spec = None
) -> Any:
    """`finish` for a gate that does not come with the library, whose `forward` may take a name of the engine's."""
    inputs, needs, order = gate.inputs, gate.needs, next_order()
    gate.options = options
    gate.level = level
    gate.order = order
    gate.users = 0
    gate.spec = gate.grad = _UNKNOWN
    try:
        z = gate.forward(*values)
    except Exception as error:
        z = recover(error, gate, values)
    if (
        gate.inputs is not inputs
        or gate.needs is not needs
        or gate.options is not options
        or gate.order is not order
        or gate.level is not level
        or gate.users is not _NOBODY
        or gate.spec is not _UNKNOWN
        or gate.grad is not _UNKNOWN
    ):
        raise _overwritten(gate, inputs, needs, options, order, level, _NOBODY, _UNKNOWN, _UNKNOWN)
    del gate.grad
    if type(z) is float:
        gate.spec = numbers
    else:
        z = settle(z, gate, values)
        if type(z) is tuple:
            return spread(z, gate, level)
        if gate.spec is None:
            gate.spec = numbers
    return _output(z, gate, level)


_NOBODY = 0
_UNKNOWN: Any = ("not known yet",)


def _overwritten(gate: Gate, *noted: Any) -> GateError:
    names = ("inputs", "needs", "options", "order", "level", "users", "spec", "grad")
    changed = [name for name, value in zip(names, noted, strict=True) if getattr(gate, name) is not value]
    return taken(f"{type(gate).__name__}.forward sets self.{changed[0]}")


def compute(gate: Gate, inputs: tuple[Any, ...]) -> Any:
    """Apply a gate without recording it: the results are untracked variables. If somebody watches, record it aside."""
    if paused() == WATCHED:
        level = max([x.level for x in inputs if type(x) is Variable])
        if level > floor():
            gate.options = dict(gate.__dict__) or NO_OPTIONS
            return observe(gate, inputs, lambda: _in_full(gate, inputs, level), plain)
    gate.needs = (False,) * len(inputs)
    gate.level = UNTRACKED
    values = [as_value(plain(x), gate, index) for index, x in enumerate(inputs)]
    numpys = [n for n, x in enumerate(inputs) if type(x) is Variable and x.spec == NUMPYS]
    if numpys:
        _widen(values, numpys)
    try:
        z = gate.forward(*values)
    except Exception as error:
        z = recover(error, gate, values)
    z = settle(z, gate, values, [x for x in inputs if type(x) is not Variable])
    if type(z) is tuple:
        return tuple([leaf(part, UNTRACKED) for part in z])
    computed = leaf(z, UNTRACKED)
    if computed.spec is None and (numpys or gate.spec == NUMPYS):
        strengthen(computed)
    return computed


def spread(outputs: tuple[Any, ...], gate: Gate, level: int) -> tuple[Any, ...]:
    """Hand out the outputs of a gate that has several, each as a variable of its own."""
    spread = []
    for index, z in enumerate(outputs):
        output = Output(index, len(outputs))
        output.needs = (True,)
        output.inputs = (gate,)
        output.level = level
        output.order = next_order()
        output.users = 0
        gate.users += 1
        output.options = {"index": index, "count": len(outputs)}
        if type(z) is _FLOAT64:
            output.spec = NUMPYS
            z = float(z)
        else:
            output.spec = spec_of(z)
        spread.append(_output(z, output, level))
    return tuple(spread)


def _output(z: Any, gate: Gate, level: int) -> Any:
    """What a gate computed, as a variable; written out in the short ways."""
    out = _new(Variable)
    out.raw = z
    out.gate = gate
    out.level = level
    return out


# --- short ways


def unary(gate: Any, x: Any, options: dict[str, Any] = NO_OPTIONS) -> Any:
    """Record a gate of ours on one variable: the short way of `record`."""
    level = x.level
    if level <= paused():
        return compute(gate, (x,))
    gate.needs = _ONE
    source = x.gate
    if source is None:
        gate.inputs = (x,)
        numbers = x.spec
    else:
        source.users += 1
        gate.inputs = (source,)
        numbers = source.spec
    gate.options = options
    gate.level = level
    gate.order = next_order()
    gate.users = 0
    value = x.raw
    try:
        z = gate.forward(value)
    except Exception as error:
        z = recover(error, gate, (value,))
    kind = type(z)
    if kind is _ARRAY:
        gate.spec = z.shape, z.dtype
    elif kind is float:
        gate.spec = None if numbers else numbers
    elif kind is _FLOAT64:
        z = number(z, gate, (value,))
    else:
        z = settle(z, gate, (value,))
        if type(z) is tuple:
            return spread(z, gate, level)
    out = _new(Variable)
    out.raw = z
    out.gate = gate
    out.level = level
    return out


def finish(
    gate: Any, level: int, values: tuple[Any, ...], options: dict[str, Any] = NO_OPTIONS, numbers: Spec = None
) -> Any:
    """Run a gate whose needs and inputs are noted, and hand out its output as a variable.

    `numbers` is the spec of an output that is a Python float: whose number it is, Python's or NumPy's.
    """
    gate.options = options
    gate.level = level
    gate.order = next_order()
    gate.users = 0
    try:
        z = gate.forward(*values)
    except Exception as error:
        z = recover(error, gate, values)
    if type(z) is float:
        gate.spec = numbers
    else:
        z = arrange(z, gate, values)
        if type(z) is tuple:
            return spread(z, gate, level)
        if gate.spec is None:
            gate.spec = numbers
    out = _new(Variable)
    out.raw = z
    out.gate = gate
    out.level = level
    return out


def arrange(z: Any, gate: Any, values: Any) -> Any:
    """`settle`, with a short way for numbers, and for arrays from gates of ours, which need no check."""
    if type(z) is _FLOAT64:
        return number(z, gate, values)
    if type(z) is _ARRAY and gate.is_ours:
        gate.spec = z.shape, z.dtype
        return z
    return settle(z, gate, values)
