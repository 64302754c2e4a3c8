"""Complex symbols: ufuncs of them that programs have an operation for, and what others are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.compiler.trace.symbol import Symbol, common_dtype, complex_ufuncs, elementwise, emit, traces
from gategrad.errors import ComplexTraceError
from gategrad.values import is_complex, lock

__all__: list[str] = []

_OPERATIONS = (
    "add", "subtract", "multiply", "divide", "negative", "sign", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p",
    "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh",
    "rint", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "maximum", "minimum", "fmax", "fmin",
    "isnan", "isinf", "isfinite", "logical_and", "logical_or", "logical_xor", "logical_not",
)  # fmt: skip


def _operation(ufunc: np.ufunc) -> Any:
    return lambda *inputs: elementwise(ufunc, inputs)


for _name in _OPERATIONS:
    complex_ufuncs[_name] = _operation(getattr(np, _name))
complex_ufuncs["square"] = lambda x: x * x
complex_ufuncs["positive"] = lambda x: x
complex_ufuncs["reciprocal"] = lambda x: 1.0 / x
complex_ufuncs["absolute"] = lambda x: emit("modulus", x)
complex_ufuncs["conjugate"] = lambda x: emit("conjugate", x)


def _power(x: Any, y: Any) -> Any:
    """An operation of its own, except for the exponents that NumPy's `**` has short ways for."""
    if isinstance(y, (float, int)):
        x = x.astype(common_dtype((x, y)))
        short = {2: lambda: x * x, 1: lambda: x, -1: lambda: 1.0 / x, 0.5: lambda: np.sqrt(x)}.get(y)
        if short is not None:
            return short()
    return elementwise(np.power, (x, y))


complex_ufuncs["power"] = _power
complex_ufuncs["float_power"] = lambda x, y: elementwise(np.power, (_wide(x), _wide(y)))


def _wide(x: Any) -> Any:
    """In double precision."""
    if type(x) is not Symbol:
        return np.asarray(x, np.complex128)
    return x.astype(np.complex128)


# --- parts -------------------------------------------------------------------------------------------------------------


@traces(np.real)
def _real(val: Any) -> Any:
    return emit("real", val) if is_complex(val) else val


@traces(np.imag)
def _imag(val: Any) -> Any:
    if is_complex(val):
        return emit("imag", val)
    return lock(np.zeros(np.shape(val), np.result_type(val)))  # NumPy's is read-only as well


@traces(np.conj)
def _conj(x: Any, *_: Any, **__: Any) -> Any:
    return np.conjugate(x)


@traces(np.angle)
def _angle(z: Any, deg: bool = False) -> Any:
    angle = np.arctan2(_imag(z), _real(z))
    return np.degrees(angle) if deg else angle


@traces(np.iscomplexobj)
def _iscomplexobj(x: Any) -> bool:
    return is_complex(x)


@traces(np.isrealobj)
def _isrealobj(x: Any) -> bool:
    return not is_complex(x)


@traces(np.iscomplex)
def _iscomplex(x: Any) -> Any:
    return np.not_equal(_imag(x), 0)


@traces(np.real_if_close)
def _real_if_close(a: Any, tol: float = 100) -> Any:
    if not is_complex(a):
        return a
    raise ComplexTraceError("np.real_if_close has real numbers or complex ones, whichever the values say")


@traces(np.isreal)
def _isreal(x: Any) -> Any:
    return np.equal(_imag(x), 0)
