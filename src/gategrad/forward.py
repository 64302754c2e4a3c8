"""What happens around a gate's `forward`: NumPy's answers where Python raises, and checks of what comes out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gategrad.constant import may_change
from gategrad.errors import DtypeError, GateError, ShapeError, describe
from gategrad.gate import Gate
from gategrad.kinds import Elementwise
from gategrad.misfit import broadcast_misfit
from gategrad.values import FLOAT64, NUMPYS, SEVERAL, SINGLE, is_complex, spec_of

__all__ = ["Rescue", "is_narrow", "number", "recover", "rescue_from", "rescues", "settle"]


class Rescue(NamedTuple):
    """What to do instead when a rule of a gate raises: both get the gate, and what the rule was given."""

    forward: Callable[[Gate, Sequence[Any]], Any]
    backward: Callable[[Gate, Any], Any]


rescues: dict[type[Exception], Rescue] = {}
"""Exceptions of gates that a layer above knows an answer to. The compiler joins, for rules that cannot be traced."""


def rescue_from(error: BaseException | None) -> Rescue | None:
    """The rescue from this exception, or from one that it wraps: NumPy turns some exceptions into its own."""
    while error is not None and rescues:
        for kind, rescue in rescues.items():
            if isinstance(error, kind):
                return rescue
        error = error.__cause__ or error.__context__
    return None


def settle(z: Any, gate: Gate, inputs: Sequence[Any], foreign: Sequence[Any] | None = None) -> Any:
    """Bring what `forward` returned into the form in which values travel, and note what it looks like.

    `foreign` are those inputs that may be the caller's, which the output must not share memory with; all by default.
    """
    kind = type(z)
    if kind is np.float64:
        return number(z, gate, inputs)
    if kind is np.ndarray:
        if z.dtype.kind not in "fc":
            raise _wrong_output(z, gate)
        z = _apart(z, inputs if foreign is None else foreign)
        z.flags.writeable = False  # other gates will remember it: nobody may write behind their backs
    elif kind is tuple:
        if tuple in map(type, z):
            raise _wrong_output(z, gate)
        z = tuple([part if type(part) is np.float64 else settle(part, gate, inputs, foreign) for part in z])
        gate.spec = SEVERAL
        return z
    elif kind is complex:
        if complex not in map(type, inputs):
            z = gate.forward(*map(_as_numpy, inputs))  # (-8.0) ** (1 / 3): NumPy says nan
        return settle(np.complex128(z) if type(z) is complex else z, gate, inputs)
    elif kind is float or kind is int:
        gate.spec = None
        return float(z)
    elif not hasattr(z, "dtype") or z.dtype.kind not in "fc":
        raise _wrong_output(z, gate)
    elif getattr(z, "level", -1) >= max(gate.level, 0):
        raise _hidden_input(gate)
    gate.spec = spec_of(z)
    return z


def number(z: Any, gate: Gate, inputs: Sequence[Any]) -> Any:
    """A float64 of NumPy's as it travels: as a Python float, unless the gate computed it of single precision as well.

    The rule of such a gate meets the upstream gradient with what it remembers, and a Python float would not widen that.
    """
    if any(map(is_narrow, inputs)):
        gate.spec = SINGLE
        return z
    gate.spec = NUMPYS
    return float(z)


def is_narrow(x: Any) -> bool:
    """Whether a value, of whatever kind, is of floating-point numbers other than float64."""
    if type(x) is float:
        return False
    dtype = getattr(x, "dtype", FLOAT64)
    return dtype is not FLOAT64 and dtype.kind in "fc" and dtype != FLOAT64


def _apart(z: Any, inputs: Sequence[Any]) -> Any:
    """`z` itself, unless it is (a view of) an input that belongs to the caller: that one must stay writeable."""
    for x in inputs:
        if (z is x or z.base is not None) and type(x) is np.ndarray and may_change(x) and np.may_share_memory(z, x):
            return z.copy()
    return z


def recover(error: Exception, gate: Gate, inputs: Sequence[Any]) -> Any:
    """Answer as NumPy would where Python's numbers raise; else say which gate failed, on what, and why."""
    rescue = rescue_from(error)
    if rescue is not None:
        try:
            return rescue.forward(gate, inputs)
        except tuple(rescues):
            raise error from None  # the first failure is about what the user wrote
    numbers = any(type(x) is float or type(x) is int for x in inputs)
    if isinstance(error, (ZeroDivisionError, OverflowError)) and numbers:
        return gate.forward(*map(_as_numpy, inputs))
    name = type(gate).__name__
    if isinstance(error, TypeError) and any(map(is_complex, inputs)) and "not supported" in str(error):
        raise DtypeError(
            f"{name} takes no complex numbers, and NumPy's function has no value for them: "
            "take np.real, np.imag or np.abs of them first"
        ) from error
    if type(error) is ValueError and "read-only" in str(error):
        raise GateError(
            f"{name}.forward wrote into one of its inputs: other gates remember that array. "
            "Compute a new one (x + 1 rather than x += 1)"
        ) from error
    shapes = [getattr(x, "shape", ()) for x in inputs]
    if type(error) is ValueError and any(shapes) and _ABOUT_SHAPES.search(str(error)):
        misfit = broadcast_misfit(name, shapes) if isinstance(gate, Elementwise) else None
        if misfit is not None:
            raise misfit from None
        listed = ", ".join(f"{letter} is {shape}" for letter, shape in zip("xyzuvw", shapes, strict=False))
        raise ShapeError(f"{name}: {listed}: {error}") from error
    raise error


def _as_numpy(x: Any) -> Any:
    return np.float64(x) if type(x) is float or type(x) is int else x


_ABOUT_SHAPES = re.compile("shape|broadcast|dimension|align|size|ax[ei]s|operand|subscript")
"""How NumPy speaks of shapes that do not fit; any other ValueError is the gate's own and passes as it is."""


def _wrong_output(z: Any, gate: Gate) -> Exception:
    return GateError(
        f"{type(gate).__name__}.forward returned {describe(z)}: return a float, a floating-point array, "
        "or a tuple of them"
    )


def _hidden_input(gate: Gate) -> Exception:
    name = type(gate).__name__
    return GateError(
        f"{name}.forward computed with a variable that is not among its inputs, and whose gradient would be lost: "
        f"make it an input, {name}(...)(x, w), or pass its .value"
    )
