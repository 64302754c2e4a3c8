"""The verifier: whether a program keeps the rules that passes and code generation rely on."""

from __future__ import annotations

from gategrad.compiler.program.ops import ELEMENTWISE, OPS, REDUCTIONS
from gategrad.compiler.program.program import Program
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


def _check(program: Program, value: Value) -> None:
    name = value.op.name
    if OPS.get(name) is not value.op:
        raise _broken(program, value, "its operation is not of the closed set")
    dtype, shape = value.op.typing([(x.dtype, x.shape) for x in value.inputs], value.options)
    if (dtype, tuple(shape)) != (value.dtype, value.shape):
        raise _broken(program, value, f"by the rule of its operation it is {dtype}{list(shape)}")
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


def _broken(program: Program, value: Value, why: str) -> ProgramError:
    return ProgramError(f"{program.name}: {value!r} is wrong: {why}")
