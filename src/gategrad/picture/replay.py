"""Replay: compute a circuit once more on a tape of its own, and this time keep every value and every gradient.

After `backward()` the gates have forgotten what they remembered, and the variables in between are gone. But each gate
knows its inputs and its options, so the whole computation can be repeated from the leaves. Nothing of the user's
circuit is touched: fresh gates do the work, and no gradient is deposited anywhere.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from gategrad.constant import Constant
from gategrad.gate import Gate
from gategrad.masked import Masked
from gategrad.picture.model import Model, Node, Wire
from gategrad.picture.numbers import shape_of
from gategrad.recording import leaf, plain
from gategrad.tape import Output, Parts, next_level, walk
from gategrad.transforms.behind import gates_behind, once_more
from gategrad.values import conjugated, is_complex, spec_of
from gategrad.variable import Variable

__all__ = ["local_gradients", "output_when", "replay", "shares"]


def replay(z: Variable) -> tuple[Model, dict[Wire, Any]]:
    """The model of the circuit that ends in `z`, and for each wire the gate or leaf of the user's it stands for."""
    level = next_level()
    if z.gate is None:
        wire = Wire("leaf", plain(z), gradient=_ones(plain(z)))
        return Model([], [wire], [], wire), {wire: z}
    with _collector_paused(), np.errstate(all="ignore"):  # whatever there is to warn of, the user has seen it
        gates = gates_behind([z.gate])
        copies = _run(gates, z.level, level)
        gradients = walk(copies[z.gate].gate, _ones(plain(copies[z.gate])), retain=True, keep=True)
        builder = _Builder(copies, gradients, z.level)
        for gate in gates:
            builder.add(gate)
        return builder.finish(z)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Python's collector looks through everything again and again while a large model grows: half the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def output_when(z: Variable, changed: Mapping[Any, Any]) -> Any:
    """The value of `z` if these gates and leaves of its circuit had these values instead."""
    if z.gate is None:
        return changed.get(z, plain(z))
    with np.errstate(all="ignore"):
        return plain(_run(gates_behind([z.gate]), z.level, next_level(), changed)[z.gate])


def _run(gates: list[Gate], was: int, level: int, changed: Mapping[Any, Any] | None = None) -> dict[Any, Any]:
    """Apply fresh copies of the gates on the tape `level`: what each gate or leaf has become there."""
    leaves = {source: leaf(value, level) for source, value in (changed or {}).items()}

    def given(source: Any) -> Any:
        """An input that no gate made: a leaf of the tape, or a constant; or what has been changed."""
        if isinstance(source, Gate):
            return leaves[source]
        if type(source) is Variable:
            if source.level != was:
                return plain(source)
            if source not in leaves:
                leaves[source] = leaf(plain(source), level)
            return leaves[source]
        return source.array if type(source) is Constant else source

    made = once_more([gate for gate in gates if gate not in leaves], given)
    return leaves | made


