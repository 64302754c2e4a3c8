"""Symbol: what flows through a function while it is traced. Each NumPy call on it becomes a line of the program."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.array_methods import ArrayMethods, functions, getitem
from gategrad.compiler.program.ops import ELEMENTWISE
from gategrad.compiler.program.value import Builder, Value
from gategrad.errors import GategradError
from gategrad.gate import Gate, ufuncs
from gategrad.values import FLOAT64, Spec

__all__ = ["NotTraceableError", "Symbol", "TraceError", "as_value", "broadcast_values", "emit", "primitives", "traces"]


class TraceError(GategradError, TypeError):
    """The Python of a traced function wants to know a value that exists only when the program runs."""


class NotTraceableError(GategradError, TypeError):
    """A NumPy function that programs have no operation for."""


primitives: dict[Any, Callable[..., Any]] = {}
"""What NumPy functions do with symbols; `traces` adds to it."""


def traces(*names: Any) -> Callable[[Any], Any]:
    """Decorator: the function below is what these NumPy functions do with symbols."""

    def register(function: Any) -> Any:
        for name in names:
            primitives[name] = function
        return function

    return register


class Symbol(ArrayMethods):
    """A value of the program that is being written, with the dtype and shape that it will have."""

    __slots__ = ("builder", "value")

    def __init__(self, value: Value, builder: Builder) -> None:
        self.value = value
        self.builder = builder

    @property
    def spec(self) -> Spec:  # type: ignore[override]
        """None for a float64 scalar, which travels as a Python float, else shape and dtype."""
        value = self.value
        return None if value.shape == () and value.dtype == FLOAT64 else (value.shape, value.dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "reduce":
            options.setdefault("axis", 0)
            return _REDUCE[ufunc](*inputs, **options)
        if method != "__call__" or any(v is not None for k, v in options.items() if k not in ("casting", "order")):
            raise NotTraceableError(f"np.{ufunc.__name__}.{method} with {options} cannot be traced")
        if any(_defers(x) for x in inputs):
            return NotImplemented
        return apply_ufunc(ufunc, inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if any(t is not Symbol and not issubclass(t, np.ndarray) for t in types):
            return NotImplemented  # a variable or a masked gradient around symbols: its turn first
        rule = primitives.get(function) or functions.get(function)
        if rule is None:
            raise NotTraceableError(f"{function.__module__}.{function.__name__} has no operation in programs")
        return rule(*args, **options)

    def __getitem__(self, index: Any) -> Any:
        return primitives[getitem](self, index)

    def __bool__(self) -> bool:
        raise TraceError(_explain("the truth of a value", "np.where(condition, x, y)"))

    def __float__(self) -> float:
        raise TraceError(_explain("the number behind a value", "NumPy's functions (np.sin rather than math.sin)"))

    def __int__(self) -> int:
        raise TraceError(_explain("the integer behind a value", "a static argument, or indexing by arrays"))

    __index__ = __int__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TraceError(_explain("an array", "NumPy's functions on the value itself, np.stack to join values"))

    def __repr__(self) -> str:
        return f"symbol({self.value.dtype}{list(self.value.shape)})"

    __hash__ = object.__hash__


def _operator(ufunc: np.ufunc) -> tuple[Any, Any]:
    def apply(self: Symbol, other: Any) -> Any:
        return NotImplemented if _defers(other) else apply_ufunc(ufunc, (self, other))

    def reflected(self: Symbol, other: Any) -> Any:
        return NotImplemented if _defers(other) else apply_ufunc(ufunc, (other, self))

    return apply, reflected


def _defers(other: Any) -> bool:
    """Whether the other operand is of a kind that symbols flow through (a variable, a masked gradient)."""
    return type(other) is not Symbol and not isinstance(other, _OPERANDS) and hasattr(other, "__array_ufunc__")


_OPERANDS = (float, int, complex, np.ndarray, np.generic)

for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power,
    "matmul": np.matmul, "mod": np.remainder, "floordiv": np.floor_divide, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor,
}.items():  # fmt: skip
    _apply, _reflected = _operator(_ufunc)
    setattr(Symbol, f"__{_name}__", _apply)
    setattr(Symbol, f"__r{_name}__", _reflected)
for _name, _ufunc in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}.items():  # fmt: skip
    setattr(Symbol, f"__{_name}__", _operator(_ufunc)[0])
for _name, _ufunc in {"neg": np.negative, "abs": np.absolute, "invert": np.invert}.items():
    setattr(Symbol, f"__{_name}__", lambda self, ufunc=_ufunc: apply_ufunc(ufunc, (self,)))
Symbol.__pos__ = lambda self: self  # type: ignore[attr-defined]


# --- writing into the program ------------------------------------------------------------------------------------


def builder_of(inputs: Any) -> Builder:
    """The builder of the first symbol among the inputs."""
    for x in inputs:
        if type(x) is Symbol:
            return x.builder
    raise NotTraceableError("no symbol among the inputs")


def as_value(x: Any, builder: Builder) -> Value:
    """A symbol's value, or a number or array as a constant of the program."""
    return x.value if type(x) is Symbol else builder.constant(x)


