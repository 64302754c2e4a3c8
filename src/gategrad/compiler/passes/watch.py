"""What can be seen of the stages that a program goes through: each before and after, verified, and timed.

`GATEGRAD_SHOW` names stages that are printed, `GATEGRAD_VERIFY` has every program verified on its way.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from gategrad.compiler.program.program import Program
from gategrad.compiler.program.verify import verify

__all__ = ["STAGES", "is_watched", "run", "show", "timed"]

STAGES = ("merge", "simplify", "pairs", "hosts", "joins", "extremes", "labels", "views", "fuse", "plan")
"""All there are, in the order in which they run: programs become better, then what machine code needs, then kernels."""

_SHOW, _VERIFY = "GATEGRAD_SHOW", "GATEGRAD_VERIFY"


def run(
    passes: Mapping[str, Callable[[Program], Program]], program: Program, seconds: dict[str, float] | None = None
) -> Program:
    """The program after all these passes; how long each took is noted in `seconds`."""
    checked = bool(os.environ.get(_VERIFY))
    for name, better_of in passes.items():
        with timed(seconds, name):
            better = better_of(program)
        show(name, program, better)
        if checked:
            verify(better)
        program = better
    return program


def show(stage: str, before: object, after: object) -> None:
    """Print what a stage was given and what it made of that, as text, if somebody wants to see it.

    Raises `ValueError` where the environment asks for a stage that there is not.
    """
    wanted = os.environ.get(_SHOW)
    if not wanted:
        return
    names = wanted.replace(",", " ").split()
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        raise ValueError(f"{_SHOW} names {unknown[0]!r}, but the stages of the compiler are {', '.join(STAGES)}")
    if stage in names:
        sys.stdout.write(f"--- before {stage}\n{before}\n--- after {stage}\n{after}\n")


def is_watched() -> bool:
    """Whether somebody wants to see the stages at work: then no program may be spared them."""
    return bool(os.environ.get(_SHOW))


@contextlib.contextmanager
def timed(seconds: dict[str, float] | None, name: str) -> Iterator[None]:
    """Note under this name how long it takes what is inside."""
    start = time.perf_counter()
    yield
    if seconds is not None:
        seconds[name] = time.perf_counter() - start
