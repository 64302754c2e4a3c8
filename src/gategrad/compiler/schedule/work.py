"""How much there is to do in a program, as far as its shapes tell."""

from __future__ import annotations

from collections.abc import Iterable

from gategrad.compiler.program.ops import LAPACK
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.kernels import Kernel

__all__ = ["LONG", "THREADED", "work"]

LONG = 100_000
"""From so many element operations on (some ten microseconds) other Python threads may run meanwhile."""

THREADED = 400_000
"""From so many plain operations on (some hundred microseconds) a loop runs on threads.

To wake a thread that sleeps, and to wait for it, takes 11 to 15 microseconds (measured with two threads).
"""

_PRODUCT = 10  # multiplications and additions of a matrix product that take as long as one operation on an element


def work(kernels: Iterable[Kernel]) -> int:
    """The number of operations on single elements, those of matrix products at their price."""
    return sum(len(k.values) if k.is_scalar else sum(map(_operations, k.all_values)) for k in kernels)


def _operations(value: Value) -> int:
    if value.op.name == "matmul":
        return 2 * value.size * value.inputs[0].shape[-1] // _PRODUCT
    if value.op.name in LAPACK:
        return 2 * max([value.size, *[x.size for x in value.inputs]]) * value.inputs[-1].shape[-1] // _PRODUCT
    return max([value.size, *[x.size for x in value.inputs]])
