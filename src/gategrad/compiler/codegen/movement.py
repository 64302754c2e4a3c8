"""Operations that move elements: joining, embedding, gathering, scattering, running sums, places of extremes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from gategrad.compiler.codegen.blocks import Blocks, Range
from gategrad.compiler.codegen.elementwise import Needs, lower
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.views import View, contiguous, is_contiguous, view_of

__all__ = ["MOVEMENTS", "Fail", "copy_view", "fill"]

Strides = Sequence[int]
Fail = Callable[[Body, str, str, str], None]
"""Writes the way out with an IndexError: index, axis and size, as registers or literals."""

_SCAN = 16
"""Elements of a row that take as long to add as an index takes to read that belongs to another block."""


_NEAR = 4096
"""Bytes of a row at most of which all pieces are copied before the next one: longer ones are copied as quickly alone."""

_BESIDE = 256
"""Elements side by side at least, where blocks are columns: so many are read in order."""


def fill(body: Body, pointer: str, count: int | str, dtype: Any, value: Any = 0) -> None:
    """Set every element of a buffer."""
    if count == 0:
        return
    with body.loop(0, count) as i:
        body.store(literal(value, dtype), body.address(pointer, dtype, [(i, 1)], 0), dtype)


def copy_view(
    body: Body, memory: Memory, source: View, shape: Sequence[int], target: str, strides: Strides, offset: int,
    dtype: Any, blocks: Blocks | None = None, around: Sequence[tuple[str, int, int]] = (),
) -> None:  # fmt: skip
    """Copy the elements of a view to places with these strides, the innermost axis in vectors if it lies in order.

    `around` are counters of loops in which this is written, each with its strides there and here.
    """
    if 0 in shape:
        return
    pointer, source = memory.beginning(source)
    axes = [(n, a, b) for n, a, b in zip(shape, source.strides, strides, strict=True) if n != 1]
    joined: list[tuple[int, int, int]] = []
    for n, a, b in axes:
        if joined and joined[-1][1] == n * a and joined[-1][2] == n * b:
            joined[-1] = (joined[-1][0] * n, a, b)
        else:
            joined.append((n, a, b))
    *outer, (length, a, b) = joined or [(1, 1, 1)]
    lanes = memory.lanes(dtype) if a in (0, 1) and b == 1 else 1
    bulk = length - length % lanes

    def line(body: Body, indices: list[tuple[str, int, int]], start: int | str, stop: int | str, width: int) -> None:
        for i in body.each(start, stop, width):
            here = [*around, *indices, (i, a, b)]
            read = body.address(pointer, dtype, [(j, s) for j, s, _ in here], source.offset)
            write = body.address(target, dtype, [(j, t) for j, _, t in here], offset)
            x = body.load(read, dtype, width) if a else body.splat(body.load(read, dtype), dtype, width)
            body.store(x, write, dtype, width)

    def lines(body: Body, first: int | str, last: int | str) -> None:
        with contextlib.ExitStack() as nest:
            bounds = [(first, last), *[(0, n) for n, _, _ in outer[1:]]]
            indices = [
                (nest.enter_context(body.loop(*bound)), s, t) for bound, (_, s, t) in zip(bounds, outer, strict=True)
            ]
            for start, stop, width in ((0, bulk, lanes), (bulk, length, 1)):
                if start < stop:
                    line(body, indices, start, stop, width)

    def vectors(body: Body, first: int | str, last: int | str) -> None:
        line(body, [], body.number("mul", first, lanes), body.number("mul", last, lanes), lanes)

    cut = _at_once if blocks is None else blocks.over
    if outer:
        cut(body, outer[0][0], 2 * math.prod(shape), lines)
        return
    if bulk:
        cut(body, bulk // lanes, 2 * length, vectors)
    if bulk < length:
        line(body, [], bulk, length, 1)


def _at_once(body: Body, length: int, work: int, write: Range) -> None:
    write(body, 0, length)


def _concatenate(body: Body, needs: Needs, value: Value, memory: Memory, fail: Fail, blocks: Blocks) -> None:
    if _are_two_parts(value):
        _side_by_side(body, value, memory, blocks)
        return
    axis, strides = value.options["axis"], contiguous(value.shape)
    starts = [0, *accumulate(x.shape[axis] * strides[axis] for x in value.inputs)]
    if axis and strides[axis - 1] * value.dtype.itemsize < _NEAR and value.size:
        _row_by_row(body, value, memory, starts, blocks)
        return
    for x, start in zip(value.inputs, starts, strict=False):
        copy_view(body, memory, view_of(x), x.shape, memory.pointers[value], strides, start, value.dtype, blocks)


def _row_by_row(body: Body, value: Value, memory: Memory, starts: Sequence[int], blocks: Blocks) -> None:
    """Short pieces one after the other, as they lie: no line is written by two loops."""
    axis, strides = value.options["axis"], contiguous(value.shape)

    def rows(body: Body, first: int | str, last: int | str) -> None:
        with contextlib.ExitStack() as nest:
            bounds = [(first, last), *[(0, n) for n in value.shape[1:axis]]]
            counters = [nest.enter_context(body.loop(*bound)) for bound in bounds]
            for x, start in zip(value.inputs, starts, strict=False):
                view = view_of(x)
                around = list(zip(counters, view.strides, strides, strict=False))
                rest = View(view.base, view.offset, view.strides[axis:])
                target = memory.pointers[value]
                copy_view(body, memory, rest, x.shape[axis:], target, strides[axis:], start, value.dtype, None, around)

    blocks.over(body, value.shape[0], 2 * value.size, rows)


def _are_two_parts(value: Value) -> bool:
    """Whether elements come from two places in turn, as the parts of complex numbers do."""
    last = len(value.shape) - 1
    in_order = all(is_contiguous(view_of(x), x.shape) for x in value.inputs)
    return value.options["axis"] == last and [x.shape[last] for x in value.inputs] == [1, 1] and in_order


def _side_by_side(body: Body, value: Value, memory: Memory, blocks: Blocks) -> None:
    views, dtype, count = [view_of(x) for x in value.inputs], value.dtype, value.size // 2
    lanes = memory.lanes(dtype)
    bulk = count - count % lanes

    def take(body: Body, i: str, width: int) -> None:
        parts = [
            body.load(body.address(memory.pointers[view.base], dtype, [(i, 1)], view.offset), dtype, width)
            for view in views
        ]
        kind, order = llvm_type(dtype, width), [f"i32 {n}, i32 {width + n}" for n in range(width)]
        if width == 1:
            parts = [body.make(f"insertelement <1 x {kind}> poison, {kind} {part}, i32 0") for part in parts]
            kind = f"<1 x {kind}>"
        mask = f"<{2 * width} x i32> <{', '.join(order)}>"
        both = body.make(f"shufflevector {kind} {parts[0]}, {kind} {parts[1]}, {mask}")
        body.store(both, body.address(memory.pointers[value], dtype, [(i, 2)], 0), dtype, 2 * width)

    def vectors(body: Body, start: int | str, stop: int | str) -> None:
        with body.loop(start, stop) as n:
            take(body, body.make(f"mul i64 {n}, {lanes}"), lanes)

    if bulk:
        blocks.over(body, bulk // lanes, 4 * bulk, vectors)
    if bulk < count:
        with body.loop(bulk, count) as i:
            take(body, i, 1)


def _embed(body: Body, needs: Needs, value: Value, memory: Memory, fail: Fail, blocks: Blocks) -> None:
    parts, strides = value.options["parts"], contiguous(value.shape)
    pointer = memory.pointers[value]
    fill(body, pointer, value.size, value.dtype)
    offset = sum(part[0] * s for part, s in zip(parts, strides, strict=True))
    steps = [part[2] * s for part, s in zip(parts, strides, strict=True)]
    x = value.inputs[0]
    copy_view(body, memory, view_of(x), x.shape, pointer, steps, offset, value.dtype)


def _positions(
    body: Body, indices: Sequence[Value], sizes: Sequence[int], memory: Memory, i: str, fail: Fail
) -> list[tuple[str, int]]:
    """The place along each leading axis that the arrays name at `i`; negative ones count from the end."""
    strides = contiguous(sizes)
    places = []
    for axis, (index, size) in enumerate(zip(indices, sizes, strict=True)):
        view = view_of(index)
        raw = body.load(body.address(memory.pointers[view.base], index.dtype, [(i, 1)], 0), index.dtype)
        if index.dtype.itemsize < 8:
            raw = body.make(f"{'sext' if index.dtype.kind == 'i' else 'zext'} {llvm_type(index.dtype)} {raw} to i64")
        shifted = body.make(f"add i64 {raw}, {size}")
        negative = body.make(f"icmp slt i64 {raw}, 0")
        place = body.make(f"select i1 {negative}, i64 {shifted}, i64 {raw}")
        inside = body.make(f"icmp ult i64 {place}, {size}")
        good, bad = body.name("inside"), body.name("outside")
        body.write(f"br i1 {inside}, label {good}, label {bad}")
        body.label(bad)
        fail(body, raw, str(axis), str(size))
        body.label(good)
        places.append((place, strides[axis]))
    return places


def _row(body: Body, value: Value, memory: Memory, length: int, read: str, write: str, add: bool) -> None:
    lanes = memory.lanes(value.dtype)
    bulk = length - length % lanes
    for start, stop, width in ((0, bulk, lanes), (bulk, length, 1)):
        if start >= stop:
            continue
        for j in body.each(start, stop, width):
            source = body.address(read, value.dtype, [(j, 1)], 0)
            target = body.address(write, value.dtype, [(j, 1)], 0)
            x = body.load(source, value.dtype, width)
            if add:
                before = body.load(target, value.dtype, width)
                x = lower(body, {}, "add", [before, x], [value.dtype] * 2, value.dtype, width)  # of truths: or
            body.store(x, target, value.dtype, width)


def _gather(body: Body, needs: Needs, value: Value, memory: Memory, fail: Fail, blocks: Blocks) -> None:
    x, indices = value.inputs[0], value.inputs[1:]
    count, length = indices[0].size, int(np.prod(x.shape[len(indices) :], dtype=int))
    if not count or not length:
        return
    pointer = memory.pointers[view_of(x).base]

    def rows(body: Body, start: int | str, stop: int | str) -> None:
        with body.loop(start, stop) as i:
            places = _positions(body, indices, x.shape[: len(indices)], memory, i, fail)
            read = body.address(pointer, x.dtype, [(place, step * length) for place, step in places], 0)
            write = body.address(memory.pointers[value], x.dtype, [(i, length)], 0)
            _row(body, value, memory, length, read, write, add=False)

    blocks.over(body, count, 2 * value.size, rows)


def _scatter_add(body: Body, needs: Needs, value: Value, memory: Memory, fail: Fail, blocks: Blocks) -> None:
    """Every block adds to rows of its own, all that belongs there and in order, whoever runs it."""
    x, indices = value.inputs[0], value.inputs[1:]
    sizes = value.shape[: len(indices)]
    count, length = indices[0].size, int(np.prod(value.shape[len(indices) :], dtype=int))
    targets = int(np.prod(sizes, dtype=int))
    if not length:
        return

    def rows(body: Body, start: int | str, stop: int | str) -> None:
        size = body.number("sub", stop, start)
        own = body.address(memory.pointers[value], value.dtype, [(str(start), length)], 0)
        fill(body, own, body.number("mul", size, length), value.dtype)
        if not count:
            return
        with body.loop(0, count) as i:
            places = _positions(body, indices, sizes, memory, i, fail)
            with contextlib.ExitStack() as inside:
                if isinstance(start, str):
                    inside.enter_context(body.only(_is_among(body, places, start, size)))
                terms = [(place, step * length) for place, step in places]
                write = body.address(memory.pointers[value], value.dtype, terms, 0)
                read = body.address(memory.pointers[view_of(x).base], x.dtype, [(i, length)], 0)
                _row(body, value, memory, length, read, write, add=True)

    blocks.over(body, targets, 2 * x.size, rows, most=length // _SCAN)


def _is_among(body: Body, places: list[tuple[str, int]], start: str, size: int | str) -> str:
    """Whether a place is one of `size` rows from `start` on."""
    row = "0"
    for place, step in places:
        row = body.make(f"add i64 {row}, {body.make(f'mul i64 {place}, {step}')}")
    return body.make(f"icmp ult i64 {body.make(f'sub i64 {row}, {start}')}, {size}")


def _running(operation: str) -> Callable[..., None]:
    def write(body: Body, needs: Needs, value: Value, memory: Memory, fail: Fail, blocks: Blocks) -> None:
        """Each line of the axis after its first element; lines that lie side by side go on together, as memory does."""
        if not value.size:
            return
        axis, dtype = value.options["axis"], value.dtype
        outer, length = int(np.prod(value.shape[:axis], dtype=int)), value.shape[axis]
        inner = int(np.prod(value.shape[axis + 1 :], dtype=int))
        source, target = memory.pointers[view_of(value.inputs[0]).base], memory.pointers[value]
        name = f"{'f' if dtype.kind == 'f' else ''}{operation} {llvm_type(dtype)}"

        def line(body: Body, i: str, k: str, j: str, before: str | None) -> str:
            terms = [(i, length * inner), (k, inner), (j, 1)]
            after = body.load(body.address(source, dtype, terms, 0), dtype)
            if before is not None:
                after = body.make(f"{name} {before}, {after}")
            body.store(after, body.address(target, dtype, terms, 0), dtype)
            return after

        def lines(body: Body, start: int | str, stop: int | str) -> None:
            total = body.slot(llvm_type(dtype), "running")
            with body.loop(start, stop) as i:
                body.store(line(body, i, "0", "0", None), total, dtype)
                if length > 1:
                    with body.loop(1, length) as k:
                        body.store(line(body, i, k, "0", body.load(total, dtype)), total, dtype)

        def side_by_side(body: Body, i: str, start: int | str, stop: int | str) -> None:
            with body.loop(start, stop) as j:
                line(body, i, "0", j, None)
            if length > 1:
                with body.loop(1, length) as k:
                    for j in body.each(start, stop):
                        terms = [(i, length * inner), (k, inner), (j, 1)]
                        line(body, i, k, j, body.load(body.address(target, dtype, terms, -inner), dtype))

        def groups(body: Body, start: int | str, stop: int | str) -> None:
            with body.loop(start, stop) as i:
                side_by_side(body, i, 0, inner)

        def columns(body: Body, start: int | str, stop: int | str) -> None:
            with body.loop(0, outer) as i:
                side_by_side(body, i, start, stop)

        if inner == 1:
            blocks.over(body, outer, 4 * value.size, lines)
        elif outer * _BESIDE >= inner:
            blocks.over(body, outer, 4 * value.size, groups)
        else:
            blocks.over(body, inner, 4 * value.size, columns, most=inner // _BESIDE)

    return write


def _place_of(compare: str) -> Callable[..., None]:
    def write(body: Body, needs: Needs, value: Value, memory: Memory, fail: Fail, blocks: Blocks) -> None:
        x, axis = value.inputs[0], value.options["axis"]
        if not x.size:
            return
        outer, length = int(np.prod(x.shape[:axis], dtype=int)), x.shape[axis]
        inner = int(np.prod(x.shape[axis + 1 :], dtype=int))
        pointer = memory.pointers[view_of(x).base]

        def lines(body: Body, start: int | str, stop: int | str) -> None:
            best, place = body.slot(llvm_type(x.dtype), "best"), body.slot("i64", "place")
            with body.loop(start, stop) as i, body.loop(0, inner) as j:
                first = body.load(body.address(pointer, x.dtype, [(i, length * inner), (j, 1)], 0), x.dtype)
                body.write(f"store {llvm_type(x.dtype)} {first}, ptr {best}")
                body.write(f"store i64 0, ptr {place}")
                if length > 1:
                    with body.loop(1, length) as k:
                        element = body.load(
                            body.address(pointer, x.dtype, [(i, length * inner), (k, inner), (j, 1)], 0), x.dtype
                        )
                        kind = llvm_type(x.dtype)
                        before = body.make(f"load {kind}, ptr {best}")
                        better = _better(body, needs, compare, element, before, x.dtype)
                        body.write(
                            f"store {kind} {body.make(f'select i1 {better}, {kind} {element}, {kind} {before}')}, ptr {best}"
                        )
                        held = body.make(f"load i64, ptr {place}")
                        body.write(f"store i64 {body.make(f'select i1 {better}, i64 {k}, i64 {held}')}, ptr {place}")
                target = body.address(memory.pointers[value], value.dtype, [(i, inner), (j, 1)], 0)
                body.store(body.make(f"load i64, ptr {place}"), target, value.dtype)

        blocks.over(body, outer, 4 * x.size, lines)

    return write


def _better(body: Body, needs: Needs, compare: str, new: str, best: str, dtype: Any) -> str:
    """Whether the new element wins; the first NaN wins for good, as in NumPy."""
    wins = lower(body, needs, compare, [new, best], [dtype, dtype], np.dtype(bool), 1)
    if dtype.kind != "f":
        return wins
    unknown = lower(body, needs, "isnan", [new], [dtype], np.dtype(bool), 1)
    settled = lower(body, needs, "isnan", [best], [dtype], np.dtype(bool), 1)
    either = body.make(f"or i1 {wins}, {unknown}")
    return body.make(f"and i1 {either}, {body.make(f'xor i1 {settled}, true')}")


MOVEMENTS: dict[str, Callable[..., None]] = {
    "concatenate": _concatenate, "embed": _embed, "gather": _gather, "scatter_add": _scatter_add,
    "cumsum": _running("add"), "cumprod": _running("mul"),
    "argmax": _place_of("greater"), "argmin": _place_of("less"),
}  # fmt: skip
