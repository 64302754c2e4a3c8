"""push: tangents forward through a recorded circuit, gate by gate, each rule derived from the one for the way back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gategrad.forward import rescue_from
from gategrad.gate import Gate
from gategrad.gates.linalg.coinciding import Decomposition
from gategrad.gates.singular import occurs
from gategrad.kinds import Elementwise
from gategrad.masked import Masked, select
from gategrad.tape import Output, as_numpy, send
from gategrad.transpose import UNUSED, dress, jvp_from_backward
from gategrad.values import SEVERAL, Spec
from gategrad.variable import Variable, plain

__all__ = ["Circuit"]


class Circuit:
    """The gates on one tape that the outputs of a function depend on, ready for tangents to be pushed through."""

    def __init__(self, outputs: Sequence[Any], level: int) -> None:
        self._wanted = [(z.gate or z) if type(z) is Variable and z.level == level else None for z in outputs]
        self._gates = _recorded(self._wanted)
        self._may_part = any(isinstance(gate, Decomposition) for gate, _ in self._gates)
        self._specs: dict[Gate, list[Any]] = {}  # of gates with several outputs: what each output is
        for gate, _ in self._gates:
            if type(gate) is Output:
                self._specs.setdefault(gate.inputs[0], [UNUSED] * gate.count)[gate.index] = gate.spec

    def push(self, tangents: dict[Any, Any]) -> list[Any]:
        """The tangents of the outputs, from those of leaves; None for an output that does not move.

        An infinite tangent that meets a local gradient of zero is NaN to IEEE arithmetic, where the way back, on which
        the zero comes first, answers 0. So if there is a NaN in the end, the circuit is gone through once more, with
        products in which a zero outweighs an infinity. (A program that is being written has no second chance.)
        """
        with np.errstate(invalid="ignore"):
            found = self._through(dict(tangents), careful=False)
        return self._through(dict(tangents), careful=True) if any(map(_has_nan, found)) else found

    def _through(self, tangents: dict[Any, Any], *, careful: bool) -> list[Any]:
        get = tangents.get
        for gate, sources in self._gates:
            dxs = [get(x) for x in sources]
            if all(dx is None for dx in dxs):
                continue
            if self._may_part and isinstance(gate, Decomposition) and gate.is_parted(*map(_resolved, dxs)):
                self._ask_the_way_back()
            dz = _advance(gate, dxs, self._specs.get(gate), careful)
            spec = gate.spec
            if type(dz) is np.ndarray and spec is not None and dz.shape == spec[0] and dz.dtype is spec[1]:
                tangents[gate] = dz
            else:
                tangents[gate] = dz if spec is SEVERAL else dress(dz, spec, gate)
        return [get(z) for z in self._wanted]

    def _ask_the_way_back(self) -> None:
        """Raise what a rule for the way back raises where only the loss can tell whether there is a derivative.

        Each output counts, and no two alike, so that nothing cancels by accident.
        """
        gradients = {z: _uneven(z.spec, n) for n, z in enumerate(self._wanted) if z is not None}
        with np.errstate(all="ignore"):
            send(gradients, retain=True)


def _recorded(wanted: Sequence[Any]) -> list[tuple[Gate, list[Any]]]:
    """The gates that these depend on, in the order in which they were recorded, each with what its inputs come from.

    That is a gate or a leaf for an input that may move, None for a constant.
    """
    found: dict[Gate, list[Any]] = {}
    ahead = [gate for gate in wanted if isinstance(gate, Gate)]
    while ahead:
        gate = ahead.pop()
        if gate not in found:
            found[gate] = sources = [x if need else None for x, need in zip(gate.inputs, gate.needs, strict=True)]
            ahead += [x for x in sources if isinstance(x, Gate)]
    return sorted(found.items(), key=lambda item: -item[0].order)


def _uneven(spec: Spec, shift: int) -> Any:
    """A gradient for an output, whose elements all differ."""
    if spec is None:
        return 1.0 + 0.1 * np.sin(float(shift))
    shape, dtype = spec
    values = np.sin(np.arange(1.0, 1.0 + math.prod(shape)) + shift).reshape(shape)
    return (values * (1.0 - 0.3j) if dtype.kind == "c" else values).astype(dtype)[()]


def _resolved(dx: Any) -> Any:
    return dx.resolve() if type(dx) is Masked else dx


def _has_nan(dz: Any) -> bool:
    if dz is None:
        return False
    dz = plain(dz.resolve() if type(dz) is Masked else dz)
    return isinstance(dz, (float, np.ndarray, np.generic)) and bool(np.any(np.isnan(dz)))


# --- one gate -----------------------------------------------------------------------------------------------------


def _advance(gate: Gate, dxs: list[Any], specs: list[Any] | None, careful: bool) -> Any:
    """The tangent of a gate's output; NumPy's answer where Python's numbers raise."""
    if not gate.is_ours or Masked in map(type, dxs):
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
