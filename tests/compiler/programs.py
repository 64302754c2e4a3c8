"""Small native programs, written by hand, for the tests of what surrounds them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.compiler.codegen.entry.signature import Array, Scalar, Signature, tuple_of
from gategrad.compiler.runtime.callable import Callable, native_type

F64 = Array(np.dtype(np.float64), (3,))


class Base(Callable):
    """Answers what nothing was compiled for with what it was asked."""

    def slow(self, /, *args: Any, **kwargs: Any) -> Any:
        return "slow", args, kwargs


Function: Any = native_type(Base)

GRADIENT = Signature((Scalar(), Scalar(), Scalar()), tuple_of(Scalar(), Scalar(), Scalar()))


def gradient(factor: float = 1.0) -> str:
    """The gradient of (x + y) * z, times a factor."""
    return f"""
define i32 @gg_program(double %x, double %y, double %z, ptr %dx, ptr %dy, ptr %dz, ptr %workspace) {{
  %s = fadd double %x, %y
  %a = fmul double %z, {factor!r}
  %b = fmul double %s, {factor!r}
  store double %a, ptr %dx
  store double %a, ptr %dy
  store double %b, ptr %dz
  ret i32 0
}}"""


def copies(count: int, nbytes: int) -> str:
    """Copy each input array into the output array of the same number."""
    inputs = ", ".join(f"ptr %x{k}" for k in range(count))
    outputs = ", ".join(f"ptr %z{k}" for k in range(count))
    body = "\n".join(
        f"  call void @llvm.memmove.p0.p0.i64(ptr %z{k}, ptr %x{k}, i64 {nbytes}, i1 false)" for k in range(count)
    )
    return f"""
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)
define i32 @gg_program({inputs}, {outputs}, ptr %workspace) {{
{body}
  ret i32 0
}}"""


def status(code: str) -> str:
    """A program without inputs and outputs that returns the status `code`, after writing 7, 0, 5 to its workspace."""
    return f"""
define i32 @gg_program(ptr %workspace) {{
  store i64 7, ptr %workspace
  %axis = getelementptr i64, ptr %workspace, i64 1
  store i64 0, ptr %axis
  %size = getelementptr i64, ptr %workspace, i64 2
  store i64 5, ptr %size
  ret i32 {code}
}}"""


def calling(slot: str, inputs: str = "") -> str:
    """A program that calls the function `i32 ()` whose address is in a table slot, and returns what it returns."""
    return f"""
define i32 @gg_program({inputs}ptr %workspace) {{
  %function = load ptr, ptr {slot}
  %status = call i32 %function(ptr %workspace)
  ret i32 %status
}}"""
