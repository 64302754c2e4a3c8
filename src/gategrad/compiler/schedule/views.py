"""Views: values that are other values' elements in another arrangement, found by strides instead of computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from gategrad.compiler.program.ops import ELEMENTWISE, LAPACK, OPS, REDUCTIONS
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Builder, Value

__all__ = [
    "VIEW_OPS",
    "View",
    "base_of",
    "contiguous",
    "is_contiguous",
    "is_matrix_view",
    "is_viewable",
    "make_viewable",
    "view_of",
]


@dataclasses.dataclass(frozen=True)
class View:
    """Element `i` of the view is element `offset + Σ i[d] · strides[d]` of the contiguous buffer of `base`."""

    base: Value
    offset: int
    strides: tuple[int, ...]


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides, in elements, of an array whose elements lie in order."""
    return _contiguous(tuple(shape))


@lru_cache(4096)
def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides = []
    step = 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


def is_contiguous(view: View, shape: Sequence[int]) -> bool:
    """Whether the elements of the view lie in order, without gaps."""
    return all(n == 1 or a == b for n, a, b in zip(shape, view.strides, contiguous(shape), strict=True))


def is_matrix_view(view: View, shape: tuple[int, ...]) -> bool:
    """Whether products can read the last two axes where they lie: one of them must be in order."""
    rows, columns = shape[-2:]
    down, across = view.strides[-2:]
    plain = (across == 1 or columns == 1) and (rows == 1 or down >= max(columns, 1))
    turned = (down == 1 or rows == 1) and (columns == 1 or across >= max(rows, 1))
    return plain or turned


def base_of(value: Value) -> Value:
    """The value in whose buffer the elements of a value lie: `view_of(value).base`, for those who ask often."""
    while value.op.name in _VIEWS:
        value = value.inputs[0]
    return value


def is_viewable(reshaped: Value) -> bool:
    """Whether strides can express a reshape of what lies where it does."""
    return _reshape(view_of(reshaped.inputs[0]), reshaped) is not None


def view_of(value: Value) -> View:
    """Where the elements of a value lie: in the buffer of the value itself unless it only rearranges another."""
    chain = []
    while value.op.name in _VIEWS:
        chain.append(value)
        value = value.inputs[0]
    view = View(value, 0, contiguous(value.shape))
    for step in reversed(chain):
        after = _VIEWS[step.op.name](view, step)
        if after is None:  # `make_viewable` has put a copy wherever this could happen
            raise AssertionError(f"{step!r} of {step.inputs[0]!r} is no view")
        view = after
    return view


def _reshape(view: View, value: Value) -> View | None:
    """Reshape by splitting and joining axes, if the strides allow it."""
    old = [(n, s) for n, s in zip(value.inputs[0].shape, view.strides, strict=True) if n != 1]
    strides: list[int] = []
    position = 0
    group: list[tuple[int, int]] = []  # new axes, filled from the old axes that they are made of
    new = list(value.shape)
    if value.size == 0:
        return View(view.base, view.offset, contiguous(value.shape))
    axis = 0
    while axis < len(new):
        if new[axis] == 1:
            strides.append(0)
            axis += 1
            continue
        if position >= len(old):
            return None
        have, group = old[position][0], [old[position]]
        position += 1
        want, first = new[axis], axis
        axis += 1
        while want != have:
            if want < have:
                if axis >= len(new):
                    return None
                want *= new[axis]
                axis += 1
            else:
                if position >= len(old):
                    return None
                previous = group[-1]
                group.append(old[position])
                if previous[1] != old[position][0] * old[position][1]:
                    return None
                have *= old[position][0]
                position += 1
        step = group[-1][1]
        made = []
        for n in reversed(new[first:axis]):
            made.append(step)
            step *= n
        strides.extend(reversed(made))
    return View(view.base, view.offset, tuple(strides))


def _transpose(view: View, value: Value) -> View:
    return View(view.base, view.offset, tuple(view.strides[n] for n in value.options["axes"]))


def _broadcast(view: View, value: Value) -> View:
    shape = value.inputs[0].shape
    extra = len(value.shape) - len(shape)
    kept = tuple(
        0 if n == 1 and m != 1 else s for n, m, s in zip(shape, value.shape[extra:], view.strides, strict=True)
    )
    return View(view.base, view.offset, (0,) * extra + kept)


