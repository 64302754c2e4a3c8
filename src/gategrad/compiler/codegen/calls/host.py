"""Host callbacks: what has no native code is computed by NumPy, on the buffers of the running program."""

from __future__ import annotations

import ctypes
import math
import struct
from typing import Any

import numpy as np

from gategrad.compiler.codegen.entry.entry import RAISED
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.text import Body
from gategrad.compiler.program.ops import OPS
from gategrad.compiler.program.value import Value
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.views import view_of

__all__ = ["HostCall", "write_host_call"]


_PLACES = 16  # of which the arrays are remembered: most calls find their buffers where the last one did


class HostCall:
    """Evaluates one operation with NumPy, given the addresses of its buffers, one behind the other."""

    def __init__(self, value: Value) -> None:
        self._operation, self._options = value.op.name, value.options  # by name: so it can be kept on the disk
        self._forms = [(x.dtype, x.shape) for x in (*value.inputs, value)]
        self._buffers: dict[bytes, tuple[list[Any], Any]] = {}

    def __call__(self, addresses: bytes) -> None:
        found = self._buffers.get(addresses)
        inputs, output = self._arrays(addresses) if found is None else found
        evaluate = OPS[self._operation].evaluate
        with np.errstate(all="ignore"):  # the machine code around it gives inf and nan without a word, too
            output[...] = evaluate(*[x[()] if x.shape == () else x for x in inputs], **self._options)

    def _arrays(self, addresses: bytes) -> tuple[list[Any], Any]:
        places = struct.unpack(f"{len(self._forms)}Q", addresses)
        *inputs, output = (_array(p, dtype, shape) for p, (dtype, shape) in zip(places, self._forms, strict=True))
        for x in inputs:
            x.flags.writeable = False
        if len(self._buffers) >= _PLACES:
            self._buffers.clear()
        self._buffers[addresses] = inputs, output
        return inputs, output

    def __reduce__(self) -> Any:
        return _remade, (self._operation, self._options, self._forms)


def _remade(operation: str, options: dict[str, Any], forms: list[Any]) -> HostCall:
    call = HostCall.__new__(HostCall)
    call._operation, call._options, call._forms, call._buffers = operation, options, forms, {}
    return call


def _array(address: int, dtype: Any, shape: tuple[int, ...]) -> Any:
    """The elements at an address as an array, which owns nothing."""
    nbytes = math.prod(shape) * dtype.itemsize
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
            table.function("PyBytes_FromStringAndSize"), table.function("PyObject_CallOneArg"),
            table.function("Py_DecRef"), table.object(call),
        )
    )  # fmt: skip
    addresses = body.make(f"call ptr {make}(ptr {block}, i64 {8 * len(buffers)})")
    result = body.make(f"call ptr {apply}(ptr {function}, ptr {addresses})")
    body.write(f"call void {drop}(ptr {addresses})")
    body.leave_if(body.make(f"icmp eq ptr {result}, null"), RAISED)
    body.write(f"call void {drop}(ptr {result})")
