"""Symbol: what flows through a function while it is traced. Each NumPy call on it becomes a line of the program."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from gategrad.array_methods import ArrayMethods, functions, getitem
from gategrad.assignment import assigners, written_out
from gategrad.compiler.program.ops import ELEMENTWISE, REDUCTIONS, is_known
from gategrad.compiler.program.value import Builder, Value
from gategrad.compiler.trace.complaint import complain
from gategrad.errors import KeptSymbolError, NotTraceableError, TraceError
from gategrad.gate import Gate
from gategrad.misfit import broadcast_misfit
from gategrad.values import FLOAT64, NUMPYS, PANDAS_PRIORITY, Spec, is_complex, strengthening, travelling

__all__ = [
    "ARGUMENT",
    "Symbol",
    "as_value",
    "broadcast_values",
    "builder_of",
    "cast",
    "common_dtype",
    "complex_ufuncs",
    "composes",
    "elementwise",
    "emit",
    "hosts",
    "in_rows",
    "lowerings",
    "lowers",
    "traces",
]

_primitives: dict[Any, Callable[..., Any]] = {}
_compositions: dict[str, Callable[..., Any]] = {}
_takes_as_given: set[str] = set()

complex_ufuncs: dict[str, Callable[..., Any]] = {}
"""What ufuncs, by name, do with complex symbols; `complex.py` fills it. All others are called on the host."""

lowerings: dict[type[Gate], Callable[..., Any]] = {}
"""What gates do with symbols whose `forward` is not written in operations of programs; `lowers` adds to it."""

hosts: dict[str, Callable[..., Any]] = {}
"""How a NumPy function without an operation is called when the program runs; `host.py` joins."""

_under_way: ContextVar[tuple[Any, ...]] = ContextVar("gategrad_under_way", default=())
"""NumPy functions whose rule is being traced: if it calls the same function again, only the host knows what to do."""


def traces(*names: Any) -> Callable[[Any], Any]:
    """Decorator: the function below is what these NumPy functions do with symbols."""

    def register(function: Any) -> Any:
        for name in names:
            _primitives[name] = function
        return function

    return register


def composes(*names: str, as_given: bool = False) -> Callable[[Any], Any]:
    """Decorator: the function below is what the ufuncs of these names do with symbols.

    It gets its operands in the dtypes that the ufunc computes in, or else `as_given`.
    """

    def register(function: Any) -> Any:
        for name in names:
            _compositions[name] = function
            if as_given:
                _takes_as_given.add(name)
        return function

    return register


def lowers(gate: type[Gate]) -> Callable[[Any], Any]:
    """Decorator: the function below, of a gate and its inputs, is what such gates do with symbols."""

    def register(function: Any) -> Any:
        lowerings[gate] = function
        return function

    return register


ARGUMENT: Any = object()
"""What "made" a symbol that stands for an argument: it is the caller's, and is not written into."""


