"""Machine code that programs share: loaded once in a process, kept on disk as all code is, and never freed."""

from __future__ import annotations

from gategrad.compiler.runtime.engine import load

__all__ = ["loaded"]


def loaded(text: str, symbol: str) -> int:
    """The address of a function of this text."""
    engine = load(text + "\n")
    engine.keep_for_ever()
    return engine.address(symbol)
