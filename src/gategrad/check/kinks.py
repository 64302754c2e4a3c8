"""kinks: how many elements sat on a kink, of which gate, at which line of the user's code."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from gategrad.gate import Gate
from gategrad.watch import Note, Place, Watch

__all__ = ["Kink", "Kinks", "kinks"]


@dataclasses.dataclass
class Kink:
    """A gate at a line, of whose elements some sat on a kink."""

    gate: str  # the name of its class
    place: Place | None  # the line of the user's code
    convention: str  # what its backward answers there
    count: int = 0  # how many elements sat on a kink, over all calls
    size: int = 0  # of how many

    def __str__(self) -> str:
        where = f" at {self.place}" if self.place is not None else ""
        text = f"{self.gate}{where}: {self.count} of {self.size} element{'s' * (self.size != 1)} on a kink"
        return f"{text} (gradient there: {self.convention})" if self.convention else text


class Kinks(Watch):
    """What `kinks()` returns: a block to enter, and afterwards the kinks that were met in it, in order."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Place | None], Kink] = {}

    def noted(self, note: Note) -> None:
        """Count the elements of a gate that sit on a kink; not those of its rules, which are nobody's doing."""
        if note.inner or note.of is not None or type(note.gate).kinks is Gate.kinks:
            return
        with np.errstate(all="ignore"):
            mask = note.gate.kinks(*note.values)
        if mask is None:
            return
        name, key = type(note.gate).__name__, (type(note.gate).__name__, note.place)
        count = int(np.count_nonzero(mask))
        if count or key in self._found:
            kink = self._found.setdefault(key, Kink(name, note.place, note.gate.kink))
            kink.count += count
            kink.size += int(np.size(mask))

    @property
    def total(self) -> int:
        """How many elements sat on a kink."""
        return sum(kink.count for kink in self)

    def __iter__(self) -> Iterator[Kink]:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, index: int) -> Kink:
        return list(self._found.values())[index]

    def __str__(self) -> str:
        if not len(self):
            return "no element sat on a kink"
        lines = [f"{self.total} element{'s' * (self.total != 1)} sat on a kink"]
        for kink in self:
            lines.append(f"  {kink}")
            if kink.place is not None and kink.place.code:
                lines.append(f"      {kink.place.code}")
        return "\n".join(lines)

    __repr__ = __str__


def kinks() -> Kinks:
    """Count the elements that sit on a kink, where a gradient is a choice: `with gg.kinks() as met:`.

    Gates that are recorded inside the block, on any tape, are asked where their inputs have no unique finite
    derivative; docs/kinks.md says what is answered there. Compiled functions run without gates, and are not counted.

    >>> import numpy as np, gategrad as gg
    >>> with gg.kinks() as met:
    ...     gradient = gg.grad(lambda x: np.sum(np.abs(x)))(np.array([-1.0, 0.0, 2.0]))
    >>> met.total, met[0].gate, met[0].convention
    (1, 'Absolute', '0, the middle of [−1, 1]')
    """
    return Kinks()
