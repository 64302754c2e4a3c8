"""What the command does with its arguments, step by step."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gategrad.cli.arguments import read_arguments
from gategrad.cli.differences import Comparison, compare
from gategrad.cli.evaluation import Evaluation
from gategrad.cli.information import asked, inform
from gategrad.cli.parse import parse
from gategrad.cli.printer import Printer, wants_color
from gategrad.cli.refusal import Refusal, listed, quoted
from gategrad.cli.values import is_assignment, read_number, read_values

__all__ = ["run"]

_DONE, _CHECK_FAILED = 0, 1


def run(argv: Sequence[str]) -> int:
    """Do what the arguments say; the exit code."""
    arguments = read_arguments(argv)
    if asked(arguments):
        return inform(arguments)
    with np.errstate(all="ignore"):  # log(0) is -inf, and the picture says so
        return _work(arguments)


def _work(arguments: argparse.Namespace) -> int:
    evaluation = _evaluate(arguments.words)
    nudges = [_checked_nudge(evaluation, nudge) for nudge in arguments.nudge]
    comparisons = compare(evaluation.expression, evaluation.values, evaluation.gradients) if arguments.check else None
    _write_files(evaluation, arguments)
    _show(evaluation, arguments, nudges, comparisons)
    agrees = comparisons is None or all(comparison.agrees for comparison in comparisons)
    return _DONE if agrees else _CHECK_FAILED


def _evaluate(words: Sequence[str]) -> Evaluation:
    expressions = [word for word in words if not is_assignment(word)]
    if len(expressions) > 1:
        shown = listed([quoted(word.strip()) for word in expressions])
        raise Refusal(
            f"one expression is needed, but here are {len(expressions)}: {shown}",
            advice=["put the expression in quotes; values look like x=2, without blanks around the '='"],
        )
    if not expressions:
        raise Refusal(
            "there is no expression",
            advice=[
                "for example: gategrad '(x + y) * z' x=-2 y=5 z=-4",
                *(["name=... is the value of a name; an expression has no '='"] if words else []),
            ],
        )
    expression = parse(expressions[0])
    return Evaluation(expression, read_values([word for word in words if is_assignment(word)]))


def _checked_nudge(evaluation: Evaluation, argument: str) -> tuple[str, float]:
    name, h = read_number(argument)
    if name not in evaluation.values:
        raise Refusal(
            f"--nudge {argument.strip()}: the expression has no {name}",
            advice=[f"it has {listed(list(evaluation.values))}"],
        )
    return name, h


def _write_files(evaluation: Evaluation, arguments: argparse.Namespace) -> None:
    for path, write in ((arguments.svg, evaluation.circuit.svg), (arguments.html, evaluation.circuit.html)):
        if path is not None:
            try:
                write(Path(path))
            except OSError as error:
                raise Refusal(f"cannot write {path}: {error.strerror or error}") from error
            print(f"wrote {path}", file=sys.stderr)


def _show(
    evaluation: Evaluation,
    arguments: argparse.Namespace,
    nudges: list[tuple[str, float]],
    comparisons: list[Comparison] | None,
) -> None:
    if arguments.json:
        from gategrad.cli.document import document, to_json

        print(to_json(document(evaluation, nudges, comparisons)))
        return
    from gategrad.cli.report import Report

    report = Report(evaluation, Printer(wants_color(arguments.color)))
    report.circuit()
    if arguments.step:
        from gategrad.cli.walk import walk

        walk(evaluation, report.printer)
    else:
        report.passes()
    report.gradients()
    report.nudges(nudges)
    if comparisons is not None:
        report.check(comparisons)
