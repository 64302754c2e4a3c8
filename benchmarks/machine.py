"""Where and when something was measured."""

from __future__ import annotations

import datetime as dt
import os
import platform
from pathlib import Path
from typing import NamedTuple

__all__ = ["Machine", "here"]


class Machine(NamedTuple):
    """A machine on a day."""

    date: str
    processor: str
    cores: int
    system: str


def here() -> Machine:
    """This machine, today."""
    day = dt.datetime.now(dt.UTC).date().isoformat()
    return Machine(day, _processor(), os.cpu_count() or 1, platform.system())


def _processor() -> str:
    """The processor's name: Linux keeps it in a file."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
