"""What a gate tells of itself: name, options, pattern, local gradients as numbers, the NumPy lines of its backward."""

from __future__ import annotations

from gategrad.picture.fold import Box
from gategrad.picture.model import Node
from gategrad.picture.numbers import prose, summary
from gategrad.picture.replay import local_gradients
from gategrad.picture.rule import rule_lines

__all__ = ["box_facts", "facts"]


def box_facts(box: Box) -> list[str]:
    """What a box of a drawing tells: the facts of its gate, or how many gates were folded into it."""
    if box.is_folded:
        return [f"{len(box.nodes)} gates, {box.nodes[0].output.label} to {box.output.label}"]
    return facts(box.nodes[0])


def facts(node: Node) -> list[str]:
    """Line by line: name, options and pattern; the gate's own documentation; local gradients; the rule."""
    options = ", ".join(f"{key}={value!r}" for key, value in node.options.items())
    head = f"{node.name}({options})" if options else node.name
    if node.pattern:
        head += f", {'an' if node.pattern[0] in 'aeiou' else 'a'} {node.pattern}"
    local = [
        f"d{node.output.label}/d{wire.label} = {prose(gradient) if not node.output.is_array else summary(gradient)}"
        for wire, gradient in zip(node.inputs, local_gradients(node), strict=True)
        if gradient is not None
    ]
    return [head, *_documentation(node), *local, *rule_lines(node)]


def _documentation(node: Node) -> list[str]:
    """The first paragraph of the gate's own documentation, the formula among it."""
    text = type(node.gate).__dict__.get("__doc__") or ""
    return [" ".join(text.split("\n\n")[0].split())] if text else []
