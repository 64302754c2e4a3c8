"""Lists: NumPy's functions, also of nested lists and tuples in which variables stand, wherever NumPy takes such for an array."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.gates.axes import tracks
from gategrad.numpy.creation import array

__all__ = ["of_lists", "take_lists"]

_OF_SEQUENCES = {
    "choose", "column_stack", "concat", "concatenate", "dstack", "histogramdd", "hstack", "lexsort", "multi_dot", "select",
    "stack", "vstack",
}  # fmt: skip
_STRUCTURED = {"block"}


def of_lists(function: Any, one: Callable[[Any], Any], home: str) -> Callable[..., Any]:
    """A function or ufunc of NumPy's, whose arguments that are lists of variables are made arrays first.

    What else there is to a ufunc, its methods among them, is there as well.
    """
    is_made = tracks if one is _made else _is_each_made

    @functools.wraps(function)
    def taking_lists(*args: Any, **options: Any) -> Any:
        for x in args:
            if (type(x) is list or type(x) is tuple) and is_made(x):
                args = tuple(map(one, args))
                break
        for x in options.values():
            if (type(x) is list or type(x) is tuple) and is_made(x):
                options = {name: one(x) for name, x in options.items()}
                break
        return function(*args, **options)

    if isinstance(function, np.ufunc):
        taking_lists = _quick(function, taking_lists)
    taking_lists.__module__, taking_lists.__qualname__ = home, function.__name__
    if isinstance(function, np.ufunc):
        for name in dir(function):
            if not name.startswith("_"):
                part = getattr(function, name)
                method = name in ("reduce", "accumulate", "reduceat", "outer", "at")
                setattr(taking_lists, name, of_lists(part, one, home) if method else part)
    return taking_lists


def _quick(ufunc: np.ufunc, general: Any) -> Any:
    """The general form, with a short way for what is common: one or two inputs and no options."""

    @functools.wraps(ufunc)
    def of_one(x: Any, *args: Any, **options: Any) -> Any:
        if args or options or type(x) is list or type(x) is tuple:
            return general(x, *args, **options)
        return ufunc(x)

    @functools.wraps(ufunc)
    def of_two(x: Any, y: Any, *args: Any, **options: Any) -> Any:
        if args or options or type(x) is list or type(x) is tuple or type(y) is list or type(y) is tuple:
            return general(x, y, *args, **options)
        return ufunc(x, y)

    return of_one if ufunc.nin == 1 else of_two if ufunc.nin == 2 else general


def _made(x: Any) -> Any:
    """An array, if this is a list of variables."""
    return array(x) if isinstance(x, (list, tuple)) and tracks(x) else x


def _each_made(x: Any) -> Any:
    """A list of arrays, if this is a list of lists of variables."""
    return type(x)(map(_made, x)) if type(x) in (list, tuple) else x


def _is_each_made(x: Any) -> bool:
    """Whether there are lists of variables in this list."""
    return any(tracks(part) for part in x if type(part) is list or type(part) is tuple)


def take_lists(namespace: dict[str, Any], of: str) -> None:
    """Put in place of the functions of a module of NumPy's, where a namespace has them as they are, those that take lists."""
    module = sys.modules[of]
    dispatched = type(np.sum)
    for name, function in list(namespace.items()):
        if (
            name not in _STRUCTURED
            and isinstance(function, (np.ufunc, dispatched))
            and function is getattr(module, name, None)
        ):
            one = _each_made if name in _OF_SEQUENCES else _made
            namespace[name] = of_lists(function, one, namespace["__name__"])
            namespace[name].__qualname__ = name  # np.abs is called absolute: it is pickled by the name it has here
