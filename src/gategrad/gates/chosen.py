"""Chosen: `x[mask]` where the mask is known only when a program runs, and with it how many elements that are.

A program knows its shapes beforehand, so it computes with all elements, and keeps those at the mask in the end: where they
are written back, `y[mask] = ...`, and where they are reduced to one, `np.sum(x[mask])`. In between, functions that
work element by element do, among elements that the same mask has chosen, and with what is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.errors import DtypeError, NotTraceableError
from gategrad.gate import Gate, on_meeting
from gategrad.gates.axes import shape_of
from gategrad.kinds import Elementwise
from gategrad.recording import outermost
from gategrad.values import FLOAT64

__all__ = ["Chosen", "alike", "chooses", "refusal"]

alike: dict[type, Callable[[Any, Any], bool]] = {}
"""Whether two masks of a program are one; the compiler joins."""


def chooses(index: Any, shape: tuple[int, ...]) -> bool:
    """Whether an index is a mask that is known when the program runs, of an array of this shape."""
    return type(index) in alike and index.dtype == bool and index.ndim > 0 and index.shape == shape[: index.ndim]


def refusal(what: str) -> NotTraceableError:
    """The error of whoever asks for more than elements one by one."""
    return NotTraceableError(
        f"x[mask] in a compiled function, {what}: the number of elements depends on the values, but a program knows its "
        "shapes beforehand. What works is arithmetic with x[mask] and numbers, y[mask] = … with the same mask, and "
        "np.sum, mean, max, min and the like of all of x[mask]. Otherwise use np.where(mask, x, 0), or a mask that is no "
        "argument"
    )


class Chosen(np.lib.mixins.NDArrayOperatorsMixin):
    """The elements of `whole`, an array of the program, at `mask`."""

    __slots__ = ("mask", "whole")

    def __init__(self, whole: Any, mask: Any) -> None:
        self.whole = whole
        self.mask = mask

    @property
    def dtype(self) -> Any:
        """The dtype of the elements."""
        return self.whole.dtype

    @property
    def ndim(self) -> int:
        """The number of axes: one for those of the mask, and those that it leaves."""
        return 1 + self.rest

    @property
    def rest(self) -> int:
        """How many axes the mask leaves as they are."""
        return len(self.whole.shape) - len(self.mask.shape)

    @property
    def shape(self) -> Any:
        """Nobody knows."""
        raise refusal("where its shape is wanted")

    @property
    def size(self) -> Any:
        """How many elements there are: a value of the program."""
        each = int(np.prod(self.whole.shape[len(self.mask.shape) :]))
        return np.sum(self.mask) * each

    @property
    def places(self) -> Any:
        """The mask in as many axes as the array has."""
        return _in_axes(self.mask, len(self.whole.shape))

    def of(self, v: Any) -> Chosen:
        """What is to be written in these places, for each of them."""
        if getattr(v, "dtype", FLOAT64).kind == "c" != self.dtype.kind or type(v) is complex:
            raise DtypeError(f"a complex value cannot be written into one of {self.dtype}: make that complex first")
        return Chosen(self.beside(v), self.mask)

    def written(self, y: Any) -> Any:
        """y, with these in the places that they were chosen from."""
        return np.where(_in_axes(self.mask, len(y.shape)), self.whole, y).astype(y.dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        out = options.pop("out", None)
        if ufunc is np.matmul and method == "__call__":
            return dot(*inputs)
        if method != "__call__" or options or ufunc.signature or ufunc.nout > 1:
            raise refusal(f"given to np.{ufunc.__name__}")
        if out is None:
            return self._with(ufunc, inputs)
        if out != (self,):
            raise refusal(f"given to np.{ufunc.__name__} with out=")
        self.whole = self._with(ufunc, inputs).whole  # x[mask] is a copy in NumPy too
        return self

    def _with(self, function: Callable[..., Any], inputs: tuple[Any, ...]) -> Chosen:
        return Chosen(function(*[self.beside(x) for x in inputs]), self.mask)

    def beside(self, x: Any) -> Any:
        """What meets the elements, as it meets the whole array: chosen by the same mask, or the same for all of them."""
        if type(x) is Chosen:
            if not alike[type(self.mask)](x.mask, self.mask):
                raise refusal("beside elements that another mask has chosen")
            return x.whole
        shape = shape_of(x)
        if len(shape) > self.rest:
            if shape[0] != 1 or len(shape) > self.rest + 1:
                raise refusal(f"beside an array of shape {shape}, which does not come from the same x[mask]")
            x = np.reshape(x, shape[1:])
        return x

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        rule = _FUNCTIONS.get(function)
        if rule is None:
            raise refusal(f"given to {function.__module__}.{function.__name__}")
        return rule(*args, **options)

    def astype(self, dtype: Any) -> Chosen:
        """The elements in another dtype."""
        return Chosen(self.whole.astype(dtype), self.mask)

    def copy(self) -> Chosen:
        """The elements once more."""
        return Chosen(self.whole, self.mask)

    def sum(self, **options: Any) -> Any:
        """np.sum."""
        return np.sum(self, **options)

    def mean(self, **options: Any) -> Any:
        """np.mean."""
        return np.mean(self, **options)

    def max(self, **options: Any) -> Any:
        """np.max."""
        return np.max(self, **options)

    def min(self, **options: Any) -> Any:
        """np.min."""
        return np.min(self, **options)

    def prod(self, **options: Any) -> Any:
        """np.prod."""
        return np.prod(self, **options)

    def var(self, **options: Any) -> Any:
        """np.var."""
        return np.var(self, **options)

    def std(self, **options: Any) -> Any:
        """np.std."""
        return np.std(self, **options)

    def __len__(self) -> int:
        raise refusal("where its length is wanted")

    def __getitem__(self, index: Any) -> Any:
        raise refusal("which is indexed once more")

    def __iter__(self) -> Any:
        raise refusal("over which a loop runs")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise refusal("where an array is wanted")

    def __bool__(self) -> bool:
        raise refusal("where its truth is wanted")


def _met(gate: Gate, inputs: tuple[Any, ...]) -> Any:
    """A gate that is applied to chosen elements, among others."""
    chosen = next(x for x in inputs if type(x) is Chosen)
    if gate.ufunc is np.matmul:
        return dot(*inputs)
    if not isinstance(gate, Elementwise):
        raise refusal(f"given to {type(gate).__name__}")
    return chosen._with(gate, inputs)


on_meeting[Chosen] = outermost[Chosen] = _met


# --- reductions of all of them ------------------------------------------------------------------------------------


def _reduction(function: Any, **needed: Any) -> Callable[..., Any]:
    """A reduction of NumPy's that takes `where`, and what else it needs then."""

    def reduce(a: Any, axis: Any = None, **options: Any) -> Any:
        if axis is not None and axis not in ((0,) if a.rest else (0, -1)):
            raise refusal(f"given to np.{function.__name__} with axis={axis}")
        if axis is not None:
            axis = tuple(range(a.mask.ndim))
        where = np.broadcast_to(a.places, a.whole.shape)
        return function(a.whole, axis=axis, where=where, **{**needed, **options})

    return reduce


