"""Refusal: what the command says to a user whose input it cannot use. One line, the marked text, advice."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

__all__ = ["Refusal", "Span", "listed", "quoted", "shortened"]

Span = tuple[int, int]
"""Where in a text: from the first character up to, and not including, the second."""

_WINDOW = 72  # characters of a long expression that are shown around the mark


class Refusal(Exception):  # noqa: N818, the command does not fail: it declines, and says why
    """Input that the command refuses, with the places in the text that are at fault and with advice.

    >>> print(Refusal("unknown function 'foo'", "foo(x) + 1", [(0, 3)], ["did you mean 'floor'?"]).report())
    gategrad: unknown function 'foo'
        foo(x) + 1
        ^^^
      did you mean 'floor'?
    """

    def __init__(self, message: str, text: str = "", spans: Sequence[Span] = (), advice: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.spans = tuple(spans)
        self.advice = tuple(advice)

    def report(self) -> str:
        """The lines that go to standard error."""
        lines = [f"gategrad: {self.message}"]
        if self.spans:
            lines += [f"    {line}" for line in _marked(self.text, self.spans)]
        lines += [f"  {advice}" for advice in self.advice]
        return "\n".join(map(_printable, lines))


def listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them.

    >>> listed(["x"]), listed(["x", "y"]), listed(["x", "y", "z"])
    ('x', 'x and y', 'x, y and z')
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def quoted(text: str) -> str:
    """A piece of the user's text in quotes, shortened.

    >>> quoted("foo")
    "'foo'"
    """
    return f"'{shortened(text, 40)}'"


def shortened(text: str, limit: int) -> str:
    """A piece of the user's text, no longer than the limit.

    >>> shortened("x" * 50, 8)
    'xxxxx...'
    """
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _marked(text: str, spans: Sequence[Span]) -> tuple[str, str]:
    """The text and the line of carets below it; of a long text, what surrounds the first mark."""
    start = 0
    if len(text) > _WINDOW:
        start = max(0, min(spans[0][0] - _WINDOW // 3, len(text) - _WINDOW))
    stop = min(len(text), start + _WINDOW)
    before, after = "..." if start else "", "..." if stop < len(text) else ""
    marks = []
    for position in range(start, max(stop, max(end for _, end in spans) if stop == len(text) else stop)):
        inside = any(first <= position < end for first, end in spans)
        marks.append(("^" if inside else " ") * (_width(text[position]) if position < len(text) else 1))
    return before + text[start:stop] + after, (" " * len(before) + "".join(marks)).rstrip()


def _width(character: str) -> int:
    """How many cells of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _printable(line: str) -> str:
    """Control characters and broken encodings must reach neither the terminal nor the codec of standard error."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