def _slice(view: View, value: Value) -> View:
    parts = value.options["parts"]
    if value.size == 0:
        return View(view.base, view.offset, contiguous(value.shape))
    offset = view.offset + sum(part[0] * s for part, s in zip(parts, view.strides, strict=True))
    return View(view.base, offset, tuple(part[2] * s for part, s in zip(parts, view.strides, strict=True)))


_VIEWS = {"reshape": _reshape, "transpose": _transpose, "broadcast": _broadcast, "slice": _slice}
VIEW_OPS = frozenset(_VIEWS)
_PLAIN = ELEMENTWISE | {"input", "constant"}  # which read whatever lies anywhere


# --- copies where views do not do ------------------------------------------------------------------------------------


def make_viewable(program: Program) -> Program:
    """The same program with copies where a view is not enough.

    That is: under a reshape that strides cannot express, at outputs that are no values of their own, and at inputs
    of operations that want their elements in order.
    """
    builder = Builder()
    new: dict[Value, Value] = {}
    plain = program.operations <= _PLAIN
    for value in () if plain else program.values:
        if value.op.name == "input":
            new[value] = value
            continue
        inputs = [new[x] for x in value.inputs]
        if value.op.name in ELEMENTWISE and tuple(inputs) == value.inputs:
            new[value] = value
            continue
        made = _viewable(value, inputs, builder)
        made.name = made.name or value.name
        new[value] = made
    outputs: dict[Value, None] = {}
    for z in program.outputs:
        made = z if plain else new[z]
        if made.op.name in VIEW_OPS or made.op.name in ("input", "constant") or made in outputs:
            made = Value(OPS["copy"], (made,), {}, z.name)
        outputs[made] = None
    return Program(program.inputs, outputs, program.name)


def _viewable(value: Value, inputs: list[Value], builder: Builder) -> Value:
    name, options = value.op.name, value.options
    if name in REDUCTIONS:
        return _squeezed_reduction(value, inputs[0], builder)
    if name in _NEED_ORDER:
        inputs = [_in_order(x, builder) for x in inputs]
    if name == "matmul":
        inputs = [x if is_matrix_view(view_of(x), x.shape) else builder.emit("copy", [x]) for x in inputs]
    if name in LAPACK:
        inputs = [_as_lapack_reads(name, n, x, builder) for n, x in enumerate(inputs)]
    made = builder.emit(name, inputs, **options)
    if name == "reshape" and not is_viewable(made):
        made = builder.emit("reshape", [builder.emit("copy", inputs)], **options)
    return made


def _squeezed_reduction(value: Value, x: Value, builder: Builder) -> Value:
    """A reduction whose input has no axes of length 1: folding those away is a matter of the shape alone."""
    kept = [n for n, length in enumerate(x.shape) if length != 1]
    axes = tuple(kept.index(n) for n in value.options["axes"] if n in kept)
    z = _reshaped(x, tuple(x.shape[n] for n in kept), builder)
    if axes:
        z = builder.emit(_name_of_fold(value), [z], axes=axes)
    return _reshaped(z, value.shape, builder)


def _name_of_fold(value: Value) -> str:
    """The largest truth value is whether any is true, the smallest whether all are."""
    name = value.op.name
    return {"max": "any", "min": "all"}.get(name, name) if value.dtype == np.bool_ else name


def _reshaped(x: Value, shape: tuple[int, ...], builder: Builder) -> Value:
    return x if x.shape == shape else builder.emit("reshape", [x], shape=shape)


_NEED_ORDER = frozenset(
    ["gather", "scatter_add", "cumsum", "cumprod", "argmax", "argmin", "argsort", "callback", "embed"]
)


def _as_lapack_reads(name: str, number: int, x: Value, builder: Builder) -> Value:
    """Triangles are read where they lie, and factors in order; all else is laid out anew, however it lies."""
    view = view_of(x)
    if name == "triangular_solve" and number == 0:
        return x if is_matrix_view(view, x.shape) else builder.emit("copy", [x])
    if name.startswith("lu_") and number == 0:
        return x if view.strides[-1] == 1 or x.shape[-1] == 1 else builder.emit("copy", [x])
    return x


def _in_order(x: Value, builder: Builder) -> Value:
    return x if is_contiguous(view_of(x), x.shape) and view_of(x).offset == 0 else builder.emit("copy", [x])
