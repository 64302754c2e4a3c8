"""Where the command's lines go, in the colours of the drawing or in none."""

from __future__ import annotations

import os
import sys

from gategrad.picture.paint import Role, paint

__all__ = ["Printer", "Segment", "wants_color"]

Segment = str | tuple[str, Role]
"""A piece of a line: text, or text and the role that it plays."""


def wants_color(allowed: bool) -> bool:
    """Colour is for terminals whose user has not said no (see no-color.org)."""
    return allowed and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()


class Printer:
    """Prints lines made of segments."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def line(self, *segments: Segment) -> None:
        """Print one line."""
        print("".join([part if isinstance(part, str) else paint(*part, self.color) for part in segments]).rstrip())
