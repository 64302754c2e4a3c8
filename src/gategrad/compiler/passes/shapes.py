"""Rules for what only moves or repeats elements, and for folding what was repeated."""

from __future__ import annotations

import math

import numpy as np

from gategrad.compiler.passes.simplify import Simplifier, rule
from gategrad.compiler.program.value import Value

__all__: list[str] = []


def _is_repeated_number(x: Value) -> bool:
    return x.op.name == "broadcast" and x.inputs[0].size == 1


def _repeated(simplifier: Simplifier, x: Value, shape: tuple[int, ...]) -> Value:
    """The one number behind a repeated one, repeated to another shape."""
    number = simplifier.emit("reshape", [x.inputs[0]], shape=())
    return simplifier.emit("broadcast", [number], shape=shape)


@rule("reshape")
def _reshape(simplifier: Simplifier, z: Value) -> Value | None:
    (x,) = z.inputs
    if x.shape == z.shape:
        return x
    if x.op.name == "reshape":
        return simplifier.emit("reshape", [x.inputs[0]], shape=z.shape)
    return _repeated(simplifier, x, z.shape) if _is_repeated_number(x) else None


@rule("transpose")
def _transpose(simplifier: Simplifier, z: Value) -> Value | None:
    (x,), axes = z.inputs, z.options["axes"]
    if axes == tuple(range(len(axes))):
        return x
    if x.op.name == "transpose":
        return simplifier.emit("transpose", [x.inputs[0]], axes=tuple([x.options["axes"][n] for n in axes]))
    if _is_repeated_number(x):
        return _repeated(simplifier, x, z.shape)
    order = [n for n in axes if x.shape[n] != 1]
    return simplifier.emit("reshape", [x], shape=z.shape) if order == sorted(order) else None


@rule("broadcast")
def _broadcast(simplifier: Simplifier, z: Value) -> Value | None:
    (x,) = z.inputs
    if x.size == z.size:
        return simplifier.emit("reshape", [x], shape=z.shape)  # nothing but axes of length 1
    if x.op.name == "broadcast":
        return simplifier.emit("broadcast", [x.inputs[0]], shape=z.shape)
    if x.op.name == "reshape":
        shorter = x.inputs[0].shape
        if x.shape == (1,) * (len(x.shape) - len(shorter)) + shorter and len(shorter) < len(x.shape):
            return simplifier.emit("broadcast", [x.inputs[0]], shape=z.shape)  # new axes in front come by themselves
    return None


@rule("slice")
def _slice(simplifier: Simplifier, z: Value) -> Value | None:
    (x,), parts = z.inputs, z.options["parts"]
    if all(part == (0, n, 1) for part, n in zip(parts, x.shape, strict=True)):
        return x
    return _repeated(simplifier, x, z.shape) if _is_repeated_number(x) else None


@rule("concatenate")
def _concatenate(simplifier: Simplifier, z: Value) -> Value | None:
    axis = z.options["axis"]
    filled = [x for x in z.inputs if x.shape[axis]]
    if len(filled) == 1:
        return filled[0]
    return simplifier.emit("concatenate", filled, axis=axis) if 1 < len(filled) < len(z.inputs) else None


@rule("sum", "prod", "max", "min", "any", "all")
def _fold_lengths_of_one(simplifier: Simplifier, z: Value) -> Value | None:
    """Along axes of length 1 there is nothing to fold. (NumPy adds the -0 to a 0 that it begins with; here it stays.)"""
    (x,), axes = z.inputs, z.options["axes"]
    rest = tuple([n for n in axes if x.shape[n] != 1])
    if len(rest) == len(axes) or z.dtype != x.dtype:
        return None
    folded = simplifier.emit(z.op.name, [x], axes=rest) if rest else x
    return simplifier.emit("reshape", [folded], shape=z.shape)


@rule("sum", "max", "min", "any", "all")
def _fold_repeated(simplifier: Simplifier, z: Value) -> Value | None:
    """Folding what was repeated: the sum of n equal numbers is n times that number, their maximum is that number."""
    (x,), axes = z.inputs, z.options["axes"]
    if x.op.name != "broadcast" or x.size == 0 or (z.op.name == "sum" and z.dtype.kind in "bc"):
        return None
    (before,) = x.inputs
    lengths = (1,) * (len(x.shape) - len(before.shape)) + before.shape
    repeated = [n for n in axes if lengths[n] == 1]
    if not repeated:
        return None
    short = simplifier.emit("reshape", [before], shape=lengths)
    rest = tuple([n for n in axes if n not in repeated])
    kept = tuple([1 if n in repeated else length for n, length in enumerate(x.shape)])
    short = simplifier.emit("broadcast", [short], shape=kept)
    if rest:
        short = simplifier.emit(z.op.name, [short], axes=rest)
    short = simplifier.emit("reshape", [short], shape=z.shape)
    if z.op.name != "sum":
        return short
    count = math.prod([x.shape[n] for n in repeated])
    return simplifier.emit("multiply", [short, simplifier.constant(np.full(z.shape, count, z.dtype))])
