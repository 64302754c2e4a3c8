"""Where everything goes: layers by longest path, an order with few crossings, and wires as straight as can be.

The method is Sugiyama's: a wire that spans several layers gets a place in each; barycentre sweeps order the layers; the
heights are then the least-squares fit to the neighbours' heights that keeps order and distance, which isotonic
regression finds exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from gategrad.picture.fold import Box
from gategrad.picture.model import Model, Wire

__all__ = ["Cell", "Layout", "Route", "arrange"]

_SWEEPS = 12
_MOST_LAYERS_FOR_LEFT = 5  # in a circuit no deeper, all variables stand in the first layer, as in a textbook


@dataclass(eq=False, slots=True)
class Cell:
    """A place in a layer: a box or a wire's beginning with its labels, or a wire that only passes through."""

    wire: Wire
    box: Box | None
    layer: int
    passing: bool = False
    before: list[tuple[Cell, float]] = field(default_factory=list)
    """The cells that lead here, each with how far from this cell's middle its wire ends."""
    after: list[tuple[Cell, float]] = field(default_factory=list)
    width: float = 0.0
    above: float = 0.0
    """How far it reaches above its middle, and below."""
    below: float = 0.0
    x: float = 0.0
    y: float = 0.0


@dataclass(eq=False, slots=True)
class Route:
    """A wire's way from its beginning through the layers to one input of a box."""

    cells: list[Cell]
    port: int
    offset: float = 0.0
    """How far from the middle of the last cell it ends."""


@dataclass(slots=True)
class Layout:
    """All cells with their places, all routes, and the size of the whole."""

    cells: list[Cell]
    routes: list[Route]
    width: float
    height: float


def arrange(
    model: Model, boxes: list[Box], measure: Callable[[Cell], None], port: Callable[[Box, int], float], channel: float
) -> Layout:
    """Place the boxes and the wires; `measure` writes each cell's extent, `port` says where on a box an input ends."""
    layers, routes = _layers(model, boxes)
    for route in routes:
        last = route.cells[-1]
        route.offset = port(last.box, route.port) if last.box is not None else 0.0
        for index, (first, second) in enumerate(pairwise(route.cells)):
            offset = route.offset if index == len(route.cells) - 2 else 0.0
            first.after.append((second, offset))
            second.before.append((first, offset))
    for layer in layers:
        for cell in layer:
            measure(cell)
    _order(layers)
    _heights(layers)
    width = _columns(layers, channel)
    cells = [cell for layer in layers for cell in layer]
    top = min(cell.y - cell.above for cell in cells)
    for cell in cells:
        cell.y -= top
    return Layout(cells, routes, width, max(cell.y + cell.below for cell in cells))


# --- layers -------------------------------------------------------------------------------------------------------


def _layers(model: Model, boxes: list[Box]) -> tuple[list[list[Cell]], list[Route]]:
    depth: dict[Wire, int] = {}
    for box in boxes:
        depth[box.output] = 1 + max((depth.get(wire, 0) for wire in box.inputs), default=0)
    deepest = max(depth.values(), default=0)
    cells = {box.output: Cell(box.output, box, depth[box.output]) for box in boxes}
    first_use: dict[Wire, int] = {}
    for box in boxes:
        for wire in box.inputs:
            if wire not in cells:
                first_use[wire] = min(first_use.get(wire, deepest), depth[box.output])
    for wire, use in first_use.items():
        left = wire.kind == "leaf" and deepest <= _MOST_LAYERS_FOR_LEFT
        cells[wire] = Cell(wire, None, 0 if left else use - 1)
    if model.output not in cells:
        cells[model.output] = Cell(model.output, None, 0)
    layers: list[list[Cell]] = [[] for _ in range(deepest + 1)]
    for cell in sorted(cells.values(), key=_reading_order(model, boxes)):
        layers[cell.layer].append(cell)
    return layers, _routes(boxes, cells, layers)


def _reading_order(model: Model, boxes: list[Box]) -> Callable[[Cell], int]:
    """Wires as they are first met when the expression is read from left to right."""
    makers = {box.output: box for box in boxes}
    rank: dict[Wire, int] = {}
    waiting = [model.output]
    while waiting:
        wire = waiting.pop()
        if wire not in rank:
            rank[wire] = len(rank)
            waiting.extend(reversed(makers[wire].inputs if wire in makers else []))
    return lambda cell: rank.get(cell.wire, len(rank))


