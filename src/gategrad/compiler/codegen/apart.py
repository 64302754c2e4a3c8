"""Kernels as functions of their own: which ones are, and what they are handed.

Kernels that look alike become functions, since equal functions are written once (`functions.py`). So do all kernels of
a long program: LLVM takes more than in proportion for functions of many loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Sequence

import numpy as np

from gategrad.compiler.codegen.elementwise import Needs
from gategrad.compiler.codegen.functions import call_part
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.movement import MOVEMENTS
from gategrad.compiler.codegen.text import Body, llvm_type
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.kernels import Kernel
from gategrad.compiler.schedule.views import base_of, view_of

__all__ = ["choose_apart", "only_calls", "write_apart"]

_TOGETHER = 32
"""Kernels in one function. Where there are more, each has a function of its own: LLVM takes more than in proportion for
functions of many loops, though not always (0.67 to 1.0 of the time for Hessians of a hundred kernels). What calls cost is
about 2 ns for each kernel: a tenth to a third of the time of one over 16 to 128 elements (measured)."""

_ALIKE = 4
"""Kernels that look alike from which on they are functions: to share three of a few elements saves nothing (measured)."""

_SHORT = 2
"""Vectors: kernels of no more have no loop, and are compiled faster, and run in two thirds of the time, where they are."""


def choose_apart(kernels: Sequence[Kernel], memory: Memory) -> dict[int, frozenset[Value]]:
    """The kernels that are functions of their own, by number: and which constants each is handed.

    Those are the numbers in which it differs from others that look like it.
    """
    alike: dict[Hashable, list[int]] = {}
    for number, kernel in enumerate(kernels):
        look = _look(kernel)
        if look is not None:
            alike.setdefault(look, []).append(number)
    short = _SHORT * memory.lanes(np.dtype(float))
    found = {}
    for numbers in alike.values():
        domain = kernels[numbers[0]].domain
        is_long = domain is None or math.prod(domain) > short
        if len(numbers) >= _ALIKE or (is_long and len(kernels) > _TOGETHER):
            found.update(_differing([_constants(kernels[n]) for n in numbers], numbers))
    return found


def only_calls(kernels: Sequence[Kernel], apart: Collection[int]) -> bool:
    """Whether a program does next to nothing but call its kernels: there is nothing in it to be optimised."""
    rest = [kernel for number, kernel in enumerate(kernels) if number not in apart]
    inline = all(kernel.domain is not None for kernel in rest)
    return inline and len(apart) > max(_TOGETHER, sum(len(kernel.values) for kernel in rest) // 4)


def _look(kernel: Kernel) -> Hashable:
    """What kernels have in common that may well have the same text; None for those that are a few instructions or calls."""
    if kernel.is_scalar:
        return None
    last = kernel.values[-1]
    if kernel.domain is None and kernel.sum is None and last.op.name != "matmul" and last.op.name not in MOVEMENTS:
        return None
    return kernel.domain, *[
        (v.op.name, v.dtype, v.shape, *[(x.shape, _is_number(base_of(x))) for x in v.inputs]) for v in kernel.all_values
    ]


def _is_number(x: Value) -> bool:
    return x.op.name == "constant" and x.size == 1


def _constants(kernel: Kernel) -> list[Value]:
    """The single numbers in a kernel's loops, as often as they are used."""
    if kernel.domain is None:
        return []
    return [base for v in kernel.values for x in v.inputs if _is_number(base := base_of(x))]


def _differing(constants: list[list[Value]], numbers: list[int]) -> dict[int, frozenset[Value]]:
    """For each of these kernels, the constants at the places where they do not all have the same."""
    differ = [len({x.options["value"] for x in column}) > 1 for column in zip(*constants, strict=True)]
    return {
        number: frozenset([x for x, differs in zip(own, differ, strict=True) if differs])
        for number, own in zip(numbers, constants, strict=True)
    }


def write_apart(
    body: Body, needs: Needs, kernel: Kernel, memory: Memory, stored: set[Value], handed: frozenset[Value],
    write: Callable[[Body, Memory], None],
) -> None:  # fmt: skip
    """Write a kernel as a function of its own, which puts single numbers where the others find them.

    `handed` are constants that it is called with.
    """
    kept = [v for v in kernel.values if v in stored and v not in memory.pointers]
    for value in kept:
        memory.slots[value] = body.slot(llvm_type(value.dtype))
    inside = memory.copy()
    for value in kept:
        del inside.slots[value]
    for value in _in_order(handed, kernel):
        inside.numbers[value] = body.constant(str(memory.number(body, value)), llvm_type(value.dtype))
    _hand_over_beginnings(body, kernel, memory, inside)

    def function(inner: Body) -> None:
        write(inner, inside)
        for value in kept:
            kind = llvm_type(value.dtype)
            found = inner.make(f"load {kind}, ptr {inside.slots[value]}")
            inner.write(f"store {kind} {found}, ptr {memory.slots[value]}")

    call_part(body, needs, function, apart=True)


def _in_order(handed: frozenset[Value], kernel: Kernel) -> list[Value]:
    return [x for x in dict.fromkeys(_constants(kernel)) if x in handed]


def _hand_over_beginnings(body: Body, kernel: Kernel, memory: Memory, inside: Memory) -> None:
    """Give what is read from within a buffer a pointer of its own: which step of many it belongs to is told outside.

    Not where the kernel writes into the same buffer, which no two pointers may lead to.
    """
    written = {memory.pointers.get(v) for v in kernel.all_values}
    for value in kernel.all_values:
        for x in value.inputs:
            view = view_of(x)
            pointer = memory.pointers.get(view.base)
            if view.offset and pointer is not None and pointer not in written:
                at = (view.base, view.offset)
                if at not in inside.beginnings:
                    inside.beginnings[at] = body.address(pointer, view.base.dtype, [], view.offset)
