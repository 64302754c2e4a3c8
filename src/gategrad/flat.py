"""Flat: `v.flat`, the elements in a row; what is written into it goes into v."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["Flat"]


class Flat:
    """The elements of an array of ours in a row, as NumPy's `flatiter`: read as copies, written through.

    >>> import gategrad as gg
    >>> y = gg.variable(np.zeros((3, 3))) * 1.0
    >>> y.flat[::4] += 1.0
    >>> y.value
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """

    __slots__ = ("base",)

    def __init__(self, base: Any) -> None:
        self.base = base

    def __len__(self) -> int:
        length: int = self.base.size
        return length

    def __iter__(self) -> Iterator[Any]:
        return iter(np.reshape(self.base, -1))

    def __getitem__(self, index: Any) -> Any:
        return self.base[self._places(index)]

    def __setitem__(self, index: Any, value: Any) -> None:
        if not self.base.shape:
            raise TypeError("a single number takes no item assignment: y = v gives the name to another")
        places = self._places(index)
        value = np.asarray(value) if isinstance(value, (list, tuple)) else value
        if np.shape(value):
            value = np.resize(value, np.shape(places[0]))  # NumPy begins anew where the values are too few
        self.base[places] = value

    def copy(self) -> Any:
        """The elements in a row, as a value of their own."""
        return self.base.flatten()

    def _places(self, index: Any) -> tuple[Any, ...]:
        return np.unravel_index(np.arange(self.base.size)[index], self.base.shape)
