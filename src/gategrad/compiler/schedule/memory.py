"""Memory planning: where in one block of workspace each buffer lies, so that buffers share space when they can."""

from __future__ import annotations

import dataclasses

import numpy as np

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

    Large ones first, each at the lowest place that is free during its life. Thousands of them, as a long program has,
    are compared at once.
    """
    # One row for each that is placed, by offset: offset, end, first, last.
    placed = np.zeros((4, len(buffers)), np.int64)
    total = start
    for count, buffer in enumerate(sorted(buffers, key=lambda b: -b.nbytes)):
        offsets, ends, firsts, lasts = placed[:, :count]
        meets = np.flatnonzero((firsts <= buffer.last) & (lasts >= buffer.first))
        buffer.offset = _lowest(offsets[meets], ends[meets], buffer.nbytes, start)
        end = _aligned(buffer.offset + buffer.nbytes)
        position = int(np.searchsorted(offsets, buffer.offset, "right"))
        placed[:, position + 1 : count + 1] = placed[:, position:count].copy()
        placed[:, position] = buffer.offset, end, buffer.first, buffer.last
        total = max(total, end)
    return total


def _lowest(offsets: np.ndarray, ends: np.ndarray, nbytes: int, start: int) -> int:
    """The lowest place from `start` on with so many bytes between stretches that are given in the order of their offsets."""
    before = np.maximum.accumulate(np.concatenate([[start], ends]))
    gaps = before[:-1] + nbytes <= offsets
    return int(before[int(np.argmax(gaps))] if gaps.any() else before[-1])


def _aligned(n: int) -> int:
    return -(-n // ALIGNMENT) * ALIGNMENT
