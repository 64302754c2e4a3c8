"""The engine's short ways in C, where they were built: joined here to what the Python has defined.

`recording.py`, `variable.py` and `tape.py` say what happens, and are all there is where no C compiler was at hand when the package was
installed, or where GATEGRAD_PURE_PYTHON is set. `native.c` does the same in the common cases, about twice as fast, and
comes back to the Python in all others.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np

# the modules: `gg.variable`, the function, comes later
from gategrad import (
    assignment,
    backward,
    careful,
    constant,
    fit,
    forward,
    gate,
    masked,
    postponed,
    recording,
    tape,
    values,
    variable,
)

__all__ = ["in_use"]


def _load() -> Any:
    """The built module, or None if there is none or it is not wanted."""
    if os.environ.get("GATEGRAD_PURE_PYTHON", "0") not in ("", "0"):
        return None
    try:
        return importlib.import_module("gategrad._native")
    except ImportError:
        return None


def _join(native: Any) -> None:
    """Hand over what the C needs of the engine; take what it does for Variable, Gate, `backward` and `sweep`."""
    native.setup(
        {
            "Variable": variable.Variable,
            "Gate": gate.Gate,
            "Constant": constant.Constant,
            "may_change": constant.may_change,
            "Parts": tape.Parts,
            "ndarray": np.ndarray,
            "float64": np.float64,
            # masked gradients as numbers
            "Masked": masked.Masked,
            "Postponed": postponed.Postponed,
            "Asked": postponed.Asked,
            "unknown": postponed.UNKNOWN,
            "postpone": postponed.postpone,
            "numbers_of": postponed.numbers_of,
            "is_finite": postponed.is_finite,
            "careful": careful,
            "errstate": np.errstate,
            "FLOAT64": values.FLOAT64,
            "FLOAT32": np.dtype(np.float32),
            "BOOL": np.dtype(bool),
            "SINGLE": values.SINGLE,
            # where the C comes back to the Python
            "record": recording.record,
            "record_in_full": recording._in_full,
            "compute": recording.compute,
            "recover": forward.recover,
            "settle": forward.settle,
            "is_narrow": forward.is_narrow,
            "strengthen": recording.strengthen,
            "spread": recording.spread,
            "in_place": assignment.in_place,
            "fit": fit.fit,
            "recover_backward": tape._recover,
            "wrong_count": fit.wrong_count,
            "call": gate.Gate.__call__,
            "array_ufunc": variable.Variable.__array_ufunc__,
            "value": variable.Variable.value,
            "grad": variable.Variable.grad,
            "shape": variable.Variable.shape,
            "dtype": variable.Variable.dtype,
            "total": backward._total,
            "handed_out": backward.handed_out,
            # what both forms share
            "paused_level": tape.paused_level,
            "orders": tape.orders,
            "ufuncs": gate.ufuncs,
            "on_meeting": gate.on_meeting,
            "seen": gate._seen,
            "NO_OPTIONS": gate.NO_OPTIONS,
            # the operators
            "add": np.add,
            "subtract": np.subtract,
            "multiply": np.multiply,
            "divide": np.divide,
            "power": np.power,
            "matmul": np.matmul,
            "negative": np.negative,
            "absolute": np.absolute,
        }
    )
    recording.unary = native.unary
    recording._in_full = native.in_full
    postponed.is_finite = native.is_finite
    tape.native_steps = native.advance
    backward._deposit = native.deposit


_native = _load()
in_use: bool = _native is not None
"""Whether the short ways in C are at work in this process."""

if in_use:
    _join(_native)
