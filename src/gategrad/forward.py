"""What happens around a gate's `forward`: NumPy's answers where Python raises, and checks of what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gategrad.errors import GateError, GategradError, ShapeError, describe
from gategrad.gate import Gate
from gategrad.values import SEVERAL, spec_of

__all__ = ["recover", "settle"]


def settle(z: Any, gate: Gate, inputs: Sequence[Any]) -> Any:
    """Bring what `forward` returned into the form in which values travel, and note what it looks like."""
    kind = type(z)
    if kind is np.float64:
        gate.spec = None
        return float(z)
    if kind is np.ndarray:
        if z.dtype.kind not in "fc":
            raise _wrong_output(z, gate)
        z.flags.writeable = False  # other gates will remember it: nobody may write behind their backs
    elif kind is tuple:
        z = tuple([settle(part, gate, inputs) for part in z])
        gate.spec = SEVERAL
        return z
    elif kind is complex and complex not in map(type, inputs):
        return settle(gate.forward(*map(_as_numpy, inputs)), gate, inputs)  # (-8.0) ** (1 / 3): NumPy says nan
    elif kind is int:
        gate.spec = None
        return float(z)
    elif not hasattr(z, "dtype") or z.dtype.kind not in "fc":
        raise _wrong_output(z, gate)
    gate.spec = spec_of(z)
    return z


def _as_numpy(x: Any) -> Any:
    return np.float64(x) if type(x) is float or type(x) is int else x


def recover(error: Exception, gate: Gate, inputs: Sequence[Any]) -> Any:
    """Answer as NumPy would where Python's numbers raise; else say which gate failed, on what, and why."""
    numbers = any(type(x) is float or type(x) is int for x in inputs)
    if isinstance(error, (ZeroDivisionError, OverflowError)) and numbers:
        return gate.forward(*map(_as_numpy, inputs))
    shapes = [np.shape(x) if isinstance(x, np.ndarray) else getattr(x, "shape", ()) for x in inputs]
    name = type(gate).__name__
    if isinstance(error, ValueError) and "read-only" in str(error):
        raise GateError(
            f"{name}.forward wrote into one of its inputs: other gates remember that array. "
            "Compute a new one (x + 1 rather than x += 1)"
        ) from error
    if isinstance(error, ValueError) and not isinstance(error, GategradError) and any(shapes):
        listed = ", ".join(f"{letter} is {shape}" for letter, shape in zip("xyzuvw", shapes, strict=False))
        raise ShapeError(f"{name}: {listed}: {error}") from error
    raise error


def _wrong_output(z: Any, gate: Gate) -> Exception:
    return GateError(
        f"{type(gate).__name__}.forward returned {describe(z)}: return a float, a floating-point array, "
        "or a tuple of them"
    )
