"""Kernels: groups of values that one nest of loops computes together, so that what lies between stays in registers.

A loop kernel walks a *domain*, a shape. Its values are elementwise maps over the domain and reductions of its axes.
A reduction of the trailing axes (of each row, say) may be used again inside the kernel: the row is walked once more,
while it is still in cache. That is how softmax, layer normalisation and their gradients become one pass over memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from gategrad.compiler.program.ops import ELEMENTWISE, REDUCTIONS
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.text import write_groups
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.views import VIEW_OPS, base_of

__all__ = ["PAST_CACHES", "Dims", "Kernel", "Kernels", "Sum", "Term", "along", "group"]

PAST_CACHES = 2**25
"""Bytes of an array that no cache near a processor keeps until they are read again."""

Dims = tuple[int, ...]  # for each axis of a value, the axis of the domain that it runs along; -1 for none


@dataclasses.dataclass(frozen=True)
class Term:
    """A product in a sum, and the number that it is multiplied by."""

    product: Value
    scale: float


@dataclasses.dataclass(frozen=True)
class Sum:
    """Products, and a value of the shape of the first that they are added to; without one, the first is scaled by 1.

    Or all the products of one stack.
    """

    terms: tuple[Term, ...]
    base: Value | None = None
    is_of_stack: bool = False


@dataclasses.dataclass
class Kernel:
    """Values that are computed together. `domain` is None for an operation, or a sum of products, that stands alone."""

    domain: tuple[int, ...] | None
    values: list[Value] = dataclasses.field(default_factory=list)
    dims: dict[Value, Dims] = dataclasses.field(default_factory=dict)
    row_axes: frozenset[int] = frozenset()  # the trailing axes whose reductions are used again inside
    folded: dict[Value, frozenset[int]] = dataclasses.field(default_factory=dict)  # by each reduction, of the domain
    finished: set[Value] = dataclasses.field(default_factory=set)  # reductions that are known only at the end
    products: tuple[Value, ...] = ()  # of matrices, which are computed here, some rows before they are read
    sum: Sum | None = None  # of these products, which the last value is

    @property
    def all_values(self) -> list[Value]:
        """Its values, after the products that it reads."""
        return [*self.products, *self.values]

    @property
    def where(self) -> str:
        """What it walks over, in words."""
        return "alone" if self.domain is None else "in registers" if self.is_scalar else f"over {self.domain}"

    @property
    def is_scalar(self) -> bool:
        """Whether the kernel is straight-line code on single numbers."""
        return self.domain == ()


@dataclasses.dataclass(frozen=True)
class Kernels:
    """A program and its kernels, to be printed."""

    program: Program
    kernels: Sequence[Kernel]

    def __str__(self) -> str:
        groups = [(f"kernel {n}: {kernel.where}", kernel.all_values) for n, kernel in enumerate(self.kernels, 1)]
        program = self.program
        return write_groups(program.name, program.inputs, program.values, program.outputs, groups)


def group(program: Program) -> list[Kernel]:
    """The kernels of a program in the order in which they run; views belong to none."""
    return _Grouping(program).kernels


def _alone_first(program: Program) -> list[Value]:
    """The values to be computed; first operations that stand alone and wait for no loop, which they would cut in two."""
    first: list[Value] = []
    rest: list[Value] = []
    waiting: set[Value] = set()
    for value in program.values:
        name = value.op.name
        fuses = name in ELEMENTWISE or name in REDUCTIONS
        if fuses or any(x in waiting for x in value.inputs):
            waiting.add(value)
        if name not in ("input", "constant") and name not in VIEW_OPS:
            (rest if value in waiting else first).append(value)
    return first + rest


class _Grouping:
    def __init__(self, program: Program) -> None:
        self.kernels: list[Kernel] = []
        self.position: dict[Value, int] = {}
        self.last_scalar = -1  # the last kernel of single numbers
        for value in _alone_first(program):
            if value.op.name in ELEMENTWISE:
                self._place_map(value)
            elif value.op.name in REDUCTIONS:
                self._place_reduction(value)
            else:
                self._append(Kernel(None), value)

    def _place_map(self, value: Value) -> None:
        domain = value.shape if value.size != 1 else ()
        earliest = self._earliest(value)
        last = self.last_scalar
        if domain == () and last >= earliest and not any(x.op.name in VIEW_OPS for x in value.inputs):
            self._add(self.kernels[last], value, (-1,) * len(value.shape), last)  # as what follows would find, too
            return
        for position in range(len(self.kernels) - 1, earliest - 1, -1):
            kernel = self.kernels[position]
            if kernel.domain is None or kernel.is_scalar != (value.size == 1) or self._stands_apart(value, position):
                continue
            if position > earliest and kernel.domain != domain:
                continue  # nothing that it reads is computed there
            dims = self._dims(value, kernel, position)
            if dims is not None:
                self._add(kernel, value, dims, position)
                return
        self._append(Kernel(domain), value, tuple(n if length != 1 else -1 for n, length in enumerate(value.shape)))

    def _stands_apart(self, value: Value, position: int) -> bool:
        """Whether a value is large, and made of smaller ones that a kernel has no part in.

        There is nothing to share, and two loops that each read or write one array are faster than one that does both.
        """
        large = value.size * value.dtype.itemsize >= PAST_CACHES
        bases = [base_of(x) for x in value.inputs] if large else []
        return large and all(x.size < value.size and self.position.get(x) != position for x in bases)

    def _place_reduction(self, value: Value) -> None:
        x = value.inputs[0]
        earliest = self._earliest(value)
        for position in range(len(self.kernels) - 1, earliest - 1, -1):
            kernel = self.kernels[position]
            if not kernel.domain:
                continue
            dims = self._input_dims(x, kernel, position)
            if dims is None or not all(dims[n] >= 0 or x.shape[n] == 1 for n in range(len(dims))):
                continue
            if _whole_or_none(_folded(value, dims), kernel) and _ends_as_the_domain(_left(value, dims), kernel):
                self._add_reduction(kernel, value, dims, position)
                return
        kernel = Kernel(x.shape)
        self.kernels.append(kernel)
        self._add_reduction(kernel, value, tuple(range(len(x.shape))), len(self.kernels) - 1)

    def _add_reduction(self, kernel: Kernel, value: Value, dims: Dims, position: int) -> None:
        folded = _folded(value, dims)
        rank = len(kernel.domain or ())
        trailing = folded == frozenset(range(rank - len(folded), rank)) and len(folded) < rank
        full = all(dims[n] >= 0 or value.inputs[0].shape[n] == 1 for n in range(len(dims)))
        if trailing and full and (kernel.row_axes == folded or self._may_be_row(folded, kernel)):
            kernel.row_axes = folded
        else:
            kernel.finished.add(value)
        kernel.folded[value] = folded
        self._add(kernel, value, _left(value, dims), position)

    @staticmethod
    def _may_be_row(axes: frozenset[int], kernel: Kernel) -> bool:
        """Whether the kernel has no row yet, and all that it computes would take this one whole or not at all."""
        walked = dataclasses.replace(kernel, row_axes=axes)
        folds = all(_whole_or_none(folded, walked) for folded in kernel.folded.values())
        return not kernel.row_axes and folds and all(_whole_or_none(set(dims), walked) for dims in kernel.dims.values())

    def _add(self, kernel: Kernel, value: Value, dims: Dims, position: int) -> None:
        kernel.values.append(value)
        kernel.dims[value] = dims
        self.position[value] = position

    def _append(self, kernel: Kernel, value: Value, dims: Dims = ()) -> None:
        if kernel.is_scalar:
            self.last_scalar = len(self.kernels)
        self.kernels.append(kernel)
        self._add(kernel, value, dims, len(self.kernels) - 1)

    def _earliest(self, value: Value) -> int:
        """The first kernel in which the value could be: that of its latest input (the next one if that must end)."""
        earliest = 0
        for x in value.inputs:
            base = base_of(x)
            if base in self.position:
                earliest = max(earliest, self.position[base])
        return earliest

    def _dims(self, value: Value, kernel: Kernel, position: int) -> Dims | None:
        """How the axes of an elementwise value run along the kernel's domain; None if it cannot be computed there."""
        inside = []
        for x in value.inputs:
            base = base_of(x)
            if self.position.get(base) == position:
                dims = self._input_dims(x, kernel, position)
                if dims is None:
                    return None
                inside.append(dims)
        if kernel.is_scalar:
            return (-1,) * len(value.shape) if value.size == 1 else None
        merged = [-1] * len(value.shape)
        for dims in inside:
            for n, d in enumerate(dims):
                if d >= 0:
                    if merged[n] not in (-1, d):
                        return None
                    merged[n] = d
        if not inside and value.shape != kernel.domain:
            return None
        found = self._completed(merged, value.shape, kernel.domain or ())
        return found if found is not None and _whole_or_none(set(found), kernel) else None

    def _completed(self, merged: list[int], shape: tuple[int, ...], domain: tuple[int, ...]) -> Dims | None:
        """Find domain axes for the axes along which the inputs inside the kernel do not vary."""
        if len(shape) == len(domain) and all(n in (d, 1) for n, d in zip(shape, domain, strict=True)):
            natural = [d if n != 1 else -1 for d, n in enumerate(shape)]
            if all(a in (-1, b) for a, b in zip(merged, natural, strict=True)):
                return tuple(natural)
        if all(d >= 0 or n == 1 for d, n in zip(merged, shape, strict=True)):
            used = [d for d in merged if d >= 0]
            return tuple(merged) if used == sorted(set(used)) else None
        return None

    def _input_dims(self, x: Value, kernel: Kernel, position: int) -> Dims | None:
        """How a value that is used in the kernel runs along its domain; loaded ones as their shape suggests."""
        base = base_of(x)
        if self.position.get(base) != position:
            return tuple(range(len(x.shape))) if x.shape == kernel.domain else None
        return None if base in kernel.finished else along(x, base, kernel.dims[base])


