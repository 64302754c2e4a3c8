"""Machine code that programs share: loaded once in a process, kept on disk as all code is, and never freed."""

from __future__ import annotations

from gategrad.compiler.runtime.engine import Engine, load

__all__ = ["loaded", "resident"]


def resident(text: str) -> Engine:
    """The functions of this text."""
    engine = load(text + "\n")
    engine.keep_for_ever()
    return engine


def loaded(text: str, symbol: str) -> int:
    """The address of the only function of this text that others call."""
    return resident(text).address(symbol)
