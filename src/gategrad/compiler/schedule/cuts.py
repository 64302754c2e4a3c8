"""Kernels of very many operations, cut into several over the same domain.

What LLVM does to the body of a loop takes longer than in proportion to its length, and what does not fit into registers
lies in memory anyway. A solver's steps on an array are one such body of thousands of operations, the same ones again and
again. So it is cut where little crosses, and among such places where the operations around look the same: pieces that
begin and end alike become one function (`codegen/functions.py`).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from gategrad.compiler.program.ops import REDUCTIONS
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.kernels import Kernel
from gategrad.compiler.schedule.views import base_of

__all__ = ["LONG_KERNEL", "cut_long_kernels"]

LONG_KERNEL, HUGE_KERNEL = 256, 2048
"""Operations of a kernel above which it is cut if what crosses stays in a cache, and above which it is cut anyway.

Twenty steps of a solver over 1000 elements run as fast in either form, over 10,000 in a quarter less if they are not cut,
and are compiled in 0.4 s or 1.2; what a hundred took was beyond all patience (measured).
"""

_PIECE = range(48, 129)  # operations of a piece; the last one may have more or less
_AROUND = 6  # operations before a cut that tell one place from another
_NEAR_BYTES, _MOST_BYTES = 2**21, 2**30  # of all values that cross: those of a long kernel, and of a huge one


def cut_long_kernels(kernels: Sequence[Kernel]) -> list[Kernel]:
    """The same kernels, with several in the place of each that is long and can be cut."""
    return [piece for kernel in kernels for piece in _cut(kernel)]


def _cut(kernel: Kernel) -> list[Kernel]:
    if len(kernel.values) <= LONG_KERNEL or not kernel.domain or kernel.products:
        return [kernel]
    uses = _uses(kernel.values)
    if any(v.op.name in REDUCTIONS and v.inputs[0].shape != kernel.domain for v in kernel.values):
        return [kernel]
    cuts = _cuts(kernel.values, uses)
    pieces = [kernel.values[a:b] for a, b in zip([0, *cuts], [*cuts, len(kernel.values)], strict=True)]
    home = {v: n for n, piece in enumerate(pieces) for v in piece}
    crossing = {kernel.values[j] for i, inputs in enumerate(uses) for j in inputs
                if home[kernel.values[j]] != home[kernel.values[i]]}  # fmt: skip
    most = _MOST_BYTES if len(kernel.values) > HUGE_KERNEL else _NEAR_BYTES
    if sum(v.size * v.dtype.itemsize for v in crossing) > most:
        return [kernel]
    return [_piece(kernel, values) for values in pieces]


def _piece(kernel: Kernel, values: list[Value]) -> Kernel:
    return Kernel(
        kernel.domain,
        values,
        {v: kernel.dims[v] for v in values},
        kernel.row_axes if any(v in kernel.folded for v in values) else frozenset(),
        folded={v: kernel.folded[v] for v in values if v in kernel.folded},
        finished={v for v in values if v in kernel.finished},
    )


def _uses(values: Sequence[Value]) -> list[list[int]]:
    """For each value the numbers of those before it that it is computed from."""
    numbers = {v: n for n, v in enumerate(values)}
    return [[numbers[base] for x in v.inputs if (base := base_of(x)) in numbers] for v in values]


def _cuts(values: Sequence[Value], uses: Sequence[Sequence[int]]) -> list[int]:
    """The numbers of the values that pieces begin with."""
    crossing, marks = _crossing(uses), _marks(values, uses)
    cuts, begin = [], 0
    while len(values) - begin > _PIECE.stop:
        places = range(begin + _PIECE.start, begin + _PIECE.stop)
        begin = min(places, key=lambda n: (crossing[n], marks[n], n))
        cuts.append(begin)
    return cuts


def _crossing(uses: Sequence[Sequence[int]]) -> list[int]:
    """How many values before each place are used behind it, not counting those that are used much later."""
    last = list(range(len(uses)))
    for i, inputs in enumerate(uses):
        for j in inputs:
            if i - j < _PIECE.start:
                last[j] = i
    steps = [0] * (len(uses) + 1)
    for j, end in enumerate(last):  # it crosses the places behind j, up to its last user
        if end > j:
            steps[j + 1] += 1
            steps[end + 1] -= 1
    found, total = [], 0
    for step in steps:
        total += step
        found.append(total)
    return found


def _marks(values: Sequence[Value], uses: Sequence[Sequence[int]]) -> list[int]:
    """A number for each place, which follows from the operations before it: in every process the same."""
    told = []
    for i, v in enumerate(values):
        near = [i - j for j in uses[i] if i - j < _AROUND]
        told.append(f"{v.op.name}{v.dtype.str}{len(v.inputs)}{near}")
    return [zlib.crc32("".join(told[max(n - _AROUND, 0) : n]).encode()) for n in range(len(values) + 1)]
