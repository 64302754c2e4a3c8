"""What a user reads who asks a symbol for its value: the line that asked, and what to write instead."""

from __future__ import annotations

from gategrad.call_site import call_site
from gategrad.escapes import suggestion

__all__ = ["complain"]


def complain(wanted: str, remedy: str) -> str:
    """That `wanted` is not known while a function is traced, where it was asked for, and what to write instead."""
    site = call_site()
    code = "" if site is None else site.code
    if code.startswith("while "):
        remedy = "a for loop of as many passes as it takes at most, with x = np.where(condition, step(x), x) in it"
    elif code.startswith("assert "):
        remedy = "the assertion before the call, on plain values"
    where = " " if site is None else str(site) if code else f"{str(site).rstrip('. ')} "
    return (
        f"a compiled function needs {wanted} while it is traced{where}"
        f"but values exist only when the program runs. {suggestion() or f'Use {remedy}'}, or name the argument in static="
    )
