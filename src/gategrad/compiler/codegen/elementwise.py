"""How each elementwise operation becomes instructions, for one lane or many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.compiler.codegen.text import Body, literal, llvm_type

__all__ = ["CALLS", "Needs", "can_lower", "intrinsic", "lower"]

Needs = dict[str, Any]
"""What the instructions refer to: intrinsic declarations by symbol, and vector math functions to be defined."""

_ARITHMETIC = {
    "add": ("fadd", "add"), "subtract": ("fsub", "sub"), "multiply": ("fmul", "mul"), "divide": ("fdiv", ""),
    "bitwise_and": ("", "and"), "bitwise_or": ("", "or"), "bitwise_xor": ("", "xor"),
    "logical_and": ("", "and"), "logical_or": ("", "or"), "logical_xor": ("", "xor"),
}  # fmt: skip
_ON_TRUTHS = {"add": "logical_or", "multiply": "logical_and", "maximum": "logical_or", "minimum": "logical_and"}
_COMPARISONS = {
    "less": ("olt", "slt"), "less_equal": ("ole", "sle"), "greater": ("ogt", "sgt"),
    "greater_equal": ("oge", "sge"), "equal": ("oeq", "eq"), "not_equal": ("une", "ne"),
}  # fmt: skip
_INTRINSICS = {
    "absolute": "fabs", "sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "rint",
    "copysign": "copysign",
}  # fmt: skip
CALLS = {
    "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2", "log10": "log10", "log1p": "log1p",
    "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "arctan2": "atan2", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "power": "pow", "hypot": "hypot", "sigmoid": "sigmoid",
    "erf": "erf", "erfc": "erfc",
}  # fmt: skip
"""Operations that call a function of the vector math library, by the name it has there."""


_FLOATS_ALONE = frozenset(["sign", "isnan", "isinf", "isfinite"])
_FOR_ALL = frozenset(
    ["select", "cast", "copy", "logical_not", "invert", "negative", "maximum", "minimum", "fmax", "fmin"]
)


def can_lower(op: str, dtype: Any, math: frozenset[str]) -> bool:
    """Whether there are instructions for this operation; `math` names what the vector math library has."""
    floating = bool(np.dtype(dtype).kind == "f")
    if op in CALLS:
        return floating and CALLS[op] in math
    if op in _ARITHMETIC:
        return bool(_ARITHMETIC[op][0 if floating else 1])
    if op in _INTRINSICS or op in _FLOATS_ALONE:
        return floating
    return op in _COMPARISONS or op in _FOR_ALL


def lower(body: Body, needs: Needs, op: str, operands: list[str], dtypes: list[Any], result: Any, lanes: int) -> str:
    """Write the instructions of one operation on `lanes` elements and name the result."""
    dtype = dtypes[-1] if isinstance(dtypes[-1], np.dtype) else np.dtype(dtypes[-1])
    floating = dtype.kind == "f"
    kind = llvm_type(dtype, lanes)
    if dtype.kind == "b":
        op = _ON_TRUTHS.get(op, op)
    if op in _ARITHMETIC:
        return body.make(f"{_ARITHMETIC[op][0 if floating else 1]} {kind} {operands[0]}, {operands[1]}")
    if op in _COMPARISONS:
        return body.make(f"{_compare(op, dtype)} {kind} {operands[0]}, {operands[1]}")
    if op in _INTRINSICS:
        return intrinsic(body, needs, _INTRINSICS[op], kind, operands)
    if op in CALLS:
        short = "f64" if dtype.itemsize == 8 else "f32"
        definition = needs["math"](CALLS[op], short, lanes)
        arguments = ", ".join(f"{kind} {x}" for x in operands)
        return body.make(f"call {kind} {definition.symbol}({arguments})")
    if op == "copy":
        return operands[0]
    if op == "cast":
        return _cast(body, operands[0], dtype, np.dtype(result), lanes)
    if op == "select":
        mask = llvm_type(np.bool_, lanes)
        return body.make(f"select {mask} {operands[0]}, {kind} {operands[1]}, {kind} {operands[2]}")
    return _SPECIAL[op](body, needs, operands, kind, dtype, lanes)


def _compare(op: str, dtype: Any) -> str:
    """The instruction of a comparison; truth values count up from false, as unsigned integers do."""
    ordered, signed = _COMPARISONS[op]
    if dtype.kind == "f":
        return f"fcmp {ordered}"
    return f"icmp {signed.replace('s', 'u') if dtype.kind in 'bu' else signed}"


def intrinsic(body: Body, needs: Needs, name: str, kind: str, operands: list[str]) -> str:
    """A call of an LLVM intrinsic on operands of one type."""
    symbol = f"@llvm.{name}.{_suffix(kind)}"
    needs.setdefault("declarations", {})[symbol] = f"declare {kind} {symbol}({', '.join([kind] * len(operands))})"
    return body.make(f"call {kind} {symbol}({', '.join(f'{kind} {x}' for x in operands)})")


def _suffix(kind: str) -> str:
    if kind.startswith("<"):
        lanes, _, scalar = kind[1:-1].partition(" x ")
        return f"v{lanes}{_suffix(scalar)}"
    return {"double": "f64", "float": "f32"}.get(kind, kind)


def _constant(body: Body, value: float, dtype: Any, lanes: int) -> str:
    one = literal(value, dtype)
    if lanes == 1:
        return one
    kind = llvm_type(dtype)
    return "<" + ", ".join([f"{kind} {one}"] * lanes) + ">"


def _cast(body: Body, x: str, source: Any, target: Any, lanes: int) -> str:
    a, b = llvm_type(source, lanes), llvm_type(target, lanes)
    if target == np.bool_:
        zero = _constant(body, 0, source, lanes)
        return body.make(f"fcmp une {a} {x}, {zero}" if source.kind == "f" else f"icmp ne {a} {x}, {zero}")
    if source.kind == "f" and target.kind == "f":
        return body.make(f"{'fpext' if target.itemsize > source.itemsize else 'fptrunc'} {a} {x} to {b}")
    if target.kind == "f":
        return body.make(f"{'sitofp' if source.kind == 'i' else 'uitofp'} {a} {x} to {b}")
    if source.kind == "f":
        return body.make(f"{'fptosi' if target.kind == 'i' else 'fptoui'} {a} {x} to {b}")
    if target.itemsize == source.itemsize and source != np.bool_:
        return x
    if target.itemsize < source.itemsize:
        return body.make(f"trunc {a} {x} to {b}")
    return body.make(f"{'sext' if source.kind == 'i' else 'zext'} {a} {x} to {b}")


def _negative(body: Body, needs: Needs, x: list[str], kind: str, dtype: Any, lanes: int) -> str:
    return body.make(f"fneg {kind} {x[0]}" if dtype.kind == "f" else f"sub {kind} zeroinitializer, {x[0]}")


def _sign(body: Body, needs: Needs, x: list[str], kind: str, dtype: Any, lanes: int) -> str:
    zero, one, minus = (_constant(body, v, dtype, lanes) for v in (0.0, 1.0, -1.0))
    mask = llvm_type(np.bool_, lanes)
    above = body.make(f"fcmp ogt {kind} {x[0]}, {zero}")
    below = body.make(f"fcmp olt {kind} {x[0]}, {zero}")
    unknown = body.make(f"fcmp uno {kind} {x[0]}, {x[0]}")
    rest = body.make(f"select {mask} {unknown}, {kind} {x[0]}, {kind} {zero}")
    rest = body.make(f"select {mask} {below}, {kind} {minus}, {kind} {rest}")
    return body.make(f"select {mask} {above}, {kind} {one}, {kind} {rest}")


def _extreme(compare: str, ignore_nan: bool) -> Callable[..., str]:
    def lower(body: Body, needs: Needs, x: list[str], kind: str, dtype: Any, lanes: int) -> str:
        mask = llvm_type(np.bool_, lanes)
        better = body.make(f"{_compare(compare, dtype)} {kind} {x[0]}, {x[1]}")
        if dtype.kind != "f":
            return body.make(f"select {mask} {better}, {kind} {x[0]}, {kind} {x[1]}")
        decisive = x[1] if ignore_nan else x[0]  # whose NaN makes the first operand the answer
        unknown = body.make(f"fcmp uno {kind} {decisive}, {decisive}")
        first = body.make(f"or {mask} {better}, {unknown}")
        return body.make(f"select {mask} {first}, {kind} {x[0]}, {kind} {x[1]}")

    return lower


def _isnan(body: Body, needs: Needs, x: list[str], kind: str, dtype: Any, lanes: int) -> str:
    return body.make(f"fcmp uno {kind} {x[0]}, {x[0]}")


def _against_infinity(compare: str) -> Callable[..., str]:
    def lower(body: Body, needs: Needs, x: list[str], kind: str, dtype: Any, lanes: int) -> str:
        size = intrinsic(body, needs, "fabs", kind, x)
        return body.make(f"fcmp {compare} {kind} {size}, {_constant(body, np.inf, dtype, lanes)}")

    return lower


def _not(body: Body, needs: Needs, x: list[str], kind: str, dtype: Any, lanes: int) -> str:
    ones = _constant(body, 1 if dtype == np.bool_ else -1, dtype, lanes)
    return body.make(f"xor {kind} {x[0]}, {ones}")


_SPECIAL: dict[str, Callable[..., str]] = {
    "negative": _negative, "sign": _sign, "isnan": _isnan, "logical_not": _not, "invert": _not,
    "isinf": _against_infinity("oeq"), "isfinite": _against_infinity("olt"),
    "maximum": _extreme("greater", False), "minimum": _extreme("less", False),
    "fmax": _extreme("greater", True), "fmin": _extreme("less", True),
}  # fmt: skip
