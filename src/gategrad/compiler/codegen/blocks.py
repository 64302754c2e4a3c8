"""Loops in blocks: a part of a program as a function of its own, which the threads of the pool call block by block.

The number of blocks follows from shapes alone, and what blocks add up is combined in their order. So neither the code
nor its results depend on the number of threads; one thread runs the same blocks, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable

from gategrad.compiler.codegen.elementwise import Needs
from gategrad.compiler.codegen.functions import block_function, leave_unless_zero
from gategrad.compiler.codegen.text import Body
from gategrad.compiler.runtime.pool import parallel
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.work import THREADED

__all__ = ["Blocks", "Range", "block_count", "larger", "part_of", "smaller"]

_MOST = 64
"""Blocks of a loop; more only where one would take long, so that Ctrl-C is seen in time."""

_LEAST_WORK, _MOST_WORK = THREADED // 8, 2**24  # of a block: some ten microseconds, some milliseconds

Range = Callable[[Body, int | str, int | str], None]
"""Writes the iterations from one to another."""


def block_count(work: int) -> int:
    """In how many blocks so much work is done, if it can be cut anywhere."""
    return max(min(_MOST, work // _LEAST_WORK), work // _MOST_WORK)


class Blocks:
    """Runs what is written in blocks, for one kernel of a program."""

    def __init__(self, needs: Needs, table: Table, due: str) -> None:
        self.needs, self.table = needs, table
        self.due = due  # where the time of the next look at signals is, or "null"
        self.count = 0  # of the most blocks that anything here runs in

    def over(self, body: Body, length: int, work: int, write: Range, most: int = 2**62) -> None:
        """Run the iterations of a loop, in blocks (`most` of them at most) if so much work is worth it."""
        count = min(block_count(work), length, most) if work >= THREADED else 1
        if count < 2:
            write(body, 0, length)
            return
        size = -(-length // count)

        def block(inner: Body, number: str) -> None:
            write(inner, *part_of(inner, number, size, length))

        self.run(body, -(-length // size), block)

    def run(self, body: Body, count: int, write: Callable[[Body, str], None]) -> None:
        """Run `count` blocks. `write` writes one, given the body of its function and the number of the block."""
        self.count = max(self.count, count)
        symbol, captured = block_function(body, self.needs, write)
        context = body.slot(f"[{max(len(captured), 1)} x i64]", "context")
        for n, name in enumerate(captured):
            place = body.make(f"getelementptr i64, ptr {context}, i64 {n}")
            body.write(f"store {body.kinds.get(name, 'ptr')} {name}, ptr {place}")
        pool = body.make(f"load ptr, ptr {parallel(self.table)}")
        status = body.make(f"call i32 {pool}(ptr {symbol}, ptr {context}, i64 {count}, ptr {self.due})")
        leave_unless_zero(body, status)


def part_of(body: Body, block: str, size: int, length: int) -> tuple[str, str]:
    """Where the iterations of a block begin and where they end."""
    first = body.make(f"mul i64 {block}, {size}")
    behind = body.make(f"add i64 {first}, {size}")
    return first, smaller(body, behind, length)


def smaller(body: Body, a: str, b: int | str) -> str:
    """The smaller one of two counters."""
    less = body.make(f"icmp slt i64 {a}, {b}")
    return body.make(f"select i1 {less}, i64 {a}, i64 {b}")


def larger(body: Body, a: str, b: int) -> str:
    """The larger one of two counters."""
    more = body.make(f"icmp sgt i64 {a}, {b}")
    return body.make(f"select i1 {more}, i64 {a}, i64 {b}")