class _Builder:
    """Wires and nodes, made from the gates of the user's and the copies that were run."""

    def __init__(self, copies: dict[Any, Any], gradients: dict[Any, Any], level: int) -> None:
        self._copies, self._gradients, self._level = copies, gradients, level
        self._wires: dict[Any, Wire] = {}
        self._nodes: list[Node] = []
        self._leaves: list[Wire] = []
        self._constants: list[Wire] = []

    def add(self, gate: Gate) -> None:
        """Add one gate, after all that it depends on."""
        made = self._copies[gate]
        copy = made[0].gate.inputs[0] if type(made) is tuple else made.gate
        upstream = getattr(copy, "grad", None)
        value = tuple(plain(part) for part in made) if type(made) is tuple else plain(made)
        wire = Wire("gate", value, gradient=_plain_gradient(upstream, value))
        inputs = tuple([self._wire(source) for source in gate.inputs])
        wire.node = node = Node(len(self._nodes) + 1, copy, inputs, wire, upstream)
        for position, source in enumerate(inputs):
            source.uses.append((node, position))
        self._nodes.append(node)
        self._wires[gate] = wire

    def _wire(self, source: Any) -> Wire:
        if isinstance(source, Gate):
            return self._wires[source]
        if type(source) is Variable and source.level == self._level:
            if source not in self._wires:
                copy = self._copies[source]
                self._wires[source] = Wire("leaf", copy.raw, _readable(self._gradients.get(copy), copy.raw))
                self._leaves.append(self._wires[source])
            return self._wires[source]
        value = source.array if type(source) is Constant else plain(source)
        if not isinstance(value, np.ndarray):
            self._constants.append(Wire("constant", value))
            return self._constants[-1]
        key = ("array", id(value))
        if key not in self._wires:
            self._wires[key] = Wire("constant", value)
            self._constants.append(self._wires[key])
        return self._wires[key]

    def finish(self, z: Variable) -> tuple[Model, dict[Wire, Any]]:
        """The model, and what each wire stands for."""
        output = self._wires[z.gate]
        model = Model(self._nodes, self._leaves, self._constants, output)
        if not np.array_equal(output.value, plain(z), equal_nan=True):
            model.notes.append(
                "A value has been replaced since this was computed: the picture shows the circuit as it computes now."
            )
        if output.is_array:
            model.notes.append(f"The output has shape {output.shape}: gradients are those of the sum of its elements.")
        return model, {wire: source for source, wire in self._wires.items() if not isinstance(source, tuple)}


# --- one gate alone ---------------------------------------------------------------------------------------------


def shares(node: Node) -> tuple[Any, ...]:
    """What this gate sends to each of its inputs: where branches meet, only a part of the gradient there."""
    if type(node.gate) is Output:
        return (node.output.gradient,)
    if node.upstream is None:
        return tuple(None if wire.gradient is None else _zeros(wire.value) for wire in node.inputs)
    dz = node.upstream  # of several outputs the walk keeps the gradients as it carries them
    values = [wire.value for wire in node.inputs]
    sent = _pull(node, values, dz if type(dz) is Parts else conjugated(dz, spec_of(node.output.value)))
    return tuple([conjugated(dx, spec_of(x)) for dx, x in zip(sent, values, strict=True)])


def local_gradients(node: Node) -> tuple[Any, ...]:
    """dz/dx for each input where it is one number per element; None for constants and for other gates."""
    values = [wire.value for wire in node.inputs]
    if not node.is_elementwise or any(isinstance(value, tuple) for value in (*values, node.output.value)):
        return (None,) * len(values)
    shape = node.output.shape
    if shape:  # broadcast beforehand, so that the engine has nothing to sum
        values = [np.broadcast_to(value, shape) for value in values]
    return _pull(node, values, _ones(node.output.value))


def _pull(node: Node, values: list[Any], dz: Any) -> tuple[Any, ...]:
    """Apply the gate to leaves of its own, one per input, and send `dz` back through it alone."""
    level = next_level()
    inputs = [
        value if wire.gradient is None else leaf(value, level) for wire, value in zip(node.inputs, values, strict=True)
    ]
    with np.errstate(all="ignore"):
        made = node.gate.fresh()(*inputs)
        root = made[0].gate.inputs[0] if type(made) is tuple else made.gate
        gradients = walk(root, dz)
    return tuple(_plain_gradient(gradients.get(x), x.raw) if type(x) is Variable else None for x in inputs)


def _readable(gradient: Any, value: Any) -> Any:
    """A gradient that arrived at a leaf, as people see it."""
    return conjugated(_plain_gradient(gradient, value), spec_of(value))


def _plain_gradient(gradient: Any, value: Any) -> Any:
    if type(gradient) is Parts:
        return tuple([np.conjugate(part) if is_complex(part) else part for part in gradient.parts])
    if type(gradient) is Masked:
        return gradient.resolve()
    return _zeros(value) if gradient is None else gradient


def _zeros(value: Any) -> Any:
    return None if isinstance(value, tuple) else _filled(value, 0)


def _ones(value: Any) -> Any:
    return _filled(value, 1)


def _filled(value: Any, content: int) -> Any:
    spec = spec_of(value)
    return np.full(shape_of(value), content, spec[1])[()] if spec else float(content)
