"""Passes: from a program to a better one, in one ordered list.

What no output needs is not part of a `Program` in the first place, so dropping it takes no pass. `GATEGRAD_SHOW`
names passes whose input and output are printed, `GATEGRAD_VERIFY` has every program verified on its way.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator

from gategrad.compiler.passes import algebra, shapes
from gategrad.compiler.passes.merge import merge
from gategrad.compiler.passes.simplify import simplify
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.verify import verify

__all__ = ["PASSES", "algebra", "is_watched", "optimise", "shapes", "timed"]

PASSES: dict[str, Callable[[Program], Program]] = {"merge": merge, "simplify": simplify}
"""The passes by name, in the order in which they run."""

_SHOW, _VERIFY = "GATEGRAD_SHOW", "GATEGRAD_VERIFY"


def optimise(program: Program, seconds: dict[str, float] | None = None) -> Program:
    """Run all passes; note in `seconds` how long each took."""
    shown = os.environ.get(_SHOW, "").replace(",", " ").split()
    checked = bool(os.environ.get(_VERIFY))
    for name, run in PASSES.items():
        with timed(seconds, name):
            better = run(program)
        if name in shown:
            sys.stdout.write(f"--- before {name}\n{program}\n--- after {name}\n{better}\n")
        if checked:
            verify(better)
        program = better
    return program


def is_watched() -> bool:
    """Whether somebody wants to see the passes at work: then no program may be spared them."""
    return bool(os.environ.get(_SHOW) or os.environ.get(_VERIFY))


@contextlib.contextmanager
def timed(seconds: dict[str, float] | None, name: str) -> Iterator[None]:
    """Note under this name how long it takes what is inside."""
    start = time.perf_counter()
    yield
    if seconds is not None:
        seconds[name] = time.perf_counter() - start
