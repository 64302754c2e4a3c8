"""--step: through the circuit one gate at a time, forward and then backward."""

from __future__ import annotations

import sys

from gategrad.cli.evaluation import Evaluation
from gategrad.cli.printer import Printer
from gategrad.cli.report import highlighted, sentences
from gategrad.picture.paint import Role
from gategrad.picture.rule import rule_lines
from gategrad.picture.words import Step, steps

__all__ = ["walk"]

_PROMPT = "Enter for the next step, q to stop "


def walk(evaluation: Evaluation, printer: Printer) -> None:
    """Tell every step; on a terminal, wait for Enter before each but the first."""
    waits = sys.stdin.isatty() and sys.stdout.isatty()
    told = steps(evaluation.circuit.model)
    for index, step in enumerate(told, 1):
        if waits and index > 1 and not _goes_on(printer):
            return
        _tell(step, f"{index}/{len(told)}", printer)


def _tell(step: Step, place: str, printer: Printer) -> None:
    role: Role = "value" if step.phase == "forward" else "gradient"
    arrow = "→" if step.phase == "forward" else "←"
    who, clauses = sentences(step.words)
    printer.line()
    printer.line("  ", (f"{place} {step.phase} {arrow} ", "constant"), (who, "gate"))
    for clause in clauses:
        printer.line("      ", *highlighted(clause, role))
    if step.phase == "backward":
        for line in rule_lines(step.node):
            printer.line("      ", (f"in NumPy: {line}", "constant"))


def _goes_on(printer: Printer) -> bool:
    """Ask, and take the question away again; the end of the input is a no."""
    try:
        answer = input(_PROMPT)
    except EOFError:
        print()
        return False
    if printer.color:  # the terminal knows its escape sequences
        print("\x1b[1A\x1b[2K", end="")
    return answer.strip().lower() not in ("q", "quit")
