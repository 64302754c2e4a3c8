"""Loops in blocks: a part of a program as a function of its own, which the threads of the pool call block by block.

The number of blocks follows from shapes alone, and what blocks add up is combined in their order. So neither the code
nor its results depend on the number of threads; one thread runs the same blocks, one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gategrad.compiler.codegen.elementwise import Needs
from gategrad.compiler.codegen.text import Body
from gategrad.compiler.runtime.pool import parallel
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.work import THREADED

__all__ = ["Blocks", "Range", "block_count", "call_part", "larger", "leave_unless_zero", "part_of", "smaller"]

_MOST = 64
"""Blocks of a loop; more only where one would take long, so that Ctrl-C is seen in time."""

_LEAST_WORK, _MOST_WORK = THREADED // 8, 2**24  # of a block: some ten microseconds, some milliseconds

_NAME = re.compile(r"%[A-Za-z_][A-Za-z0-9_.]*")
_DEFINED = re.compile(r"\s*(%[A-Za-z_][A-Za-z0-9_.]*) = ")

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
        inner = Body()
        inner.kinds = {**body.kinds, "%block": "i64"}
        inner.names_after(body)
        write(inner, "%block")
        inner.write("ret i32 0")
        captured = [name for name in _captured(inner) if name != "%block"]
        kinds = [body.kinds.get(name, "ptr") for name in captured]
        symbol = f"@gg_block.{len(self.needs['definitions'])}"
        self.needs["definitions"][symbol] = _functions(symbol, inner, captured, kinds)
        context = body.slot(f"[{max(len(captured), 1)} x i64]", "context")
        for n, (name, kind) in enumerate(zip(captured, kinds, strict=True)):
            place = body.make(f"getelementptr i64, ptr {context}, i64 {n}")
            body.write(f"store {kind} {name}, ptr {place}")
        pool = body.make(f"load ptr, ptr {parallel(self.table)}")
        status = body.make(f"call i32 {pool}(ptr {symbol}, ptr {context}, i64 {count}, ptr {self.due})")
        leave_unless_zero(body, status)


def call_part(body: Body, needs: Needs, write: Callable[[Body], None], *, apart: bool = False) -> None:
    """Call a function that does what `write` writes; nothing in it is kept in the registers of the caller.

    `apart` says that no two of the pointers that it uses lead to the same memory.
    """
    inner = Body()
    inner.kinds = dict(body.kinds)
    inner.names_after(body)
    write(inner)
    captured = [(name, body.kinds.get(name, "ptr")) for name in _captured(inner)]
    given = ", ".join(f"{kind} {name}" for name, kind in captured)
    named = ", ".join(f"{kind}{' noalias' * (apart and kind == 'ptr')} {name}" for name, kind in captured)
    symbol = f"@gg_part.{len(needs['definitions'])}"
    leaves = any(line.startswith("  ret ") for line in inner.lines)
    result, end = ("i32", "ret i32 0") if leaves else ("void", "ret void")
    head = f"define internal {result} {symbol}({named}) noinline nounwind {{"
    needs["definitions"][symbol] = "\n".join([head, "entry:", *inner.entry, *inner.lines, f"  {end}", "}"])
    if leaves:
        leave_unless_zero(body, body.make(f"call i32 {symbol}({given})"))
    else:
        body.write(f"call void {symbol}({given})")


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


def leave_unless_zero(body: Body, status: str) -> None:
    """End the function with this status if it is not zero."""
    body.leave_if(body.make(f"icmp ne i32 {status}, 0"), status)


def _captured(inner: Body) -> list[str]:
    """The names that are used in a body and come from outside, in the order of their first use."""
    lines = [*inner.entry, *inner.lines]
    own = {match[1] for line in lines if (match := _DEFINED.match(line))}
    own |= {f"%{line[:-1]}" for line in lines if line.endswith(":")}
    return [name for name in dict.fromkeys(_NAME.findall("\n".join(lines))) if name not in own]


def _functions(symbol: str, inner: Body, captured: list[str], kinds: list[str]) -> str:
    """The function that the pool calls, and the one that it calls: as a parameter, a pointer is known to be unlike others."""
    loads, arguments = [], []
    for n, kind in enumerate(kinds):
        loads += [f"  %at{n} = getelementptr i64, ptr %context, i64 {n}", f"  %x{n} = load {kind}, ptr %at{n}"]
        arguments.append(f"{kind} %x{n}")
    given = [
        f"ptr noalias {name}" if kind == "ptr" else f"{kind} {name}" for name, kind in zip(captured, kinds, strict=True)
    ]
    return "\n".join([
        f"define internal i32 {symbol}(ptr %context, i64 %block) nounwind {{", *loads,
        f"  %status = call i32 {symbol}.body({', '.join([*arguments, 'i64 %block'])})", "  ret i32 %status", "}",
        f"define internal i32 {symbol}.body({', '.join([*given, 'i64 %block'])}) nounwind {{",
        "entry:", *inner.entry, *inner.lines, "}",
    ])  # fmt: skip
