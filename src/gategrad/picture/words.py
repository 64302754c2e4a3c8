"""What happens at each step, in words and numbers: "× switches: df/dq = z · df/df = −4 · 1 = −4"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gategrad.picture.model import Model, Node, Wire, operation
from gategrad.picture.numbers import brief, prose
from gategrad.picture.replay import local_gradients, shares

__all__ = ["Step", "backward_words", "caption", "forward_words", "steps"]

_FORWARD = {"+": "adds", "−": "subtracts", "-": "subtracts", "×": "multiplies", "÷": "divides", "/": "divides",
            "@": "multiplies matrices"}  # fmt: skip
_BACKWARD = {"distributor": "distributes", "switcher": "switches", "router": "routes", "scaler": "scales"}


@dataclass(slots=True)
class Step:
    """One gate's turn: what it computes on the way forward, or what it sends back."""

    phase: Literal["forward", "backward"]
    node: Node
    words: str


def steps(model: Model) -> list[Step]:
    """The forward pass gate by gate, then the backward pass."""
    forward = [Step("forward", node, forward_words(node)) for node in model.nodes]
    return forward + [Step("backward", node, backward_words(node, model)) for node in reversed(model.nodes)]


def caption(model: Model) -> str:
    """What the whole computes: `f = −12` and the gradients of its variables."""
    output = model.output
    found = [f"d{output.label}/d{wire.label} = {brief(wire.gradient)}" for wire in model.leaves[:12]]
    more = [f"and {len(model.leaves) - 12} more"] if len(model.leaves) > 12 else []
    return f"{output.label} = {brief(output.value)}; {', '.join(found + more)}"


def forward_words(node: Node) -> str:
    """The sentence for the forward pass: "× multiplies: f = q · z = 3 · −4 = −12"."""
    verb = _verb(node)
    symbolic = operation(node, [_called(wire) for wire in node.inputs], spelled=True)
    numeric = operation(node, [_shown(wire) for wire in node.inputs])
    equation = f"{node.output.label} = {symbolic}"
    result = brief(node.output.value)
    if numeric not in (symbolic, result) and "…" not in numeric:
        equation += f" = {numeric}"
    return f"{node.symbol} {verb}: {equation} {'→' if node.output.is_array else '='} {result}"


def _verb(node: Node) -> str:
    if len(node.inputs) == 2:
        return _FORWARD.get(node.symbol, "computes")
    return "negates" if node.symbol in ("−", "-") else "computes"


def backward_words(node: Node, model: Model) -> str:
    """The sentence for the backward pass; where the last branch arrives at a value, also the sum of the branches."""
    verb = _BACKWARD.get(node.pattern, "passes back")
    if node.upstream is None:
        return f"{node.symbol}: no gradient arrives at {node.output.label}, so nothing flows on"
    sent, local = shares(node), local_gradients(node)
    clauses = [
        _clause(node, position, sent[position], local[position], model)
        for position, wire in enumerate(node.inputs)
        if wire.gradient is not None
    ]
    merged = {wire: None for wire in node.inputs if _arrives_last(node, wire)}
    return "; ".join([f"{node.symbol} {verb}: {clauses[0]}", *clauses[1:], *(_sum_of(wire, model) for wire in merged)])


def _clause(node: Node, position: int, share: Any, local: Any, model: Model) -> str:
    wire, f = node.inputs[position], model.output.label
    receives = f"d{f}/d{wire.label}"
    if len(wire.uses) > 1:
        receives = f"{wire.label} receives"
    equals = "" if len(wire.uses) > 1 else " ="
    upstream = f"d{f}/d{node.output.label}"
    if local is None:
        return f"{receives}{equals} {brief(share)} from {upstream} by its rule"
    if np.all(local == 1):
        same = np.shape(share) == np.shape(node.output.gradient)
        return f"{receives}{equals} {upstream} = {brief(share)}" + ("" if same else ", summed over what was broadcast")
    name = _local_name(node, position, local, model)
    if np.shape(local) == () == np.shape(node.output.gradient):
        numbers = f"{prose(local)} · {prose(node.output.gradient)} = {prose(share)}"
        return f"{receives}{equals} {name} · {upstream} = {numbers}"
    return f"{receives}{equals} {name} · {upstream} → {brief(share)}"


def _local_name(node: Node, position: int, local: Any, model: Model) -> str:
    """A switcher's local gradient is the other input, and is called so; others are dz/dx."""
    wire = node.inputs[position]
    if node.pattern == "switcher" and len(node.inputs) == 2:
        other = node.inputs[1 - position]
        if np.array_equal(local, np.broadcast_to(other.value, np.shape(local))):
            return _called(other)
    if node.output is model.output:
        return "local gradient"
    return f"d{node.output.label}/d{wire.label}"


def _arrives_last(node: Node, wire: Wire) -> bool:
    """Whether this gate is the last of several, on the way back, to send something to that value."""
    return wire.gradient is not None and len(wire.uses) > 1 and min(user.number for user, _ in wire.uses) == node.number


def _sum_of(wire: Wire, model: Model) -> str:
    if isinstance(wire.gradient, tuple):
        return "the parts are gathered"
    total = f"d{model.output.label}/d{wire.label}"
    if len(wire.uses) > 6:
        return f"{len(wire.uses)} branches add: {total} = {brief(wire.gradient)}"
    parts = [shares(user)[position] for user, position in reversed(wire.uses)]
    return f"branches add: {total} = {' + '.join(map(_part, parts))} = {brief(wire.gradient)}"


def _part(share: Any) -> str:
    shown = brief(share)
    return f"({shown})" if shown.startswith("(") or (" " in shown and not shown.startswith("[")) else shown


def _called(wire: Wire) -> str:
    return wire.label if wire.kind != "constant" or wire.is_array else _shown(wire)


def _shown(wire: Wire) -> str:
    """A value among operands: its number, or an array by its shape."""
    return str(wire.shape) if wire.is_array else brief(wire.value) if not isinstance(wire.value, tuple) else "…"
