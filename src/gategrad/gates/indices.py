"""Indices: what kind an index is, and the form in which a gate may remember it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gategrad.gate import on_meeting

__all__ = ["BASIC", "is_basic", "last_writers", "own_index", "reads_once"]

BASIC = (int, np.integer, slice, type(None), type(...))
"""The parts of an index that make no copy."""


def is_basic(index: Any) -> bool:
    """Whether reading by this index makes a view in NumPy: numbers and slices alone."""
    return all(isinstance(part, BASIC) for part in (index if type(index) is tuple else (index,)))


def reads_once(index: Any) -> bool:
    """Whether no place can be read twice: everything but arrays of integers."""
    parts = index if type(index) is tuple else (index,)
    return all(isinstance(part, BASIC) or (type(part) is np.ndarray and part.dtype == bool) for part in parts)


def own_index(index: Any) -> Any:
    """The index as the gate may remember it: lists become arrays, and arrays that the caller could change are copied."""
    if type(index) is tuple:
        return tuple([own_index(part) for part in index])
    if isinstance(index, BASIC) or type(index) in on_meeting:
        return index
    array = np.array(index)
    return array.astype(np.intp) if array.size == 0 and array.dtype != bool else array


def last_writers(index: Any, shape: tuple[int, ...]) -> Any:
    """Which of the values written to x[index] stay: where a place is written twice, the last one."""
    size = math.prod(shape)
    places = np.arange(size).reshape(shape)[index]
    writers, owner = np.arange(places.size), np.zeros(size, np.intp)
    owner[places.ravel()] = writers
    return (owner[places.ravel()] == writers).reshape(places.shape)
