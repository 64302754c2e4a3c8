"""The verifier: whether a program keeps the rules that passes and code generation rely on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gategrad.compiler.program.control import CONTROL, types_given_by
from gategrad.compiler.program.ops import ELEMENTWISE, OPS, REDUCTIONS
from gategrad.compiler.program.program import Program, SubProgram
from gategrad.compiler.program.value import Value
from gategrad.errors import ProgramError

__all__ = ["verify"]


def verify(program: Program) -> None:
    """Raise `ProgramError` unless every value is computed from earlier ones, in the dtype and shape it claims."""
    known: set[Value] = set()
    for value in program.values:
        for x in value.inputs:
            if x not in known:
                raise _broken(program, value, f"its input {x!r} is not computed before it")
        _check(program, value)
        known.add(value)
    for x in program.values:
        if x.op.name == "input" and x not in program.inputs:
            raise _broken(program, x, "it is no input of the program")
    for z in program.outputs:
        if z not in known:
            raise _broken(program, z, "the program returns it without computing it")


def _check_inside(program: Program, value: Value) -> None:
    for why in _misfits(value):
        raise _broken(program, value, why)
    for option in value.options.values():
        if type(option) is SubProgram:
            verify(option.program)


def _check(program: Program, value: Value) -> None:
    name = value.op.name
    if OPS.get(name) is not value.op:
        raise _broken(program, value, "its operation is not of the closed set")
    dtype, shape = value.op.typing([(x.dtype, x.shape) for x in value.inputs], value.options)
    if (dtype, tuple(shape)) != (value.dtype, value.shape):
        raise _broken(program, value, f"by the rule of its operation it is {dtype}{list(shape)}")
    if name in CONTROL:
        _check_inside(program, value)
    if name in ELEMENTWISE and any(x.shape != value.shape for x in value.inputs):
        raise _broken(program, value, f"an input has another shape: {[x.shape for x in value.inputs]}")
    operands = value.inputs[1:] if name == "select" else value.inputs
    if name in ELEMENTWISE and len({x.dtype for x in operands}) > 1:
        raise _broken(program, value, f"its inputs differ in dtype: {[str(x.dtype) for x in value.inputs]}")
    if name == "select" and value.inputs[0].dtype.kind != "b":
        raise _broken(program, value, "its mask is not made of truth values")
    if name in REDUCTIONS:
        axes = value.options["axes"]
        if not axes or list(axes) != sorted(set(axes)) or not 0 <= axes[0] <= axes[-1] < len(value.inputs[0].shape):
            raise _broken(
                program, value, f"its axes {axes} are not sorted, distinct and within {value.inputs[0].shape}"
            )
    if name == "reshape" and value.size != value.inputs[0].size:
        raise _broken(program, value, f"it has {value.size} elements, its input {value.inputs[0].size}")


def _misfits(value: Value) -> Iterator[str]:
    """What the programs inside of an operation take or give, other than what the operation gives them and takes."""
    given, options = [(x.dtype, x.shape) for x in value.inputs], value.options
    carries = options.get("carries", 0)
    if value.op.name == "scan":
        end = carries + options["rows"]
        walked = given[carries:end]
        if any(shape[:1] != (options["length"],) for _, shape in walked):
            yield f"not all of {_told(walked)} have {options['length']} rows"
        row = [(dtype, shape[1:]) for dtype, shape in walked]
        yield from _misfit("body", options["body"], [*given[:carries], *row, *given[end:]], given[:carries])
    elif value.op.name == "while":
        yield from _misfit("condition", options["condition"], given, [(np.dtype(bool), ())])
        yield from _misfit("body", options["body"], given, given[:carries])
    elif value.op.name == "cond":
        if given[0] != (np.dtype(bool), ()):
            yield f"it depends on {_told(given[:1])}, which is not a single truth value"
        for name in ("then", "otherwise"):
            yield from _misfit(name, options[name], given[1:], types_given_by(options["then"]))


def _misfit(
    name: str, program: SubProgram, given: list[tuple[Any, tuple[int, ...]]], wanted: list[tuple[Any, tuple[int, ...]]]
) -> Iterator[str]:
    takes = [(x.dtype, x.shape) for x in program.program.inputs]
    gives = types_given_by(program)
    if takes != given:
        yield f"its {name} takes {_told(takes)} and is given {_told(given)}"
    if gives[: len(wanted)] != wanted:
        yield f"its {name} gives {_told(gives)} where {_told(wanted)} is wanted"


def _told(types: Sequence[tuple[Any, tuple[int, ...]]]) -> str:
    return ", ".join(f"{dtype}{list(shape)}" if shape else str(dtype) for dtype, shape in types) or "nothing"


def _broken(program: Program, value: Value, why: str) -> ProgramError:
    return ProgramError(f"{program.name}: {value!r} is wrong: {why}")
