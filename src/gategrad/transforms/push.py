"""push: tangents forward through a recorded circuit, gate by gate, each rule derived from the one for the way back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gategrad.careful import doubted
from gategrad.errors import NoGradientError
from gategrad.fit import as_numpy
from gategrad.forward import rescue_from
from gategrad.gate import Gate
from gategrad.gates.bends import Kinked
from gategrad.gates.linalg.coinciding import REMEDY, Decomposition
from gategrad.gates.linalg.matrices import no_gradient
from gategrad.gates.singular import left_out, occurs
from gategrad.masked import OVERFLOWN, STEEP, STEEP_TANGENT, Masked, numbers, resolved, singular
from gategrad.recording import leaf
from gategrad.tape import Output, next_level, send
from gategrad.transpose import UNUSED, dress, jvp_from_backward
from gategrad.values import SEVERAL, Spec
from gategrad.variable import Variable

__all__ = ["Circuit"]


class Circuit:
    """The gates on one tape that the outputs of a function depend on, ready for tangents to be pushed through."""

    def __init__(self, outputs: Sequence[Any], level: int) -> None:
        self._follow([(z.gate or z) if type(z) is Variable and z.level == level else None for z in outputs])

    @classmethod
    def behind(cls, *sources: Any) -> Circuit:
        """What the outputs of these gates depend on; leaves may be among them."""
        circuit = cls.__new__(cls)
        circuit._follow(list(sources))
        return circuit

    @property
    def gates(self) -> list[Gate]:
        """The gates, in the order in which they were recorded."""
        return [gate for gate, _ in self._gates]

    @property
    def leaves(self) -> list[Variable]:
        """The leaves at the bottom."""
        sources = [*self._wanted, *[x for _, sources in self._gates for x in sources]]
        return list(dict.fromkeys([x for x in sources if type(x) is Variable]))

    def _follow(self, wanted: list[Any]) -> None:
        self._wanted = wanted
        self._gates = _recorded(self._wanted)
        self._may_part = any(isinstance(gate, Decomposition) for gate, _ in self._gates)
        self._pulled: Any = None  # the way back, once it has been asked
        self._specs: dict[Gate, list[Any]] = {}  # of gates with several outputs: what each output is
        for gate, _ in self._gates:
            if type(gate) is Output:
                self._specs.setdefault(gate.inputs[0], [UNUSED] * gate.count)[gate.index] = gate.spec

    def push(self, tangents: dict[Any, Any], *, held: bool = False) -> list[Any]:
        """The tangents of the outputs, from those of leaves; None for an output that does not move.

        With `held`, from those of gates in between, which are held as they are.

        Where an exponential overflows, its tangent is infinite; it is marked as such, so that a local gradient of zero
        that it meets later outweighs it, as it does on the way back, where the zero comes first.
        """
        fixed = tangents.keys() if held else ()
        given, tangents = tangents, dict(tangents)
        get = tangents.get
        with np.errstate(invalid="ignore"):
            for gate, sources in self._gates:
                dxs = [get(x) for x in sources]
                if all(dx is None for dx in dxs) or gate in fixed:
                    continue
                if self._may_part and isinstance(gate, Decomposition) and gate.is_parted(*resolved(dxs)):
                    if held:
                        raise _held(gate)
                    return self._by_the_way_back(given)
                dz = _advance(gate, dxs, self._specs.get(gate))
                spec = gate.spec
                if type(dz) is np.ndarray and spec and dz.shape == spec[0] and dz.dtype is spec[1]:
                    tangents[gate] = dz
                else:
                    tangents[gate] = dz if spec is SEVERAL else dress(dz, spec, gate)
        return [get(z) for z in self._wanted]

    def _by_the_way_back(self, tangents: dict[Any, Any]) -> list[Any]:
        """The same by the way back, which is linear in what is sent: its transpose. Only it can ask whether outputs mind how values part."""
        if self._pulled is None:
            level = next_level()
            seeds = {z: leaf(_uneven(z.spec, n), level) for n, z in enumerate(self._wanted) if z is not None}
            with np.errstate(all="ignore"):
                self._pulled = level, seeds, resolved(send(dict(seeds), retain=True))
        level, seeds, arrived = self._pulled
        moved: dict[Any, Any] = {}
        for x, dx in resolved(tangents).items():
            sent = arrived.get(x)
            if type(sent) is Variable and sent.level == level:
                source = sent.gate or sent
                moved[source] = moved[source] + dx if source in moved else dx
        found = send(moved, retain=True)
        return [None if z is None else found.get(seeds[z]) for z in self._wanted]


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


def _held(gate: Gate) -> NoGradientError:
    return no_gradient(
        type(gate).__name__.lower(), "values coincide and part where a kink is being looked at from inside", REMEDY
    )


def _uneven(spec: Spec, shift: int) -> Any:
    """A gradient for an output, whose elements all differ."""
    if not spec:
        return 1.0 + 0.1 * np.sin(float(shift))
    shape, dtype = spec
    values = np.sin(np.arange(1.0, 1.0 + math.prod(shape)) + shift).reshape(shape)
    return (values * (1.0 - 0.3j) if dtype.kind == "c" else values).astype(dtype)[()]


# --- one gate -----------------------------------------------------------------------------------------------------


def _advance(gate: Gate, dxs: list[Any], specs: list[Any] | None) -> Any:
    """The tangent of a gate's output; NumPy's answer where Python's numbers raise."""
    if not gate.is_ours or Masked in map(type, dxs):
        dxs = [_handed(dx, gate) for dx in dxs]
    try:
        return _apply(gate, dxs, specs)
    except (ZeroDivisionError, OverflowError):
        as_numpy(gate)
        return _apply(gate, [np.float64(dx) if type(dx) is float else dx for dx in dxs], specs)
    except Exception as error:
        if rescue_from(error) is None or type(gate).jvp is Gate.jvp:
            raise
        return jvp_from_backward(gate, dxs, specs)  # a rule that cannot be traced: that of `backward` runs on the host


