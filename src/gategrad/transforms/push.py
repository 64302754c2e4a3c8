"""push: tangents forward through a recorded circuit, gate by gate, each rule derived from the one for the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gategrad.forward import rescue_from
from gategrad.gate import Gate
from gategrad.gates.singular import occurs
from gategrad.kinds import Elementwise
from gategrad.masked import Masked, select
from gategrad.tape import Output, as_numpy
from gategrad.transpose import UNUSED, dress, jvp_from_backward
from gategrad.values import SEVERAL
from gategrad.variable import Variable, plain

__all__ = ["push", "recorded"]


def recorded(outputs: Sequence[Any], level: int) -> list[Gate]:
    """The gates on this tape that the outputs depend on, in the order in which they were recorded."""
    found: set[Gate] = set()
    ahead = [z.gate for z in outputs if type(z) is Variable and z.level == level and z.gate is not None]
    while ahead:
        gate = ahead.pop()
        if gate not in found:
            found.add(gate)
            ahead += [x for x, need in zip(gate.inputs, gate.needs, strict=True) if need and isinstance(x, Gate)]
    return sorted(found, key=lambda gate: -gate.order)


def push(gates: Sequence[Gate], tangents: dict[Any, Any], wanted: Sequence[Any]) -> list[Any]:
    """The tangents of the wanted gates and leaves, from those of leaves; None for one that does not move.

    An infinite tangent that meets a local gradient of zero is NaN to IEEE arithmetic, where the way back, on which
    the zero comes first, answers 0. So if there is a NaN in the end, the circuit is gone through once more, with
    products in which a zero outweighs an infinity. (A program that is being written has no second chance.)
    """
    with np.errstate(invalid="ignore"):
        found = _through(gates, dict(tangents), wanted, careful=False)
    return _through(gates, dict(tangents), wanted, careful=True) if any(map(_has_nan, found)) else found


def _through(gates: Sequence[Gate], tangents: dict[Any, Any], wanted: Sequence[Any], *, careful: bool) -> list[Any]:
    outputs = _outputs(gates)
    for gate in gates:
        dxs = [tangents.get(x) if need else None for x, need in zip(gate.inputs, gate.needs, strict=True)]
        if any(dx is not None for dx in dxs):
            dz = _advance(gate, dxs, outputs.get(gate), careful)
            tangents[gate] = dz if gate.spec is SEVERAL else dress(dz, gate.spec, gate)
    return [tangents.get(z) for z in wanted]


def _outputs(gates: Sequence[Gate]) -> dict[Gate, list[Any]]:
    """Of gates with several outputs, what each one looks like, UNUSED if nobody uses it."""
    specs: dict[Gate, list[Any]] = {}
    for gate in gates:
        if type(gate) is Output:
            specs.setdefault(gate.inputs[0], [UNUSED] * gate.count)[gate.index] = gate.spec
    return specs


def _has_nan(dz: Any) -> bool:
    dz = plain(dz.resolve() if type(dz) is Masked else dz)
    return isinstance(dz, (float, np.ndarray, np.generic)) and bool(np.any(np.isnan(dz)))


# --- one gate -----------------------------------------------------------------------------------------------------


def _advance(gate: Gate, dxs: list[Any], specs: list[Any] | None, careful: bool) -> Any:
    """The tangent of a gate's output; NumPy's answer where Python's numbers raise."""
    dxs = [_handed(dx, gate) for dx in dxs]
    try:
        return _apply(gate, dxs, specs, careful)
    except (ZeroDivisionError, OverflowError):
        as_numpy(gate)
        return _apply(gate, [np.float64(dx) if type(dx) is float else dx for dx in dxs], specs, careful)
    except Exception as error:
        if rescue_from(error) is None or type(gate).jvp is Gate.jvp:
            raise
        return jvp_from_backward(gate, dxs, specs)  # a rule that cannot be traced: that of `backward` runs on the host


def _apply(gate: Gate, dxs: list[Any], specs: list[Any] | None, careful: bool) -> Any:
    rule = type(gate).jvp
    if careful and isinstance(gate, Elementwise) and rule is Elementwise.jvp:
        return _carefully(gate, dxs)
    if specs is not None and rule is Gate.jvp:
        return jvp_from_backward(gate, dxs, specs)
    return gate.jvp(*dxs)


def _handed(dx: Any, gate: Gate) -> Any:
    """A tangent as the rule gets it: masked only if it knows of masks, and read-only for a gate that is not ours."""
    if type(dx) is Masked and not gate.passes_masks:
        dx = dx.resolve()
    if type(dx) is np.ndarray and not gate.is_ours:
        dx = dx.view()
        dx.flags.writeable = False
    return dx


def _carefully(gate: Elementwise, dxs: list[Any]) -> Any:
    """Σ local gradient × tangent, where a zero outweighs an infinity, whichever is which."""
    ones = 1.0 if gate.spec is None else np.ones(*gate.spec)[()]
    dz = None
    for index, dx in enumerate(dxs):
        local = None if dx is None else gate.scale(index, ones)
        if local is not None:
            part = _product(local, dx)
            dz = part if dz is None else dz if part is None else dz + part
    return dz


def _product(x: Any, y: Any) -> Any:
    a, b = (plain(v.value if type(v) is Masked else v) for v in (x, y))
    zero_x, zero_y = a == 0, b == 0
    if not (occurs(zero_x) or occurs(zero_y)):
        return x * y
    outweighed = (zero_x & np.isinf(b)) | (zero_y & np.isinf(a))
    if not occurs(outweighed):
        return x * y
    with np.errstate(invalid="ignore"):
        return select(np.logical_not(outweighed), x * y)