class Symbol(ArrayMethods):
    """A value of the program that is being written, with the dtype and shape that it will have."""

    __slots__ = ("__weakref__", "_base", "_views", "builder", "in_rows", "is_python", "made", "value")

    _base: Any  # what this is a view of, its own views, and what made it of that: see assignment.py
    _views: Any
    made: Any  # or ARGUMENT
    in_rows: bool  # NumPy's array has its axes in this order in memory; of a view, in which of them it lies as it did
    is_python: bool  # a single number as Python has them, which does not widen the arrays that it meets

    __pandas_priority__ = PANDAS_PRIORITY

    def __init__(self, value: Value, builder: Builder, *, is_python: bool = False, in_rows: bool = False) -> None:
        self.value = value
        self.builder = builder
        self.in_rows = in_rows
        self.is_python = is_python
        self._base = self._views = self.made = None

    @property
    def spec(self) -> Spec:  # type: ignore[override]
        """None for a single float64 as Python has them, () for one of NumPy's, else shape and dtype."""
        value = self.value
        if value.shape or value.dtype != FLOAT64:
            return value.shape, value.dtype
        return None if self.is_python else NUMPYS

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.value.shape)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        out = options.pop("out", None)
        if any(_defers(x) for x in (*inputs, *(out or ()))):
            return NotImplemented
        if out is not None:
            how = {"where": options.pop("where", True), "broadcast": True} if method == "__call__" else {}
            return _into(getattr(ufunc, method), inputs, options, out, **how)
        if method == "at":
            return assigners["at"](ufunc, *inputs)
        dtype = options.pop("dtype", None) if method == "__call__" else None
        if method == "reduce":
            return _primitives[np.ufunc.reduce](ufunc, *inputs, **options)
        if (ufunc, method) in functions:
            return _composed((ufunc, method), getattr(ufunc, method), inputs, options)
        if method != "__call__" or any(v is not None for k, v in options.items() if k not in ("casting", "order")):
            raise NotTraceableError(f"np.{ufunc.__name__}.{method} with {options} has no operation in programs")
        if dtype is not None:
            inputs = tuple([(x if type(x) is Symbol else np.asarray(x)).astype(dtype) for x in inputs])
        return _of_numpy(_apart(apply_ufunc(ufunc, inputs), inputs))

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        if any(t is not Symbol and not issubclass(t, np.ndarray) for t in types):
            return NotImplemented  # a variable or a masked gradient around symbols: its turn first
        out, args, options = _out_of(function, args, options)
        if out is not None:
            return _into(function, args, options, (out,))
        rule = _primitives.get(function)
        if rule is not None:
            z = rule(*args, **options)
        else:
            z = _composed(function, function, args, options)
        if function is not np.real:
            z = _of_numpy(z)
        return hosts["viewed"](args[0] if args else None, z, function, args[1:], options, rule is None)

    def __getitem__(self, index: Any) -> Any:
        return hosts["viewed"](self, _primitives[getitem](self, index), getitem, (index,), {}, composed=False)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"a value of a compiled function has no attribute {name!r}")
        instead = f"np.{name}" if hasattr(np, name) else "the value itself in NumPy's functions"
        raise NotTraceableError(complain(f"the array behind a value (its {name})", instead))

    def __bool__(self) -> bool:
        raise _why_not(self, "the truth of a value", "np.where(condition, x, y)")

    def __float__(self) -> float:
        raise _why_not(self, "the number behind a value", "NumPy's functions (np.sin rather than math.sin)")

    def __complex__(self) -> complex:
        raise _why_not(self, "the number behind a value", "NumPy's functions")

    def __int__(self) -> int:
        raise _why_not(self, "the integer behind a value", "the value itself where it is an index, x[i]")

    __index__ = __int__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise _why_not(self, "an array", "NumPy's functions on the value itself, np.stack to join values")

    def __pos__(self) -> Symbol:
        return Symbol(self.value, self.builder, is_python=self.is_python, in_rows=self.in_rows)

    def __setitem__(self, index: Any, value: Any) -> None:
        hosts["set_item"](self, index, value)

    def __repr__(self) -> str:
        return f"symbol({self.value.dtype}{list(self.value.shape)})"

    def __format__(self, spec: str) -> str:
        return repr(self)  # whatever the form of the number would be: there is none yet

    __hash__ = object.__hash__


def _why_not(x: Symbol, wanted: str, remedy: str) -> Exception:
    """What is said to somebody who asks a symbol for what is known when the program runs."""
    return KeptSymbolError(_KEPT) if x.builder.is_done else TraceError(complain(wanted, remedy))


def _into(function: Any, inputs: Any, options: dict[str, Any], out: tuple[Any, ...], **how: Any) -> Any:
    """function(*inputs, out=…): its result, written into the values that are to take it."""
    if not all(type(y) is Symbol for y in out):
        module = (getattr(function, "__module__", None) or "numpy").replace("numpy", "np", 1)
        name = f"{module}.{function.__name__}"
        raise NotTraceableError(f"{name} with out= would write a value into an array: use its result instead")
    return written_out(function, inputs, options, out, **how)


