"""The nest of loops of a kernel: which axes of the domain form the row, which loops there are, where elements lie.

The domain's axes are split into *outer* axes, walked one element at a time, and *inner* axes, the row, whose last loop
runs in vectors. A value is *full* if it varies along the row, else it is computed once for each row.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.program.ops import REDUCTIONS
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.kernels import Dims, Kernel
from gategrad.compiler.schedule.views import contiguous, view_of

__all__ = ["ROWS", "Loop", "Nest", "Strides"]

ROWS = 4
"""Rows that are walked together where columns are folded: each total is then loaded and stored once for all of them."""

_STRIP = 32  # elements of a row at least that are walked for all rows before the next ones: more lie too far apart
_LINE = 64  # bytes that come from memory together
_NEAR = 2**14  # bytes that stay where the processor finds them at once

Strides = tuple[int, ...]
"""For each axis of the domain, the distance in elements from one element to the next along it."""


@dataclasses.dataclass(frozen=True)
class Loop:
    """One loop: adjacent axes of the domain that are walked as if they were one."""

    length: int
    axes: tuple[int, ...]


class Nest:
    """The shape of the loops of one kernel."""

    def __init__(self, kernel: Kernel, memory: Memory, stored: set[Value]) -> None:
        self.kernel = kernel
        self.domain = kernel.domain or ()
        self.inside = set(kernel.values)
        self.inner = self._inner_axes()
        self.lanes = self._lanes(memory)
        patterns = self._patterns(stored)
        first = min(self.inner, default=len(self.domain))
        self.outer_loops = self._joined(range(first), patterns)
        self.inner_loops = self._joined(range(first, len(self.domain)), patterns)

    @property
    def loops(self) -> list[Loop]:
        """All loops, the outermost first."""
        return [*self.outer_loops, *self.inner_loops]

    @property
    def row_length(self) -> int:
        """The number of elements of a row."""
        return math.prod(loop.length for loop in self.inner_loops)

    @property
    def only_folds_columns(self) -> bool:
        """Whether all is full, and what is folded is folded along the last outer loop, into the same places each time."""
        folds = [v for v in self.kernel.values if v.op.name in REDUCTIONS]
        maps = [v for v in self.kernel.values if v.op.name not in REDUCTIONS]
        last = set(self.outer_loops[-1].axes) if self.outer_loops else set()
        columns = all(self.reads_full(v) and not self.folds_row(v) and last <= self.kernel.folded[v] for v in folds)
        return bool(folds) and columns and all(self.is_full(v) for v in maps)

    @property
    def strip(self) -> int:
        """How many elements of each row are walked together, where what is read lies across the rows."""
        return max(_STRIP, 4 * self.lanes)

    @property
    def crossing(self) -> int | None:
        """The number of the loop that should go around the last one, so that lines are read while they are near.

        Something lies in order along that loop, and across the last one, as what is transposed does. None if it is best
        to walk in the order of the axes, or if reductions ask for it.
        """
        kernel = self.kernel
        if kernel.folded or kernel.products or not self.inner_loops:
            return None
        for value in kernel.values:
            for x in value.inputs:
                number = None if view_of(x).base in self.inside else self._along_lines(x, value)
                if number is not None:
                    return number
        return None

    def _along_lines(self, x: Value, user: Value) -> int | None:
        """The number of the loop along which an operand lies in order, if there are too many lines until it goes on."""
        steps = [abs(self.strides(x, user)[loop.axes[-1]]) * x.dtype.itemsize for loop in self.loops]
        near = [n for n in range(len(steps) - 1) if 0 < steps[n] < min(_LINE, steps[-1])]
        if not near or steps[-1] < _LINE // 2:
            return None
        lines = math.prod(loop.length for loop in self.loops[near[-1] + 1 :])
        return near[-1] if lines * _LINE > _NEAR else None

    def is_full(self, value: Value) -> bool:
        """Whether a value computed here varies along the row."""
        return any(d in self.inner for d in self.kernel.dims[value])

    def reads_full(self, value: Value) -> bool:
        """Whether what a reduction folds varies along the row."""
        base = view_of(value.inputs[0]).base
        return base not in self.inside or self.is_full(base)

    def folds_row(self, value: Value) -> bool:
        """Whether a reduction folds the whole row into one number."""
        return self.kernel.folded[value] >= self.inner

    def known_inside(self, value: Value) -> bool:
        """Whether a reduction is finished with each row, not only with the kernel."""
        return value not in self.kernel.finished and self.folds_row(value)

    # --- which axes form the row

    def _inner_axes(self) -> frozenset[int]:
        """The trailing axes that every reduction folds either all or none of; those of length 1 do not count."""
        long = [n for n, length in enumerate(self.domain) if length != 1]
        if self.kernel.row_axes:
            return self.kernel.row_axes & set(long)
        first = 1 if self.kernel.products else 0  # products come in blocks of rows
        inner = frozenset(n for n in long if n >= first)
        for value in self.kernel.values:
            if value.op.name in REDUCTIONS:
                folded = self.kernel.folded[value]
                if inner <= folded or not inner & folded:
                    continue
                last = long[-1] in folded
                inner = frozenset(n for n in inner if all((m in folded) == last for m in long if m >= n))
        return inner

    def _lanes(self, memory: Memory) -> int:
        width = max((v.dtype.itemsize for v in self.kernel.values if v.dtype.kind == "f"), default=8)
        lanes = memory.vector_bytes // width
        row = math.prod(self.domain[n] for n in self.inner) if self.inner else 1
        while lanes > max(row, 1):
            lanes //= 2
        return lanes

    # --- loops and strides

    def _joined(self, axes: Iterable[int], patterns: list[Strides]) -> list[Loop]:
        """A loop for each axis that has one; adjacent axes share it where that is right for all that is read or written."""
        loops: list[Loop] = []
        for axis in axes:
            length = self.domain[axis]
            if length == 1 and not self.kernel.products:  # whose blocks are blocks of the first loop
                continue
            if loops and all(p[loops[-1].axes[-1]] == p[axis] * length for p in patterns):
                loops[-1] = Loop(loops[-1].length * length, (*loops[-1].axes, axis))
            else:
                loops.append(Loop(length, (axis,)))
        return loops

    def _patterns(self, stored: set[Value]) -> list[Strides]:
        patterns = [self.own_strides(v) for v in self.kernel.values if self.kernel.dims[v] or v in stored]
        for value in self.kernel.values:
            patterns += [self.strides(x, value) for x in value.inputs if view_of(x).base not in self.inside]
        return patterns

    def own_strides(self, value: Value) -> Strides:
        """Where the elements of a value that is computed here lie in its buffer."""
        return self._spread(self.kernel.dims[value], contiguous(value.shape))

    def strides(self, x: Value, user: Value) -> Strides:
        """Where the elements of an operand lie that is loaded for its user."""
        dims = tuple(range(len(self.domain))) if user.op.name in REDUCTIONS else self.kernel.dims[user]
        return self._spread(dims, [0 if n == 1 else s for n, s in zip(x.shape, view_of(x).strides, strict=True)])

    def _spread(self, dims: Dims, steps: Iterable[int]) -> Strides:
        strides = [0] * len(self.domain)
        for d, step in zip(dims, steps, strict=True):
            if d >= 0:
                strides[d] = step
        return tuple(strides)
