"""Watching: every gate that is applied is noted, with the line of the user's code, and seen again on the way back.

What looks for faults and counts kinks needs to know more than the engine keeps, and the engine must not pay for it.
So a watch raises the level up to which gates take the way aside, as `no_grad` does, above all there is: each gate then
comes by `observe`, which records it in full and notes it. Its `backward`, as an attribute of the one gate, tells the
watch what went in and came out; the walk knows nothing of it.
"""

from __future__ import annotations

import functools
import linecache
import sys
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gategrad.call_site import call_site
from gategrad.gate import Gate
from gategrad.tape import Pause, leave, paused, paused_level

__all__ = [
    "WATCHED",
    "Note",
    "Place",
    "Watch",
    "Watching",
    "attach",
    "attached",
    "detach",
    "floor",
    "here",
    "observe",
]

WATCHED = sys.maxsize
"""The paused level while somebody watches: no tape is above it."""


class Place(NamedTuple):
    """A line of the user's code."""

    file: str
    line: int
    function: str

    @property
    def code(self) -> str:
        """The text of the line, if it can be found."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.line}, in {self.function}"


class Note:
    """One application of a gate, as a watch saw it. Values are plain; None where they were not seen."""

    __slots__ = ("gate", "inner", "of", "place", "sources", "values", "watches", "z")

    def __init__(self, gate: Gate, place: Place | None, values: tuple[Any, ...], z: Any = None) -> None:
        self.gate = gate
        self.place = place
        self.values = values
        self.z = z
        self.sources: tuple[Any, ...] = gate.inputs
        self.watches: tuple[Watch, ...] = ()  # who is told what its backward does
        self.of: Note | None = None  # the gate whose rule applied this one, on the way back
        self.inner = False  # whether this happened inside the forward of another, on a lower tape


class Watch:
    """A block in which gates are noted; what to do with the notes is the affair of who inherits."""

    def noted(self, note: Note) -> None:
        """A gate has been applied."""

    def answered(self, note: Note, dz: Any, dxs: tuple[Any, ...]) -> None:
        """The backward of a noted gate was handed `dz` and returned `dxs`."""

    def __enter__(self) -> Any:
        outer = _innermost()
        pause = Watching(paused(), floor(), (*(outer.watches if outer is not None else ()), self))
        try:
            paused_level.set(pause)
        except BaseException:  # Ctrl-C, as soon as it is set: nobody else would close the block
            paused_level.set(pause.outer)
            raise
        return self

    __exit__ = leave


class Watching(Pause):
    """The paused level while somebody watches, with the level under all watches, and all of them, the innermost last."""

    floor: int
    watches: tuple[Watch, ...]

    def __new__(cls, outer: int, floor: int, watches: tuple[Watch, ...]) -> Watching:
        watching: Any = super().__new__(cls, WATCHED, outer)
        watching.floor, watching.watches = floor, watches
        made: Watching = watching
        return made


def _innermost() -> Watching | None:
    """The innermost watch that is open, within or around a block of `no_grad`."""
    pause = paused()
    if type(pause) is Watching:
        return pause
    while isinstance(pause, Pause) and not isinstance(pause, Watching):
        pause = pause.outer
    return pause if isinstance(pause, Watching) else None


_rule: ContextVar[Note | None] = ContextVar("gategrad_rule", default=None)
_forward: ContextVar[bool] = ContextVar("gategrad_forward", default=False)


def floor() -> int:
    """The level up to which gates are not recorded, whoever watches."""
    level = paused()
    return level.floor if isinstance(level, Watching) else level


def observe(gate: Gate, values: tuple[Any, ...], apply: Callable[[], Any], plain: Callable[[Any], Any]) -> Any:
    """Apply a gate, record and note it. `plain` takes the tapes off a value."""
    was_inside = _forward.get()
    if was_inside:
        z = apply()
    else:
        try:
            _forward.set(True)
            z = apply()
        finally:
            _forward.set(False)
    seen = tuple([plain(x) for x in values])
    answer = tuple([plain(part) for part in z]) if type(z) is tuple else plain(z)
    for x in seen if type(answer) is not tuple else (*seen, *answer):
        if not isinstance(x, _PLAIN):
            return z  # the symbols of a program have no values to look at
    if not isinstance(answer, (*_PLAIN, tuple)):
        return z
    rule = _rule.get()
    note = Note(gate, rule.place if rule is not None else here(), seen, answer)
    note.of, note.inner = rule, was_inside
    watching = _innermost()
    if watching is not None:
        note.watches = watching.watches
    attach(note, note.watches)
    for watch in note.watches:
        watch.noted(note)
    return z


_PLAIN = (np.ndarray, float, int, np.generic)


def attach(note: Note, watches: tuple[Watch, ...]) -> None:
    """Let the backward of this one gate tell the watches what it was handed, and what it returned."""
    gate: Any = note.gate
    gate.backward = functools.partial(_answer, note, watches)


def attached(gate: Gate) -> Note | None:
    """The note of a gate that is being watched."""
    backward = gate.__dict__.get("backward")
    return None if backward is None else backward.args[0]


def detach(gate: Gate) -> None:
    """Watch this gate no longer."""
    gate.__dict__.pop("backward", None)


def _answer(note: Note, watches: tuple[Watch, ...], dz: Any) -> Any:
    gate = note.gate
    outer = _rule.get()
    try:
        _rule.set(note)
        with np.errstate(all="ignore"):  # the watches tell more than a warning of NumPy's would
            dxs = type(gate).backward(gate, dz)
    finally:
        _rule.set(outer)
    for watch in watches:
        watch.answered(note, dz, tuple(dxs) if isinstance(dxs, (tuple, list)) else (dxs,))
    return dxs


def here() -> Place | None:
    """The line of the user's code that is being run."""
    site = call_site()
    return None if site is None else Place(site.file, site.line, site.frame.f_code.co_name)
