"""The fingerprint of a program: what it computes, told so exactly that equal fingerprints mean equal programs.

It is the same in every process, and says nothing of names: those are for people.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from gategrad.compiler.program.ops import Failure
from gategrad.compiler.program.program import Program, SubProgram
from gategrad.compiler.program.value import Constant

__all__ = ["MOST_BYTES", "fingerprint"]

MOST_BYTES = 2**20
"""Constants of more bytes than this, all together, are not looked at: the program has no fingerprint."""


def fingerprint(program: Program) -> str | None:
    """A text that this program shares with its equals alone; None where another process could not tell what is equal.

    That is so for programs that call Python back, since functions have no identity from one process to the next.
    """
    numbers = {x: number for number, x in enumerate(program.inputs)}
    lines = [f"{[(x.dtype.str, x.shape) for x in program.inputs]}"]
    nbytes = 0
    for value in program.values:
        name, inputs, options = value.op.name, value.inputs, value.options
        if name == "input":
            continue
        numbers[value] = len(numbers)
        if name == "constant":
            nbytes += value.options["value"].array.nbytes
        told = _told(tuple(options.items())) if options else ""
        if told is None or nbytes > MOST_BYTES:
            return None
        lines.append(f"{name} {[numbers[x] for x in inputs]} {told}")
    lines.append(f"{[numbers[z] for z in program.outputs]}")
    return "\n".join(lines)


def _told(option: Any) -> str | None:
    """An option of an operation as text; None for what has no text of its own, such as a function."""
    kind = type(option)
    if kind is int or kind is str or kind is bool or kind is float or option is None:
        return repr(option)
    if kind is tuple or kind is list:
        parts = [_told(part) for part in option]
        return None if None in parts else f"{kind.__name__}({','.join(map(str, parts))})"
    if kind is Constant:
        return f"{option.dtype.str}{option.shape}{hashlib.sha256(option.array.tobytes()).hexdigest()}"
    if isinstance(option, np.dtype):
        return str(option.str)
    if kind is SubProgram:
        inside = fingerprint(option.program)
        return None if inside is None else f"program({inside})"
    if kind is Failure:  # found again by the name of its class, as every pickle is
        return f"{option.kind.__module__}.{option.kind.__qualname__}({option.text!r})"
    return f"{kind.__name__}({option!r})" if isinstance(option, np.generic) else None
