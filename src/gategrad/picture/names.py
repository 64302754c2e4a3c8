"""Names for wires: the ones that the user gave, those of the local variables that hold the values, or made up."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gategrad.errors import DtypeError
from gategrad.picture.model import Model, Wire
from gategrad.picture.numbers import exact
from gategrad.transforms.containers import flatten
from gategrad.transforms.vjp import differentiable
from gategrad.variable import Variable, variable

__all__ = ["call_named", "give_names", "names_in"]

_LONGEST = 24
_MOST_ELEMENTS = 1000  # of a container that is searched for variables
_DEEPEST = 3


def names_in(scope: Mapping[str, Any]) -> dict[Any, str]:
    """What the local variables in `scope` call the leaves, gates and arrays behind them, also inside containers."""
    found: dict[Any, str] = {}
    for name, value in list(scope.items()):
        if name.isidentifier() and not name.startswith("_"):
            for path, z in _values(value, name, 0):
                if isinstance(z, np.ndarray):
                    found.setdefault(("array", id(z)), path)
                else:
                    found.setdefault(z.gate or z, z.name or path)
    return found


def _values(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if type(value) is Variable or isinstance(value, np.ndarray):
        yield path, value
        return
    if depth == _DEEPEST or isinstance(value, type) or inspect.ismodule(value):
        return
    if isinstance(value, dict):
        parts = [(str(key), part) for key, part in value.items()] if len(value) <= _MOST_ELEMENTS else []
    elif isinstance(value, (list, tuple)):
        parts = [(str(index), part) for index, part in enumerate(value[:_MOST_ELEMENTS])]
    else:
        parts = list(getattr(value, "__dict__", {}).items())[:_MOST_ELEMENTS]
    for key, part in parts:
        yield from _values(part, f"{path}.{key}", depth + 1)


# --- functions ----------------------------------------------------------------------------------------------------


def call_named(
    function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[Any, dict[Any, str]]:
    """Call a function on variables named like its parameters; also what it calls the values that it computes and uses."""
    parameters = _parameters(function, len(args))
    lifted = [_lift(x, name) for x, name in zip(args, parameters, strict=True)]
    scope: dict[str, Any] = {}
    code = getattr(inspect.unwrap(function), "__code__", None)

    def watch(frame: Any, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            scope.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        z = function(*lifted, **options)
    finally:
        sys.setprofile(before)
    return z, names_in({**scope, **{name: x for name, x in _captured(function).items() if name not in scope}})


def _captured(function: Callable[..., Any]) -> dict[str, Any]:
    """What a function uses of the names around it."""
    try:
        around = inspect.getclosurevars(inspect.unwrap(function))
    except (TypeError, ValueError):
        return {}
    return {**around.nonlocals, **around.globals}


def _parameters(function: Callable[..., Any], count: int) -> list[str]:
    """The names of the first `count` positional parameters, made up where the function does not say."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "x")
    return [*names, *(f"{rest}{index}" for index in range(count - len(names)))][:count]


def _lift(x: Any, name: str) -> Any:
    """`x` with every number and array of floats in it made a variable; what can have no gradient stays as it is."""
    if type(x) is Variable:
        return x
    values, rebuild = flatten(x)
    return rebuild([_named(value, path) for value, path in zip(values, _paths(x, name, len(values)), strict=True)])


def _named(value: Any, path: str) -> Any:
    if type(value) is Variable:
        return value
    try:
        return variable(differentiable(value, path), name=path)
    except DtypeError:
        return value


def _paths(x: Any, name: str, count: int) -> list[str]:
    if count == 1 and flatten(x)[0][0] is x:
        return [name]
    import optree

    paths = optree.tree_paths(x, namespace="gategrad")
    return [".".join([name, *map(str, path)]) for path in paths] if len(paths) == count else [name] * count


# --- labels -----------------------------------------------------------------------------------------------------------


def give_names(model: Model, sources: Mapping[Wire, Any], names: Mapping[Any, str], output: str | None) -> None:
    """Write a label on every wire, each only once; the user's names first."""
    taken: set[str] = set()
    for wire in model.leaves:
        source = sources[wire]
        _label(wire, source.name or names.get(source), taken)
    for node in model.nodes:
        if node.output is not model.output:
            _label(node.output, names.get(sources[node.output]), taken)
    if model.nodes:
        found = output or names.get(sources[model.output])
        _label(model.output, found if found and _clean(found) not in taken else "f", taken)
    for wire in model.constants:
        if wire.is_array:
            _label(wire, names.get(("array", id(wire.value))), taken)
        wire.label = wire.label or (f"array {wire.shape}" if wire.is_array else exact(wire.value))
    _make_up(model.leaves, "x", taken)
    _make_up([node.output for node in model.nodes], "v", taken)


def _label(wire: Wire, name: str | None, taken: set[str]) -> None:
    if not name:
        return
    name = _clean(name)
    label, count = name, 1
    while label in taken:
        count += 1
        label = f"{name}_{count}"
    taken.add(label)
    wire.label, wire.named = label, True


def _make_up(wires: list[Wire], letter: str, taken: set[str]) -> None:
    index = 0
    for wire in wires:
        if not wire.label:
            index += 1
            while f"{letter}{index}" in taken:
                index += 1
            wire.label = f"{letter}{index}"


def _clean(name: str) -> str:
    """One short printable line: a name must neither break a drawing nor steer a terminal."""
    shown = "".join(character if character.isprintable() else "�" for character in str(name))
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
