"""The README and the other pages are programs: every Python block in them is run, and its output compared."""

import doctest
import importlib.util
import inspect
import re
import shlex
from pathlib import Path

import pytest

from gategrad.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def blocks(page: Path) -> list[tuple[int, str]]:
    """The Python blocks of a page with their line numbers."""
    text = page.read_text(encoding="utf-8")
    return [(text.count("\n", 0, match.start(1)), match[1]) for match in BLOCK.finditer(text)]


def run_page(page: Path) -> list[str]:
    """Run the blocks of a page one after the other in one namespace; return what went wrong.

    A block that starts with `>>>` is a session; any other is a file, whose own doctests are run too.
    """
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    names: dict[str, object] = {"__name__": page.stem}
    for line, block in blocks(page):
        if block.startswith(">>>"):
            tests = [doctest.DocTestParser().get_doctest(block, names, page.name, str(page), line)]
        else:
            exec(compile("\n" * line + block, str(page), "exec"), names)
            tests = doctests_of(names, page.stem)
        for test in tests:
            runner.run(test, out=report.append, clear_globs=False)
            names.update(test.globs)
    return report


def doctests_of(names: dict[str, object], module: str) -> list[doctest.DocTest]:
    """The examples in the docstrings of what a block has defined."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    own = [x for x in names.values() if inspect.isroutine(x) or inspect.isclass(x)]
    return [test for x in own if x.__module__ == module for test in finder.find(x, x.__name__, False, names, {})]


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_page_does_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # pages write their files here
    assert blocks(page), f"{page.name} has no Python block"
    report = run_page(page)
    assert not report, "".join(report)


def test_a_wrong_number_on_a_page_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 1\n```\n\n```python\n>>> x + 1\n3\n```\n")
    assert "Expected:\n    3\nGot:\n    2\n" in "".join(run_page(page))


def test_a_wrong_number_in_a_docstring_on_a_page_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text('```python\ndef one():\n    """One.\n\n    >>> one()\n    2\n    """\n    return 1\n```\n')
    assert "Expected:\n    2\nGot:\n    1\n" in "".join(run_page(page))


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_links_lead_somewhere(page):
    prose = re.sub(r"`[^`\n]*`", "", page.read_text(encoding="utf-8"))  # f[0](x) in code is no link
    for target in re.findall(r"\]\(([^)#]+)", prose):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_command_of_the_readme_prints_the_circuit_of_the_readme(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"\.venv/bin/gategrad (.*)$", text, re.MULTILINE)[1]
    picture = re.search(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]
    assert main(shlex.split(command)) == 0
    assert picture in capsys.readouterr().out


def test_the_pictures_are_what_the_library_draws(tmp_path):
    spec = importlib.util.spec_from_file_location("make_images", ROOT / "docs" / "make_images.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(tmp_path)
    drawn = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "images").iterdir()}
    assert drawn == kept, "run python docs/make_images.py"


def test_the_tree_of_the_architecture_is_true():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    tree = text.partition("src/gategrad/\n")[2].partition("```")[0]
    told = set(re.findall(r"^  (\w+(?:\.py|/)) ", tree, re.MULTILINE))
    package = ROOT / "src" / "gategrad"
    true = {path.name for path in package.glob("*.py")} | {
        f"{path.parent.name}/" for path in package.glob("*/__init__.py")
    }
    assert told == true
    outside = re.findall(r"^(\S+?)/? ", tree, re.MULTILINE)
    assert len(outside) > 4
    assert all((ROOT / name).exists() for name in outside)
