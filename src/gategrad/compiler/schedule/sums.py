"""Sums of products: a product that is only added to something is written onto it, and the sum takes no loop of its own.

`c + a @ b`, `x @ w + y @ v`, the gradients of a weight that is used twice: where elements are added and nothing else, the
first product is written onto what there is, and each of the others onto those before. A sum that shares its loop with
other work stays there: nothing would be walked over less often.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from gategrad.compiler.passes.simplify import uniform
from gategrad.compiler.program.ops import OPS
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.epilogues import is_worth_joining
from gategrad.compiler.schedule.kernels import Kernel, Sum, Term
from gategrad.compiler.schedule.views import base_of, is_contiguous, is_viewable, view_of
from gategrad.compiler.schedule.ways import is_shallow

__all__ = ["join_sums", "summed_in_place"]


def join_sums(program: Program, kernels: Sequence[Kernel]) -> list[Kernel]:
    """The same kernels, but sums of products that are nothing else are written by the products."""
    alone = {kernel.values[0] for kernel in kernels if kernel.values[0].op.name == "matmul"}
    if not alone:
        return list(kernels)
    uses = Counter(x for value in program.values for x in value.inputs)
    uses.update(program.outputs)
    made: list[Kernel] = []
    for kernel in kernels:
        sums = _Sums(kernel, alone, uses).found
        made += sums
        taken = {value for found in sums for value in found.values}
        rest = [value for value in kernel.values if value not in taken]
        if rest:
            made.append(dataclasses.replace(kernel, values=rest) if sums else kernel)
    gone = {product for kernel in made if kernel.sum for product in kernel.products}
    return [kernel for kernel in made if kernel.sum or kernel.values[0] not in gone]


def summed_in_place(
    kernels: Sequence[Kernel], last: Mapping[Value, int], may_lie: Callable[[Value, Value, Value], bool]
) -> dict[Value, Value]:
    """By each value that a sum is the last to read: the sum, which can be written over it, whether it is a sum itself or not.

    `last` says which kernel is the last to read a value, `may_lie` whether it may lie where the sum does from when it is
    computed on, and this product be written over it.
    """
    found: dict[Value, Value] = {}
    for number, kernel in reversed(list(enumerate(kernels))):
        if kernel.sum is None or kernel.sum.base is None:
            continue
        view, result = view_of(kernel.sum.base), kernel.values[-1]
        whole = view.base.size == result.size > 1 and is_contiguous(view, kernel.sum.base.shape)
        reads = [base_of(x) for product in kernel.products for x in product.inputs]
        final = found.get(result, result)
        if (
            whole
            and last.get(view.base) == number
            and view.base not in reads
            and may_lie(view.base, final, kernel.products[0])
        ):
            found[view.base] = final
    return found


class _Sums:
    """The sums of products in one kernel that are results of it, as kernels of their own."""

    def __init__(self, kernel: Kernel, alone: set[Value], uses: Counter[Value]) -> None:
        self.kernel, self.alone, self.uses = kernel, alone, uses
        self.inside = set(kernel.values)
        self.found: list[Kernel] = []
        if kernel.domain and any(base_of(x) in alone for value in kernel.values for x in value.inputs):
            read = {base_of(x) for value in kernel.values for x in value.inputs}
            results = [value for value in kernel.values if value not in read]
            self.found = [found for z in results if (found := self._sum_of_stack(z) or self._sum(z))]

    def _sum(self, result: Value) -> Kernel | None:
        """The kernel that writes a sum; None if there is more to it than products and one value that they are added to."""
        terms: list[Term] = []
        others: list[Value] = []
        parts: set[Value] = set()
        stack = [(result, 1.0)]
        while stack:
            x, scale = stack.pop()
            product = self._product(x)
            if product is not None:
                terms.append(Term(product, scale))
            elif base_of(x) not in self.inside and scale == 1 and not others:
                others.append(x)
            elif x in self.inside and (x is result or self.uses[x] == 1) and (summed := _summands(x, scale)):
                parts.add(x)
                stack += summed[::-1]
            else:
                return None
        terms.sort(key=lambda term: term.scale != 1)  # the first is written as it is if there is nothing before it
        base = _in_shape_of(terms[0].product, others[0]) if terms and others else None
        if not terms or len(terms) + len(others) < 2 or (base is None and (others or terms[0].scale != 1)):
            return None
        if any(_is_for_a_loop(term.product, base) for term in terms):
            return None
        values = [value for value in self.kernel.values if value in parts]
        return Kernel(None, values, products=tuple([term.product for term in terms]), sum=Sum(tuple(terms), base))

    def _sum_of_stack(self, result: Value) -> Kernel | None:
        """The kernel that adds up the products of a stack; None if it is something else that is summed."""
        product = self._product(result.inputs[0]) if result.op.name == "sum" else None
        if product is None:
            return None
        axes, shape = result.options["axes"], result.inputs[0].shape
        leading = axes == tuple(range(len(axes)))
        if not leading or math.prod(shape[: len(axes)]) != math.prod(product.shape[:-2]):
            return None
        return Kernel(None, [result], products=(product,), sum=Sum((Term(product, 1.0),), is_of_stack=True))

    def _product(self, x: Value) -> Value | None:
        """The product whose elements, in order, are those of `x`, if nobody else reads it."""
        product = base_of(x)
        if product not in self.alone or product.dtype.kind != "f" or not is_contiguous(view_of(x), x.shape):
            return None
        once = self.uses[x] == 1
        while x is not product:
            (x,) = x.inputs
            once = once and self.uses[x] == 1
        return product if once and x.size == product.size > 0 and product.inputs[0].shape[-1] else None


def _summands(x: Value, scale: float) -> list[tuple[Value, float]]:
    """What is added up in a value, and how often; nothing if it is no sum."""
    a, b = (*x.inputs, *x.inputs)[:2] if x.inputs else (x, x)
    if x.op.name == "add":
        return [(a, scale), (b, scale)]
    if x.op.name == "subtract":
        return [(a, scale), (b, -scale)]
    if x.op.name == "negative":
        return [(a, -scale)]
    if x.op.name == "multiply":
        for one, other in ((a, b), (b, a)):
            number = uniform(other)
            if number is not None and math.isfinite(number) and number != 0:
                return [(one, scale * float(number))]
    return []


def _is_for_a_loop(product: Value, base: Value | None) -> bool:
    """Whether a loop is better that computes some rows of a large product at a time (`epilogues.py`).

    It is if the tiles run on threads in that loop alone; and where every row that is added lies somewhere else: tiles of
    many steps, each of which waits for what it adds, take up to a fifth longer (measured), but no longer for one row that
    is added to all, or for other products.
    """
    spread = base is not None and view_of(base).strides[-2] != 0
    return is_worth_joining(product) and (is_shallow(product) or spread)


def _in_shape_of(product: Value, x: Value) -> Value | None:
    """What a product is added to, in its shape; None if the elements of its rows do not lie in order."""
    if x.shape != product.shape:
        x = Value(OPS["reshape"], (x,), {"shape": product.shape})
        if not is_viewable(x):
            return None
    return x if view_of(x).strides[-1] == 1 or product.shape[-1] == 1 else None
