"""The circuit as SVG: boxes for gates, the forward value above each wire in blue, the gradient below in red."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from itertools import pairwise

from gategrad.picture.facts import box_facts
from gategrad.picture.fold import Box, fold
from gategrad.picture.heat import heat_map, heat_size
from gategrad.picture.layout import Cell, Layout, Route, arrange
from gategrad.picture.model import Model, Wire
from gategrad.picture.numbers import spread
from gategrad.picture.paint import columns
from gategrad.picture.table import table

__all__ = ["asset", "draw", "drawable"]

_MOST_GATES = 5_000  # more are not even folded: a table says how many there are of what
_MOST_BOXES = 150
_CHANNEL = 34.0  # between two layers, where wires bend
_CHARACTER = 7.85  # of the 13 px font; monospaced, so that the width of a text is known without a browser
_SYMBOL = 9.7
_PORT = 20.0  # between two inputs of a box
_MARGIN = 18.0
_LINE = 16.0


def draw(model: Model) -> str:
    """The drawing; a table instead if the circuit is too large for one."""
    boxes = drawable(model)
    return _Drawing(model, boxes).svg() if boxes is not None else _tabular(model)


def drawable(model: Model) -> list[Box] | None:
    """The boxes of the drawing, None if there are too many to be drawn."""
    boxes = fold(model) if len(model.nodes) <= _MOST_GATES else None
    return boxes if boxes is not None and len(boxes) <= _MOST_BOXES else None


def asset(name: str) -> str:
    """A file that travels with the package: a style sheet or a script."""
    return files("gategrad.picture").joinpath("assets", name).read_text(encoding="utf-8")


def _document(width: float, height: float, label: str, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="gg" role="group" aria-label="{escape(label)}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">\n'
        f"<style>\n{asset('drawing.css')}</style>\n"
        f'<rect class="gg-paper" width="100%" height="100%" rx="6"/>\n{body}\n</svg>\n'
    )


def _tabular(model: Model) -> str:
    lines = [*table(model, 110, color=False).splitlines(), "", *(f"  {note}" for note in model.notes)]
    body = "\n".join(
        f'<text xml:space="preserve" x="{_MARGIN:g}" y="{_MARGIN + _LINE * (index + 1):g}">{escape(line)}</text>'
        for index, line in enumerate(lines)
    )
    width = max(map(columns, lines)) * _CHARACTER + 2 * _MARGIN
    return _document(width, _LINE * (len(lines) + 1) + 2 * _MARGIN, "a circuit, as a table", body)


def text_width(text: str) -> float:
    """The width of a text in a label."""
    return columns(text) * _CHARACTER


class _Drawing:
    """One circuit laid out and drawn."""

    def __init__(self, model: Model, boxes: list[Box]) -> None:
        self._model, self._boxes = model, boxes
        self._numbers = {wire: index for index, wire in enumerate(model.wires)}  # by which the page finds a wire
        self._layout: Layout = arrange(model, boxes, self._measure, _port, _CHANNEL)
        self._layer_end: dict[int, float] = {}
        for cell in self._layout.cells:
            end = cell.x + cell.width
            self._layer_end[cell.layer] = max(self._layer_end.get(cell.layer, 0.0), end)

    def svg(self) -> str:
        """The whole document."""
        body = [self._route(route) for route in self._layout.routes]
        body += [dot for cell in self._layout.cells if (dot := self._fork(cell))]
        body += [part for cell in self._layout.cells if not cell.passing for part in self._cell(cell)]
        width, height = self._layout.width + 2 * _MARGIN, self._layout.height + 2 * _MARGIN
        for note in self._model.notes:
            width = max(width, columns(note) * 7.3 + 2 * _MARGIN)
            body.append(f'<text class="gg-note" x="{_MARGIN:g}" y="{height:.5g}">{escape(note)}</text>')
            height += _LINE
        label = f"the circuit of {self._model.output.label}"
        return _document(width, height, label, "\n".join(body))

    # --- extents

    def _measure(self, cell: Cell) -> None:
        if cell.passing:
            cell.above = cell.below = 7.0
            return
        wire = cell.wire
        _, heat_above = heat_size(wire.value)
        _, heat_below = heat_size(wire.gradient)
        half = _half_height(cell.box) if cell.box is not None else 0.0
        cell.above = max(half, 20.0 + (heat_above + 4 + _LINE if wire.is_array else 0)) + 5
        cell.below = max(half, 19.0 + (heat_below + 6 if heat_below else 0)) + 5
        cell.width = self._start_width(cell) + self._label_width(wire)
        if wire is self._model.output:
            cell.width += text_width(wire.label) + 8

    def _start_width(self, cell: Cell) -> float:
        """What stands before the wire begins: the box, or the variable's name."""
        if cell.box is not None:
            return _box_width(cell.box)
        return text_width(cell.wire.tag) + 6 if cell.wire.tag else 0.0

    def _label_width(self, wire: Wire) -> float:
        above, value = text_width(self._over(wire)), text_width(_value_text(wire))
        above = max(above, value) if wire.is_array else above + value
        heat = max(heat_size(wire.value)[0], heat_size(wire.gradient)[0])
        return max(above, text_width(spread(wire.gradient)), heat) + 16

    def _over(self, wire: Wire) -> str:
        """What stands before a number, or on a line of its own over an array: the name, and the shape."""
        name = wire.label if self._shows_name(wire) else ""
        return f"{name} {wire.shape}".strip() if wire.is_array else f"{name} " if name else ""

    def _shows_name(self, wire: Wire) -> bool:
        return wire.kind == "gate" and wire is not self._model.output

    # --- wires

    def _route(self, route: Route) -> str:
        first = route.cells[0]
        path = [f"M{self._start(first):.5g} {self._y(first):.5g}H{self._right(first):.5g}"]
        for cell, following in pairwise(route.cells):
            last = following is route.cells[-1]
            x, y = following.x + _MARGIN, self._y(following) + (route.offset if last else 0.0)
            bend = (self._right(cell) + x) / 2
            path.append(f"C{bend:.5g} {self._y(cell):.5g} {bend:.5g} {y:.5g} {x:.5g} {y:.5g}")
            if not last:
                path.append(f"H{self._right(following):.5g}")
        number = self._numbers[first.wire]
        return f'<path class="gg-line" data-wire="{number}" d="{"".join(path)}"/>'

    def _fork(self, cell: Cell) -> str:
        """A dot where the branches of a wire part."""
        if len(cell.after) < 2:
            return ""
        return f'<circle class="gg-dot" cx="{self._right(cell):.5g}" cy="{self._y(cell):.5g}" r="3"/>'

    def _start(self, cell: Cell) -> float:
        return cell.x + _MARGIN + self._start_width(cell)

    def _right(self, cell: Cell) -> float:
        return self._layer_end[cell.layer] + _MARGIN

    def _y(self, cell: Cell) -> float:
        return cell.y + _MARGIN

    # --- boxes and labels

    def _cell(self, cell: Cell) -> Iterator[str]:
        wire, number = cell.wire, self._numbers[cell.wire]
        x, y, start = cell.x + _MARGIN, self._y(cell), self._start(cell)
        if wire is self._model.output:
            end = start + self._label_width(wire)
            yield f'<path class="gg-line" data-wire="{number}" d="M{start:.5g} {y:.5g}H{end:.5g}"/>'
            yield _text("gg-name", end + 6, y + 4.5, wire.label, number)
        if cell.box is not None:
            yield self._box(cell.box, x, y)
        elif wire.tag:
            yield _text("gg-name", x, y + 4.5, wire.tag, number)
        yield from self._labels(wire, start + 8, y, number)

    def _box(self, box: Box, x: float, y: float) -> str:
        width, half = _box_width(box), _half_height(box)
        tells = box_facts(box)
        folded = (" gg-folded" if box.is_folded else "") + (" gg-black-box" if box.is_black_box else "")
        return (
            f'<g class="gg-gate{folded}" data-gate="{self._boxes.index(box)}" tabindex="0" role="img" '
            f'aria-label="{escape(tells[0])}"><title>{escape(chr(10).join(tells))}</title>'
            f'<rect x="{x:.5g}" y="{y - half:.5g}" width="{width:.5g}" height="{2 * half:.5g}" rx="7"/>'
            f'<text x="{x + width / 2:.5g}" y="{y + 5.5:.5g}">{escape(box.label)}</text></g>'
        )

    def _labels(self, wire: Wire, x: float, y: float, number: int) -> Iterator[str]:
        """The value above the wire with its heat map, the gradient below."""
        at, over = x, self._over(wire)
        if over:
            yield self._heading(wire, x, y - 6 - (_LINE if wire.is_array else 0), number)
        if not wire.is_array:
            at += text_width(over)
        role = "gg-constant" if wire.kind == "constant" else "gg-value"
        yield f'<g class="gg-forward" data-wire="{number}">'
        yield _text(role, at, y - 6, _value_text(wire))
        yield heat_map(wire.value, x, y - 21 - _LINE - heat_size(wire.value)[1], "gg-value") + "</g>"
        if wire.gradient is not None:
            yield f'<g class="gg-backward" data-wire="{number}">'
            yield _text("gg-gradient", x, y + 16, spread(wire.gradient))
            yield heat_map(wire.gradient, x, y + 22, "gg-gradient") + "</g>"

    def _heading(self, wire: Wire, x: float, y: float, number: int) -> str:
        """The name in front of a number; over an array the name and, paler, the shape."""
        if not self._shows_name(wire):
            return _text("gg-shape", x, y, str(wire.shape))
        name = _text("gg-name" if wire.named else "gg-made-up", x, y, wire.label, number)
        return name + (_text("gg-shape", x + text_width(f"{wire.label} "), y, str(wire.shape)) if wire.is_array else "")


def _value_text(wire: Wire) -> str:
    return wire.label if wire.kind == "constant" and not wire.is_array else spread(wire.value)


def _text(role: str, x: float, y: float, text: str, number: int | None = None) -> str:
    wire = "" if number is None else f' data-wire="{number}"'
    return f'<text class="{role}"{wire} x="{x:.5g}" y="{y:.5g}">{escape(text)}</text>'


def _port(box: Box, index: int) -> float:
    return (index - (len(box.inputs) - 1) / 2) * _PORT


def _half_height(box: Box) -> float:
    return max(17.0, len(box.inputs) * _PORT / 2 + 2)


def _box_width(box: Box) -> float:
    return max(36.0, columns(box.label) * _SYMBOL + 18)
