"""Folding: repeated segments of a chain become one box "×N", and what is still too long "… 12 more gates …"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gategrad.picture.model import Model, Node, Wire, operation
from gategrad.picture.numbers import count

__all__ = ["Box", "census", "fold"]

_LONGEST_PERIOD = 8
_LONGEST_CHAIN = 12  # boxes in a row that are drawn before the middle is left out
_ENDS = 4  # boxes that stay at either end
_MOST_SIDES = 4  # wires from the side that enter a folded box before they are left out


@dataclass(eq=False, slots=True)
class Box:
    """What a drawing shows as one box: a gate, or several that were folded."""

    label: str
    nodes: list[Node]
    inputs: list[Wire]
    """The wires that are drawn into it; a number among the operands is part of the label instead."""

    @property
    def output(self) -> Wire:
        """The wire that leaves the box."""
        return self.nodes[-1].output

    @property
    def is_folded(self) -> bool:
        """Whether the box stands for several gates."""
        return len(self.nodes) > 1

    @property
    def is_black_box(self) -> bool:
        """Whether a gate in it is differentiated by finite differences."""
        return any(node.is_black_box for node in self.nodes)


def fold(model: Model) -> list[Box]:
    """The boxes to draw, in an order in which every one follows what it depends on."""
    boxes = [box for chain in _chains(model) for box in _shorten(_fold_repeats(chain))]
    return sorted(boxes, key=lambda box: box.nodes[-1].number)


def census(model: Model) -> list[tuple[str, int]]:
    """How many gates there are of each sort, the most frequent first."""
    return Counter(node.symbol for node in model.nodes).most_common()


def _chains(model: Model) -> Iterator[list[Node]]:
    """Gates in a row: each uses only the one before it, variables and constants, and is used by the next alone."""
    following: dict[Node, Node] = {}
    for node in model.nodes:
        made = [wire for wire in node.inputs if wire.kind == "gate"]
        if len(made) == 1 and len(made[0].uses) == 1:
            following[_maker(made[0])] = node
    inside = set(following.values())
    for node in model.nodes:
        if node not in inside:
            chain = [node]
            while chain[-1] in following:
                chain.append(following[chain[-1]])
            yield chain


def _maker(wire: Wire) -> Node:
    assert wire.node is not None  # only asked of wires that a gate made
    return wire.node


def _single(node: Node) -> Box:
    drawn = [wire for wire in node.inputs if wire.kind != "constant" or wire.is_array]
    if not drawn or len(drawn) == len(node.inputs):
        return Box(node.symbol, [node], list(node.inputs))
    return Box(
        operation(node, [wire.label if wire not in drawn else "" for wire in node.inputs]).strip(), [node], drawn
    )


# --- repeats ----------------------------------------------------------------------------------------------------


def _fold_repeats(chain: list[Node]) -> list[Box]:
    likeness = [_likeness(node, first=node is chain[0]) for node in chain]
    boxes: list[Box] = []
    start = 0
    while start < len(chain):
        period, times = _repetition(likeness, start)
        length = period * times
        segment = chain[start : start + length]
        if times > 1 and _worth_it(segment, times):
            symbols = " → ".join(node.symbol for node in segment[:period])
            boxes.append(_folded(f"{symbols} ×{times}" if period == 1 else f"[{symbols}] ×{times}", segment))
            start += length
        else:
            boxes.append(_single(chain[start]))
            start += 1
    return boxes


def _likeness(node: Node, first: bool) -> tuple[Any, ...]:
    """What two gates share if one could stand for the other in a drawing; the first is entered by a variable."""
    sides = [_side(wire) for wire in node.inputs]
    if first and "through" not in sides and "side" in sides:
        sides[sides.index("side")] = "through"
    return type(node.gate), repr(node.gate), tuple(sides)


def _side(wire: Wire) -> str:
    if wire.kind == "constant" and not wire.is_array:
        return repr(wire.value)
    return "through" if wire.kind == "gate" else "side"


def _repetition(likeness: list[tuple[Any, ...]], start: int) -> tuple[int, int]:
    """The period and number of repeats, from here on, that cover the most."""
    best = (1, 1)
    for period in range(1, _LONGEST_PERIOD + 1):
        end = start + period
        while end < len(likeness) and likeness[end] == likeness[end - period]:
            end += 1
        times = (end - start) // period
        if times > 1 and times * period > best[0] * best[1]:
            best = (period, times)
    return best


def _worth_it(segment: list[Node], times: int) -> bool:
    has_sides = any(wire.kind == "leaf" for node in segment[1:] for wire in node.inputs)
    return times >= 3 and len(segment) >= (8 if has_sides else 4)


# --- long chains ------------------------------------------------------------------------------------------------


def _shorten(boxes: list[Box]) -> list[Box]:
    if len(boxes) <= _LONGEST_CHAIN:
        return boxes
    middle = [node for box in boxes[_ENDS:-_ENDS] for node in box.nodes]
    return [*boxes[:_ENDS], _folded(f"… {count(len(middle), 'more gate')} …", middle), *boxes[-_ENDS:]]


def _folded(label: str, nodes: list[Node]) -> Box:
    through = [wire for wire in nodes[0].inputs if wire.kind == "gate"]
    inside = {node.output for node in nodes}
    sides = list(dict.fromkeys(_outer(nodes, lambda wire: wire.kind == "leaf" and wire not in inside)))
    if len(sides) > _MOST_SIDES:
        label = f"{label}, {len(sides)} inputs"
        sides = [] if through else sides[:1]
    return Box(label, nodes, through + sides)


def _outer(nodes: list[Node], wanted: Callable[[Wire], bool]) -> Iterator[Wire]:
    return (wire for node in nodes for wire in node.inputs if wanted(wire))
