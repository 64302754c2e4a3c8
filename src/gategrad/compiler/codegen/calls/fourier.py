"""Fourier transforms in native code: calls of the loops that NumPy's own transforms are made of."""

from __future__ import annotations

import contextlib
import math
from functools import partial
from typing import Any

import numpy as np

from gategrad.compiler.codegen.entry.entry import RAISED
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.program.fourier import part_of
from gategrad.compiler.program.value import Value
from gategrad.compiler.runtime.fourier import are_native, data_address, loop_address
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.on_host import OnHost
from gategrad.compiler.schedule.views import view_of

__all__ = ["is_transform", "raised", "write_transform"]


def is_transform(value: Value) -> bool:
    """Whether a value is a Fourier transform that native code can call for."""
    function = value.options.get("function")
    return isinstance(function, OnHost) and function.name in _LOOPS and _is_plain(function) and are_native()


_LOOPS = frozenset(["fft", "ifft", "rfft", "irfft"])


def _is_plain(function: OnHost) -> bool:
    """Whether the loop takes such elements: those of `fft` and `ifft` are complex, real ones are cast by NumPy."""
    return function.name == "rfft" or function.given[0].kind == "c"


def _factor(name: str, n: int, norm: Any, dtype: Any) -> Any:
    """What every element is multiplied by, in the precision of the elements, as NumPy has it."""
    divided = {"backward": name.startswith("i"), None: name.startswith("i"), "forward": not name.startswith("i")}
    if norm == "ortho":
        return np.reciprocal(np.sqrt(n, dtype=dtype), dtype=dtype)
    return np.reciprocal(dtype.type(n)) if divided[norm] else dtype.type(1)


def write_transform(body: Body, value: Value, memory: Memory, table: Table) -> None:
    """Transform all lines along an axis; where the plan finds no memory, Python's exception ends the program."""
    function: OnHost = value.options["function"]
    name, n, axis, norm = function.name, *[function.options[key] for key in ("n", "axis", "norm")]
    part = np.dtype(part_of(function.given[0]))
    double = part.itemsize == 8
    dtype, shape = function.form
    given = value.inputs[0].shape[: len(shape)]  # without the last axis, of two parts
    if not math.prod(shape):
        return
    source, target = memory.pointers[view_of(value.inputs[0]).base], memory.pointers[value]
    sizes = (function.given[0].itemsize, dtype.itemsize)
    before, behind = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    lengths = given[axis], shape[axis]
    loop_name = name + (("_n_odd" if n % 2 else "_n_even") if name == "rfft" else "")
    loop, data = (
        body.make(
            f"load ptr, ptr {table.address(f'{loop_name} {what.__name__} {part}', partial(what, loop_name, double))}"
        )
        for what in (loop_address, data_address)
    )
    factor = body.slot(llvm_type(part), "factor")
    body.store(literal(_factor(name, n, norm, part), part), factor, part)
    one_by_one = behind > 1  # then the lines of each block of the leading axes lie beside each other
    count = behind if one_by_one else before
    steps = [sizes[0] if one_by_one else lengths[0] * sizes[0], 0, sizes[1] if one_by_one else lengths[1] * sizes[1]]
    steps += [behind * sizes[0], behind * sizes[1]]
    dimensions = _words(body, [count, *lengths])
    strides = _words(body, steps)
    arguments = body.slot("[3 x ptr]", "lines")
    with contextlib.ExitStack() as nest:
        terms = [nest.enter_context(body.loop(0, before))] if one_by_one else []
        places = [
            _moved(body, pointer, terms, length * behind * size)
            for pointer, length, size in zip((source, target), lengths, sizes, strict=True)
        ]
        for k, pointer in enumerate((places[0], factor, places[1])):
            body.write(f"store ptr {pointer}, ptr {body.make(f'getelementptr ptr, ptr {arguments}, i64 {k}')}")
        body.write(f"call void {loop}(ptr {arguments}, ptr {dimensions}, ptr {strides}, ptr {data})")
    _check(body)


def _moved(body: Body, pointer: str, terms: list[str], nbytes: int) -> str:
    for index in terms:
        offset = body.make(f"mul i64 {index}, {nbytes}")
        pointer = body.make(f"getelementptr i8, ptr {pointer}, i64 {offset}")
    return pointer


def _words(body: Body, numbers: list[int]) -> str:
    """The address of these numbers on the stack."""
    block = body.slot(f"[{len(numbers)} x i64]", "sizes")
    for k, number in enumerate(numbers):
        body.write(f"store i64 {number}, ptr {body.make(f'getelementptr i64, ptr {block}, i64 {k}')}")
    return block


def _check(body: Body) -> None:
    error = body.make(f"call ptr @{_ERROR}()")
    body.leave_if(body.make(f"icmp ne ptr {error}, null"), RAISED)


_ERROR = "gg_error"


def raised(table: Table, releases_gil: bool) -> str:
    """The function that says whether an exception is set. Only who holds the global lock may ask; else the entry does."""
    if releases_gil:
        return f"define internal ptr @{_ERROR}() {{\n  ret ptr null\n}}\n"
    occurred = table.function("PyErr_Occurred")
    return (
        f"define internal ptr @{_ERROR}() {{\n  %ask = load ptr, ptr {occurred}\n  %error = call ptr %ask()\n"
        "  ret ptr %error\n}\n"
    )
