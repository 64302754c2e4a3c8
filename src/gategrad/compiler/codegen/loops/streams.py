"""Stores that go past the caches: what is larger than them need not be read before it is written over.

An ordinary store first fetches the line that it changes. A nontemporal one does not, if it comes with the others of its
line: a third less goes through memory where two arrays are read and one is written, half where one is only written
(measured: 134 MB are filled in 3.3 ms instead of 8.2, a sum of so many is written in 8.7 instead of 12.4). The processor
puts such lines together in a few buffers: two arrays that are written side by side, or rows of one, make it give them up
half full, and that takes up to thirteen times as long as ordinary stores (measured). So where a kernel writes several
arrays, some elements of each are put on the stack first, and then each array is written in its turn: three arrays made
from three others take 5.3 ms instead of 8.2, wherever they lie (measured). And nothing that takes longer than to write
it is written so: in between, the processor gives lines up as well, and there is no time to be saved.
"""

from __future__ import annotations

import numpy as np

from gategrad.compiler.codegen.elementwise import CALLS, Needs
from gategrad.compiler.codegen.loops.nest import Nest
from gategrad.compiler.codegen.loops.walks import Walks
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.text import Body, llvm_type
from gategrad.compiler.program.value import Value
from gategrad.compiler.runtime.engine import is_x86
from gategrad.compiler.schedule.kernels import PAST_CACHES
from gategrad.compiler.schedule.views import base_of

__all__ = ["STAGED", "end_streams", "store_past_caches", "streams_of"]

STAGED = 1024
"""Bytes of each array that are put on the stack before they are written: some lines, and all of them near the processor."""

_TOGETHER = 16  # bytes that such a store writes at least, and that its address is a multiple of


def streams_of(nest: Nest, walks: Walks, stored: set[Value], memory: Memory) -> list[Value]:
    """All that a kernel writes, if that is large, and each is written once and in order, over nothing that the kernel reads."""
    if not is_x86() or any(v.op.name in CALLS for v in nest.kernel.values):
        return []  # other processors were not measured
    written = [v for v in nest.kernel.values if v in stored and nest.is_full(v)]
    read = {memory.pointers.get(x) for v in nest.kernel.values for x in map(base_of, v.inputs) if x not in nest.inside}

    def may_stream(value: Value) -> bool:
        whole = nest.lanes * value.dtype.itemsize % _TOGETHER == 0 and value.dtype != np.bool_
        once = value.shape == nest.domain and not walks.is_read_again(value)
        return whole and once and memory.pointers.get(value) not in read

    large = sum(v.size * v.dtype.itemsize for v in written) >= PAST_CACHES
    return written if large and all(map(may_stream, written)) else []


def store_past_caches(body: Body, value: str, address: str, dtype: np.dtype[np.generic], lanes: int) -> None:
    """Write a vector past the caches if it lies where that is possible, as arrays nearly always do."""
    kind = llvm_type(dtype, lanes)
    number = body.make(f"ptrtoint ptr {address} to i64")
    fits = body.make(f"icmp eq i64 {body.make(f'and i64 {number}, {_TOGETHER - 1}')}, 0")
    past, through, done = (body.name(hint) for hint in ("past", "through", "done"))
    body.write(f"br i1 {fits}, label {past}, label {through}")
    body.label(past)
    body.write(f"store {kind} {value}, ptr {address}, align {_TOGETHER}, !nontemporal !{{i32 1}}")
    body.write(f"br label {done}")
    body.label(through)
    body.store(value, address, dtype, lanes)
    body.write(f"br label {done}")
    body.label(done)


def end_streams(body: Body, needs: Needs) -> None:
    """From here on, other threads see what was written past the caches."""
    needs["declarations"]["sfence"] = "declare void @llvm.x86.sse.sfence()"
    body.write("call void @llvm.x86.sse.sfence()")