def emit(op: str, *inputs: Any, **options: Any) -> Symbol:
    """One operation as it is: shapes and dtypes already fit."""
    builder = builder_of(inputs)
    return Symbol(builder.emit(op, [as_value(x, builder) for x in inputs], **options), builder)


def broadcast_values(values: list[Value], builder: Builder) -> list[Value]:
    """The same values with one common shape."""
    shape = np.broadcast_shapes(*[v.shape for v in values])
    return [v if v.shape == shape else builder.emit("broadcast", [v], shape=shape) for v in values]


def cast(value: Value, dtype: Any, builder: Builder) -> Value:
    """The same value in this dtype."""
    if value.dtype == dtype:
        return value
    if value.op.name == "constant":
        return builder.constant(value.options["value"].array.astype(dtype))
    return builder.emit("cast", [value], dtype=np.dtype(dtype))


def common_dtype(inputs: Any) -> Any:
    """NumPy's result dtype; a float64 scalar counts as a Python float, which never widens float32."""
    kinds = []
    for x in inputs:
        if type(x) is Symbol:
            kinds.append(0.0 if x.spec is None else x.value.dtype)
        elif isinstance(x, (float, int)) or np.ndim(x) == 0 and np.asarray(x).dtype == FLOAT64:
            kinds.append(float(x) if isinstance(x, float) else x)
        else:
            kinds.append(np.asarray(x).dtype)
    return np.result_type(*kinds)


def apply_ufunc(ufunc: np.ufunc, inputs: Any) -> Any:
    """A ufunc on symbols: one elementwise operation after casts and broadcasts, or its composition."""
    name = ufunc.__name__
    if name in primitives_of_ufuncs:
        return primitives_of_ufuncs[name](*inputs)
    if name not in ELEMENTWISE:
        gate = ufuncs.get(ufunc)
        if gate is None:
            raise NotTraceableError(f"np.{name} has no operation in programs")
        return gate()(*inputs)
    builder = builder_of(inputs)
    dtype = common_dtype(inputs)
    logical = name.startswith("logical")
    if logical:
        dtype = np.dtype(bool)
    elif dtype.kind in "iub" and name in _TO_FLOAT:
        dtype = FLOAT64
    values = broadcast_values([cast(as_value(x, builder), dtype, builder) for x in inputs], builder)
    return Symbol(builder.emit(name, values), builder)


primitives_of_ufuncs: dict[str, Callable[..., Any]] = {
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1.0 / x,
    "positive": lambda x: x,
    "conjugate": lambda x: x,
    "fabs": lambda x: abs(x),
    "float_power": lambda x, y: x**y,
    "expit": lambda x: emit("sigmoid", x),
    "deg2rad": lambda x: x * (np.pi / 180),
    "radians": lambda x: x * (np.pi / 180),
    "rad2deg": lambda x: x * (180 / np.pi),
    "degrees": lambda x: x * (180 / np.pi),
}
_TO_FLOAT = frozenset(
    "divide sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh "
    "arcsinh arccosh arctanh arctan2 hypot".split()
)
_REDUCE: dict[Any, Any] = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
    np.logical_or: np.any, np.logical_and: np.all,
}  # fmt: skip


# --- messages -----------------------------------------------------------------------------------------------------


def _explain(wanted: str, remedy: str) -> str:
    """Quote the user's line: the innermost frame outside this library and NumPy."""
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in ("gategrad", "numpy"):
        frame = frame.f_back
    where = ""
    if frame is not None:
        code = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        where = f" at {frame.f_code.co_filename}:{frame.f_lineno}" + (f"\n    {code}\n" if code else " ")
    return (
        f"a compiled function needs {wanted} while it is traced{where}"
        f"but values exist only when the program runs. Use {remedy}, or name the argument in static="
    )


def gate_on_symbols(gate: Gate, inputs: tuple[Any, ...]) -> Any:
    """Apply a gate whose inputs are symbols: its forward, written in NumPy, writes the program."""
    gate.needs = gate.needs if hasattr(gate, "needs") else (False,) * len(inputs)
    return gate.forward(*inputs)