def _apply(gate: Gate, dxs: list[Any], specs: list[Any] | None) -> Any:
    if specs is not None and type(gate).jvp is Gate.jvp:
        return jvp_from_backward(gate, dxs, specs)
    dz = gate.jvp(*dxs)
    if isinstance(gate, Kinked):
        dz = _bent(dz, gate)
    return _marked(dz) if gate.overflows else dz


def _bent(dz: Any, gate: Kinked) -> Any:
    """A tangent; if it is recorded itself and comes through a kink, it does not know yet what it will be multiplied by."""
    if Variable not in map(type, gate.__dict__.values()):
        return dz
    here: Any = gate.sits()
    if dz is None or not occurs(here):
        return dz
    if left_out(here):
        return resolved(dz) * np.where(here, np.nan, 1.0)  # NaN makes it look again
    doubted(here, is_tie=True)
    return dz


def _handed(dx: Any, gate: Gate) -> Any:
    """A tangent as the rule gets it: masked only if it knows of masks, and read-only for a gate that is not ours."""
    if type(dx) is Masked and not gate.passes_masks:
        dx = dx.resolve()
    if type(dx) is Masked and dx.singularity == STEEP:
        dx = singular(dx, STEEP_TANGENT)
    if type(dx) is np.ndarray and not gate.is_ours:
        dx = dx.view()
        dx.flags.writeable = False
    return dx


def _marked(dz: Any) -> Any:
    """The tangent of an exponential; if it has overflowed, marked as singular."""
    if dz is None:
        return None
    infinite = np.isinf(numbers(dz.value if type(dz) is Masked else dz))
    if not occurs(infinite) or left_out(infinite):
        return dz
    return singular(dz, OVERFLOWN)
