"""The circuit in the terminal: wires join into gates from left to right, values above, gradients below.

A drawing consists of sections. A value that several gates use, or at which a drawing too wide was cut, ends a section
of its own and enters the others as a dashed wire under its name. What would need too many sections is a table.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from dataclasses import dataclass, field

from gategrad.picture.fold import Box, fold
from gategrad.picture.model import Model, Wire
from gategrad.picture.numbers import summary
from gategrad.picture.paint import Canvas, columns
from gategrad.picture.replay import shares
from gategrad.picture.table import table

__all__ = ["draw"]

_MARGIN = 2
_MOST_BOXES = 48
_MOST_SECTIONS = 12
_MOST_FOLDABLE = 5_000  # gates; above, the census of a table says more than any drawing


def draw(model: Model, color: bool | None = None, width: int | None = None) -> str:
    """The drawing, or the table if the circuit is too large for one; then what a reader must know."""
    width = width or shutil.get_terminal_size().columns
    color = _on_terminal() if color is None else color
    drawing = _drawing(model, width, color) or table(model, width, color)
    notes = [
        textwrap.fill(note, max(width - 2, 20), initial_indent="  ", subsequent_indent="  ") for note in model.notes
    ]
    return "\n".join([drawing, *([""] if notes else []), *notes])


def _on_terminal() -> bool:
    stdout = sys.stdout
    return stdout is not None and stdout.isatty() and not os.environ.get("NO_COLOR")


def _drawing(model: Model, width: int, color: bool) -> str | None:
    if len(model.nodes) > _MOST_FOLDABLE:
        return None
    boxes = fold(model)
    if len(boxes) > _MOST_BOXES:
        return None
    plan = _Plan(boxes, width)
    sections = plan.sections(model.output)
    if sections is None:
        return None
    shared = plan.shared_leaves(model)
    drawn = [_introduce(shared, color)] if shared else []
    return "\n\n".join(drawn + [_Section(plan, wire, color).text() for wire in sections])


def _introduce(leaves: list[Wire], color: bool) -> str:
    """The variables that several gates use, each with the sum of its branches."""
    canvas = Canvas()
    names = max(columns(wire.label) for wire in leaves)
    field_width = max(_field(wire) for wire in leaves)
    for index, wire in enumerate(leaves):
        row = 2 * index
        canvas.write(row, _MARGIN + names - columns(wire.label), wire.label, "name")
        end = _values(canvas, row, _MARGIN + names + 1, wire, field_width)
        canvas.write(row, end, f" ┄┄ {len(wire.uses)} branches", "wire")
        parts = [summary(shares(user)[position]) for user, position in wire.uses]
        if len(parts) <= 4 and not wire.is_array:
            canvas.write(row + 1, end, " = " + " + ".join(parts), "gradient")
    return canvas.text(color)


def _field(wire: Wire) -> int:
    """The width of a wire's numbers; the value stands at least one column off the wire before it."""
    return max(len(summary(wire.value)) + 1, len(summary(wire.gradient)))


def _values(canvas: Canvas, row: int, column: int, wire: Wire, width: int, gradient: str | None = None) -> int:
    """Write `── value` and the gradient beneath it; return the column behind them."""
    canvas.write(row, column, "──", "wire")
    end = column + 2 + width
    value, below = summary(wire.value), summary(wire.gradient) if gradient is None else gradient
    canvas.write(row, end - len(value), value, "value" if wire.kind != "constant" else "constant")
    canvas.write(row + 1, end - len(below), below, "gradient")
    return end


# --- where to cut -------------------------------------------------------------------------------------------------


@dataclass
class _Plan:
    """Which box makes which wire, and which wires end a section of their own."""

    boxes: list[Box]
    width: int
    cuts: set[Wire] = field(default_factory=set)
    maker: dict[Wire, Box] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.maker = {box.output: box for box in self.boxes}
        entering = [wire for box in self.boxes for wire in box.inputs]
        self.cuts = {wire for wire in self.maker if entering.count(wire) > 1}

    def shared_leaves(self, model: Model) -> list[Wire]:
        """The variables that enter more than one place of the drawing."""
        entering = [wire for box in self.boxes for wire in box.inputs]
        return [wire for wire in model.leaves if entering.count(wire) > 1]

    def is_end(self, wire: Wire) -> bool:
        """Whether nothing before this wire is drawn in the section it enters."""
        return wire not in self.maker or wire in self.cuts

    def sections(self, output: Wire) -> list[Wire] | None:
        """The wires that end a section, each after those it refers to; None if there would be too many."""
        for box in self.boxes:
            while self._end_column(box) > self.width:
                inside = [wire for wire in box.inputs if not self.is_end(wire)]
                if not inside:
                    return None
                self.cuts.add(max(inside, key=lambda wire: self._end_column(self.maker[wire])))
        ends = [box.output for box in self.boxes if box.output in self.cuts and box.output is not output]
        return None if len(ends) >= _MOST_SECTIONS else [*ends, output]

    def _end_column(self, box: Box) -> int:
        return _Section(self, box.output, color=False).end_column()


