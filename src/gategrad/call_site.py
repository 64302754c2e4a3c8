"""The call site: the line of the user's code that is being run, for errors and reports that quote it."""

from __future__ import annotations

import linecache
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["CallSite", "call_site"]


class CallSite(NamedTuple):
    """The innermost frame of the user's code, and the frames of libraries (this one too) that it led to, innermost first."""

    frame: Any
    line: int  # that it was at
    within: tuple[Any, ...]

    @property
    def file(self) -> str:
        found: str = self.frame.f_code.co_filename
        return found

    @property
    def code(self) -> str:
        """The text of the line, if it can be found."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        """`, at FILE:LINE` and the line itself, as errors quote it: what follows stands on a line of its own."""
        return f", at {self.file}:{self.line}" + (f"\n    {self.code}\n" if self.code else ". ")


def call_site() -> CallSite | None:
    """Where the user's code is: the innermost frame whose file is neither ours nor installed; installed ones if all are.

    Code that is installed, the user's own included, is in between as long as there is a script or a notebook around it.
    """
    frame: Any = sys._getframe(1)
    within: list[Any] = []
    installed: CallSite | None = None
    while frame is not None:
        file = frame.f_code.co_filename
        whose = _whose.get(file)
        if whose is None:
            whose = _whose[file] = _find_whose(file)
        if whose == "user":
            return CallSite(frame, frame.f_lineno, tuple(within))
        if whose == "installed" and installed is None:
            installed = CallSite(frame, frame.f_lineno, tuple(within))
        within.append(frame)
        frame = frame.f_back
    return installed


_whose: dict[str, str] = {}
"""Whose the files are that were met so far: "ours" (NumPy's included), "installed", or "user"."""


def _find_whose(file: str) -> str:
    if file.startswith((_OURS, _NUMPY)):
        return "ours"
    inside = file.startswith(("<frozen ", "<__array_function__", _STANDARD)) or not _INSTALLED.isdisjoint(
        Path(file).parts
    )
    return "installed" if inside else "user"


_OURS, _NUMPY = [f"{Path(home).parent}{os.sep}" for home in (__file__, np.__file__)]
_STANDARD = f"{Path(os.__file__).parent}{os.sep}"
_INSTALLED = {"site-packages", "dist-packages"}
