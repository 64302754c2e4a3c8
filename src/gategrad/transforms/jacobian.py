"""jacobian: every derivative of every output with respect to every input, by rows or by columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gategrad import careful
from gategrad.errors import DtypeError
from gategrad.recording import plain
from gategrad.transforms.derivative import Derivative
from gategrad.transforms.linearize import check_output, result_of
from gategrad.transforms.push import Circuit
from gategrad.transforms.sides import Sample
from gategrad.transforms.vjp import gradient_of, outputs_of, pull, run, split_aux, strip_all
from gategrad.values import FLOAT64, SINGLE, Spec, is_complex, spec_of

__all__ = ["jacobian", "sample_of", "table"]


class jacobian(Derivative):
    """The Jacobian of a function: `jacobian(f)(x)` is dz/dx, of shape `z.shape + x.shape`.

    By rows, one walk back for each element of `z`, if there are no more of those than of `x`; else by columns, one
    pass forward for each element of `x`. `f` runs once. Of containers the answer is the container of `z`, and in each
    of its places that of `x`. `argnums` names an argument, or several for a tuple in the place of one. With `has_aux`,
    `f` returns `(z, anything)` and the call `(jacobian, anything)`.

    Raises `DtypeError` if an argument or an output is not made of floats.

    >>> import numpy as np, gategrad as gg
    >>> gg.jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    >>> gg.jacobian(lambda p: p["a"] * p["b"])({"a": 2.0, "b": np.array([3.0, 4.0])})
    {'a': array([3., 4.]), 'b': array([[2., 0.],
           [0., 2.]])}
    """

    prefix = "Jacobian of"
    noun = "Jacobian"

    def __call__(self, *args: Any, **options: Any) -> Any:
        before = careful.doubts
        parts, aux, z, _circuit = self._once(args, options)
        parts = self._settled(lambda moved: sample_of(*self._once(moved, options)), args, before, parts, z)
        return (parts, aux) if self._has_aux else parts

    def _once(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
        return table(self._f, args, options, self._positions(len(args)), self._one_or_all, self._has_aux)


def table(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    options: dict[str, Any],
    positions: tuple[int, ...],
    arrange: Callable[[tuple[Any, ...]], Any],
    has_aux: bool,
    by_columns: bool | None = None,
) -> tuple[Any, Any, Any, Any]:
    """The Jacobian in its containers, what `f` returned beside, the output, and what keeps its circuit; by columns or rows, or as the shapes suggest."""
    level, output, groups, rebuilds = run(f, args, options, positions)
    z, aux = split_aux(output) if has_aux else (output, None)
    outputs, values, rebuild = outputs_of(z, level)
    for value in values:
        check_output(value)
    leaves = [x for group in groups for x in group]
    if any(map(is_complex, [*leaves, *values])):
        by_columns = True  # a walk back finds what a real number says of complex ones, half of the story
    if by_columns is None:
        by_columns = sum(map(_size, leaves)) < sum(map(_size, values))
    blocks = (_by_columns if by_columns else _by_rows)(outputs, values, leaves, level)
    parts = []
    for row in blocks:
        rest = iter(row)
        parts.append(arrange(tuple([r([next(rest) for _ in g]) for r, g in zip(rebuilds, groups, strict=True)])))
    return rebuild(parts), strip_all(aux, level) if has_aux else None, rebuild(values), outputs


def sample_of(parts: Any, aux: Any, z: Any, outputs: Any) -> Sample:
    """What `table` returned, for those who look beside the point."""
    return Sample(z, parts)


def _by_rows(outputs: Sequence[Any], values: Sequence[Any], leaves: Sequence[Any], level: int) -> list[list[Any]]:
    """For each output a list with its block for each leaf, by one walk back per element of the output."""
    blocks = []
    for z, value in zip(outputs, values, strict=True):
        spec = spec_of(value)

        def row(unit: Any, z: Any = z) -> list[Any]:
            return _walk_back(z, unit, leaves, level)

        parts = _passes(spec, row, leaves, len(leaves))
        blocks.append([_joined(part, spec, x.spec, 0) for part, x in zip(parts, leaves, strict=True)])
    return blocks


together: Callable[[Spec, Callable[[Any], list[Any]], list[Any]], list[Any] | None] | None = None
"""What makes all passes at once of values that allow it, or answers None; the compiler joins."""


def _passes(spec: Spec, work: Callable[[Any], list[Any]], among: Sequence[Any], count: int) -> list[Any]:
    """What `work` returns for each unit vector of a shape: of all `count` parts a list, or an array with one axis more."""
    found = None if together is None else together(spec, work, list(among))
    if found is not None:
        return found
    passes = [work(unit) for unit in _units(spec)]
    return [[parts[n] for parts in passes] for n in range(count)]


def _walk_back(z: Any, dz: Any, leaves: Sequence[Any], level: int) -> list[Any]:
    gradients = pull(z, dz, level, retain=True)
    return [gradient_of(x, gradients) for x in leaves]


def _by_columns(outputs: Sequence[Any], values: Sequence[Any], leaves: Sequence[Any], level: int) -> list[list[Any]]:
    """The same, by one pass forward per element of a leaf."""
    circuit = Circuit(outputs, level)
    blocks: list[list[Any]] = [[] for _ in values]
    for x in leaves:

        def column(unit: Any, x: Any = x) -> list[Any]:
            return [result_of(dz, value) for dz, value in zip(circuit.push({x: unit}), values, strict=True)]

        parts = _passes(x.spec, column, leaves, len(values))
        if is_complex(x):
            turned = [circuit.push({x: 1j * unit}) for unit in _units(x.spec)]
            _refuse_unless_holomorphic(parts, turned, values)
        for block, value, part in zip(blocks, values, parts, strict=True):
            block.append(_joined(part, spec_of(value), x.spec, len(np.shape(value))))
    return blocks


def _refuse_unless_holomorphic(parts: list[Any], turned: list[list[Any]], values: Sequence[Any]) -> None:
    """A complex Jacobian says dz = J · dx for every complex dx, so turning dx must turn dz."""
    for n, value in enumerate(values):
        for along, across in zip(parts[n], turned, strict=True):
            one, other = plain(along), plain(result_of(across[n], value))
            if isinstance(one, _KNOWN) and isinstance(other, _KNOWN) and not np.allclose(other, 1j * np.asarray(one)):
                raise DtypeError(
                    "the function has complex inputs and is not holomorphic, so no complex matrix is its Jacobian: take "
                    "gg.grad of a real number, gg.jvp along a direction, or the function of real and imaginary parts"
                )


_KNOWN = (float, np.ndarray, np.generic)


def _joined(parts: Any, out: Spec, x: Spec, axis: int) -> Any:
    """Rows or columns side by side, in the shape of the output followed by that of the input.

    A single float64 that comes out does not widen single precision, as it does not in a gradient.
    """
    out = None if out == SINGLE else out
    (rows, dtype_z), (columns, dtype_x) = out or ((), None), x or ((), None)
    dtype = np.result_type(*[dtype for dtype in (dtype_z, dtype_x) if dtype is not None] or [FLOAT64])
    if dtype.kind not in "fc":
        dtype = np.result_type(dtype, FLOAT64)
    if not rows and not columns:
        (part,) = parts
        return _cast(part, dtype) if out or x else part
    shape = (*rows, *columns)
    if not isinstance(parts, list):
        return _cast(np.reshape(np.moveaxis(parts, 0, axis), shape), dtype)
    if not parts:
        return np.zeros(shape, dtype)
    if len(parts) == 1:
        return _cast(np.reshape(parts[0], shape), dtype)
    return _cast(np.reshape(np.stack(parts, axis), shape), dtype)


def _cast(x: Any, dtype: Any) -> Any:
    if type(x) is float:
        return dtype.type(x)
    return x if x.dtype == dtype else x.astype(dtype)


def _units(spec: Spec) -> Iterator[Any]:
    """1 in each place in turn, 0 in all others."""
    shape, dtype = spec or SINGLE
    if not shape:
        yield dtype.type(1) if spec else 1.0
        return
    for n in range(math.prod(shape)):
        unit = np.zeros(shape, dtype)
        unit.flat[n] = 1
        unit.flags.writeable = False
        yield unit


def _size(x: Any) -> int:
    return math.prod(np.shape(x))
