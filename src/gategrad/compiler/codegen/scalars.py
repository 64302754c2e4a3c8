"""Scalar kernels: straight-line code on single numbers, which stay in registers."""

from __future__ import annotations

from gategrad.compiler.codegen.elementwise import Needs, lower
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.text import Body
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.kernels import Kernel
from gategrad.compiler.schedule.views import view_of

__all__ = ["write_scalars"]


def write_scalars(body: Body, needs: Needs, kernel: Kernel, memory: Memory) -> None:
    """The values of a kernel one after the other; a slot keeps each for the kernels that follow."""
    registers: dict[Value, str] = {}
    for value in kernel.values:
        operands = [_operand(body, x, registers, memory) for x in value.inputs]
        dtypes = [x.dtype for x in value.inputs]
        registers[value] = lower(body, needs, value.op.name, operands, dtypes, value.dtype, 1)
        memory.keep(body, value, registers[value])


def _operand(body: Body, x: Value, registers: dict[Value, str], memory: Memory) -> str:
    view = view_of(x)
    register = registers.get(view.base) or memory.number(body, view.base)
    if register is not None:
        return register
    return body.load(body.address(memory.pointers[view.base], x.dtype, [], view.offset), x.dtype)
