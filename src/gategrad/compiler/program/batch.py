"""Batches: what a program computes from one value, computed from many of them at once.

Every operation has a rule for inputs of which some have one axis more, in front: it runs along that axis. So the passes
of a Jacobian, which differ in nothing but where their unit vector has its 1, are one pass over a matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gategrad.compiler.program.ops import ELEMENTWISE, FOURIER, LAPACK, REDUCTIONS
from gategrad.compiler.program.value import Builder, Value

__all__ = ["BatchError", "batched", "units"]


class BatchError(Exception):
    """What a value is computed with has no rule, or would take too much memory; it is caught by who asked."""


def units(builder: Builder, shape: tuple[int, ...], dtype: Any) -> Value:
    """For each element of such an array, the array that is 1 there and 0 elsewhere: no memory, but a comparison."""
    count = int(np.prod(shape))
    numbers = builder.constant(np.arange(count))
    down = builder.emit("broadcast", [builder.emit("reshape", [numbers], shape=(count, 1))], shape=(count, count))
    across = builder.emit("broadcast", [numbers], shape=(count, count))
    is_one = builder.emit("equal", [down, across])
    return builder.emit("reshape", [builder.emit("cast", [is_one], dtype=dtype)], shape=(count, *shape))


def batched(
    builder: Builder, wanted: Sequence[Value], single: Value, many: Value, most_bytes: int
) -> list[Value | None]:
    """What these values would be for each of `many`, in the place of the `single` value that they are computed from.

    They have one axis more, in front; None for those that `single` has no part in. Raises `BatchError` where an operation
    has no rule, or where any value would have more than so many bytes.
    """
    count = many.shape[0]
    found: dict[Value, Value] = {single: many}
    for value in _that_depend(wanted, single):
        inputs = [found.get(x, x) for x in value.inputs]
        which = [x in found for x in value.inputs]
        if count * value.size * value.dtype.itemsize > most_bytes:
            raise BatchError("too large")
        made = _Batch(builder, count, value, many).of(inputs, which)
        if made.shape != (count, *value.shape) or made.dtype != value.dtype:
            raise BatchError(f"{value.op.name} has no rule for such inputs")
        found[value] = made
    return [found.get(value) for value in wanted]


def _that_depend(wanted: Sequence[Value], single: Value) -> list[Value]:
    """The values that are computed from `single` and that these need, inputs before users."""
    order: list[Value] = []
    depends: dict[Value, bool] = {single: True}
    stack = list(reversed(wanted))
    while stack:
        value = stack[-1]
        missing = [x for x in value.inputs if x not in depends]
        if value in depends or not missing:
            stack.pop()
            if value not in depends:
                depends[value] = any(depends[x] for x in value.inputs)
                if depends[value]:
                    order.append(value)
        else:
            stack += missing
    return order


class _Batch:
    """One operation for a whole batch."""

    def __init__(self, builder: Builder, count: int, value: Value, many: Value) -> None:
        self.builder, self.count, self.value, self.many = builder, count, value, many
        self.options: dict[str, Any] = value.options

    def of(self, inputs: list[Value], which: list[bool]) -> Value:
        """The operation, given its inputs, and for each whether it has the axis of the batch."""
        name = self.value.op.name
        if name in ELEMENTWISE or name in LAPACK:
            return self.emit(self.spread(inputs, which), **self.options)
        if name in REDUCTIONS:
            return self.emit(inputs, axes=tuple([axis + 1 for axis in self.options["axes"]]))
        if name in FOURIER or name in _ALONG_ONE_AXIS:
            return self.emit(inputs, **{**self.options, "axis": self.options["axis"] + 1})
        if name in _RULES:
            return _RULES[name](self, inputs, which)
        raise BatchError(f"{name} has no rule")

    def emit(self, inputs: Sequence[Value], **options: Any) -> Value:
        return self.builder.emit(self.value.op.name, inputs, **options)

    def spread(self, inputs: Sequence[Value], which: Sequence[bool]) -> list[Value]:
        """The inputs, all with the axis of the batch."""
        return [x if has else self.repeated(x) for x, has in zip(inputs, which, strict=True)]

    def repeated(self, x: Value) -> Value:
        return self.builder.emit("broadcast", [x], shape=(self.count, *x.shape))

    def reshaped(self, x: Value, shape: tuple[int, ...]) -> Value:
        return x if x.shape == shape else self.builder.emit("reshape", [x], shape=shape)

    def transposed(self, x: Value, axes: tuple[int, ...]) -> Value:
        return self.builder.emit("transpose", [x], axes=axes)


_ALONG_ONE_AXIS = frozenset(["argmax", "argmin", "argsort", "cumsum", "cumprod"])


def _reshape(batch: _Batch, inputs: list[Value], which: list[bool]) -> Value:
    return batch.emit(inputs, shape=(batch.count, *batch.options["shape"]))


def _transpose(batch: _Batch, inputs: list[Value], which: list[bool]) -> Value:
    return batch.emit(inputs, axes=(0, *[axis + 1 for axis in batch.options["axes"]]))


def _broadcast(batch: _Batch, inputs: list[Value], which: list[bool]) -> Value:
    (x,), shape = inputs, batch.options["shape"]
    new = len(shape) - (len(x.shape) - 1)
    return batch.emit([batch.reshaped(x, (batch.count, *[1] * new, *x.shape[1:]))], shape=(batch.count, *shape))


def _slice(batch: _Batch, inputs: list[Value], which: list[bool]) -> Value:
    return batch.emit(inputs, parts=((0, batch.count, 1), *batch.options["parts"]))


def _embed(batch: _Batch, inputs: list[Value], which: list[bool]) -> Value:
    parts = ((0, batch.count, 1), *batch.options["parts"])
    return batch.emit(inputs, parts=parts, shape=(batch.count, *batch.options["shape"]))


def _concatenate(batch: _Batch, inputs: list[Value], which: list[bool]) -> Value:
    return batch.emit(batch.spread(inputs, which), axis=batch.options["axis"] + 1)


def _numbers(batch: _Batch, like: Value) -> Value:
    """For each index its number in the batch."""
    numbers = batch.builder.constant(np.arange(batch.count))
    upright = batch.reshaped(numbers, (batch.count, *[1] * (len(like.shape) - 1)))
    return batch.builder.emit("broadcast", [upright], shape=like.shape)


def _gather(batch: _Batch, inputs: list[Value], which: list[bool]) -> Value:
    if not which[0]:
        return batch.emit([inputs[0], *batch.spread(inputs[1:], which[1:])])
    x, *indices = batch.spread(inputs, which)
    return batch.emit([x, _numbers(batch, indices[0]), *indices])


def _scatter_add(batch: _Batch, inputs: list[Value], which: list[bool]) -> Value:
    x, *indices = batch.spread(inputs, which)
    shape = (batch.count, *batch.options["shape"])
    return batch.emit([x, _numbers(batch, indices[0]), *indices], shape=shape)


def _matmul(batch: _Batch, inputs: list[Value], which: list[bool]) -> Value:
    """Where one matrix is the same for the whole batch, its product with all the others is one product."""
    x, y = inputs
    b, (*_, rows, inner), (*_, columns) = batch.count, x.shape, y.shape
    if which == [True, False] and len(y.shape) == 2:
        product = _product(batch, batch.reshaped(x, (b * rows, inner)), y)
        return batch.reshaped(product, (b, rows, columns))
    if which == [False, True] and len(x.shape) == 2:
        turned = batch.reshaped(batch.transposed(y, (0, 2, 1)), (b * columns, inner))
        product = _product(batch, turned, batch.transposed(x, (1, 0)))
        return batch.transposed(batch.reshaped(product, (b, columns, rows)), (0, 2, 1))
    return batch.emit(batch.spread(inputs, which))


def _product(batch: _Batch, x: Value, y: Value) -> Value:
    """x y; all unit vectors one below the other are a matrix that changes nothing."""
    is_identity = x.shape[0] == x.shape[1] and _moved_from(x) is _moved_from(batch.many)
    return y if is_identity else batch.emit([x, y])


def _moved_from(x: Value) -> Value:
    """What a value is, but for axes of length 1 and how others are split."""
    while x.op.name == "reshape" or (x.op.name == "transpose" and _keeps_order(x)):
        x = x.inputs[0]
    return x


def _keeps_order(x: Value) -> bool:
    axes = [axis for axis in x.options["axes"] if x.inputs[0].shape[axis] != 1]
    return axes == sorted(axes)


def _check(batch: _Batch, inputs: list[Value], which: list[bool]) -> Value:
    (x, bad), builder = inputs, batch.builder
    if which[1]:
        bad = builder.emit("any", [bad], axes=(0,))
    return batch.emit([x if which[0] else batch.repeated(x), bad], **batch.options)


_RULES: dict[str, Callable[[_Batch, list[Value], list[bool]], Value]] = {
    "reshape": _reshape, "transpose": _transpose, "broadcast": _broadcast, "slice": _slice, "embed": _embed,
    "concatenate": _concatenate, "gather": _gather, "scatter_add": _scatter_add, "matmul": _matmul, "check": _check,
}  # fmt: skip
