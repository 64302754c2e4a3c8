"""Programs that end early because of a value: with an exception that was written down while they were traced."""

from __future__ import annotations

from collections.abc import Callable

from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.movement import copy_view
from gategrad.compiler.codegen.text import Body
from gategrad.compiler.program.ops import Failure
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.views import contiguous, view_of

__all__ = ["Fail", "write_check"]

Fail = Callable[[Body, Failure], None]
"""Writes the way out with a failure."""


def write_check(body: Body, value: Value, memory: Memory, fail: Fail) -> None:
    """Leave if the truth value holds; else the first input as it is, which whoever needs the check reads from here."""
    x, bad = value.inputs
    view = view_of(bad)
    with body.only(body.load(body.address(memory.pointers[view.base], bad.dtype, [], view.offset), bad.dtype)):
        fail(body, value.options["failure"])
    copy_view(body, memory, view_of(x), x.shape, memory.pointers[value], contiguous(value.shape), 0, value.dtype)
