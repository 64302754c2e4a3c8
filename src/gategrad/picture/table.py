"""The circuit as a table, one gate a row, for what is too large to draw; the largest as a summary."""

from __future__ import annotations

from typing import TypeVar

from gategrad.picture.fold import census
from gategrad.picture.model import Model, Node, Wire, operation
from gategrad.picture.numbers import count, summary
from gategrad.picture.paint import Role, columns, paint

__all__ = ["heading", "table"]

_Item = TypeVar("_Item")

_MOST_ROWS = 60
_ENDS = 5  # rows that stay at either end when there are more
_MOST_LEAVES = 24
_GAP = "  "
_ROLES: tuple[Role, ...] = ("", "name", "gate", "value", "gradient", "")
_RIGHT = (0, 3, 4)  # numbers stand right


def heading(model: Model) -> str:
    """How large the circuit is, in a line: `a circuit of 12 gates and 3 variables: 7 +, 5 ×`."""
    sorts = [f"{n:,} {symbol}" for symbol, n in census(model)]
    more = [f"{len(sorts) - 8} more sorts"] if len(sorts) > 8 else []
    size = f"{count(len(model.nodes), 'gate')} and {count(len(model.leaves), 'variable')}"
    return f"a circuit of {size}: {', '.join(sorts[:8] + more)}"


def table(model: Model, width: int, color: bool) -> str:
    """Every gate with its name, operation, value, gradient and pattern; of many, the first and the last."""
    leaves = _ends(model.leaves, _MOST_LEAVES)
    nodes = _ends(model.nodes, _MOST_ROWS)
    header = ["#", "name", "operation", "value", "gradient", "pattern"]
    rows = [header, *(_gap(x) if isinstance(x, int) else _leaf(x) for x in leaves)]
    rows += [_gap(x) if isinstance(x, int) else _gate(x) for x in nodes]
    widths = [max(columns(row[index]) for row in rows) for index in range(len(header))]
    spare = width - 2 - sum(widths) - len(_GAP) * (len(widths) - 1)
    widths[2] = max(widths[2] + min(spare, 0), 9)
    lines = [_line(row, widths, color and index > 0) for index, row in enumerate(rows)]
    rule = "  " + "─" * (max(columns(_line(row, widths, False)) for row in rows) - 2)
    return "\n".join([f"  {heading(model)}", "", lines[0], rule, *lines[1:]])


def _ends(items: list[_Item], most: int) -> list[_Item | int]:
    """All items; or the first, how many are left out, and the last."""
    if len(items) <= most:
        return list(items)
    return [*items[:_ENDS], len(items) - 2 * _ENDS, *items[-_ENDS:]]


def _gap(missing: int) -> list[str]:
    return ["", "", f"… {missing:,} more …", "", "", ""]


def _leaf(wire: Wire) -> list[str]:
    return ["", wire.label, "variable", summary(wire.value), summary(wire.gradient), ""]


def _gate(node: Node) -> list[str]:
    written = operation(node, [wire.label for wire in node.inputs], spelled=True)
    wire = node.output
    return [str(node.number), wire.label, written, summary(wire.value), summary(wire.gradient), node.pattern]


def _line(row: list[str], widths: list[int], color: bool) -> str:
    cells = []
    for index, (text, wide) in enumerate(zip(row, widths, strict=True)):
        text = text if columns(text) <= wide else text[: wide - 1] + "…"
        space = " " * (wide - columns(text))
        shown = paint(text, _ROLES[index], color)
        cells.append(space + shown if index in _RIGHT else shown + space)
    return f"  {_GAP.join(cells)}".rstrip()
