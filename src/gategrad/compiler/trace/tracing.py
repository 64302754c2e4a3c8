"""trace: run a function once on symbols and keep the program that they wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.compiler.program.value import Builder, Program
from gategrad.compiler.trace.symbol import Symbol, as_value
from gategrad.errors import TraceError, describe
from gategrad.transforms.containers import flatten
from gategrad.values import Spec
from gategrad.variable import Variable

__all__ = ["trace"]


def trace(f: Callable[..., Any], args: Any, specs: list[Spec], names: list[str], name: str) -> tuple[Program, Any]:
    """The program of `f`, and the function that puts its flat outputs back into the container that `f` returned.

    `args` is a function from the list of flat arguments to what `f` is called with; `specs` says what each flat
    argument looks like.
    """
    builder = Builder()
    symbols = []
    for spec, label in zip(specs, names, strict=True):
        shape, dtype = ((), np.float64) if spec is None else spec
        symbols.append(Symbol(builder.input(dtype, shape, label), builder))
    positional, keywords = args(symbols)
    outputs, rebuild = flatten(f(*positional, **keywords))
    values = []
    for z in outputs:
        z = z.raw if type(z) is Variable and z.level < 0 else z
        if type(z) is not Symbol and not isinstance(z, (float, int, np.ndarray, np.generic)):
            raise TraceError(
                f"a compiled function returned {describe(z)}: it returns numbers, arrays and containers of them"
            )
        values.append(as_value(float(z) if type(z) is int else z, builder))
    return Program(builder.inputs, values, name), rebuild
