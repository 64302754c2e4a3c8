"""A sheet of characters to draw on, each with the role it plays; roles become colours on a terminal."""

from __future__ import annotations

import unicodedata
from typing import Literal

__all__ = ["Canvas", "Role", "columns", "paint"]

Role = Literal["", "value", "gradient", "constant", "gate", "name", "wire"]

_CODES: dict[str, str] = {"value": "94", "gradient": "91", "constant": "2", "gate": "1", "name": "1", "wire": "2"}


def paint(text: str, role: Role, color: bool) -> str:
    """Text in the colour of its role, if colour is wanted."""
    return f"\x1b[{_CODES[role]}m{text}\x1b[0m" if color and role and text.strip() else text


def columns(text: str) -> int:
    """How many columns a text takes in a terminal: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Canvas:
    """Rows of characters that grow as they are written on."""

    def __init__(self) -> None:
        self._rows: list[list[tuple[str, Role]]] = []

    def write(self, row: int, column: int, text: str, role: Role = "") -> int:
        """Write over what is there; return the column behind the text."""
        while len(self._rows) <= row:
            self._rows.append([])
        cells = self._rows[row]
        cells.extend([(" ", "")] * (column + columns(text) - len(cells)))
        for character in text:
            width = columns(character)
            if width:
                cells[column] = (character, role)
            elif column:
                cells[column - 1] = (cells[column - 1][0] + character, role)
            if width == 2:
                cells[column + 1] = ("", role)  # taken by the character before
            column += width
        return column

    def text(self, color: bool) -> str:
        """All rows, without spaces at their ends."""
        return "\n".join(_line(cells, color) for cells in self._rows).rstrip()


def _line(cells: list[tuple[str, Role]], color: bool) -> str:
    while cells and cells[-1][0] == " ":
        cells = cells[:-1]
    parts: list[str] = []
    start = 0
    for index in range(1, len(cells) + 1):
        if index == len(cells) or cells[index][1] != cells[start][1]:
            parts.append(paint("".join(character for character, _ in cells[start:index]), cells[start][1], color))
            start = index
    return "".join(parts)
