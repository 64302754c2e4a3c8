"""Which gate is at fault: every gate that a function applied, checked by itself at the inputs that it had."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.check.fault import names_of
from gategrad.check.report import Comparison, GateAtFault, Modes
from gategrad.transforms.vjp import vjp
from gategrad.watch import Note, Watch

__all__ = ["find_at_fault"]

Check = Callable[[Any, list[Any], list[str]], tuple[list[Comparison], list[Modes]]]
"""Compares what there is to compare, of a function of values, at a point, with names for its inputs."""

_NOBODY = (
    "every gate agrees with its own forward: a value may have left the circuit on the way (.value, .detach(), "
    "gg.stop_gradient, an array kept from before), or the function answers differently each time"
)


class _Applied(Watch):
    """The gates that a function applies itself, in order; not those of their rules."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def noted(self, note: Note) -> None:
        if not note.inner and note.of is None:
            self.notes.append(note)


def find_at_fault(f: Any, point: list[Any], check: Check) -> tuple[GateAtFault | None, str]:
    """The first gate that is wrong by itself; or what there is to say if there is none."""
    with _Applied() as applied, np.errstate(all="ignore"):
        vjp(f, *point)
    unknown = False
    for note in applied.notes:
        try:
            wrong = _wrong(note, check)
        except Exception:  # one that works in its place alone: nothing can be said of it, and the mismatch is the news
            unknown = True
            continue
        if wrong is not None:
            return GateAtFault(type(note.gate).__name__, note.place, wrong), ""
    return None, "" if unknown else _NOBODY


def _wrong(note: Note, check: Check) -> Comparison | Modes | None:
    """The first number of a gate's own that differs."""
    gate, moving = note.gate, [n for n, need in enumerate(note.gate.needs) if need]

    def apply(*xs: Any) -> Any:
        inputs = list(note.values)
        for n, x in zip(moving, xs, strict=True):
            inputs[n] = x
        return gate.fresh()(*inputs)

    point = [_as_double(note.values[n]) for n in moving]
    names = names_of(gate, len(note.values))
    comparisons, modes = check(apply, point, [names[n] for n in moving])
    wrong: list[Comparison | Modes] = [c for c in comparisons if c.verdict == "differs"]
    wrong += [m for m in modes if m.verdict == "differs"]
    return wrong[0] if wrong else None


def _as_double(x: Any) -> Any:
    if np.ndim(x) == 0 and np.isrealobj(x):
        return float(x)
    return np.asarray(x, np.result_type(np.asarray(x).dtype, np.float64))[()]
