"""Products with an epilogue: a kernel computes the products that it alone reads, some rows at a time.

A large product that only one kernel reads need not exist: the kernel computes some of its rows, while they are in cache
does with them what it has to do, and takes the next ones into the same place. So does what is added to a product, an
activation or its gradient, a step of descent, and what is found in each row: the nearest centre, a softmax.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.kernels import Kernel
from gategrad.compiler.schedule.views import VIEW_OPS, base_of, is_contiguous, view_of
from gategrad.compiler.schedule.ways import is_few, is_shallow, is_thin, sizes_of

__all__ = ["is_worth_joining", "join_products"]

_LARGE = 2**19
"""Bytes: what the second cache holds is quickly written and read again."""

_LAID = 2**25  # bytes of a `y` that the third cache holds, out of which every block of rows reads it
_NARROW = 32  # columns; shorter rows are walked in too few vectors


def join_products(program: Program, kernels: Sequence[Kernel]) -> list[Kernel]:
    """The same kernels, but large products that one of them alone reads are computed there."""
    readers = _readers(program)
    home = {value: kernel for kernel in kernels for value in kernel.values}
    joined: dict[int, list[Value]] = {}
    for kernel in kernels:
        product = kernel.values[0]
        users = readers.get(product, [])
        homes = {id(home[user]): home[user] for user in users if user in home}
        if product.op.name == "matmul" and product not in program.outputs and len(homes) == 1:
            (reader,) = homes.values()
            if is_worth_joining(product) and _reads_row_by_row(reader, users, product):
                joined.setdefault(id(reader), []).append(product)
    gone = {product for products in joined.values() for product in products}
    return [
        dataclasses.replace(kernel, products=(*kernel.products, *joined.get(id(kernel), ())))
        for kernel in kernels
        if kernel.values[0] not in gone
    ]


def _readers(program: Program) -> dict[Value, list[Value]]:
    """For each value those that read its elements, be it through views."""
    readers: dict[Value, list[Value]] = {}
    for value in program.values:
        if value.op.name not in VIEW_OPS:
            for x in value.inputs:
                readers.setdefault(base_of(x), []).append(value)
    return readers


def is_worth_joining(product: Value) -> bool:
    """Whether a product is large, and best computed part by part by the loop that reads it."""
    if len(product.shape) != 2 or product.dtype.kind != "f":
        return False
    _, inner, columns = sizes_of(product)
    itemsize = product.dtype.itemsize
    large = product.size * itemsize >= _LARGE and columns >= _NARROW and inner > 0
    in_parts = not (is_few(product) or is_thin(product)) and inner * columns * itemsize <= _LAID
    return large and (is_shallow(product) or in_parts)


def _reads_row_by_row(kernel: Kernel, users: Sequence[Value], product: Value) -> bool:
    """Whether all that a kernel takes from a product is the element at the same place of its domain."""
    reads = [x for user in users for x in user.inputs if base_of(x) is product]
    return (
        kernel.domain == product.shape
        and all(x.shape == kernel.domain and is_contiguous(view_of(x), x.shape) for x in reads)
        and all(user in kernel.finished or len(user.shape) < 2 or kernel.dims[user] == (0, 1) for user in users)
    )
