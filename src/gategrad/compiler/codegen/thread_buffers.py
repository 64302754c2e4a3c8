"""Buffers for threads: each block of a parallel loop takes one that is free, and gives it back at its end.

There are as many buffers as threads, so that what lies in them stays in cache from one block to the next. Should there
be more threads than buffers after all (the pool was made when more were asked for), a block waits for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gategrad.compiler.codegen.elementwise import Needs
from gategrad.compiler.codegen.text import Body
from gategrad.compiler.runtime.engine import is_x86
from gategrad.compiler.runtime.pool import thread_count

__all__ = ["ThreadBuffers"]

_MOST = 64  # bits of the word that says which buffers are taken


class ThreadBuffers:
    """The buffers of one kernel, all of them free."""

    def __init__(self, body: Body, needs: Needs, blocks: int, scratch: Callable[[int], str]) -> None:
        self.needs = needs
        self.count = min(blocks, thread_count(), _MOST)
        self.taken = scratch(8)
        body.write(f"store atomic i64 0, ptr {self.taken} monotonic, align 8")

    @contextmanager
    def taken_by(self, body: Body) -> Iterator[str]:
        """What is written inside has a buffer of its own; yields its number."""
        self.needs["declarations"]["cttz"] = "declare i64 @llvm.cttz.i64(i64, i1)"
        look, some, mine, wait = (body.name(hint) for hint in ("look", "some", "mine", "wait"))
        body.write(f"br label {look}")
        body.label(look)
        taken = body.make(f"load atomic i64, ptr {self.taken} monotonic, align 8")
        number = body.make(f"call i64 @llvm.cttz.i64(i64 {body.make(f'xor i64 {taken}, -1')}, i1 false)")
        free = body.make(f"icmp ult i64 {number}, {self.count}")
        body.write(f"br i1 {free}, label {some}, label {wait}")
        body.label(wait)
        if is_x86():
            self.needs["declarations"]["pause"] = "declare void @llvm.x86.sse2.pause()"
            body.write("call void @llvm.x86.sse2.pause()")  # to whoever shares the core, that this one only waits
        body.write(f"br label {look}")
        body.label(some)
        bit = body.make(f"shl i64 1, {number}")
        with_it = body.make(f"or i64 {taken}, {bit}")
        pair = body.make(f"cmpxchg ptr {self.taken}, i64 {taken}, i64 {with_it} acquire monotonic")
        done = body.make(f"extractvalue {{ i64, i1 }} {pair}, 1")
        body.write(f"br i1 {done}, label {mine}, label {look}")
        body.label(mine)
        yield number
        body.write(f"atomicrmw and ptr {self.taken}, i64 {body.make(f'xor i64 {bit}, -1')} release")
