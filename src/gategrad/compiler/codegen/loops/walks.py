"""The walks of a row: what each pass over it computes.

A walk may use what reductions in earlier walks have found: a value belongs to stage s if s reductions of the row come
before it. A full value that a later walk uses again is computed again if that is cheap, else it is saved in a buffer
that holds one row and stays in cache.
"""

from __future__ import annotations

from gategrad.compiler.codegen.elementwise import CALLS
from gategrad.compiler.codegen.loops.nest import Nest
from gategrad.compiler.program.ops import REDUCTIONS
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.views import view_of

__all__ = ["Walks"]

_CHEAP = 4  # a full value made of at most this many plain operations is computed again rather than saved


class Walks:
    """In which walk each value of a kernel is computed, and which are kept from one walk to the next."""

    def __init__(self, nest: Nest, stored: set[Value]) -> None:
        self.nest, self.stored = nest, stored
        self.values = nest.kernel.values
        self.stage = self._stages()
        self._last = self._last_walks()
        self.saved = self._saved()

    @property
    def count(self) -> int:
        """The number of walks, the last of which may be empty."""
        return max(self.stage.values(), default=0) + 1

    def sinks(self, stage: int) -> list[Value]:
        """The values that a walk has to compute for their own sake: reductions, and what is kept."""
        return [v for v in self.values if self._is_sink(v, stage)]

    def wanted(self, sinks: list[Value], stage: int) -> list[Value]:
        """Everything full that a walk computes, in order; values kept by earlier walks are read instead."""
        wanted: set[Value] = set()
        stack = [view_of(v.inputs[0]).base if v.op.name in REDUCTIONS else v for v in sinks]
        while stack:
            value = stack.pop()
            if value in wanted or not self._is_computed(value, stage):
                continue
            wanted.add(value)
            stack.extend(view_of(x).base for x in value.inputs)
        return [v for v in self.values if v in wanted]

    def keeps(self, value: Value, stage: int) -> bool:
        """Whether this walk writes the value into memory."""
        return self.stage[value] == stage and (value in self.stored or value in self.saved)

    def _is_computed(self, value: Value, stage: int) -> bool:
        if value not in self.nest.inside or not self.nest.is_full(value):
            return False
        return self.stage[value] >= stage or not (value in self.saved or value in self.stored)

    def _is_sink(self, value: Value, stage: int) -> bool:
        if value.op.name in REDUCTIONS:
            return self._walk_of(value) == stage and self.nest.reads_full(value)
        return self.nest.is_full(value) and self.keeps(value, stage)

    def _stages(self) -> dict[Value, int]:
        stage: dict[Value, int] = {}
        for value in self.values:
            bases = [view_of(x).base for x in value.inputs]
            latest = max((stage[base] for base in bases if base in self.nest.inside), default=0)
            stage[value] = latest + self._ends_a_walk(value)
        return stage

    def _ends_a_walk(self, value: Value) -> bool:
        return value.op.name in REDUCTIONS and self.nest.known_inside(value)

    def _walk_of(self, value: Value) -> int:
        """The walk that computes a value: a reduction is computed in the walk before it is known."""
        return self.stage[value] - self._ends_a_walk(value)

    def is_read_again(self, value: Value) -> bool:
        """Whether a later walk than the one that computes the value uses it."""
        return self._last.get(value, 0) > self.stage[value]

    def _saved(self) -> set[Value]:
        saved: set[Value] = set()
        for value in self.values:
            again = self.nest.is_full(value) and self.is_read_again(value)
            if again and self._cost(value, saved) > _CHEAP:
                saved.add(value)
        return saved

    def _last_walks(self) -> dict[Value, int]:
        """The last walk in which each value is used."""
        last: dict[Value, int] = {}
        for value in self.values:
            for x in value.inputs:
                base = view_of(x).base
                last[base] = max(last.get(base, 0), self._walk_of(value))
        return last

    def _cost(self, value: Value, saved: set[Value], limit: int = 64) -> int:
        """What it takes to compute a full value from what is in memory, in plain operations."""
        cost, stack, seen = 0, [value], set(saved)
        while stack and cost < limit:
            v = stack.pop()
            if v in seen or v not in self.nest.inside or not self.nest.is_full(v):
                continue
            seen.add(v)
            cost += 16 if v.op.name in CALLS else 4 if v.op.name in ("divide", "sqrt") else 1
            stack.extend(view_of(x).base for x in v.inputs)
        return cost
