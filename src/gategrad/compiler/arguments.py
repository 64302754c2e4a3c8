"""Reading what a compiled function is called with: numbers and arrays, the containers around them, and names."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gategrad.compiler.codegen.entry.signature import KINDS, Array, Container, Fixed, Scalar, Structure, data_leaves
from gategrad.compiler.trace.symbol import Symbol
from gategrad.errors import DtypeError, describe
from gategrad.germs import Germ
from gategrad.transforms.containers import flatten
from gategrad.variable import Variable

__all__ = ["Argument", "binder", "fixed", "loosened", "pythons", "read"]

Build = Callable[[Iterator[Any]], Any]


@dataclasses.dataclass
class Argument:
    """One argument, taken apart: what it is made of, and how to put it together again from other values."""

    structure: Structure
    leaves: list[Any]
    names: list[str]
    build: Build  # from an iterator over values in the place of the leaves
    plain: Any  # the argument as native code takes it: exact containers, orderly arrays
    key: Any  # whichever numbers are Python's
    is_rearranged: bool = False  # whether an array in it lay in memory in some other way than row by row


def read(x: Any, name: str) -> Argument:
    """Take an argument apart; `name` is what its values are called in programs.

    Raises `DtypeError` for what is neither a number nor an array nor a container of them.
    """
    kind = type(x)
    if kind is tuple or kind is list:
        return _join(kind, [read(item, f"{name}{n}") for n, item in enumerate(x)], ())
    if kind is dict:
        return _join(dict, [read(item, _joined(name, key)) for key, item in x.items()], tuple(x))
    if kind is Variable or kind is Symbol or kind is Germ:
        return Argument(Scalar(), [x], [name], next, x, kind)
    if x is None or kind is bool:  # a truth value in Python is a switch: part of the program
        return fixed(x, name)
    leaf = _leaf(x)
    if leaf is not None:
        structure, plain = leaf
        is_rearranged = isinstance(x, np.ndarray) and not x.flags.c_contiguous
        return Argument(structure, [plain], [name], next, plain, loosened(structure), is_rearranged)
    return _other_container(x, name)


def fixed(x: Any, name: str) -> Argument:
    """A static argument: part of the program. Raises `DtypeError` if it cannot be recognised when it comes again."""
    try:
        hash(x)
    except TypeError:
        raise DtypeError(
            f"the static argument {name} is {describe(x)}, which cannot be hashed, so that the program for it could "
            "not be found again: pass a tuple rather than a list, or an object with __hash__ and __eq__"
        ) from None
    return Argument(Fixed(x), [], [], lambda _: x, x, (type(x), x))


def _leaf(x: Any) -> tuple[Structure, Any] | None:
    kind = type(x)
    if kind is float or kind is int:
        return Scalar("f64", is_python=True), float(x)
    if kind is complex:
        return Scalar("c128", is_python=True), x
    if kind is np.float64 or kind is np.float32:
        return Scalar(KINDS[x.dtype], is_python=False), x
    if not isinstance(x, (np.ndarray, np.generic)):
        return None
    if isinstance(x, np.ma.MaskedArray):
        raise DtypeError(
            "a compiled function was given a masked array, whose mask it would ignore: fill it, or use np.where"
        )
    array = np.asarray(x)
    number = KINDS.get(array.dtype.newbyteorder("="))
    if number is None and array.dtype.kind not in "iub":
        raise DtypeError(
            f"a compiled function was given {describe(x)}: it takes float64, float32, complex128, complex64, integers "
            "and truth values"
        )
    if array.shape == () and number is not None:
        return Scalar(number, is_python=False), array.dtype.newbyteorder("=").type(array)
    if not (array.dtype.isnative and array.flags.c_contiguous and array.flags.aligned):  # else this very object
        array = np.require(array, array.dtype.newbyteorder("="), ["C", "A"])
    return Array(array.dtype, array.shape), array


def loosened(structure: Structure) -> Structure:
    """The structure, with single numbers that may be Python's or NumPy's."""
    if isinstance(structure, Container):
        return dataclasses.replace(structure, items=tuple(map(loosened, structure.items)))
    return Scalar(structure.kind) if isinstance(structure, Scalar) else structure


def pythons(structures: Sequence[Structure]) -> tuple[bool | None, ...]:
    """Which single numbers are Python's (True) and which are NumPy's (False)."""
    return tuple([x.is_python for x in data_leaves(*structures) if isinstance(x, Scalar)])


def _join(kind: type, parts: list[Argument], keys: tuple[Any, ...]) -> Argument:
    builds = [part.build for part in parts]

    def build(values: Iterator[Any]) -> Any:
        items = [build_item(values) for build_item in builds]
        return dict(zip(keys, items, strict=True)) if kind is dict else kind(items)

    items = [part.plain for part in parts]
    return Argument(
        Container(kind, tuple([part.structure for part in parts]), keys),
        [leaf for part in parts for leaf in part.leaves],
        [name for part in parts for name in part.names],
        build,
        dict(zip(keys, items, strict=True)) if kind is dict else kind(items),
        (kind, keys, *[part.key for part in parts]),
        any(part.is_rearranged for part in parts),
    )


def _other_container(x: Any, name: str) -> Argument:
    """Named tuples, dataclasses and what else `flatten` knows: native code sees the tuple of their values."""
    values, rebuild = flatten(x)
    if len(values) == 1 and values[0] is x:
        advice = (
            "Pass np.asarray(x)"
            if hasattr(x, "__array__")
            else "Name the argument in static= if it is part of the program"
        )
        raise DtypeError(
            f"a compiled function was given {describe(x)} as {name}: it takes numbers, arrays and containers of them. {advice}"
        )
    inside = _join(tuple, [read(value, f"{name}{n}") for n, value in enumerate(values)], ())
    inner = inside.build
    shape = getattr(rebuild, "args", ())
    return dataclasses.replace(inside, build=lambda new: rebuild(list(inner(new))), key=(type(x), shape, inside.key))


def _joined(name: str, key: Any) -> str:
    return f"{name}_{key}" if str(key).isidentifier() else f"{name}_{abs(hash(key)) % 1000}"


def binder(arguments: list[Argument], keywords: tuple[str, ...]) -> Callable[[list[Any]], Any]:
    """The function that makes positional and named arguments of values in the place of the leaves."""

    def bind(values: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        rest = iter(values)
        built = [a.build(rest) for a in arguments]
        positional = len(built) - len(keywords)
        return built[:positional], dict(zip(keywords, built[positional:], strict=True))

    return bind
