"""Imports point one way: a module imports only from its own layer and from those below it, and never in a circle."""

import ast
import functools
import graphlib
import itertools
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "gategrad"

LAYERS = [
    {"errors"},
    {
        "call_site",
        "misfit",
        "missing_names",
        "values",
        "constant",
        "masked",
        "postponed",
        "gate",
        "kinds",
        "slopes",
        "careful",
        "germs",
    },
    {
        "tape",
        "fit",
        "pause",
        "watch",
        "refusals",
        "escapes",
        "forward",
        "backward",
        "flat",
        "array_methods",
        "assignment",
        "recording",
        "variable",
        "transpose",
        "black_box",
        "native",
    },
    {"gates"},
    {"transforms"},
    {"compiler"},
    {"numpy"},
    {"solvers"},
    {"scipy"},
    {"nn", "optim"},
    {"picture", "check"},
    {"cli", "__main__"},
]
"""From the bottom to the top. `gategrad/__init__.py` stands above them all, but for the command, which uses it."""

LEVEL = {room: level for level, layer in enumerate(LAYERS) for room in layer}

EXCEPTIONS = {
    # (importing module, imported module): why this one may point upwards
}

MODULES = sorted(PACKAGE.rglob("*.py"))


@functools.cache
def name_of(path: Path) -> str:
    """`gategrad.gates.arithmetic` for src/gategrad/gates/arithmetic.py."""
    parts = ["gategrad", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """The part of the library that a module belongs to: the first name below `gategrad`."""
    return module.partition(".")[2].partition(".")[0]


@functools.cache
def statements(path: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """Every import in a file, wherever it stands: those inside functions count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return tuple(node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)))


@functools.cache
def imports_of(path: Path) -> set[str]:
    """Every module of the library that a file imports."""
    names: set[str] = set()
    modules = {name_of(p) for p in MODULES}
    for node in statements(path):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        else:
            assert node.level == 0, f"{path} imports relatively: absolute imports can be searched for"
            module = node.module or ""
            below = {f"{module}.{alias.name}" for alias in node.names}
            names.update(below & modules or {module})
    return {name for name in names if name.split(".")[0] == "gategrad"}


def upward(path: Path) -> list[str]:
    """The imports of a file that point upwards."""
    module = name_of(path)
    here = LEVEL[room_of(module)]
    return [
        f"{module} imports {other}"
        for other in sorted(imports_of(path))
        if (LEVEL[room_of(other)] if room_of(other) else len(LAYERS) - 1) > here and (module, other) not in EXCEPTIONS
    ]


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(name_of(path))], ids=name_of)
def test_imports_point_downwards(path):
    assert room_of(name_of(path)) in LEVEL, f"{name_of(path)} belongs to no layer: add it to LAYERS, where it belongs"
    assert upward(path) == []


def test_exceptions_are_still_needed():
    pairs = {(name_of(path), other) for path in MODULES for other in imports_of(path)}
    assert set(EXCEPTIONS) <= pairs


def test_an_upward_import_is_noticed(tmp_path, monkeypatch):
    """Also one that hides inside a function."""
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    monkeypatch.setitem(globals(), "MODULES", [])
    (tmp_path / "gate.py").write_text("def late():\n    from gategrad.picture.text import draw\n    return draw\n")
    assert upward(tmp_path / "gate.py") == ["gategrad.gate imports gategrad.picture.text"]


def circle() -> list[str]:
    """Modules each of which imports the next, the last of which is the first; empty if there are none."""
    graph = {name_of(path): imports_of(path) - {name_of(path)} for path in MODULES}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1][::-1]
    return []


def test_no_module_imports_itself_by_way_of_others():
    assert circle() == []


def test_a_circle_is_noticed(tmp_path, monkeypatch):
    """Also one of which a part hides inside a function."""
    paths = [tmp_path / f"{name}.py" for name in ("gate", "kinds", "masked")]
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    monkeypatch.setitem(globals(), "MODULES", paths)
    for path, other in zip(paths, ("kinds", "masked", "gate"), strict=True):
        path.write_text(f"def late():\n    from gategrad.{other} import x\n    return x\n")
    assert set(itertools.pairwise(circle())) == {
        ("gategrad.gate", "gategrad.kinds"),
        ("gategrad.kinds", "gategrad.masked"),
        ("gategrad.masked", "gategrad.gate"),
    }


def test_private_names_stay_in_their_room():
    """A name with an underscore may be imported inside its own package, never from another room."""
    found = [
        f"{name_of(path)} imports {node.module}.{alias.name}"
        for path in MODULES
        for node in statements(path)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gategrad")
        for alias in node.names
        if alias.name.startswith("_") and room_of(node.module) != room_of(name_of(path))
    ]
    assert found == []


def taken_over(path: Path) -> set[str]:
    """The names that a module has from other modules of the library."""
    return {
        alias.asname or alias.name
        for node in statements(path)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gategrad")
        for alias in node.names
    }


def test_names_are_imported_from_where_they_are_defined():
    """Packages may hand names on, modules do not: whoever looks for a definition finds it where the import says."""
    handed_on = {name_of(path): taken_over(path) for path in MODULES if path.name != "__init__.py"}
    found = [
        f"{name_of(path)} imports {node.module}.{alias.name}"
        for path in MODULES
        for node in statements(path)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in handed_on.get(node.module or "", ())
    ]
    assert found == []
