"""Fault: one gate at which a value or a gradient went wrong, with all that is known about it."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import numpy as np

from gategrad import postponed
from gategrad.masked import Masked
from gategrad.recording import plain
from gategrad.watch import Note, Place

__all__ = ["Fault", "fault_of", "is_bad", "is_zero", "kind_of", "names_of", "numbers"]


@dataclasses.dataclass(frozen=True)
class Fault:
    """A gate at fault: finite numbers went in, and what came out was not; or a gradient came, and nothing flowed on."""

    kind: str  # "NaN", "Inf", "zero", or "0 · inf" where that was taken for 0
    direction: str  # "forward" or "backward"
    gate: str  # the name of its class
    place: Place | None  # the line of the user's code
    inputs: dict[str, Any]  # its inputs, plain, as its forward calls them
    output: Any  # its output, plain
    upstream: Any  # the gradient that arrived; None in the forward direction
    input: str  # the input whose gradient it is
    result: Any  # what the gate returned for that input
    pattern: str  # what happened, in a line
    remedy: str  # what to do about it
    rule_of: str = ""  # the gate whose backward applied this one, in derivatives of higher order

    def __str__(self) -> str:
        where = f" at {self.place}" if self.place is not None else ""
        rule = f", in the rule of {self.rule_of}" if self.rule_of else ""
        lines = [f"{self.gate}{where}{rule}: {self.pattern}"]
        if self.place is not None and self.place.code:
            lines.append(f"    {self.place.code}")
        lines += [f"  input {name} = {_short(x)}" for name, x in self.inputs.items()]
        if self.output is not None:
            lines.append(f"  output z = {_short(self.output)}")
        if self.direction == "backward":
            lines.append(f"  upstream gradient dz = {_short(self.upstream)}")
            lines.append(f"  it returned d{self.input} = {_short(self.result)}")
        lines.append(f"  remedy: {self.remedy}")
        return "\n".join(lines)


def numbers(x: Any) -> Any:
    """A gradient or a value as plain numbers: zeros where a mask lets nothing through; None if nothing flows."""
    if x is None or type(x) in (float, np.ndarray):
        return x
    if type(x) is tuple:
        return tuple(map(numbers, x))
    if hasattr(x, "parts"):
        return tuple(map(numbers, x.parts))
    if type(x) is Masked:
        x = np.where(plain(x.mask), plain(x.value), 0.0)
    return plain(x)


def is_bad(x: Any) -> bool:
    """Whether some of the numbers are NaN or infinite."""
    if x is None:
        return False
    return any(map(is_bad, x)) if type(x) is tuple else not postponed.is_finite(x)


def is_zero(x: Any) -> bool:
    """Whether nothing flows, or nothing but zeros."""
    if x is None:
        return True
    return all(map(is_zero, x)) if type(x) is tuple else not np.count_nonzero(x)


def kind_of(x: Any) -> str:
    """What is wrong with numbers that are bad."""
    if type(x) is tuple:
        return kind_of(np.concatenate([np.ravel(part) for part in x if part is not None]))
    return "NaN" if np.any(np.isnan(x)) else "Inf"


def fault_of(note: Note, kind: str, why: tuple[str, str], dz: Any = None, index: int = 0, dx: Any = None) -> Fault:
    """A fault from what a watch saw: `why` is the pattern and the remedy."""
    names = names_of(note.gate, max(len(note.values), index + 1))
    return Fault(
        kind, "forward" if dz is None else "backward", type(note.gate).__name__, note.place,
        dict(zip(names, note.values, strict=False)), note.z, dz, names[index], dx, *why,
        type(note.of.gate).__name__ if note.of is not None else "",
    )  # fmt: skip


def names_of(gate: Any, count: int) -> list[str]:
    """What the forward of a gate calls its inputs."""
    parameters = list(inspect.signature(gate.forward).parameters.values())
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    return names if len(names) >= count else [f"x{n}" for n in range(count)]


def _short(x: Any) -> str:
    if x is None:
        return "nothing"
    if isinstance(x, (float, int)) and not isinstance(x, np.generic):
        return repr(x)
    if type(x) is tuple:
        return f"({', '.join(map(_short, x))})"
    with np.printoptions(threshold=8, edgeitems=3, precision=6):
        text = np.array2string(np.asarray(x), separator=", ").replace("\n", " ")
    return f"{text} (shape {np.shape(x)})" if np.size(x) > 8 else text
