"""One element of each row: `x[arange(n), labels]` and its transpose as maps over the matrix, which fuse with what is around.

As a gather, the labels of a cross-entropy would force the whole matrix of logits into memory, and its gradient through
memory once more. As `Σ_j select(labels == j, x, 0)` and `select(labels == j, dz, 0)` both are part of the one pass over
each row. The labels themselves still go through a small gather, which finds those that are out of range.
"""

from __future__ import annotations

import numpy as np

from gategrad.compiler.program.ops import ELEMENTWISE
from gategrad.compiler.program.program import Program, rewrite
from gategrad.compiler.program.value import Builder, Constant, Value

__all__ = ["fuse_labels"]


def fuse_labels(program: Program) -> Program:
    """The same program, with reads and writes of one element in each row of a matrix as maps and reductions."""
    return rewrite(program, _fused, frozenset(["gather", "scatter_add"]))


def _fused(value: Value, inputs: list[Value], builder: Builder) -> Value | None:
    name = value.op.name
    if name == "gather" and inputs[0].op.name in ELEMENTWISE and _is_one_of_each_row(inputs[0].shape, inputs[1:]):
        x = inputs[0]
        mask = _mask(x.shape, inputs[2], builder)
        chosen = builder.emit("select", [mask, x, _zeros(x, builder)])
        return builder.emit("sum", [chosen], axes=(1,))
    if name == "scatter_add" and _is_one_of_each_row(value.shape, inputs[1:]) and inputs[0].dtype.kind == "f":
        column = builder.emit("reshape", [inputs[0]], shape=(value.shape[0], 1))
        spread = builder.emit("broadcast", [column], shape=value.shape)
        return builder.emit("select", [_mask(value.shape, inputs[2], builder), spread, _zeros(value, builder)])
    return None


def _is_one_of_each_row(shape: tuple[int, ...], indices: list[Value]) -> bool:
    """Whether the indices name one column in each row of a matrix, in order."""
    if len(shape) != 2 or len(indices) != 2 or indices[0].op.name != "constant" or indices[1].op.name == "constant":
        return False
    rows = indices[0].options["value"].array
    return rows.shape == (shape[0],) and bool(np.array_equal(rows, np.arange(shape[0]))) and shape[1] > 0


def _mask(shape: tuple[int, ...], labels: Value, builder: Builder) -> Value:
    """Where the column is the label of the row; labels below zero count from the end, others out of range are refused."""
    columns = builder.emit("constant", (), value=Constant(np.arange(shape[1], dtype=np.int32)))
    places = builder.emit("gather", [columns, labels])
    there = builder.emit("broadcast", [builder.emit("reshape", [places], shape=(shape[0], 1))], shape=shape)
    return builder.emit("equal", [builder.emit("broadcast", [columns], shape=shape), there])


def _zeros(like: Value, builder: Builder) -> Value:
    return builder.emit("broadcast", [builder.constant(like.dtype.type(0))], shape=like.shape)
