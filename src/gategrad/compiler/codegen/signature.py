"""What goes into a compiled function and what comes out: containers with numbers, arrays and fixed objects in them.

A *structure* is a tree. Its inner nodes are `Container`s, its leaves say what is expected there. The leaves that
carry data (`Scalar`, `Array`), counted from left to right, are the flat inputs and outputs of the native program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

__all__ = [
    "Array",
    "Container",
    "Fixed",
    "Same",
    "Scalar",
    "Signature",
    "Structure",
    "dict_of",
    "leaves",
    "list_of",
    "tuple_of",
]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single number, in a register: "f64" is a Python float (a NumPy float64 may come in), "f32" a NumPy float32."""

    kind: Literal["f64", "f32"] = "f64"


@dataclass(frozen=True, slots=True)
class Array:
    """A C-contiguous, aligned, native ndarray. As an output it may be written over the flat input `over`."""

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    over: int | None = None

    @property
    def nbytes(self) -> int:
        """The size of the data."""
        nbytes = self.dtype.itemsize
        for size in self.shape:
            nbytes *= size
        return nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """As an input: this very object (a static argument). As an output: this object, each time."""

    value: object


@dataclass(frozen=True, slots=True)
class Same:
    """As an output: the object that came in as flat input `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class Container:
    """A tuple, list or dict (exactly that type) of structures; `keys` name the items of a dict, in order."""

    kind: type
    items: tuple[Structure, ...]
    keys: tuple[object, ...] = ()


Structure: TypeAlias = Scalar | Array | Fixed | Same | Container


@dataclass(frozen=True, slots=True)
class Signature:
    """Positional arguments, then those that come by keyword, and the output."""

    inputs: tuple[Structure, ...]
    output: Structure
    keywords: tuple[str, ...] = ()
    workspace: int = 0
    releases_gil: bool = False
    flat_inputs: tuple[Scalar | Array, ...] = field(init=False, repr=False, compare=False)
    flat_outputs: tuple[Scalar | Array, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "flat_inputs", tuple(data_leaves(*self.inputs)))
        object.__setattr__(self, "flat_outputs", tuple(data_leaves(self.output)))


def tuple_of(*items: Structure) -> Container:
    """A tuple with these items."""
    return Container(tuple, items)


def list_of(*items: Structure) -> Container:
    """A list with these items."""
    return Container(list, items)


def dict_of(items: dict[object, Structure]) -> Container:
    """A dict with these items, in this order when it is an output."""
    return Container(dict, tuple(items.values()), tuple(items))


def leaves(*structures: Structure) -> Iterator[Structure]:
    """All leaves from left to right."""
    stack: list[Structure] = list(reversed(structures))
    while stack:
        structure = stack.pop()
        if isinstance(structure, Container):
            stack.extend(reversed(structure.items))
        else:
            yield structure


def data_leaves(*structures: Structure) -> Iterator[Scalar | Array]:
    """The leaves that carry data, from left to right: the flat inputs or outputs of the program."""
    return (leaf for leaf in leaves(*structures) if isinstance(leaf, (Scalar, Array)))
