"""trace: run a function once on symbols and keep the program that they wrote."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Builder
from gategrad.compiler.trace.symbol import ARGUMENT, Symbol, as_value
from gategrad.errors import ComplexTraceError, TraceError, describe
from gategrad.gates.chosen import Chosen, refusal
from gategrad.masked import Masked
from gategrad.transforms.containers import flatten
from gategrad.values import FLOAT64, Spec
from gategrad.variable import Variable

__all__ = ["Rebuild", "trace"]

Rebuild = Callable[..., Any]
"""From flat outputs to what the function returned: its containers, and the constants in them."""

_CONSTANTS = (bool, int, str, bytes, enum.Enum, type, np.dtype)


def trace(
    f: Callable[..., Any], bind: Any, specs: list[Spec | type[complex]], names: list[str], name: str
) -> tuple[Program, Rebuild]:
    """The program of `f`, and the function that puts its flat outputs back into the container that `f` returned.

    `bind` makes the positional and named arguments of `f` from the list of flat ones; `specs` says what each flat
    argument looks like: None for a Python float, `complex` for a Python complex number.

    Raises `TraceError` for a function that returns what is neither a value nor a constant.
    """
    builder = Builder()
    symbols = []
    for spec, label in zip(specs, names, strict=True):
        number = float if spec is None else spec if isinstance(spec, type) else None
        shape, dtype = spec if isinstance(spec, tuple) and spec else ((), number or FLOAT64)
        symbols.append(Symbol(builder.input(dtype, shape, label), builder, is_python=number is not None, in_rows=True))
        symbols[-1].made = ARGUMENT
    positional, keywords = bind(symbols)
    try:
        returned = f(*positional, **keywords)
    except Exception as error:
        if builder.guesses:
            raise ComplexTraceError(f"{builder.guesses}, and with complex ones: {error}") from error
        if isinstance(error, ValueError) and isinstance(error.__cause__, TraceError):
            raise error.__cause__ from None  # NumPy wraps what it meets when it fills an array
        raise
    finally:
        builder.is_done = True
    outputs, put_back = flatten(returned)
    values, items = [], []
    for z in outputs:
        z = _settled(z)
        if isinstance(z, _CONSTANTS):
            items.append(z)
            continue
        if type(z) is not Symbol and not isinstance(z, (float, np.ndarray, np.generic)):
            raise refusal("which the function returns") if type(z) is Chosen else TraceError(_no_value(z, name))
        values.append(as_value(z, builder))
        items.append(_PLACE)

    def rebuild(results: list[Any], constant: Callable[[Any], Any] = lambda z: z) -> Any:
        rest = iter(results)
        return put_back([next(rest) if item is _PLACE else constant(item) for item in items])

    program = Program(builder.inputs, values, name)
    program.relies_on_rows = builder.relies_on_rows
    return program, rebuild


_PLACE: Any = object()


def _settled(z: Any) -> Any:
    """What is inside a variable that remembers no circuit, and a masked gradient as an array."""
    if type(z) is Variable and z.level < 0:
        z = z.raw
    return z.resolve() if type(z) is Masked else z


def _no_value(z: Any, name: str) -> str:
    if type(z) is Variable:
        return (
            f"{name} returned a value on a tape of its own: it was computed from gg.variable(...) inside a compiled "
            "function, whose backward() cannot be called later. Take gradients inside with gg.grad"
        )
    return (
        f"{name} returned {describe(z)}: a compiled function returns numbers, arrays, constants (None, truth values, "
        "texts) and containers of them"
    )