# --- one section ----------------------------------------------------------------------------------------------------


class _Section:
    """The tree of boxes that ends in one wire."""

    def __init__(self, plan: _Plan, output: Wire, color: bool) -> None:
        self._plan, self._output, self._color = plan, output, color
        self._canvas = Canvas()
        self._row = 0
        ends = list(self._ends(output))
        self._names = max((columns(wire.tag) for wire in ends), default=0)
        self._field = max((_field(wire) for wire in ends), default=0)

    def _ends(self, output: Wire) -> list[Wire]:
        """The wires at which the tree begins, from top to bottom."""
        found, waiting = [], [output]
        while waiting:
            wire = waiting.pop()
            if (wire is not output and self._plan.is_end(wire)) or wire not in self._plan.maker:
                found.append(wire)
            else:
                waiting.extend(reversed(self._plan.maker[wire].inputs))
        return found

    def text(self) -> str:
        """The drawing of the section."""
        self.end_column()
        return self._canvas.text(self._color)

    def end_column(self) -> int:
        """Draw; return the column behind all that was drawn."""
        box = self._plan.maker.get(self._output)
        if box is None:
            row, column = self._leaf(self._output, None)
            return column
        row, column = self._gate(box)
        end = _values(self._canvas, row, column, self._output, _field(self._output))
        self._canvas.write(row, end + 2, self._output.label, "name")
        return end + 2 + columns(self._output.label)

    def _leaf(self, wire: Wire, gradient: str | None) -> tuple[int, int]:
        row, self._row = self._row, self._row + 2
        name = wire.tag
        self._canvas.write(row, _MARGIN + self._names - columns(name), name, "name")
        column = _MARGIN + self._names + (1 if self._names else 0)
        end = _values(self._canvas, row, column, wire, self._field, gradient)
        if self._is_branch(wire):
            self._canvas.write(row, column, "┄┄", "wire")
        elif not name:
            self._canvas.write(row, column, "  ")
        return row, end

    def _is_branch(self, wire: Wire) -> bool:
        return wire.kind != "constant" and (wire in self._plan.cuts or len(wire.uses) > 1)

    def _gate(self, box: Box) -> tuple[int, int]:
        """Draw everything up to this gate; return the row of its output and the column behind the gate."""
        ends = []
        for index, wire in enumerate(box.inputs):
            if self._plan.is_end(wire):
                ends.append(self._leaf(wire, self._share(box, index, wire)))
            else:
                row, column = self._gate(self._plan.maker[wire])
                if wire.named:
                    self._canvas.write(row, column, f"── {wire.label} ", "wire")
                    self._canvas.write(row, column + 3, wire.label, "name")
                    column += 4 + columns(wire.label)
                ends.append((row, _values(self._canvas, row, column, wire, _field(wire))))
        return self._join(box, ends)

    def _share(self, box: Box, index: int, wire: Wire) -> str | None:
        """The part of the gradient that a branch carries; None where the wire's own is meant."""
        if box.is_folded or wire.kind == "constant" or len(wire.uses) < 2:
            return None
        node = box.nodes[0]
        positions = [position for position, source in enumerate(node.inputs) if source in box.inputs]
        return summary(shares(node)[positions[index]])

    def _join(self, box: Box, ends: list[tuple[int, int]]) -> tuple[int, int]:
        canvas = self._canvas
        glyph = f"(┄{box.label}┄)" if box.is_black_box else f"( {box.label} )"
        if not ends:
            row, self._row = self._row, self._row + 2
            return row, canvas.write(row, _MARGIN, glyph, "gate")
        if len(ends) == 1:
            row, column = ends[0]
            canvas.write(row, column, " ──", "wire")
            return row, canvas.write(row, column + 3, glyph, "gate")
        rows = [row for row, _ in ends]
        middle = (rows[0] + rows[-1]) // 2
        joint = max(column for _, column in ends) + 3
        for row in range(rows[0], rows[-1] + 1):
            canvas.write(row, joint, "│", "wire")
        for row, column in ends:
            corner = "┐" if row == rows[0] else "┘" if row == rows[-1] else "┤"
            canvas.write(row, column + 1, "─" * (joint - column - 1) + corner, "wire")
        canvas.write(middle, joint, "┼" if middle in rows else "├", "wire")
        canvas.write(middle, joint + 1, "─", "wire")
        return middle, canvas.write(middle, joint + 2, glyph, "gate")