def _out_of(
    function: Any, args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """What a function of NumPy's is to write its result into, and its other arguments."""
    if "out" in options:
        return options["out"], args, {name: x for name, x in options.items() if name != "out"}
    place = _place_of_out(function)
    if len(args) <= place or args[place] is None:
        return None, args, options
    names = list(inspect.signature(function).parameters)[place + 1 :]
    return args[place], args[:place], {**dict(zip(names, args[place + 1 :], strict=False)), **options}


@functools.cache
def _place_of_out(function: Any) -> int:
    """The position at which a function takes its `out`; beyond all positions if it takes none."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return sys.maxsize
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return names.index("out") if "out" in names else sys.maxsize


def _composed(key: Any, function: Any, args: Any, options: Any) -> Any:
    """What the gates make of a NumPy function; a call to the host if they make nothing of it, or ask for it again."""
    before = _under_way.get()
    rule = functions.get(key)
    if rule is None or key in before:
        return hosts["function"](function, args, options)
    try:
        _under_way.set((*before, key))
        return rule(*args, **options)
    finally:
        _under_way.set(before)


def _operator(ufunc: np.ufunc, sign: str = "") -> tuple[Any, Any, Any]:
    def apply(self: Symbol, other: Any) -> Any:
        return NotImplemented if _defers(other) else _by_operator(ufunc, self, other)

    def reflected(self: Symbol, other: Any) -> Any:
        return NotImplemented if _defers(other) else _by_operator(ufunc, other, self)

    def in_place(self: Symbol, other: Any) -> Any:
        return hosts["in_place"](self, other, apply, sign)

    return apply, reflected, in_place


def _by_operator(ufunc: np.ufunc, *inputs: Any) -> Any:
    """What an operator makes of symbols: of Python's numbers alone another one, as Python does."""
    inputs = tuple([x if type(x) is Symbol or isinstance(x, _OPERANDS) else np.asarray(x) for x in inputs])
    z = _apart(apply_ufunc(ufunc, inputs), inputs)
    if type(z) is Symbol:
        z.is_python = all(x.is_python if type(x) is Symbol else type(x) in _PYTHON for x in inputs)
    return z


def _of_numpy(z: Any) -> Any:
    """What a function of NumPy's returned: its own numbers, though the rule may have computed with Python's."""
    return Symbol(z.value, z.builder, in_rows=z.in_rows) if type(z) is Symbol and z.is_python else z


def _apart(z: Any, inputs: Any) -> Any:
    """The result as an object of its own, should it be one of the inputs: assignments tell them apart."""
    return Symbol(z.value, z.builder, in_rows=z.in_rows) if any(z is x for x in inputs) else z


def _defers(other: Any) -> bool:
    """Whether the other operand is of a kind that symbols flow through (a variable, a masked gradient).

    Data frames, which know ufuncs but not NumPy's other functions, are arrays here.
    """
    if type(other) is Symbol or isinstance(other, _OPERANDS):
        return False
    return hasattr(other, "__array_ufunc__") and hasattr(other, "__array_function__")


_PYTHON = (float, int, complex, bool)
_OPERANDS = (float, int, complex, np.ndarray, np.generic)

_ufunc: np.ufunc
_WITH_OTHERS: dict[str, tuple[str, np.ufunc]] = {
    "add": ("+", np.add), "sub": ("-", np.subtract), "mul": ("*", np.multiply), "truediv": ("/", np.divide),
    "pow": ("**", np.power), "matmul": ("@", np.matmul), "mod": ("%", np.remainder),
    "floordiv": ("//", np.floor_divide), "and": ("&", np.bitwise_and), "or": ("|", np.bitwise_or),
    "xor": ("^", np.bitwise_xor),
}  # fmt: skip
for _name, (_sign, _operation) in _WITH_OTHERS.items():
    _apply, _reflected, _in_place = _operator(_operation, _sign)
    setattr(Symbol, f"__{_name}__", _apply)
    setattr(Symbol, f"__r{_name}__", _reflected)
    setattr(Symbol, f"__i{_name}__", _in_place)
for _name, _ufunc in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}.items():  # fmt: skip
    setattr(Symbol, f"__{_name}__", _operator(_ufunc)[0])
