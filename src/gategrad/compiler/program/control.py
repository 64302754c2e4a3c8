"""Control: operations with programs inside. Loops of known and unknown length, and choices.

Programs inside take all they need as inputs and give flat outputs, so they are programs like any other: verified,
printed, interpreted and optimised by the same code. An operation is one value, so it names with `part` which of the
outputs it is; those of the same operation differ in nothing else. Where no machine code knows them, NumPy runs them.

    scan    carries, rows, constants -> body(carries, one row each, constants) -> carries, what is stacked
    while   carries, constants -> as long as condition(carries, constants): body(carries, constants) -> carries
    cond    truth, given -> then(given) or otherwise(given)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

__all__ = ["CONTROL", "Inside", "types_given_by"]

Typed = tuple[Any, tuple[int, ...]]


class Inside(Protocol):
    """What holds a program (`SubProgram`)."""

    program: Any


def types_given_by(program: Inside) -> list[Typed]:
    """The dtypes and shapes of what it returns."""
    return [(z.dtype, z.shape) for z in program.program.outputs]


def _scan_typing(inputs: Sequence[Typed], options: Any) -> Typed:
    dtype, shape = types_given_by(options["body"])[options["part"]]
    return dtype, shape if options["part"] < options["carries"] else (options["length"], *shape)


def _scan(*given: Any, body: Inside, carries: int, rows: int, length: int, part: int) -> Any:
    kept, walked, constants = list(given[:carries]), given[carries : carries + rows], given[carries + rows :]
    stacked = []
    for n in range(length):
        outputs = body.program(*kept, *[x[n] for x in walked], *constants)
        kept = outputs[:carries]
        stacked.append(outputs[part])
    if part < carries:
        return kept[part]
    dtype, shape = types_given_by(body)[part]
    return np.array(stacked, dtype).reshape(length, *shape)


def _while(*given: Any, condition: Inside, body: Inside, carries: int, part: int) -> Any:
    kept, constants = list(given[:carries]), given[carries:]
    while condition.program(*kept, *constants)[0]:
        kept = body.program(*kept, *constants)
    return kept[part]


def _cond(truth: Any, *given: Any, then: Inside, otherwise: Inside, part: int) -> Any:
    return (then if truth else otherwise).program(*given)[part]


CONTROL: dict[str, tuple[Callable[..., Typed], Callable[..., Any]]] = {
    "scan": (_scan_typing, _scan),
    "while": (lambda inputs, options: inputs[options["part"]], _while),
    "cond": (lambda inputs, options: types_given_by(options["then"])[options["part"]], _cond),
}
"""For each operation its typing and its evaluation."""
