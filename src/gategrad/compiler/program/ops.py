"""The closed set of operations that a Program is made of.

Each operation says what it is called, which dtype and shape its result has, and what it computes in NumPy. The NumPy
evaluation is the interpreter, the fallback without a native compiler, and the oracle of the tests. How an operation
becomes machine code stands in `codegen/`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gategrad.compiler.program.control import CONTROL
from gategrad.compiler.program.fourier import TRANSFORMS, part_of
from gategrad.compiler.program.lapack import ROUTINES

__all__ = ["ELEMENTWISE", "FOURIER", "LAPACK", "OPS", "REDUCTIONS", "Failure", "Op", "is_known"]

Shape = tuple[int, ...]
Typed = tuple[Any, Shape]  # dtype, shape


class Op:
    """One kind of operation: `name`, `typing(inputs, options) -> (dtype, shape)`, `evaluate(*arrays, **options)`."""

    __slots__ = ("evaluate", "keeps_type", "name", "typing")

    def __init__(self, name: str, typing: Callable[..., Typed], evaluate: Callable[..., Any]) -> None:
        self.name = name
        self.typing = typing
        self.evaluate = evaluate
        self.keeps_type = typing is _same  # the result has dtype and shape of the last input: no rule to be asked

    def __repr__(self) -> str:
        return self.name


def is_known(dtype: Any) -> bool:
    """Whether programs have values of this dtype: truths, integers, and real and complex numbers in 4 or 8 bytes."""
    return dtype.kind in "iub" or (dtype.kind in "fc" and dtype.itemsize in ((4, 8) if dtype.kind == "f" else (8, 16)))


OPS: dict[str, Op] = {}
_BOOL = np.dtype(bool)


def _define(name: str, typing: Callable[..., Typed], evaluate: Callable[..., Any]) -> None:
    OPS[name] = Op(name, typing, evaluate)


# --- elementwise: all inputs have the shape of the result; broadcasting is an operation of its own -----------------


def _same(inputs: list[Typed], options: Any) -> Typed:
    return inputs[-1]


def _truth(inputs: list[Typed], options: Any) -> Typed:
    return _BOOL, inputs[0][1]


def _part(inputs: list[Typed], options: Any) -> Typed:
    dtype, shape = inputs[0]
    return part_of(dtype), shape


def _select(mask: Any, x: Any, y: Any) -> Any:
    return np.where(mask, x, y)


def _sigmoid(x: Any) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def _erf(x: Any) -> Any:
    from scipy.special import erf

    return erf(x)


def _erfc(x: Any) -> Any:
    from scipy.special import erfc

    return erfc(x)


_FLOATS: dict[str, Callable[..., Any]] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "power": np.power,
    "maximum": np.maximum, "minimum": np.minimum, "fmax": np.fmax, "fmin": np.fmin, "remainder": np.remainder,
    "arctan2": np.arctan2, "hypot": np.hypot, "copysign": np.copysign,
    "negative": np.negative, "absolute": np.absolute, "sign": np.sign, "sqrt": np.sqrt, "sigmoid": _sigmoid, "erf": _erf, "erfc": _erfc,
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10,
    "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan, "arcsin": np.arcsin, "arccos": np.arccos,
    "arctan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "arcsinh": np.arcsinh,
    "arccosh": np.arccosh, "arctanh": np.arctanh, "floor": np.floor, "ceil": np.ceil, "rint": np.rint,
    "trunc": np.trunc, "floor_divide": np.floor_divide,
    "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor,
    "invert": np.invert,
}  # fmt: skip
_TRUTHS: dict[str, Callable[..., Any]] = {
    "less": np.less, "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal,
    "equal": np.equal, "not_equal": np.not_equal, "isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite,
    "signbit": np.signbit,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor,
    "logical_not": np.logical_not,
}  # fmt: skip

for _name, _function in _FLOATS.items():
    _define(_name, _same, _function)
for _name, _function in _TRUTHS.items():
    _define(_name, _truth, _function)
_define("conjugate", _same, np.conjugate)
_define("real", _part, np.real)
_define("imag", _part, np.imag)
_define("modulus", _part, np.abs)  # of complex numbers; `absolute` is of real ones
_define("copy", _same, np.array)
_define("select", _same, _select)
_define("cast", lambda inputs, o: (o["dtype"], inputs[0][1]), lambda x, dtype: np.asarray(x).astype(dtype))

ELEMENTWISE = frozenset([*_FLOATS, *_TRUTHS, "conjugate", "real", "imag", "modulus", "copy", "select", "cast"])
"""The names of the operations that map each element to one element."""


# --- reductions: axes is a sorted tuple of non-negative axes, which vanish -----------------------------------------


def _reduced(inputs: list[Typed], options: Any) -> Typed:
    dtype, shape = inputs[0]
    return dtype, tuple(n for axis, n in enumerate(shape) if axis not in options["axes"])


_define("sum", _reduced, lambda x, axes: np.add.reduce(x, axis=axes))
_define("prod", _reduced, lambda x, axes: np.multiply.reduce(x, axis=axes))
_define("max", _reduced, lambda x, axes: np.maximum.reduce(x, axis=axes))
_define("min", _reduced, lambda x, axes: np.minimum.reduce(x, axis=axes))
_define("any", _reduced, lambda x, axes: np.logical_or.reduce(x, axis=axes))
_define("all", _reduced, lambda x, axes: np.logical_and.reduce(x, axis=axes))

REDUCTIONS = frozenset(["sum", "prod", "max", "min", "any", "all"])
"""The names of the operations that fold axes away."""


def _one_axis_less(inputs: list[Typed], options: Any) -> Typed:
    shape, axis = inputs[0][1], options["axis"]
    return np.dtype(np.intp), shape[:axis] + shape[axis + 1 :]


_define("argmax", _one_axis_less, lambda x, axis: np.argmax(x, axis=axis))
_define("argmin", _one_axis_less, lambda x, axis: np.argmin(x, axis=axis))
_define(
    "argsort",
    lambda inputs, o: (np.dtype(np.intp), inputs[0][1]),
    lambda x, axis: np.argsort(x, axis=axis, kind="stable"),
)
_define("cumsum", _same, lambda x, axis: np.cumsum(x, axis=axis))
_define("cumprod", _same, lambda x, axis: np.cumprod(x, axis=axis))


# --- the same elements in another arrangement -----------------------------------------------------------------------


def _slice_typing(inputs: list[Typed], options: Any) -> Typed:
    dtype, _ = inputs[0]
    return dtype, tuple(len(range(*part)) for part in options["parts"])


def _slice(x: Any, parts: tuple[tuple[int, int, int], ...]) -> Any:
    return x[as_slices(parts)]


def as_slices(parts: tuple[tuple[int, int, int], ...]) -> tuple[slice, ...]:
    """Ranges (start, stop, step) as slices; a stop of -1 on the way down means past the beginning."""
    return tuple(slice(a, None if b < 0 else b, s) for a, b, s in parts)


def _embed(x: Any, parts: tuple[tuple[int, int, int], ...], shape: Shape) -> Any:
    z = np.zeros(shape, x.dtype)
    z[as_slices(parts)] = x
    return z


def _concatenate_typing(inputs: list[Typed], options: Any) -> Typed:
    axis, shape = options["axis"], inputs[0][1]
    length = sum(s[axis] for _, s in inputs)
    return inputs[0][0], (*shape[:axis], length, *shape[axis + 1 :])


_define("reshape", lambda i, o: (i[0][0], o["shape"]), lambda x, shape: np.reshape(x, shape))
_define(
    "transpose",
    lambda i, o: (i[0][0], tuple(i[0][1][axis] for axis in o["axes"])),
    lambda x, axes: np.transpose(x, axes),
)
_define("broadcast", lambda i, o: (i[0][0], o["shape"]), lambda x, shape: np.broadcast_to(x, shape))
_define("slice", _slice_typing, _slice)
_define("embed", lambda i, o: (i[0][0], o["shape"]), _embed)
_define("concatenate", _concatenate_typing, lambda *xs, axis: np.concatenate(xs, axis=axis))


# --- indexing by arrays along the leading axes ------------------------------------------------------------------------


def _gather_typing(inputs: list[Typed], options: Any) -> Typed:
    (dtype, shape), indices = inputs[0], inputs[1:]
    return dtype, (*indices[0][1], *shape[len(indices) :])


def _gather(x: Any, *indices: Any) -> Any:
    return x[indices]


def _scatter_add(x: Any, *indices: Any, shape: Shape) -> Any:
    z = np.zeros(shape, x.dtype)
    np.add.at(z, indices, x)
    return z


_define("gather", _gather_typing, _gather)
_define("scatter_add", lambda i, o: (i[0][0], o["shape"]), _scatter_add)


# --- products, and the rest ----------------------------------------------------------------------------------------------


def _matmul_typing(inputs: list[Typed], options: Any) -> Typed:
    (dtype, x), (_, y) = inputs
    return dtype, (*x[:-1], y[-1])


_define("matmul", _matmul_typing, np.matmul)  # (..., n, k) @ (..., k, m), equal leading axes
for _name, (_typing, _evaluate) in ROUTINES.items():
    _define(_name, _typing, _evaluate)

LAPACK = frozenset(ROUTINES)
"""The names of the operations that are linear algebra on stacks of matrices."""

for _name, (_typing, _evaluate) in (TRANSFORMS | CONTROL).items():
    _define(_name, _typing, _evaluate)

FOURIER = frozenset(TRANSFORMS)
"""The names of the operations that are Fourier transforms."""


class Failure(NamedTuple):
    """What is raised when a program ends early."""

    kind: type[Exception]
    text: str

    def __str__(self) -> str:
        return self.kind.__name__


def _check(x: Any, bad: Any, failure: Failure) -> Any:
    if bad:
        raise failure.kind(failure.text)
    return x


_define("check", lambda i, o: i[0], _check)  # x, unless a truth value holds: then the failure
_define("constant", lambda i, o: (o["value"].dtype, o["value"].shape), lambda value: value.array)
_define("callback", lambda i, o: (o["dtype"], o["shape"]), lambda *xs, function, dtype, shape: function(*xs))
_define("input", lambda i, o: (o["dtype"], o["shape"]), lambda **o: None)
