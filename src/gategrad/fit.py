"""What a rule answers, made to look like the values it belongs to; or the reason why it cannot, and whose rule it is."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from gategrad.errors import DtypeError, GateError, describe
from gategrad.gate import Gate
from gategrad.masked import Masked
from gategrad.values import FLOAT64, SEVERAL, SINGLE, Spec, travelling

__all__ = ["as_numpy", "backward_as_numpy", "fit", "method_of", "wrong_count"]


def fit(dx: Any, spec: Spec, gate: Gate, index: int, dz: Any) -> Any:
    """Make a gradient look like the value it belongs to: sum what broadcasting repeated, restore the dtype.

    Raises `GateError` if the gate returned something that cannot be the gradient of that input.
    """
    if spec is SEVERAL:
        return dx
    shape, dtype = spec or SINGLE
    if type(dx) is complex and dtype.kind == "c":
        dx = np.complex128(dx)
    try:
        have_shape, have_dtype = dx.shape, dx.dtype
    except AttributeError:
        if type(dx) is complex:  # a negative number to a broken power: NumPy says nan
            dxs = backward_as_numpy(gate, dz)
            dx = dxs[index] if isinstance(dxs, (tuple, list)) else dxs
        if type(dx) not in (float, int, np.float64):
            raise _wrong_type(dx, gate, index) from None
        dx = float(dx)
        have_shape, have_dtype = (), FLOAT64
        if not spec:
            return dx
    if have_shape != shape:
        dx = _unbroadcast(dx, have_shape, shape, gate, index, dz)
        if dx is None:
            return None
    if have_dtype is not dtype and have_dtype != dtype:
        if have_dtype.kind not in "fc":
            raise _wrong_type(dx, gate, index)
        if have_dtype.kind == "c" and dtype.kind != "c":
            dx = np.real(dx)
        dx = dx.astype(dtype) if hasattr(dx, "astype") else dtype.type(dx)
    if type(dx) is Masked:
        source = gate.inputs[index]
        dx = dx.settled() if isinstance(source, Gate) and source.passes_masks else dx.resolve()
    if not spec:
        if type(dx) in travelling:
            return travelling[type(dx)](dx, spec is None)
        return float(dx) if isinstance(dx, (np.ndarray, np.generic)) else dx
    if type(dx) is float:
        return dtype.type(dx)
    return dx


def _unbroadcast(dx: Any, have: tuple[int, ...], want: tuple[int, ...], gate: Gate, index: int, dz: Any) -> Any:
    extra = len(have) - len(want)
    if extra >= 0 and (gate.sums_broadcasts or have == getattr(dz, "shape", ())):
        repeated = [axis for axis in range(extra, len(have)) if want[axis - extra] == 1 != have[axis]]
        axes = (*range(extra), *repeated)
        if all(have[axis] == want[axis - extra] for axis in range(extra, len(have)) if axis not in repeated):
            summed = np.add.reduce(dx, axes) if type(dx) is np.ndarray else np.sum(dx, axis=axes)
            return summed if summed.shape == want else np.reshape(summed, want)
    raise GateError(
        f"{method_of(gate)} returned a gradient of shape {have} for input {index}, which has shape {want}: "
        "a gradient has the shape of its input"
    )


def wrong_count(count: int, gate: Gate) -> Exception:
    """The error for a rule that answers with another number of gradients than there are inputs."""
    expected = len(gate.inputs)
    return GateError(
        f"{method_of(gate)} returned {count} gradient{'s' * (count != 1)} for {expected} input{'s' * (expected != 1)}: "
        "return one for each input, in input order (None for an input that receives nothing)"
    )


def _wrong_type(dx: Any, gate: Gate, index: int) -> Exception:
    error = GateError if hasattr(dx, "dtype") else DtypeError
    return error(
        f"{method_of(gate)} returned {describe(dx)} for input {index}: "
        "return a float or a floating-point array (None for an input that receives nothing)"
    )


def method_of(gate: Gate) -> str:
    """Name the rule at fault, with the file and line where its author can mend it."""
    rule = inspect.unwrap(type(gate).backward)
    code = getattr(rule, "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
    return f"{type(gate).__name__}.backward{where}"


def backward_as_numpy(gate: Gate, dz: Any) -> Any:
    """Ask the rule again, with NumPy's numbers in place of Python's: they answer inf, nan or a real root."""
    as_numpy(gate)
    return gate.backward(np.float64(dz) if type(dz) is float else dz)


def as_numpy(gate: Gate) -> None:
    """Put NumPy's numbers in place of Python's in what a gate remembers."""
    remembered = gate.__dict__
    for name, value in remembered.items():
        if type(value) is float:
            remembered[name] = np.float64(value)
