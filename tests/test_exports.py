"""The public names: exported by hand, listed, and documented."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import gategrad as gg
from gategrad import errors
from gategrad.array_methods import functions
from gategrad.gate import Gate, all_gates


def modules():
    yield gg
    for found in pkgutil.walk_packages(gg.__path__, "gategrad."):
        if not found.name.endswith(("__main__", "._native")):  # the one runs the command, the other is written in C
            yield importlib.import_module(found.name)


MODULES = list(modules())
LAZY = ["circuit", "compile"]  # imported when first used, so not among the names that the package holds
PUBLIC = sorted(
    [name for name in vars(gg) if not name.startswith("_") and not inspect.ismodule(getattr(gg, name))] + LAZY
)


def is_shown_elsewhere(name):
    """A gate or a kind is shown by its function, an exception by its message."""
    value = getattr(gg, name)
    return inspect.isclass(value) and issubclass(value, (Gate, Exception))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_module_says_what_it_is(module):
    is_mere_folder = hasattr(module, "__path__") and not Path(module.__file__).read_text(encoding="utf-8").strip()
    assert is_mere_folder or (module.__doc__ or "").strip(), f"{module.__name__} has no docstring"


@pytest.mark.parametrize("module", [m for m in MODULES if hasattr(m, "__all__")], ids=lambda module: module.__name__)
def test_all_is_true(module):
    assert len(set(module.__all__)) == len(module.__all__)
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert missing == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_what_neighbours_import_is_listed(module):
    """What one module takes from another is in that one's `__all__`: the list is the interface."""
    unlisted = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gategrad")
        for alias in node.names
        if not inspect.ismodule(getattr(importlib.import_module(node.module), alias.name, None))
        and alias.name not in getattr(importlib.import_module(node.module), "__all__", [alias.name])
    ]
    assert unlisted == []


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_is_documented(name):
    value = getattr(gg, name)
    own = value.__dict__.get("__doc__") if inspect.isclass(value) else inspect.getdoc(value)
    assert own, f"gg.{name} has no docstring"


@pytest.mark.parametrize("name", [name for name in PUBLIC if not is_shown_elsewhere(name)])
def test_public_function_shows_an_example(name):
    assert ">>>" in (inspect.getdoc(getattr(gg, name)) or ""), f"the documentation of gg.{name} has no example"


def test_every_error_is_of_the_family():
    family = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]
    assert len(family) > 5
    for cls in family:
        assert issubclass(cls, errors.GategradError)
        assert cls.__name__ in errors.__all__


OUR_GATES = [cls for cls in all_gates() if cls.__module__.startswith("gategrad.gates.") and not cls.__subclasses__()]


@pytest.mark.parametrize("cls", OUR_GATES, ids=lambda cls: cls.__name__)
def test_every_gate_says_what_it_does(cls):
    first_line = (cls.__dict__.get("__doc__") or "").partition("\n")[0]
    assert " = " in first_line, f"{cls.__name__}: the docstring starts with the formula, 'z = …'"


@pytest.mark.parametrize("cls", OUR_GATES, ids=lambda cls: cls.__name__)
def test_every_gate_is_listed_by_its_module(cls):
    assert cls.__name__ in importlib.import_module(cls.__module__).__all__


def gate_functions():
    """The functions next to the gates that stand for no function of NumPy's: users reach them through `gg` alone."""
    for module in [importlib.import_module(name) for name in sorted({cls.__module__ for cls in OUR_GATES})]:
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value) and value not in functions.values():
                yield module, name


@pytest.mark.parametrize(("module", "name"), list(gate_functions()), ids=lambda x: getattr(x, "__name__", x))
def test_every_gate_function_is_exported(module, name):
    value = getattr(module, name)
    if module.__name__.startswith(
        ("gategrad.gates.special", "gategrad.gates.matrix_functions", "gategrad.gates.signals")
    ):  # under SciPy's names, or for other gates alone
        assert value.__doc__
        return
    assert getattr(gg, name, None) is value, (
        f"add to gategrad/__init__.py: from {module.__name__} import {name} as {name}"
    )
