"""Subscripts: the forms in which `np.einsum` takes the names of axes, for the gate and for programs."""

from __future__ import annotations

import string
from typing import Any

__all__ = ["LETTERS", "as_text"]

LETTERS = string.ascii_letters


def as_text(operands: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The subscripts and the inputs of `np.einsum`, which also takes inputs and lists of axes by turns.

    >>> as_text((1.0, [0, ...], 2.0, [...], [...]))
    ('a...,...->...', (1.0, 2.0))
    """
    if isinstance(operands[0], str):
        return operands[0], operands[1:]
    even = len(operands) - len(operands) % 2
    terms = [_letters(axes) for axes in operands[1:even:2]]
    output = "->" + _letters(operands[-1]) if len(operands) % 2 else ""
    return ",".join(terms) + output, operands[:even:2]


def _letters(axes: Any) -> str:
    return "".join(["..." if axis is Ellipsis else LETTERS[axis] for axis in axes])
