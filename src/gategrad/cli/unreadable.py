"""Text that is no expression: what is said about it instead of "invalid syntax"."""

from __future__ import annotations

import keyword
import re

from gategrad.cli.refusal import Refusal, quoted

__all__ = ["too_deep", "unreadable"]


def too_deep() -> Refusal:
    """The expression has more levels than Python's grammar can hold."""
    return Refusal("the expression is nested too deeply to read", advice=["split it into smaller expressions"])


def unreadable(text: str, error: SyntaxError) -> Refusal:
    """Say what is wrong with a text on which Python's grammar has given up."""
    reason, offset = str(error.msg), error.offset or 0
    if "too many nested" in reason:
        return too_deep()
    if "digits" in reason:
        return Refusal("a number has too many digits")
    for word in re.finditer(r"[^\W\d]\w*", text):
        if keyword.iskeyword(word[0]):
            return Refusal(f"{quoted(word[0])} is a reserved word: use another name", text, [word.span()])
    if not 0 < offset <= len(text):
        end = len(text)
        return Refusal("the expression ends too early", text, [(end, end + 1)])
    start = offset - 1
    span = (start, max(start + 1, min((error.end_offset or offset) - 1, len(text))))
    if "parenthesis" in reason or "never closed" in reason or "unmatched" in reason:
        return Refusal(reason, text, [span])
    return Refusal("the expression cannot be read from here on", text, [span], _guess(text, start))


def _guess(text: str, start: int) -> list[str]:
    """What people write most often where the text stops making sense."""
    before, after = text[: start + 1], text[start:]
    if after.startswith("="):
        return ["an expression has no '=': values are arguments of their own, as in x=2"]
    if re.search(r"\d$", before) and re.match(r"\d?[^\W\d]", after):
        return ["write the multiplication: 2*x"]
    return ["is an operator missing, as in x * y?"] if re.search(r"[\w)\]]\s+[\w(]", text) else []
