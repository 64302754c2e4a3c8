"""Host callbacks: what has no native code is computed by NumPy, on the buffers of the running program."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.text import Body
from gategrad.compiler.program.value import Value
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.views import view_of

__all__ = ["HostCall", "write_host_call"]


class HostCall:
    """Evaluates one operation with NumPy, given the address of a table of buffer addresses."""

    def __init__(self, value: Value) -> None:
        self._op, self._options = value.op, value.options
        self._forms = [(x.dtype, x.shape) for x in (*value.inputs, value)]

    def __call__(self, address: int) -> None:
        table = (ctypes.c_void_p * len(self._forms)).from_address(address)
        *inputs, output = (_array(p or 0, dtype, shape) for p, (dtype, shape) in zip(table, self._forms, strict=True))
        for x in inputs:
            x.flags.writeable = False
        with np.errstate(all="ignore"):  # the machine code around it gives inf and nan without a word, too
            output[...] = self._op.evaluate(*[x[()] if x.shape == () else x for x in inputs], **self._options)


def _array(address: int, dtype: Any, shape: tuple[int, ...]) -> Any:
    nbytes = int(np.prod(shape, dtype=int)) * dtype.itemsize
    if not nbytes:
        return np.empty(shape, dtype)
    return np.frombuffer((ctypes.c_char * nbytes).from_address(address), dtype).reshape(shape)


def write_host_call(body: Body, value: Value, memory: Memory, table: Table) -> None:
    """Call Python with the addresses of all buffers; an exception ends the program."""
    call = HostCall(value)
    buffers = [memory.pointers[view_of(x).base] for x in value.inputs] + [memory.pointers[value]]
    block = body.slot(f"[{len(buffers)} x ptr]", "buffers")
    for n, pointer in enumerate(buffers):
        place = body.make(f"getelementptr [{len(buffers)} x ptr], ptr {block}, i64 0, i64 {n}")
        body.write(f"store ptr {pointer}, ptr {place}")
    make, apply, drop, function = (
        body.make(f"load ptr, ptr {slot}")
        for slot in (
            table.function("PyLong_FromVoidPtr"), table.function("PyObject_CallOneArg"),
            table.function("Py_DecRef"), table.object(call),
        )
    )  # fmt: skip
    number = body.make(f"call ptr {make}(ptr {block})")
    result = body.make(f"call ptr {apply}(ptr {function}, ptr {number})")
    body.write(f"call void {drop}(ptr {number})")
    failed = body.make(f"icmp eq ptr {result}, null")
    bad, good = body.name("raised"), body.name("returned")
    body.write(f"br i1 {failed}, label {bad}, label {good}")
    body.label(bad)
    body.write("ret i32 4")
    body.label(good)
    body.write(f"call void {drop}(ptr {result})")
