"""Constant: an array that a gate remembers but does not own, noticed if it changes before backward.

The gate remembers the caller's array itself, since a copy would double the memory of every data set. If the
array has changed when backward comes, the gradient would be silently wrong; `verify` raises instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.errors import StaleError

__all__ = ["Constant"]

_EXACT_BYTES = 1024  # up to here a copy of the bytes is as quick as any digest of them
_SAMPLES = 64


class Constant:
    """A writeable array of the caller's among the inputs of a gate, with its fingerprint at the forward pass.

    The fingerprint is the array's bytes if they are few, else their sum as integers and a sample of elements:
    one pass at the speed of memory. Only a change that preserves both goes unnoticed.
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


def _fingerprint(array: np.ndarray[Any, Any]) -> Any:
    if array.nbytes <= _EXACT_BYTES:
        return array.tobytes()
    step = array.size // _SAMPLES
    sample = array.flat[::step].tobytes()
    width = array.dtype.itemsize
    if width in (4, 8):
        return int(np.add.reduce(array.view(f"i{width}"), axis=None, dtype=np.int64)), sample
    return array.tobytes()