for _name, _ufunc in {"neg": np.negative, "abs": np.absolute, "invert": np.invert}.items():
    setattr(Symbol, f"__{_name}__", lambda self, ufunc=_ufunc: _by_operator(ufunc, self))


# --- writing into the program ------------------------------------------------------------------------------------


def builder_of(inputs: Any) -> Builder:
    """The builder of the first symbol among the inputs."""
    for x in inputs:
        if type(x) is Symbol:
            return x.builder
    raise NotTraceableError("no symbol among the inputs")


def as_value(x: Any, builder: Builder) -> Value:
    """A symbol's value, or a number or array as a constant of the program.

    Raises `KeptSymbolError` for a symbol of another program.
    """
    if type(x) is not Symbol:
        return builder.constant(x)
    if x.builder is not builder:
        raise KeptSymbolError(_KEPT)
    return x.value


_KEPT = (
    "a value of a compiled function was kept while the function was traced (in a list, an attribute, a global), and "
    "is used outside of it: there are no numbers behind it. Return it from the function, or pass it as an argument"
)


def emit(op: str, *inputs: Any, **options: Any) -> Symbol:
    """One operation as it is: shapes and dtypes already fit."""
    builder = builder_of(inputs)
    value = builder.emit(op, [as_value(x, builder) for x in inputs], **options)
    return Symbol(value, builder, in_rows=op in _KEEP_ROWS and in_rows(inputs))


_KEEP_ROWS = ELEMENTWISE | REDUCTIONS | {"cumsum", "cumprod"}


def in_rows(inputs: Any) -> bool:
    """Whether all of these lie in memory as NumPy writes them, row by row; what is computed of them does as well."""
    return all(x.in_rows if type(x) is Symbol else not np.ndim(x) or x.flags.c_contiguous for x in inputs)


def broadcast_values(values: list[Value], builder: Builder, name: str) -> list[Value]:
    """The same values with one common shape, for an operation of this name."""
    shapes = {v.shape for v in values}
    if len(shapes) == 1:
        return values
    misfit = broadcast_misfit(name, [v.shape for v in values])
    if misfit is not None:
        raise misfit
    shape = np.broadcast_shapes(*shapes)
    return [v if v.shape == shape else builder.emit("broadcast", [v], shape=shape) for v in values]


def cast(value: Value, dtype: Any, builder: Builder) -> Value:
    """The same value in this dtype."""
    if value.dtype is dtype or value.dtype == dtype:
        return value
    if not is_known(dtype):
        raise NotTraceableError(
            f"programs know truths, integers, and numbers of single and double precision, not {dtype}"
        )
    if value.op.name == "constant":
        return builder.constant(value.options["value"].array.astype(dtype))
    return builder.emit("cast", [value], dtype=np.dtype(dtype))


def common_dtype(inputs: Any) -> Any:
    """NumPy's result dtype: numbers of Python's do not widen what they meet, NumPy's own do."""
    if all(type(x) is float or (type(x) is Symbol and x.value.dtype is FLOAT64) for x in inputs):
        return FLOAT64
    kinds = []
    for x in inputs:
        if type(x) is Symbol:
            kinds.append(_NUMBERS[x.value.dtype.kind] if x.is_python else x.value.dtype)
        else:
            kinds.append(x if type(x) in _PYTHON else np.asarray(x).dtype)
    return np.result_type(*kinds)


_BOOL = np.dtype(bool)
_NUMBERS = {"f": 0.0, "c": 0j, "i": 0, "b": False}


def _counted(x: Symbol, is_python: bool) -> Symbol:
    """A single number that counts as Python's, or as NumPy's."""
    return x if x.is_python == is_python else Symbol(x.value, x.builder, is_python=is_python)


