"""Elementary functions as LLVM IR: `define("exp", "f64", 8)` is the text of exp on eight doubles.

Each function is one formula (exponential.py, logarithm.py, …) written once for float64 and float32 and for every
number of lanes. Lanes never influence each other: a vector gives bit for bit what its lanes give alone. Accuracy and
speed are in docs/vector_math.md; the polynomials are derived by tools/vector_math.
"""

from __future__ import annotations

from functools import cache

from gategrad.compiler.codegen.vector_math import (
    error_function,
    exponential,
    hyperbolic,
    inverse_hyperbolic,
    inverse_trigonometry,
    logarithm,
    logistic,
    power,
    trigonometry,
)
from gategrad.compiler.codegen.vector_math.builder import Body, Definition, DType, Type, Value, closure
from gategrad.compiler.codegen.vector_math.registry import FUNCTIONS

__all__ = ["Definition", "closure", "define", "inputs", "names"]

_ROOMS = (
    exponential,
    logarithm,
    hyperbolic,
    logistic,
    trigonometry,
    power,
    error_function,
    inverse_trigonometry,
    inverse_hyperbolic,
)  # importing them fills FUNCTIONS


def names() -> tuple[str, ...]:
    """The functions that exist.

    >>> "exp" in names()
    True
    """
    return tuple(FUNCTIONS)


def inputs(name: str) -> int:
    """How many arguments a function takes.

    >>> inputs("exp")
    1
    """
    return FUNCTIONS[name].inputs


@cache
def define(name: str, dtype: DType, lanes: int = 1) -> Definition:
    """The LLVM function that computes `name` on `lanes` values of the dtype.

    The text defines `symbol`; `needs` holds what the module must also declare or define, each once per module
    (`closure` lists them in order). One lane means plain scalars. Raises KeyError for an unknown name.

    >>> define("exp", "f64", 8).symbol
    '@gg_exp_v8f64'
    """
    function = FUNCTIONS[name]
    type = Type("f", int(dtype[1:]), lanes)
    body = Body(goal=dtype)
    arguments = [Value(body, type, argument) for argument in ("%x", "%y")[: function.inputs]]
    if function.widened and dtype == "f32":
        result = function.formula(*(argument.widened() for argument in arguments)).narrowed()
    else:
        result = function.formula(*arguments)
    symbol = f"@gg_{name}_{type.suffix}"
    parameters = ", ".join(f"{type.text} {argument.name}" for argument in arguments)
    text = "\n".join(
        (
            f"define internal {type.text} {symbol}({parameters}) alwaysinline nounwind {{",
            "entry:",
            *body.lines,
            f"  ret {type.text} {result.name}",
            "}\n",
        )
    )
    return Definition(symbol, text, tuple(body.needs.values()))
