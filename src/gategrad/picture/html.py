"""The circuit as one self-contained page: the drawing, and both passes step by step, by button or by key."""

from __future__ import annotations

import json
from html import escape
from string import Template
from typing import Any

from gategrad.picture.facts import box_facts
from gategrad.picture.fold import Box
from gategrad.picture.model import Model, Node, Wire
from gategrad.picture.numbers import brief, count
from gategrad.picture.svg import asset, draw, drawable
from gategrad.picture.words import backward_words, caption, forward_words

__all__ = ["page"]


def page(model: Model, title: str) -> str:
    """The page; nothing in it is fetched from anywhere, and names and values are text, never markup."""
    boxes = drawable(model) or []
    story = {"overview": caption(model), "steps": _steps(model, boxes), "gates": [box_facts(box) for box in boxes]}
    return Template(asset("page.html")).substitute(
        title=escape(title),
        style=asset("page.css"),
        script=asset("page.js"),
        drawing=draw(model),
        overview=escape(caption(model)),
        story=_embedded(story),
    )


def _embedded(story: Any) -> str:
    """JSON that no markup can end: `<`, `>` and `&` are written as escapes."""
    text = json.dumps(story, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _steps(model: Model, boxes: list[Box]) -> list[dict[str, Any]]:
    """For each step its gate, its sentence, and the wires that it makes known."""
    numbers = {wire: index for index, wire in enumerate(model.wires)}
    known = [numbers[wire] for wire in (*model.leaves, *model.constants)]
    forward = [
        {
            "phase": "forward",
            "gate": index,
            "words": _forward(box),
            "shows": [numbers[box.output]] + (known if index == 0 else []),
            "along": [numbers[wire] for wire in box.inputs],
        }
        for index, box in enumerate(boxes)
    ]
    backward = []
    done: set[Node] = set()
    for index in reversed(range(len(boxes))):
        box = boxes[index]
        done.update(box.nodes)
        arrived = [model.output] if len(done) == len(box.nodes) else []
        arrived += [wire for wire in box.inputs if all(user in done for user, _ in wire.uses)]
        backward.append(
            {
                "phase": "backward",
                "gate": index,
                "words": _backward(box, model),
                "shows": [numbers[wire] for wire in arrived],
                "along": [numbers[wire] for wire in (*box.inputs, box.output)],
            }
        )
    return forward + backward


def _forward(box: Box) -> str:
    if not box.is_folded:
        return forward_words(box.nodes[0])
    return f"{box.label}: {count(len(box.nodes), 'gate')} in a row, {_reading(box.output)}"


def _backward(box: Box, model: Model) -> str:
    if not box.is_folded:
        return backward_words(box.nodes[0], model)
    f = model.output.label
    sent = [f"d{f}/d{wire.label} = {brief(wire.gradient)}" for wire in box.inputs if wire.gradient is not None]
    return f"{box.label}: back through {count(len(box.nodes), 'gate')}, {'; '.join(sent)}"


def _reading(wire: Wire) -> str:
    return f"{wire.label} = {brief(wire.value)}"
