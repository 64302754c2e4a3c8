"""Scalar kernels: straight-line code on single numbers, which stay in registers.

What LLVM does to a function takes longer than in proportion to its length. So long kernels become functions of a few
thousand operations each, called one after the other; numbers that one hands to another lie in a buffer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gategrad.compiler.codegen.elementwise import CALLS, Needs, lower
from gategrad.compiler.codegen.functions import call_part
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.text import Body
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.kernels import Kernel
from gategrad.compiler.schedule.views import base_of, view_of

__all__ = ["PART", "write_scalars"]

PART = 2000
"""Operations of a function: with 8000 LLVM takes half as long again, with 1000 no less (measured), and more cross over."""

_INLINED = 32
"""Elementary functions in a kernel, above which they are called. In place LLVM takes 4 to 7 ms for each, and for the call of one
that is there already almost nothing: 32 take 180 to 240 ms or less than 50, and run in 0.3 µs or, called, a quarter (exp) to two
thirds (tanh) more, but a fifth less for sin (measured). A million calls make up for that."""

_ROOM = 8  # bytes of any number


def write_scalars(
    body: Body, needs: Needs, kernel: Kernel, memory: Memory, stored: set[Value], buffer: Callable[[int], str]
) -> None:
    """The values of a kernel one after the other; what the kernels that follow need (`stored`) is kept for them.

    `buffer` hands out so many bytes that live until the program ends.
    """
    if sum(value.op.name in CALLS for value in kernel.values) > _INLINED:
        needs = {**needs, "math": needs["called"]}
    if len(kernel.values) <= 2 * PART:
        registers = _write(body, needs, kernel.values, memory)
        for value in kernel.values:
            if value in stored:
                memory.keep(body, value, registers[value])
        return
    parts = [kernel.values[n : n + PART] for n in range(0, len(kernel.values), PART)]
    used_apart = _handed_over(parts) | stored
    handed = [v for v in kernel.values if v in used_apart]
    pointer = buffer(_ROOM * len(handed))
    places = {v: n for n, v in enumerate(handed)}
    for part in parts:
        call_part(body, needs, partial(_write_part, part, needs, memory, places, pointer))
    for value in handed:
        if value in stored:
            memory.pointers[value] = _place(body, pointer, places[value])


def _write_part(
    part: list[Value], needs: Needs, memory: Memory, places: dict[Value, int], pointer: str, body: Body
) -> None:
    """One function: it reads what others have handed over, and hands over in turn."""
    here, own = memory.copy(), set(part)
    for x in dict.fromkeys(base_of(x) for value in part for x in value.inputs):
        if x in places and x not in own:
            here.pointers[x] = _place(body, pointer, places[x])
    registers = _write(body, needs, part, here)
    for value in part:
        if value in places:
            body.store(registers[value], _place(body, pointer, places[value]), value.dtype)


def _write(body: Body, needs: Needs, values: list[Value], memory: Memory) -> dict[Value, str]:
    registers: dict[Value, str] = {}
    for value in values:
        operands = [_operand(body, x, registers, memory) for x in value.inputs]
        dtypes = [x.dtype for x in value.inputs]
        registers[value] = lower(body, needs, value.op.name, operands, dtypes, value.dtype, 1)
    return registers


def _handed_over(parts: list[list[Value]]) -> set[Value]:
    """The values that another part than their own uses."""
    home = {value: n for n, part in enumerate(parts) for value in part}
    used = ((base_of(x), n) for n, part in enumerate(parts) for value in part for x in value.inputs)
    return {x for x, n in used if x in home and home[x] != n}


def _place(body: Body, pointer: str, number: int) -> str:
    return body.make(f"getelementptr inbounds i8, ptr {pointer}, i64 {_ROOM * number}", "p")


def _operand(body: Body, x: Value, registers: dict[Value, str], memory: Memory) -> str:
    base = base_of(x)
    register = registers.get(base) or memory.number(body, base)
    if register is not None:
        return register
    view = view_of(x)
    return body.load(body.address(memory.pointers[view.base], x.dtype, [], view.offset), x.dtype)
