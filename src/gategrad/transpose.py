"""transpose: what a linear rule does the other way round. So `jvp` follows from `backward`, and `backward` from `jvp`.

`backward` is linear in dz, and `jvp` in the tangents. Written in NumPy, either can be recorded on a tape of its own
and walked back, which is its transpose: the other one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gategrad.constant import zeros_for
from gategrad.errors import GateError, describe
from gategrad.gate import Gate, derive
from gategrad.kinds import Linear
from gategrad.masked import Masked
from gategrad.recording import leaf
from gategrad.tape import answers, next_level, send
from gategrad.values import SINGLE, Spec, is_complex
from gategrad.variable import Variable

__all__ = ["UNUSED", "dress", "jvp_from_backward", "transpose"]

UNUSED: Any = ("unused",)
"""In place of a spec: a value that the rule gets as None."""


def transpose(linear: Callable[[list[Any]], Sequence[Any]], specs: Sequence[Spec], dzs: Sequence[Any]) -> list[Any]:
    """Send `dzs` backwards through a linear function of values that look like `specs`; None where nothing arrives."""
    level = next_level()
    xs = [None if spec is UNUSED else leaf(_ones(spec), level) for spec in specs]
    gradients: dict[Any, Any] = {}
    for z, dz in zip(linear(xs), dzs, strict=True):
        if type(z) is Masked:
            z = z.resolve()
        if dz is not None and type(z) is Variable and z.level == level:
            source = z.gate or z
            gradients[source] = gradients[source] + dz if source in gradients else dz
    arrived = send(gradients, retain=True)  # one output may be on the way to another, and is come to twice then
    return [None if x is None else arrived.get(x) for x in xs]


def _ones(spec: Spec) -> Any:
    return np.ones(*spec)[()] if spec else 1.0


def jvp_from_backward(gate: Gate, tangents: Sequence[Any], specs: Sequence[Spec] | None = None) -> Any:
    """Transpose `backward` with respect to dz. `specs` are those of the outputs, for a gate that has several."""
    if specs is None:
        return transpose(lambda dz: answers(gate, dz[0]), [gate.spec], tangents)[0]
    return tuple(transpose(lambda dzs: answers(gate, tuple(dzs)), specs, tangents))


def backward_from_jvp(gate: Gate, dz: Any) -> Any:
    """Transpose `jvp` with respect to the tangents; of a linear gate without `backward`, `forward` itself."""
    specs = [source.spec if need else UNUSED for source, need in zip(gate.inputs, gate.needs, strict=True)]

    def outputs(tangents: list[Any]) -> Any:
        z = _forward(gate, tangents) if type(gate).jvp is Linear.jvp else gate.jvp(*tangents)
        return z if type(dz) is tuple else (dress(z, gate.spec, gate),)

    return transpose(outputs, specs, dz if type(dz) is tuple else (dz,))


def _forward(gate: Gate, tangents: list[Any]) -> Any:
    """What `forward` makes of the tangents, its single steps recorded: the gate itself would come back here."""
    again = gate.fresh()
    again.options = dict(again.__dict__)
    again.needs = gate.needs
    inputs = zip(tangents, gate.inputs, strict=True)
    return again.forward(*[zeros_for(source) if dx is None else dx for dx, source in inputs])


derive["jvp"] = jvp_from_backward
derive["backward"] = backward_from_jvp


# --- making a tangent look like the value it belongs to -----------------------------------------------------------


def dress(dz: Any, spec: Spec, gate: Gate) -> Any:
    """Make a tangent look like the output it belongs to: broadcast it, restore the dtype.

    Raises `GateError` if the gate returned something that cannot be the tangent of its output.
    """
    if dz is None:
        return None
    shape, dtype = spec or SINGLE
    have = getattr(dz, "shape", ())
    if not (isinstance(dz, (float, int, complex)) or getattr(dz, "dtype", np.dtype(object)).kind in "fc"):
        raise GateError(f"{_method(gate)} returned {describe(dz)}: return a float, a floating-point array, or None")
    if have != shape:
        try:
            dz = np.broadcast_to(dz, shape)
        except ValueError:
            raise GateError(
                f"{_method(gate)} returned a tangent of shape {have} for an output of shape {shape}: a tangent has "
                "the shape of the output"
            ) from None
    if dtype.kind != "c" and is_complex(dz):
        dz = np.real(dz)  # a rule for the way back was asked, where the engine keeps the real part as well
    if not spec:
        return dz if hasattr(dz, "spec") or type(dz) is Masked else float(dz)
    if not hasattr(dz, "dtype"):
        return dtype.type(dz)
    return dz if dz.dtype == dtype else dz.astype(dtype)


def _method(gate: Gate) -> str:
    rule = inspect.unwrap(type(gate).jvp)
    code = getattr(rule, "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
    return f"{type(gate).__name__}.jvp{where}"
