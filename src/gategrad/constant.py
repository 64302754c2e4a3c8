"""Constant: an array that a gate remembers but does not own, noticed if it changes before backward.

The gate remembers the caller's array itself, since a copy would double the memory of every data set. If the
array has changed when backward comes, the gradient would be silently wrong; `verify` raises instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.errors import StaleError
from gategrad.values import spec_of

__all__ = ["Constant", "may_change", "zeros_for"]

_EXACT_BYTES = 8192  # up to here a copy takes less than a fifth of the time of a digest, and hardly any memory
_ROW = 256


class Constant:
    """An array of the caller's among the inputs of a gate, with its fingerprint at the forward pass.

    The fingerprint is the array's bytes if they are few. Else they are folded into a matrix of integers, whose row
    sums and column sums it keeps: two passes at the speed of memory, and 1/256 of its size. A change of one element
    changes a sum, and so do two elements that change places.
    """

    __slots__ = ("array", "fingerprint")

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array
        self.fingerprint = _fingerprint(array)

    def verify(self, gate_name: str, index: int) -> None:
        """Raise `StaleError` if the array is no longer what the forward pass saw."""
        if _fingerprint(self.array) != self.fingerprint:
            raise StaleError(
                f"input {index} of {gate_name}, an array of shape {self.array.shape}, was written into after the "
                "forward pass, and its gradient would be wrong. Call backward() first, write into a copy, or build "
                "a new array (x = x + 1 rather than x += 1)"
            )


def may_change(array: np.ndarray[Any, Any]) -> bool:
    """Whether somebody could write into the memory of this array: it or an array that it is a view of is writeable."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return True
        owner = owner.base
    return owner is not None and type(owner) is not bytes


def zeros_for(source: Any) -> Any:
    """Zeros that look like an input of a gate, as `gate.inputs` has it: a constant, or what has a spec."""
    spec = spec_of(source.array if type(source) is Constant else source)
    return np.zeros(*spec)[()] if spec else 0.0


def _fingerprint(array: np.ndarray[Any, Any]) -> Any:
    if array.nbytes <= _EXACT_BYTES:
        return array.tobytes()
    data = array.ravel("K").view(np.uint8)
    whole = data.size - data.size % (8 * _ROW)
    rows = data[:whole].view(np.int64).reshape(-1, _ROW)
    return np.add.reduce(rows, 0).tobytes(), np.add.reduce(rows, 1).tobytes(), data[whole:].tobytes()
