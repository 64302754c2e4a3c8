"""The ledger of memory: what each gate remembers between the forward and the backward pass, in bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gategrad.masked import Masked
from gategrad.picture.model import Model, Node
from gategrad.picture.numbers import count
from gategrad.picture.paint import columns

__all__ = ["Entry", "Memory", "ledger"]

_NUMBER = 8  # bytes of a Python float's number
_MOST_ROWS = 60
_ENDS = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One gate: the bytes that it alone adds, and the bytes that it remembers but others hold as well."""

    number: int
    operation: str
    bytes: int
    shared: int
    remembers: str


@dataclass(frozen=True, slots=True, repr=False)
class Memory:
    """What backward costs in memory. Data that several gates remember is counted once, at the first of them."""

    entries: tuple[Entry, ...]
    no_grad: int = 0
    """What would be kept under `no_grad`: nothing."""

    @property
    def total(self) -> int:
        """All bytes that the gates keep until backward has passed them."""
        return sum(entry.bytes for entry in self.entries)

    def __str__(self) -> str:
        rows = [["#", "gate", "bytes", "shared", "remembers"], *self._rows()]
        widths = [max(columns(row[index]) for row in rows) for index in range(5)]
        lines = [_line(row, widths) for row in rows]
        rule = "  " + "─" * (max(map(columns, lines)) - 2)
        total = f"{self.total:,} bytes"
        return "\n".join([lines[0], rule, *lines[1:], rule, f"  kept for backward: {total}; under no_grad: nothing"])

    __repr__ = __str__

    def _rows(self) -> Iterator[list[str]]:
        missing = len(self.entries) - 2 * _ENDS if len(self.entries) > _MOST_ROWS else 0
        for index, entry in enumerate(self.entries):
            if not missing or index < _ENDS or index >= len(self.entries) - _ENDS:
                shared = f"{entry.shared:,}" if entry.shared else ""
                yield [str(entry.number), entry.operation, f"{entry.bytes:,}", shared, entry.remembers]
            elif index == _ENDS:
                yield ["", f"… {count(missing, 'more gate')} …", "", "", ""]


def ledger(model: Model) -> Memory:
    """Count what every gate of a replayed circuit remembers."""
    seen: set[int] = set()
    return Memory(tuple(_entry(node, seen) for node in model.nodes))


def _entry(node: Node, seen: set[int]) -> Entry:
    own = shared = 0
    names = []
    options = node.options
    for name, value in node.gate.__dict__.items():
        if value is None or (name in options and options[name] is value):
            continue
        parts = list(_data(value))
        for data, size in parts:
            if id(data) in seen:
                shared += size
            else:
                own += size
                seen.add(id(data))
        if parts:
            names.append(name)
    return Entry(node.number, f"{node.output.label} = {node.symbol}", own, shared, ", ".join(names))


def _data(value: Any) -> Iterator[tuple[Any, int]]:
    """The buffers and numbers in a remembered value, each with its bytes; a view stands for the array it looks into."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, np.ndarray):
            while isinstance(value.base, np.ndarray):
                value = value.base
            yield value, value.nbytes
        elif isinstance(value, (float, complex, np.generic)) and not isinstance(value, bool):
            yield value, getattr(value, "nbytes", 2 * _NUMBER if isinstance(value, complex) else _NUMBER)
        elif isinstance(value, Masked):
            waiting += [value.value, value.mask]
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, (tuple, list)):
            waiting += value


def _line(row: list[str], widths: list[int]) -> str:
    cells = []
    for index, (text, width) in enumerate(zip(row, widths, strict=True)):
        space = " " * (width - columns(text))
        cells.append(space + text if index in (0, 2, 3) else text + space)
    return f"  {'  '.join(cells)}".rstrip()
