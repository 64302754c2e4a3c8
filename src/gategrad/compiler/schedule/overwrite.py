"""Outputs that lie where an input lies: may they be written as they are computed, or must they wait until the end?"""

from __future__ import annotations

from collections.abc import Sequence

from gategrad.compiler.program.ops import REDUCTIONS
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.kernels import Kernel
from gategrad.compiler.schedule.views import contiguous, is_contiguous, view_of

__all__ = ["may_write_at_once"]


def may_write_at_once(output: Value, over: Value, kernels: Sequence[Kernel]) -> bool:
    """Whether `output` can be written over the input `over` by the kernel that computes it.

    Nothing may read the input afterwards, and nothing that comes later may fail: an error leaves the input as it was.
    """
    home = next(n for n, kernel in enumerate(kernels) if output in kernel.values)
    later = kernels[home + 1 :]
    if any(_can_fail(kernel) or _readers(kernel, over) for kernel in later):
        return False
    here = kernels[home]
    if here.sum is not None:
        return _adds_to_what_it_reads(here, over)
    if here.domain is None:
        return not _can_fail(here) and not _readers(here, over)
    return _writes_behind_reads(here, output, over)


def _can_fail(kernel: Kernel) -> bool:
    """Gathers find indices out of bounds, and what NumPy computes can raise anything."""
    return kernel.domain is None and kernel.sum is None and kernel.values[0].op.name != "matmul"


def _readers(kernel: Kernel, x: Value) -> list[Value]:
    return [value for value in kernel.all_values if any(view_of(y).base is x for y in value.inputs)]


def _adds_to_what_it_reads(kernel: Kernel, over: Value) -> bool:
    """Whether a sum of products reads the input, if at all, where it adds to it, element by element."""
    read_by_products = any(view_of(y).base is over for product in kernel.products for y in product.inputs)
    base = kernel.sum.base if kernel.sum is not None else None
    if read_by_products or base is None or view_of(base).base is not over:
        return not _readers(kernel, over)
    return base.size == over.size and view_of(base).offset == 0 and is_contiguous(view_of(base), base.shape)


def _writes_behind_reads(kernel: Kernel, output: Value, over: Value) -> bool:
    """Whether each element of the input has been read for the last time when the loops write there.

    So it is in a single walk, in order, whose values read the same element that is written, and no later than it is.
    """
    readers = _readers(kernel, over)
    if not readers:
        return True
    whole = output.shape == kernel.domain and not kernel.row_axes
    before = kernel.values[: kernel.values.index(output) + 1]
    return whole and all(
        reader in before and reader.op.name not in REDUCTIONS and _reads_in_order(reader, over, output)
        for reader in readers
    )


def _reads_in_order(reader: Value, x: Value, output: Value) -> bool:
    if reader.shape != output.shape:
        return False
    views = [(y.shape, view_of(y)) for y in reader.inputs if view_of(y).base is x]
    return all(shape == x.shape and v.offset == 0 and v.strides == contiguous(x.shape) for shape, v in views)
