"""Where a program looks whether a signal has come: between kernels, and between the blocks of large loops.

A program that ends there has written over nothing: from the kernel on that writes over the first input that was given
up, it no longer looks, and Python handles the signal when the call has returned.
"""

from __future__ import annotations

from collections.abc import Sequence

from gategrad.compiler.codegen.functions import leave_unless_zero
from gategrad.compiler.codegen.text import Body
from gategrad.compiler.runtime.interrupts import poll
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.kernels import Kernel
from gategrad.compiler.schedule.work import LONG, work

__all__ = ["Polls"]

_DUE = 3  # the word of the workspace that says when to look again, behind the three about an error


class Polls:
    """The looks of one program; a short one has none."""

    def __init__(self, body: Body, table: Table, kernels: Sequence[Kernel]) -> None:
        self.body, self.table, self.kernels = body, table, kernels
        self.is_long = work(kernels) >= LONG
        self.end = 0
        self.since = 0  # the work of kernels since the last look
        self.due = "null"

    def until(self, end: int) -> None:
        """Look only before the kernel with this number."""
        self.end = end

    def due_in(self, number: int) -> str:
        """Where the blocks of a kernel find the time of the next look; null if they may not end early."""
        return self.due if number < self.end else "null"

    def before(self, number: int) -> None:
        """Look before a kernel, if enough has been done since the last time."""
        if self.is_long and number == 0:
            self.due = self.body.make(f"getelementptr i64, ptr %workspace, i64 {_DUE}", "due")
            self.body.write(f"store i64 0, ptr {self.due}")
        if self.is_long and number <= self.end and (number == 0 or self.since >= LONG):
            function = self.body.make(f"load ptr, ptr {poll(self.table)}")
            leave_unless_zero(self.body, self.body.make(f"call i32 {function}(ptr {self.due})"))
            self.since = 0
        self.since += work([self.kernels[number]])