def dot(a: Any, b: Any) -> Any:
    """The scalar product of two rows of elements that one mask has chosen."""
    if type(a) is not Chosen or type(b) is not Chosen or a.rest or b.rest:
        raise refusal("given to a product of matrices")
    return np.sum(a * b)


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: _reduction(np.sum),
    np.mean: _reduction(np.mean),
    np.prod: _reduction(np.prod),
    np.var: _reduction(np.var),
    np.std: _reduction(np.std),
    np.any: _reduction(np.any),
    np.all: _reduction(np.all),
    np.max: _reduction(np.max, initial=-np.inf),
    np.min: _reduction(np.min, initial=np.inf),
    np.count_nonzero: lambda a: np.sum(np.not_equal(a, 0)),
    np.size: lambda a: a.size,
    np.ndim: lambda a: a.ndim,
    np.copy: lambda a: a.copy(),
    np.clip: lambda a, low, high: np.minimum(np.maximum(a, low), high),
    np.dot: dot,
    np.vdot: dot,
    np.inner: dot,
    np.zeros_like: lambda a: Chosen(np.zeros_like(a.whole), a.mask),
    np.ones_like: lambda a: Chosen(np.ones_like(a.whole), a.mask),
    np.linalg.norm: lambda a: np.sqrt(np.sum(np.square(np.abs(a)))),
    np.where: lambda condition, x, y: next(z for z in (condition, x, y) if type(z) is Chosen)._with(
        np.where, (condition, x, y)
    ),
}


def _in_axes(mask: Any, count: int) -> Any:
    """A mask of the first axes in so many."""
    return np.reshape(mask, mask.shape + (1,) * (count - len(mask.shape)))
