"""Lowering: from an optimised program to one that machine code can be written for, and to its kernels."""

from __future__ import annotations

from collections.abc import Callable

from gategrad.compiler.codegen import vector_math
from gategrad.compiler.codegen.elementwise import can_lower
from gategrad.compiler.passes import watch
from gategrad.compiler.program.ops import ELEMENTWISE, OPS
from gategrad.compiler.program.program import Program, rewrite
from gategrad.compiler.program.value import Builder, Value
from gategrad.compiler.schedule.cuts import cut_long_kernels
from gategrad.compiler.schedule.epilogues import join_products
from gategrad.compiler.schedule.extremes import as_reductions
from gategrad.compiler.schedule.joins import join_parts
from gategrad.compiler.schedule.kernels import Kernel, Kernels, group
from gategrad.compiler.schedule.labels import fuse_labels
from gategrad.compiler.schedule.pairs import as_pairs
from gategrad.compiler.schedule.sums import join_sums
from gategrad.compiler.schedule.views import make_viewable

__all__ = ["LOWERING", "fuse", "lower"]


def leave_to_host(program: Program) -> Program:
    """The same program with host callbacks for elementwise operations that have no instructions."""
    math = frozenset(vector_math.names())

    def on_the_host(value: Value, inputs: list[Value], builder: Builder) -> Value | None:
        if value.op.name not in ELEMENTWISE or can_lower(value.op.name, inputs[-1].dtype, math):
            return None
        options = {"function": OPS[value.op.name].evaluate, "dtype": value.dtype, "shape": value.shape}
        return builder.emit("callback", inputs, **options)

    kinds = {(value.op.name, value.inputs[-1].dtype) for value in program.values if value.op.name in ELEMENTWISE}
    return rewrite(program, on_the_host, frozenset([op for op, dtype in kinds if not can_lower(op, dtype, math)]))


LOWERING: dict[str, Callable[[Program], Program]] = {
    "pairs": as_pairs, "hosts": leave_to_host, "joins": join_parts, "extremes": as_reductions, "labels": fuse_labels,
    "views": make_viewable,
}  # fmt: skip
"""The passes that only machine code needs, by name, in the order in which they run."""


def lower(program: Program) -> tuple[Program, list[Kernel]]:
    """The program that machine code is written for, and its kernels in the order in which they run."""
    program = watch.run(LOWERING, program)
    kernels = fuse(program)
    watch.show("fuse", program, Kernels(program, kernels))
    return program, kernels


def fuse(program: Program) -> list[Kernel]:
    """What is computed in one pass over memory each, products with what is made of them."""
    return join_products(program, join_sums(program, cut_long_kernels(group(program))))
