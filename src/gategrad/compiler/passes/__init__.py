"""Passes: from a program to a better one, in one ordered list.

What no output needs is not part of a `Program` in the first place, so dropping it takes no pass. Those that only machine
code needs come later, in `codegen/lowering.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from gategrad.compiler.passes import algebra, shapes, watch
from gategrad.compiler.passes.merge import merge
from gategrad.compiler.passes.simplify import simplify
from gategrad.compiler.program.program import Program, within

__all__ = ["PASSES", "algebra", "optimise", "shapes"]


def _everywhere(better: Callable[[Program], Program]) -> Callable[[Program], Program]:
    """The same pass, for the programs inside of operations first."""

    def run(program: Program) -> Program:
        return better(within(program, run))

    return run


PASSES: dict[str, Callable[[Program], Program]] = {"merge": _everywhere(merge), "simplify": _everywhere(simplify)}
"""The passes by name, in the order in which they run."""


def optimise(program: Program, seconds: dict[str, float] | None = None) -> Program:
    """Run all passes; note in `seconds` how long each took."""
    return watch.run(PASSES, program, seconds)
