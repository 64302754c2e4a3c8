"""Are the outputs finite? One pass over what the program has just written, for programs that want to know."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gategrad.compiler.codegen.entry.signature import Array, Scalar
from gategrad.compiler.codegen.entry.writer import Writer

__all__ = ["ask_whether_finite"]


def ask_whether_finite(
    write: Writer, leaves: Sequence[Scalar | Array], pointers: Sequence[str], alarm: str, found: str
) -> None:
    """Branch to the label `found` if any number behind the pointers is NaN or infinite; go on here otherwise.

    Where there is an alarm, and it is not raised, nothing is looked at: to read large outputs once more costs as much
    as many a program that wrote them.
    """
    over = write.label("looked_over")
    if alarm:
        look = write.label("alarmed")
        raised = write.value(f"load i8, ptr {alarm}")
        write.branch(write.value(f"icmp eq i8 {raised}, 0"), over, look)
        write.block(look)
    for leaf, pointer in zip(leaves, pointers, strict=True):
        shape = () if isinstance(leaf, Scalar) else leaf.shape
        if leaf.dtype.kind in "fc" and (count := math.prod(shape) * _parts(leaf.dtype)):
            kind = "double" if leaf.dtype.itemsize == 8 * _parts(leaf.dtype) else "float"
            if count == 1:
                _after(write, _is_bad(write, kind, pointer), found)
            else:
                _in_array(write, kind, count, pointer, found)
    write(f"br label %{over}")
    write.block(over)


def _parts(dtype: np.dtype[np.generic]) -> int:
    """Of how many real numbers one is made."""
    return 2 if dtype.kind == "c" else 1


def _is_bad(write: Writer, kind: str, pointer: str) -> str:
    number = write.value(f"load {kind}, ptr {pointer}")
    nothing = write.value(f"fsub {kind} {number}, {number}")  # 0 of a finite number, NaN of all others
    return write.value(f"fcmp uno {kind} {nothing}, {nothing}")


def _after(write: Writer, is_bad: str, found: str) -> None:
    fine = write.label("fine")
    clean = write.value(f"xor i1 {is_bad}, true")
    write.branch(clean, fine, found)
    write.block(fine)


def _in_array(write: Writer, kind: str, count: int, pointer: str, found: str) -> None:
    """All elements are looked at, so that the loop has no way out in the middle and becomes vectors."""
    before, again, done = write.current, write.label("look"), write.label("looked")
    write(f"br label %{again}")
    write.block(again)
    n, met = write.label("%index"), write.label("%met")
    nexts, marks = f"{n}.next", f"{met}.next"
    write(f"{n} = phi i64 [ 0, %{before} ], [ {nexts}, %{again} ]")
    write(f"{met} = phi i64 [ 0, %{before} ], [ {marks}, %{again} ]")
    is_bad = _is_bad(write, kind, write.item(pointer, n, kind))
    mark = write.value(f"zext i1 {is_bad} to i64")
    write(f"{marks} = or i64 {met}, {mark}")
    write(f"{nexts} = add i64 {n}, 1")
    over = write.value(f"icmp eq i64 {nexts}, {count}")
    write(f"br i1 {over}, label %{done}, label %{again}")
    write.block(done)
    _after(write, write.value(f"icmp ne i64 {marks}, 0"), found)
