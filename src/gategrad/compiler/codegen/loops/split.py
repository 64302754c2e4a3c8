"""Which loop of a nest is run in blocks, and how many there are: large nests only, and by their shapes alone."""

from __future__ import annotations

import dataclasses
import math

from gategrad.compiler.codegen.blocks import block_count
from gategrad.compiler.codegen.elementwise import CALLS
from gategrad.compiler.codegen.loops.nest import ROWS, Nest
from gategrad.compiler.codegen.loops.walks import Walks
from gategrad.compiler.codegen.products.epilogues import rows_of_block
from gategrad.compiler.program.ops import REDUCTIONS
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.views import view_of
from gategrad.compiler.schedule.work import THREADED

__all__ = ["Split", "split_of"]

_ENOUGH = 16
"""Blocks that are enough for most processors to have a fair share."""

_PARTIAL = 32  # the totals of all blocks are at most one part in so many of what they are totals of
_COLUMNS = 512  # elements of a row at least, where a block is some of its columns: a page has as many float64


@dataclasses.dataclass(frozen=True)
class Split:
    """The loop with this number runs in so many blocks of so many iterations, the last of which may be shorter."""

    loop: int
    size: int
    count: int
    partial: tuple[Value, ...]  # the reductions to which every block contributes


def split_of(nest: Nest, walks: Walks) -> Split | None:
    """The blocks of rows of products; else the outermost loop that gives enough blocks at little cost, else that which gives the most; None for small nests."""
    if nest.kernel.products:
        return _rows_of_products(nest)
    work = math.prod(nest.domain) * _cost_of_element(nest)
    if work < THREADED:
        return None
    found: list[Split] = []
    for number, loop in enumerate(nest.loops):
        grain = _grain(nest, walks, number)
        if not grain:
            continue
        partial = tuple([v for v in _totals(nest) if all(nest.own_strides(v)[axis] == 0 for axis in loop.axes)])
        most = math.prod(nest.domain) // (_PARTIAL * max(sum(v.size for v in partial), 1)) if partial else loop.length
        count = min(block_count(work), most, loop.length // grain)
        if count < 2:
            continue
        size = -(-loop.length // (count * grain)) * grain
        found.append(Split(number, size, -(-loop.length // size), partial))
    return next((split for split in found if split.count >= _ENOUGH), max(found, key=lambda s: s.count, default=None))


def _rows_of_products(nest: Nest) -> Split:
    """As many rows as are computed at once, and enough for what they add up to."""
    rows = nest.domain[0]
    partial = tuple([v for v in _totals(nest) if nest.own_strides(v)[0] == 0])
    fewest = _PARTIAL * sum(v.size for v in partial) // nest.domain[1]
    size = rows_of_block(nest.kernel.products, rows, fewest, is_split=bool(partial))
    return Split(0, size, -(-rows // size), partial)


def _grain(nest: Nest, walks: Walks, number: int) -> int:
    """Blocks of this loop are made of so many iterations or a multiple; 0 if it cannot be cut."""
    outer, vectors = len(nest.outer_loops), 4 * nest.lanes
    last = len(nest.loops) - 1
    if nest.crossing is not None:  # nothing is folded, and every block should have whole lines to read
        return 0 if number == nest.crossing else nest.strip if number == last else 1
    if number < outer:
        return ROWS if nest.only_folds_columns and number == outer - 1 else 1
    if number > outer or walks.count > 1 or not all(nest.reads_full(v) for v in _totals(nest)):
        return 0  # what is computed once for a row belongs to one block
    if number < last:
        return 1
    return max(_COLUMNS, vectors) if outer else vectors


def _totals(nest: Nest) -> list[Value]:
    """The reductions that are finished with the kernel."""
    return [v for v in nest.kernel.values if v.op.name in REDUCTIONS and not nest.known_inside(v)]


def _cost_of_element(nest: Nest) -> int:
    """What one element of the domain takes, in plain operations; so does every element that comes from memory."""
    read = {view_of(x).base for v in nest.kernel.values for x in v.inputs} - nest.inside
    full = [x for x in read if x.size == math.prod(nest.domain)]
    computed = [v for v in nest.kernel.values if v.op.name in REDUCTIONS or nest.is_full(v)]
    costs = [16 if v.op.name in CALLS else 4 if v.op.name in ("divide", "sqrt") else 1 for v in computed]
    return len(full) + sum(costs)
