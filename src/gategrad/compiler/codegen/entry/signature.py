"""What goes into a compiled function and what comes out: containers with numbers, arrays and fixed objects in them.

A *structure* is a tree. Its inner nodes are `Container`s, its leaves say what is expected there. The leaves that
carry data (`Scalar`, `Array`), counted from left to right, are the flat inputs and outputs of the native program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, TypeAlias

import numpy as np

__all__ = [
    "ALARM",
    "KINDS",
    "Array",
    "Container",
    "Fixed",
    "Same",
    "Scalar",
    "Signature",
    "Structure",
    "data_leaves",
    "dict_of",
    "leaves",
    "list_of",
    "runs",
    "tuple_of",
]


Kind: TypeAlias = Literal["f64", "f32", "c128", "c64"]

KINDS: dict[np.dtype[np.generic], Kind] = {
    np.dtype(np.float64): "f64", np.dtype(np.float32): "f32", np.dtype(np.complex128): "c128", np.dtype(np.complex64): "c64",
}  # fmt: skip
"""What single numbers of these dtypes are called."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single number: "f64" comes out as a Python float, the others as NumPy's own.

    "f64" and "c128" may come in as Python's numbers or as NumPy's: as either, or as Python's alone, or as NumPy's
    alone, where that makes a difference. The program takes real ones in registers and complex ones as the address of
    their two parts.
    """

    kind: Kind = "f64"
    is_python: bool | None = None  # True, False: what alone may come in

    @property
    def types(self) -> tuple[type, ...]:
        """What may come in."""
        python: type | None = {"f64": float, "c128": complex}.get(self.kind)
        if python is None or self.is_python is False:
            return (self.dtype.type,)
        return (python,) if self.is_python else (python, self.dtype.type)

    @property
    def is_complex(self) -> bool:
        """Whether it is a pair of numbers."""
        return self.kind in ("c128", "c64")

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """What NumPy calls it."""
        return next(dtype for dtype, kind in KINDS.items() if kind == self.kind)


@dataclass(frozen=True, slots=True)
class Array:
    """A C-contiguous, aligned, native ndarray.

    As an output it may be written over the flat input `over`: it is that array, or if need be a copy, from the start.
    """

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


ALARM = Array(np.dtype(np.bool_), ())
"""What a program says to the entry alone."""


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
    wants_finite: bool = False
    """Whether a call whose outputs are not all finite goes to `slow`, which knows a more careful program."""
    has_alarm: bool = False
    """Whether there is one flat output more, which nobody gets: true if the others are to be looked at for that."""
    gives_up: tuple[type[Exception], ...] = ()
    """With which exceptions the program gives up: such a call goes to `slow`, which runs the function itself."""
    flat_inputs: tuple[Scalar | Array, ...] = field(init=False, repr=False, compare=False)
    flat_outputs: tuple[Scalar | Array, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "flat_inputs", tuple(data_leaves(*self.inputs)))
        object.__setattr__(self, "flat_outputs", (*data_leaves(self.output), *(ALARM,) * self.has_alarm))
        over = [leaf for leaf in self.flat_outputs if isinstance(leaf, Array) and leaf.over is not None]
        for leaf in over:
            given = self.flat_inputs[leaf.over or 0]
            if not isinstance(given, Array) or (given.dtype, given.shape) != (leaf.dtype, leaf.shape):
                raise ValueError(f"{leaf} cannot be written over {given}: dtype and shape must be the same")
        if len({leaf.over for leaf in over}) != len(over):
            raise ValueError("two outputs cannot be written over the same input")

    @property
    def over(self) -> dict[int, int]:
        """Which flat outputs may be written over which flat inputs."""
        outputs = enumerate(self.flat_outputs)
        return {n: leaf.over for n, leaf in outputs if isinstance(leaf, Array) and leaf.over is not None}


LONG = 16
"""Equal leaves side by side, if there are more than this, are handled by a loop: LLVM is slow with long functions."""


def runs(items: Sequence[Structure]) -> Iterator[tuple[int, int, Structure]]:
    """Part items into runs of equal scalars or arrays that are long enough for a loop, and single ones.

    Yields the position of the first item of each, the number of items, and the item.
    """
    position = 0
    for item, group in groupby(items):
        count = len(list(group))
        if count > LONG and isinstance(item, (Scalar, Array)):
            yield position, count, item
        else:
            yield from ((position + k, 1, items[position + k]) for k in range(count))
        position += count


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
