"""The slope of a gradient at a kink that is none: ∂dz/∂z by a walk forward, or NaN where that does not say it all."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.gate import Gate, derive
from gategrad.gates.bends import Kinked
from gategrad.gates.singular import occurs
from gategrad.masked import Masked, numbers
from gategrad.transforms.push import Circuit
from gategrad.values import Spec
from gategrad.variable import Variable

__all__ = ["slope_at_kink"]


def slope_at_kink(flat: Any, dz: Any, z: Any) -> Any:
    """∂dz/∂z, element by element, where `flat`; `dz` and `z` are the gates that made them.

    What else sits on a kink must not move dz, nor may one element of z move another of dz: there the answer is NaN.
    The same kink of the same inputs, computed twice, is one.
    """
    if not isinstance(dz, Gate):
        return 0.0  # a leaf, which depends on nothing
    circuit = Circuit.behind(dz)
    same = [gate for gate in circuit.gates if _is_same(gate, z)]
    others = [gate for gate in circuit.gates if isinstance(gate, Kinked) and gate not in same and occurs(gate.sits())]
    uneven = _uneven(flat, z.spec, 1)
    again = _pushed(circuit, dict.fromkeys(same, uneven))
    shift = None
    if others:
        moved = {gate: _uneven(gate.sits(), gate.spec, n) for n, gate in enumerate(others, 2)}
        shift = _pushed(circuit, {**moved, **dict.fromkeys(same, _where(flat, 0.0, z.spec))})
    if _is_nothing(again, flat) and _is_nothing(shift, flat):
        return 0.0  # what moves by uneven numbers moves nothing: by far the commonest case
    slope = _pushed(circuit, dict.fromkeys(same, _where(flat, 1.0, z.spec)))
    if slope is None:
        slope = _where(flat, 0.0, z.spec)
    unknown = None
    if z.spec and z.spec[0] and again is not None:
        expected = numbers(slope) * uneven
        tolerance = 10.0 * np.sqrt(np.finfo(z.spec[1]).eps)
        unknown = np.abs(numbers(again) - expected) > float(tolerance) * np.abs(expected)
    if shift is not None:
        depends = numbers(shift) != 0
        unknown = depends if unknown is None else unknown | depends
    return slope if unknown is None else np.where(unknown, np.asarray(np.nan, getattr(slope, "dtype", None))[()], slope)


derive["slope"] = slope_at_kink


def _is_nothing(shift: Any, flat: Any) -> bool:
    """Whether it is 0 wherever `flat`, in plain numbers: those of another tape may be 0 by chance, and move."""
    if shift is None:
        return True
    return isinstance(shift, (float, np.ndarray, np.generic)) and not np.any(shift, where=flat)


def _pushed(circuit: Circuit, tangents: dict[Any, Any]) -> Any:
    (found,) = circuit.push(tangents, held=True)
    return found.resolve() if type(found) is Masked else found


def _is_same(gate: Gate, z: Gate) -> bool:
    """Whether this is z, or the same gate of the same inputs once more."""
    if gate is z:
        return True
    if type(gate) is not type(z) or repr(gate) != repr(z) or len(gate.inputs) != len(z.inputs):
        return False
    return all(
        a is b or (type(a) is type(b) is float and a == b) for a, b in zip(gate.inputs, z.inputs, strict=True)
    ) and any(isinstance(a, (Gate, Variable)) for a in gate.inputs)


def _uneven(mask: Any, spec: Spec, shift: int) -> Any:
    """Different numbers where the mask is true, other ones for each shift; 0 elsewhere."""
    if not spec:
        return _where(mask, _irregular(1, shift)[0], spec)
    mask = np.broadcast_to(mask, spec[0])
    if not isinstance(mask, np.ndarray):
        return _where(mask, _irregular(int(np.prod(spec[0])), shift).reshape(spec[0]), spec)
    z = np.zeros(spec[0], spec[1])
    z[mask] = _irregular(int(np.count_nonzero(mask)), shift)
    return z[()]


def _irregular(count: int, shift: int) -> Any:
    return 1.0 + (np.arange(count) * 0.6180339887498949 + shift * 0.7548776662466927) % 1.0


def _where(mask: Any, values: Any, spec: Spec) -> Any:
    if not spec:
        return np.where(mask, values, 0.0) if not isinstance(mask, (bool, np.bool_)) else float(values) * bool(mask)
    return np.where(mask, np.asarray(values, spec[1]), np.zeros(spec[0], spec[1]))[()]
