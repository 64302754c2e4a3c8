"""What does not fit into this machine is refused before it runs: systems promise memory that they do not have."""

from __future__ import annotations

import os
from functools import cache

__all__ = ["physical_memory", "refuse_beyond_memory"]

_GB = 10**9


@cache
def physical_memory() -> int | None:
    """The bytes of memory that this machine has, None if it does not tell."""
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # no such call, or no such name
        return None
    return pages * size if pages > 0 and size > 0 else None


def refuse_beyond_memory(name: str, workspace: int) -> None:
    """Raise `MemoryError` if a program wants more bytes for what lies between its operations than there are."""
    available = physical_memory()
    if available is not None and workspace > available:
        raise MemoryError(
            f"the program {name} needs {workspace / _GB:,.0f} GB between its operations, and this machine has "
            f"{available / _GB:,.0f} GB: work on parts of the arrays, or reduce them earlier"
        )