def _folded(reduction: Value, dims: Dims) -> frozenset[int]:
    """The axes of the domain that a reduction folds, if its operand runs along it so."""
    return frozenset(dims[n] for n in reduction.options["axes"] if dims[n] >= 0)


def _left(reduction: Value, dims: Dims) -> Dims:
    """How the result of a reduction runs along the domain, if its operand runs along it so."""
    return tuple(d for n, d in enumerate(dims) if n not in reduction.options["axes"])


def _ends_as_the_domain(dims: Dims, kernel: Kernel) -> bool:
    """Whether what varies along the last axis of the domain lies in order along it: it is written in vectors."""
    long = [d for d, length in enumerate(kernel.domain or ()) if length != 1]
    varies = [d for d in dims if d >= 0]
    return not long or long[-1] not in varies or varies[-1] == long[-1]


def _whole_or_none(axes: Collection[int], kernel: Kernel) -> bool:
    """Whether the axes along which a value varies, or which a reduction folds, have all of the row among them, or nothing.

    What varies along a part of the row would be computed again and again, and what folds a part has no place to go.
    """
    row = {d for d in kernel.row_axes if kernel.domain and kernel.domain[d] != 1}
    return not row & set(axes) or row <= set(axes)


def along(x: Value, base: Value, dims: Dims) -> Dims | None:
    """How `x`, a view of `base`, runs along a domain along which `base` runs as `dims` says; None if it does not."""
    chain = []
    while x is not base:
        chain.append(x)
        x = x.inputs[0]
    known: Dims | None = dims
    for step in reversed(chain):
        if known is not None:
            known = _through(step, known)
    return known


def _through(step: Value, dims: Dims) -> Dims | None:
    """What a view does to the correspondence of axes; None if the elements no longer line up."""
    name, before = step.op.name, step.inputs[0].shape
    if name == "transpose":
        return tuple(dims[n] for n in step.options["axes"])
    if name == "broadcast":
        extra = len(step.shape) - len(before)
        return (-1,) * extra + tuple(
            d if n == m else -1 for d, n, m in zip(dims, before, step.shape[extra:], strict=True)
        )
    if name == "reshape":
        kept = [(n, d) for n, d in zip(before, dims, strict=True) if n != 1]
        if [n for n, _ in kept] != [n for n in step.shape if n != 1]:
            return None
        rest = iter(kept)
        return tuple(next(rest)[1] if n != 1 else -1 for n in step.shape)
    return None
