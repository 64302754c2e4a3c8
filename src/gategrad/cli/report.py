"""What the command prints: the circuit, both passes gate by gate, the gradients, and what was asked for besides."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gategrad.cli.differences import Comparison
from gategrad.cli.evaluation import Evaluation
from gategrad.cli.printer import Printer, Segment
from gategrad.cli.refusal import shortened
from gategrad.picture.model import Node
from gategrad.picture.paint import Role, columns
from gategrad.picture.words import backward_words, forward_words

__all__ = ["Report", "highlighted", "sentences"]

_MOST_GATES = 60  # whose turns are told one by one
_MOST_COMPARISONS = 20


class Report:
    """The sections of the output, in the order in which they are printed."""

    def __init__(self, evaluation: Evaluation, printer: Printer) -> None:
        self.evaluation = evaluation
        self.printer = printer

    def circuit(self) -> None:
        """The expression with its value, and the drawing."""
        circuit, output = self.evaluation.circuit, self.evaluation.output
        text, value = shortened(self.evaluation.expression.text, 80), number(self.evaluation.value)
        self.printer.line("  ", (output, "name"), f" = {text} = ", (value, "value"))
        self.printer.line()
        self.printer.line(circuit.text(color=self.printer.color))

    def passes(self) -> None:
        """What every gate does on the way forward and on the way back: the chain rule, one gate at a time."""
        nodes, output = self.evaluation.circuit.model.nodes, self.evaluation.output
        if not nodes:
            return
        model = self.evaluation.circuit.model
        self._heading("forward", "each gate computes its value")
        self._turns([(node, forward_words(node)) for node in nodes[:_MOST_GATES]], "value")
        self._left_out(len(nodes))
        self._heading("backward", f"the chain rule, from {output} to the variables: local gradient · upstream gradient")
        self._turns([(node, backward_words(node, model)) for node in nodes[: -_MOST_GATES - 1 : -1]], "gradient")
        self._left_out(len(nodes))

    def gradients(self) -> None:
        """The gradient of each variable, in the shape of its value."""
        output, gradients = self.evaluation.output, self.evaluation.gradients
        self._heading("gradients")
        names = {name: f"d{output}/d{name}" for name in gradients}
        shown = {name: numbers(gradient) for name, gradient in gradients.items()}
        width = max(map(columns, names.values()))
        whole = max((len(text.partition(".")[0]) for lines in shown.values() for text in lines[:1]), default=0)
        for name, (first, *rest) in shown.items():
            is_number = np.shape(gradients[name]) == ()
            indent = " " * (whole - len(first.partition(".")[0])) if is_number else ""
            label = names[name] + " " * (width - columns(names[name]))
            why = "   no gradient reaches this value" if name in self.evaluation.unreached else ""
            self.printer.line("    ", (label, "name"), "  ", (indent + first, "gradient"), (why, "constant"))
            for line in rest:
                self.printer.line(" " * (width + 6), (line, "gradient"))

    def nudges(self, nudges: list[tuple[str, float]]) -> None:
        """What the gradient predicts when a value grows, beside what happens."""
        if nudges:
            self._heading("nudge")
        for name, h in nudges:
            self.printer.line(f"    {self.evaluation.nudge(name, h)}")

    def check(self, comparisons: list[Comparison]) -> None:
        """Each gradient beside its measurement; of many, those that are wrong, or the least good."""
        wrong = [comparison for comparison in comparisons if not comparison.agrees]
        shown = comparisons
        if len(comparisons) > _MOST_COMPARISONS:
            shown = wrong[:_MOST_COMPARISONS] or sorted(comparisons, key=lambda c: -c.error)[:3]
        self._heading("check", "against central differences")
        rows = [["", "backward", "differences", "apart", ""], *map(self._compared, shown)]
        widths = [max(columns(row[index]) for row in rows) for index in range(4)]
        for index, row in enumerate(rows):
            padded = [" " * (width - columns(text)) + text for text, width in zip(row, widths, strict=False)]
            name = row[0] + " " * (widths[0] - columns(row[0]))
            role: Role = "gradient" if index else "constant"
            measured = "   ".join(padded[2:])
            self.printer.line(
                "    ",
                (name, "name"),
                "   ",
                (padded[1], role),
                "   ",
                (measured, "" if index else role),
                "   ",
                row[4],
            )
        self._verdict(len(comparisons), len(shown), len(wrong))

    def _compared(self, comparison: Comparison) -> list[str]:
        verdict = "ok" if comparison.agrees else "WRONG"
        if not comparison.is_measurable:
            verdict = "cannot tell: the result is not finite on both sides"
        elif comparison.is_kink:
            left, right = map(number, comparison.slopes)
            verdict += f"  a kink: any number between the slopes {left} and {right} is a gradient"
        name = f"d{self.evaluation.output}/d{comparison.name}"
        return [name, number(comparison.gradient), number(comparison.measured), f"{comparison.error:.1e}", verdict]

    def _verdict(self, count: int, shown: int, wrong: int) -> None:
        if wrong:
            self.printer.line("    ", (f"{wrong} of {count} wrong", "gate"))
        elif count > shown:
            self.printer.line(f"    all {count} agree; these are the {shown} that are furthest apart")

    # --- pieces

    def _heading(self, title: str, explanation: str = "") -> None:
        self.printer.line()
        self.printer.line("  ", (title, "gate"), (f"   {explanation}" if explanation else "", "constant"))

    def _turns(self, turns: list[tuple[Node, str]], role: Role) -> None:
        told = [sentences(words) for _, words in turns]
        width = max(columns(who) for who, _ in told)
        for who, clauses in told:
            for index, clause in enumerate(clauses):
                label = who if index == 0 else ""
                self.printer.line("    ", label + " " * (width - columns(label)), "   ", *highlighted(clause, role))

    def _left_out(self, count: int) -> None:
        if count > _MOST_GATES:
            self.printer.line(f"    … and {count - _MOST_GATES:,} more gates (--json lists them all)")


def sentences(words: str) -> tuple[str, list[str]]:
    """What a gate does, and its equations one by one.

    >>> sentences("× switches: df/dq = z · df/df = −4; df/dz = q · df/df = 3")
    ('× switches', ['df/dq = z · df/df = −4', 'df/dz = q · df/df = 3'])
    """
    who, _, what = words.partition(": ")
    return who, what.split("; ")


def highlighted(clause: str, role: Role) -> list[Segment]:
    """An equation with its result in colour; words that follow the result stay plain.

    >>> highlighted("q = x + y = 3", "value")
    ['q = x + y =', (' 3', 'value'), '']
    >>> highlighted("df/dx = 3 from df/dq by its rule", "gradient")
    ['df/dx =', (' 3', 'gradient'), ' from df/dq by its rule']
    """
    for sign in ("→", "="):
        before, found, after = clause.rpartition(sign)
        if found:
            result = re.split(r"(?= from |, summed )", after, maxsplit=1)
            return [before + sign, (result[0], role), "".join(result[1:])]
    return [clause]


def number(x: Any) -> str:
    """A number as a table shows it: six digits, no needless zeros, never -0."""
    return f"{float(x) + 0.0:.6g}"


def numbers(x: Any) -> list[str]:
    """A number, or the rows of an array, the largest shortened."""
    if np.shape(x) == ():
        return [number(x)]
    return np.array2string(
        np.asarray(x) + 0.0, precision=5, suppress_small=False, threshold=60, max_line_width=90
    ).splitlines()
