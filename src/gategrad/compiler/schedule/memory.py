"""Memory planning: where in one block of workspace each buffer lies, so that buffers share space when they can."""

from __future__ import annotations

import dataclasses

__all__ = ["ALIGNMENT", "Buffer", "Plan", "plan"]

ALIGNMENT = 64


@dataclasses.dataclass
class Buffer:
    """A stretch of workspace that is in use from kernel `first` to kernel `last`."""

    nbytes: int
    first: int
    last: int
    offset: int = 0


@dataclasses.dataclass(frozen=True)
class Plan:
    """Buffers by their names in LLVM, to be printed."""

    buffers: list[tuple[str, Buffer]]
    is_made: bool

    def __str__(self) -> str:
        lines = [
            f"{name[1:]}: {b.nbytes} bytes{f' at {b.offset}' if self.is_made else ''}, from kernel {b.first + 1} to {b.last + 1}"
            for name, b in self.buffers
        ]
        return "\n".join(lines) or "no buffers"


def plan(buffers: list[Buffer], start: int = 0) -> int:
    """Give every buffer an offset such that no two share bytes while both are in use; return the total size.

    Large ones first, each at the lowest place that is free during its life.
    """
    placed: list[Buffer] = []
    total = start
    for buffer in sorted(buffers, key=lambda b: -b.nbytes):
        offset = start
        for other in sorted(
            (p for p in placed if p.first <= buffer.last and buffer.first <= p.last), key=lambda p: p.offset
        ):
            if offset + buffer.nbytes <= other.offset:
                break
            offset = max(offset, _aligned(other.offset + other.nbytes))
        buffer.offset = offset
        placed.append(buffer)
        total = max(total, _aligned(offset + buffer.nbytes))
    return total


def _aligned(n: int) -> int:
    return -(-n // ALIGNMENT) * ALIGNMENT
