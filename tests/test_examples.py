"""The examples are run as a user would run them, and reach what they promise."""

import importlib.util
import os
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def load(name):
    """Import an example from its file."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_two_layer_net_learns(capsys):
    example = load("two_layer_net")
    losses, accuracy = example.train()
    assert accuracy > 0.99
    assert losses[-1] < losses[0] / 10
    example.main()
    assert f"accuracy on fresh points {accuracy:.1%}" in capsys.readouterr().out


def test_digits_are_recognised(tmp_path, capsys):
    result = load("digits").main(["--out", str(tmp_path / "pictures")])
    assert result.accuracy >= 0.98
    assert result.labels.shape == (450,)
    for name in ("loss.png", "mistakes.png"):
        assert (tmp_path / "pictures" / name).read_bytes().startswith(b"\x89PNG")
    assert f"test accuracy {result.accuracy:.2%}" in capsys.readouterr().out


def test_digits_are_not_recognised_without_training():
    """The data and the count of right answers are real: an untrained network guesses."""
    assert load("digits").train(epochs=0).accuracy < 0.3


@pytest.mark.filterwarnings("default")  # what Jupyter's own packages warn of is not ours
def test_notebook_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # the kernel finds what this process finds
    notebook = nbformat.read(EXAMPLES / "backprop.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/svg+xml" in output.get("data", {}) or "text/html" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_every_example_is_tested_and_says_how_to_run_it(path):
    assert f'load("{path.stem}")' in Path(__file__).read_text(encoding="utf-8")
    assert f"Run: python examples/{path.name}" in path.read_text(encoding="utf-8")
