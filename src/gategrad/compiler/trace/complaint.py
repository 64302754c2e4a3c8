"""What a user reads who asks a symbol for its value: the line that asked, and what to write instead."""

from __future__ import annotations

import linecache
import sys
from typing import Any

from gategrad.ways_out import suggestion

__all__ = ["complain"]


def complain(wanted: str, remedy: str) -> str:
    """Quote the user's line: the innermost frame outside this library, NumPy and SciPy."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in ("gategrad", "numpy", "scipy"):
        frame = frame.f_back
    where = " "
    if frame is not None:
        code = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        where = f", at {frame.f_code.co_filename}:{frame.f_lineno}" + (f"\n    {code}\n" if code else " ")
    return (
        f"a compiled function needs {wanted} while it is traced{where}"
        f"but values exist only when the program runs. {suggestion() or f'Use {remedy}'}, or name the argument in static="
    )
