"""Folding elements together, which is what reductions do: where they start, how two become one, a vector one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.compiler.codegen.elementwise import Needs, lower
from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.program.value import Value

__all__ = ["across", "combine", "neutral"]


def neutral(value: Value) -> str:
    """The element that changes nothing, as LLVM writes it: where an accumulator starts."""
    return literal(_NEUTRAL[value.op.name](value.dtype), value.dtype)


def combine(body: Body, needs: Needs, value: Value, a: str, b: str, lanes: int) -> str:
    """Fold `b` into `a`, `lanes` elements at a time."""
    dtypes = [value.dtype, value.dtype]
    return lower(body, needs, _PAIRWISE[value.op.name], [b, a], dtypes, value.dtype, lanes)


def across(body: Body, needs: Needs, value: Value, vector: str, lanes: int) -> str:
    """Fold the lanes of a vector in halves."""
    while lanes > 1:
        low, high = _halves(body, vector, value.dtype, lanes)
        lanes //= 2
        vector = combine(body, needs, value, low, high, lanes)
    return vector


def _halves(body: Body, vector: str, dtype: Any, lanes: int) -> tuple[str, str]:
    kind, half = llvm_type(dtype, lanes), lanes // 2
    if half == 1:
        low, high = (body.make(f"extractelement {kind} {vector}, i32 {lane}") for lane in (0, 1))
        return low, high
    masks = [", ".join(f"i32 {n}" for n in range(start, start + half)) for start in (0, half)]
    low, high = (body.make(f"shufflevector {kind} {vector}, {kind} poison, <{half} x i32> <{mask}>") for mask in masks)
    return low, high


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _highest(dtype: Any) -> Any:
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max


_NEUTRAL: dict[str, Any] = {
    "sum": lambda dtype: 0, "prod": lambda dtype: 1, "max": _lowest, "min": _highest,
    "any": lambda dtype: False, "all": lambda dtype: True,
}  # fmt: skip
_PAIRWISE = {
    "sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum", "any": "logical_or", "all": "logical_and",
}  # fmt: skip