def _routes(boxes: list[Box], cells: dict[Wire, Cell], layers: list[list[Cell]]) -> list[Route]:
    """One route per input; branches of a wire share the places in which they pass through a layer."""
    passing: dict[tuple[Wire, int], Cell] = {}
    routes = []
    for box in boxes:
        for port, wire in enumerate(box.inputs):
            way = [cells[wire]]
            for layer in range(cells[wire].layer + 1, cells[box.output].layer):
                if (wire, layer) not in passing:
                    passing[wire, layer] = Cell(wire, None, layer, passing=True)
                    layers[layer].append(passing[wire, layer])
                way.append(passing[wire, layer])
            routes.append(Route([*way, cells[box.output]], port))
    return routes


# --- order within the layers --------------------------------------------------------------------------------------


def _order(layers: list[list[Cell]]) -> None:
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        rank = {cell: float(index) for layer in layers for index, cell in enumerate(layer)}
        for layer in layers if forward else reversed(layers):
            layer.sort(key=lambda cell: _barycentre(cell, cell.before if forward else cell.after, rank))
            rank.update((cell, float(index)) for index, cell in enumerate(layer))
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    for layer, order in zip(layers, best, strict=True):
        layer[:] = order


def _barycentre(cell: Cell, neighbours: list[tuple[Cell, float]], rank: dict[Cell, float]) -> float:
    if not neighbours:
        return rank[cell]
    return sum(rank[other] + offset / 1000 for other, offset in neighbours) / len(neighbours)


def _crossings(layers: list[list[Cell]]) -> int:
    total = 0
    for layer in layers[1:]:
        rank = {cell: index for index, cell in enumerate(layers[layer[0].layer - 1])} if layer else {}
        edges = [(rank[source], index, offset) for index, cell in enumerate(layer) for source, offset in cell.before]
        edges.sort()
        for first, (a, b, port) in enumerate(edges):
            total += sum(a < c and (d, other) < (b, port) for c, d, other in edges[first + 1 :])
    return total


# --- heights ------------------------------------------------------------------------------------------------------


def _heights(layers: list[list[Cell]]) -> None:
    for layer in layers:
        _settle(layer, [0.0] * len(layer))
    for sweep in range(2 * _SWEEPS):
        forward = sweep % 2 == 1
        for layer in layers if forward else reversed(layers):
            wanted = [_wanted(cell, forward) for cell in layer]
            _settle(layer, wanted)


def _wanted(cell: Cell, forward: bool) -> float:
    """Where the wires on this side would run straight."""
    if forward:
        ends = [other.y - offset for other, offset in cell.before]
    else:
        ends = [other.y + offset for other, offset in cell.after]
    return sum(ends) / len(ends) if ends else cell.y


def _settle(layer: list[Cell], wanted: list[float]) -> None:
    """The heights closest to the wanted ones that keep the order and leave room between neighbours."""
    room = [0.0]
    for upper, lower in pairwise(layer):
        room.append(room[-1] + upper.below + lower.above)
    weights = [4.0 if cell.passing else 1.0 for cell in layer]
    level = _isotonic([target - offset for target, offset in zip(wanted, room, strict=True)], weights)
    for cell, height, offset in zip(layer, level, room, strict=True):
        cell.y = height + offset


def _isotonic(targets: list[float], weights: list[float]) -> list[float]:
    """The non-decreasing sequence with the least weighted squared distance: neighbours that violate are pooled."""
    pools: list[tuple[float, float, int]] = []
    for target, weight in zip(targets, weights, strict=True):
        mean, total, size = target, weight, 1
        while pools and pools[-1][0] > mean:
            other, mass, count = pools.pop()
            mean, total, size = (mean * total + other * mass) / (total + mass), total + mass, size + count
        pools.append((mean, total, size))
    return [mean for mean, _, size in pools for _ in range(size)]


def _columns(layers: list[list[Cell]], channel: float) -> float:
    x = 0.0
    for layer in layers:
        width = max((cell.width for cell in layer), default=0.0)
        for cell in layer:
            cell.x = x
            cell.width = width if cell.passing else cell.width
        x += width + channel
    return x - channel
