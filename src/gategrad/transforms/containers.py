"""Nested containers of floats and arrays: what goes into `grad` and comes out of it may be any of them."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.variable import Variable

__all__ = ["flatten", "flatten_like", "is_value", "places", "same_structure", "single"]

_VALUES = (float, int, complex, np.ndarray, np.generic, Variable)
_NAMESPACE = "gategrad"

_registering = threading.Lock()
_registered: set[type] = set()


def is_value(x: Any) -> bool:
    """Whether `x` is a value itself rather than a container of values."""
    return isinstance(x, _VALUES) or hasattr(x, "__array_ufunc__")


def flatten(x: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The values in a container, in order, and the function that puts such a list back into the same container.

    Tuples, lists, dicts (in the order of their sorted keys), named tuples, dataclasses and whatever is registered with
    optree, for everybody or in the namespace "gategrad", nested as you like. A field of a dataclass that was declared with
    `metadata={"static": True}` is no value: it stays what it is, in whatever is rebuilt.

    >>> values, rebuild = flatten({"w": 1.0, "b": [2.0, 3.0]})
    >>> values
    [2.0, 3.0, 1.0]
    >>> rebuild([20.0, 30.0, 10.0])
    {'w': 10.0, 'b': [20.0, 30.0]}
    """
    if is_value(x):
        return [x], single
    import optree  # wanted only when there is a container, and not free to import

    while True:
        values, structure = optree.tree_flatten(x, is_leaf=is_value, namespace=_NAMESPACE)
        unknown = {type(v) for v in values if dataclasses.is_dataclass(v) and not isinstance(v, type)}
        if not unknown:
            return values, functools.partial(optree.tree_unflatten, structure)
        for cls in unknown:
            with _registering:
                if cls not in _registered:
                    _register_dataclass(cls)
                    _registered.add(cls)


def single(values: list[Any]) -> Any:
    """What rebuilds a value that was in no container."""
    return values[0]


def flatten_like(rebuild: Callable[..., Any], x: Any) -> list[Any] | None:
    """The values in a container that is built as those that `rebuild` builds; None if it is built otherwise.

    In the place of a value there may be a None, which stays.
    """
    structure = _structure(rebuild)
    values, build = flatten(x)
    if same_structure(build, rebuild):
        return values
    if structure is None:
        return None
    try:
        values = structure.flatten_up_to(x)
    except ValueError:
        return None
    return values if all(value is None or is_value(value) for value in values) else None


def places(x: Any) -> list[str]:
    """Where the values of a container stand, as it is written behind its name; "" for a value itself.

    >>> places({"w": 1.0, "b": [2.0, 3.0]})
    ["['b'][0]", "['b'][1]", "['w']"]
    """
    if is_value(x):
        return [""]
    import optree

    flatten(x)  # which registers what it meets
    return [accessor.codify("") for accessor in optree.tree_accessors(x, is_leaf=is_value, namespace=_NAMESPACE)]


def same_structure(rebuild: Callable[..., Any], other: Callable[..., Any]) -> bool:
    """Whether two functions that `flatten` returned put values into the same containers."""
    return bool(_structure(rebuild) == _structure(other))


def _structure(rebuild: Callable[..., Any]) -> Any:
    """What `flatten` has found; None for a single value."""
    (structure,) = getattr(rebuild, "args", (None,))
    return None if structure is None or structure.is_leaf() else structure


def _register_dataclass(cls: type) -> None:
    import optree

    fields = dataclasses.fields(cls)
    still = [field.name for field in fields if field.metadata.get("static")]
    names = [field.name for field in fields if field.name not in still]

    def take_apart(x: Any) -> Any:
        return [getattr(x, name) for name in names], tuple([getattr(x, name) for name in still])

    def rebuild(kept: Any, children: Any) -> Any:
        made: Any = object.__new__(cls)  # no __init__, no __post_init__: gradients need not pass their checks
        for name, child in itertools.chain(zip(names, children, strict=True), zip(still, kept, strict=True)):
            object.__setattr__(made, name, child)
        return made

    optree.register_pytree_node(cls, take_apart, rebuild, namespace=_NAMESPACE)
