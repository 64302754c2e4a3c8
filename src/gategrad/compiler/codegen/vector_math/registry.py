"""The table of elementary functions, filled by the decorator on each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gategrad.compiler.codegen.vector_math.builder import Value

Formula = Callable[..., Value]


@dataclass(frozen=True, slots=True)
class Elementary:
    """A formula over values, its number of inputs, and whether its float32 form computes in float64."""

    formula: Formula
    inputs: int
    widened: bool


FUNCTIONS: dict[str, Elementary] = {}


def elementary(name: str, inputs: int = 1, widened: bool = False) -> Callable[[Formula], Formula]:
    """Register a formula under the name the code generator asks for."""

    def register(formula: Formula) -> Formula:
        FUNCTIONS[name] = Elementary(formula, inputs, widened)
        return formula

    return register