def _strengthen(x: Symbol) -> None:
    x.is_python = False


travelling[Symbol] = _counted
strengthening[Symbol] = _strengthen


def apply_ufunc(ufunc: np.ufunc, inputs: Any) -> Any:
    """A ufunc on symbols: one elementwise operation after casts and broadcasts, its composition, or a host call."""
    name = ufunc.__name__
    if _is_complex(inputs):
        if name in complex_ufuncs and getattr(np, name, None) is ufunc:
            return complex_ufuncs[name](*inputs)
        if name != "matmul":
            return _composed(ufunc, ufunc, inputs, {})
    if name in _compositions:
        return _compositions[name](*(inputs if name in _takes_as_given else _as_computed(ufunc, inputs)))
    if ufunc in functions:
        return _composed(ufunc, ufunc, _as_computed(ufunc, inputs), {})
    if name not in ELEMENTWISE or getattr(np, name, None) is not ufunc:
        return hosts["function"](ufunc, inputs, {})
    return elementwise(ufunc, inputs)


def _is_complex(inputs: Any) -> bool:
    """Whether any of the operands of a ufunc is complex."""
    for x in inputs:
        if type(x) is Symbol:
            if x.value.dtype.kind == "c":
                return True
        elif type(x) is not float and is_complex(x):
            return True
    return False


def _as_computed(ufunc: np.ufunc, inputs: Any) -> list[Any]:
    """The operands in the dtypes of NumPy's loop for them: integers as what they are made there; Python's numbers as they are."""
    builder = builder_of(inputs)
    made: list[Any] = []
    for x, dtype in zip(inputs, _loop(ufunc, inputs), strict=False):
        if type(x) is Symbol:
            is_same = x.value.dtype == dtype or (x.is_python and x.value.dtype.kind == dtype.kind)
            made.append(x if is_same else Symbol(cast(x.value, dtype, builder), builder, in_rows=x.in_rows))
        else:
            made.append(x if type(x) in _PYTHON else np.asarray(x, dtype))
    return made


def _loop(ufunc: np.ufunc, inputs: Any) -> Any:
    """The dtypes of the operands and results of NumPy's loop for operands like these."""
    kinds: list[Any] = []
    for x in inputs:
        if type(x) is Symbol:
            kinds.append(type(_NUMBERS[x.value.dtype.kind]) if x.is_python else x.value.dtype)
        else:
            kinds.append(type(x) if type(x) in _PYTHON else np.asarray(x).dtype)
    kinds = [_BOOL if kind is bool else kind for kind in kinds]
    return ufunc.resolve_dtypes((*kinds, *[None] * ufunc.nout))


def _holding(dtype: Any, ufunc: np.ufunc, inputs: Any) -> Any:
    """The dtype, or a wider one where something is compared with integers of Python's that are not in its range.

    Raises NumPy's `OverflowError` where one is to be computed with.
    """
    for x in inputs:
        if type(x) is int and dtype.kind in "iu" and not np.iinfo(dtype).min <= x <= np.iinfo(dtype).max:
            if ufunc.resolve_dtypes((dtype, dtype, None))[-1] != _BOOL:
                dtype.type(x)
            dtype = np.result_type(dtype, np.min_scalar_type(x))
    return dtype


def elementwise(ufunc: np.ufunc, inputs: Any) -> Symbol:
    """A ufunc on symbols as the operation of its name, after casts and broadcasts."""
    name, builder = ufunc.__name__, builder_of(inputs)
    dtype = common_dtype(inputs)
    if name.startswith("logical"):
        dtype = _BOOL
    elif dtype.kind in "iub":
        dtype = _holding(_loop(ufunc, inputs)[0], ufunc, inputs)
    values = broadcast_values([cast(as_value(x, builder), dtype, builder) for x in inputs], builder, name)
    return Symbol(builder.emit(name, values), builder, in_rows=in_rows(inputs))
