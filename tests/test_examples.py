"""The examples are run as a user would run them, and reach what they promise."""

import importlib.util
import os
import sys
from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

EXAMPLES = Path(__file__).parents[1] / "examples"
PNG = b"\x89PNG"


@pytest.fixture(autouse=True)
def _one_thread_for_products():
    """Threads of BLAS wait for each other by spinning: ten times the work where processors are busy, for small matrices."""
    with threadpool_limits(1, "blas"):
        yield


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
        assert (tmp_path / "pictures" / name).read_bytes().startswith(PNG)
    assert f"test accuracy {result.accuracy:.2%}" in capsys.readouterr().out


def test_digits_are_not_recognised_without_training():
    """The data and the count of right answers are real: an untrained network guesses."""
    assert load("digits").train(epochs=0).accuracy < 0.3


def test_rnn_reads_a_text(tmp_path, capsys):
    example = load("rnn_text")
    reader = example.main(["--out", str(tmp_path), "--steps", "250"])
    assert np.mean(reader.losses[:5]) > 3
    assert np.mean(reader.losses[-20:]) < 0.7
    assert reader.certainty("Beautiful is better")[10:].mean() > 0.5
    assert (tmp_path / "reading.png").read_bytes().startswith(PNG)
    assert "Beautiful is better than" in capsys.readouterr().out


def test_logistic_regression_judges_unseen_tumours(tmp_path, capsys):
    result = load("logistic_regression").main(["--out", str(tmp_path)])
    assert result.accuracy > 0.95
    assert result.slope < 1e-4  # it is the minimum that was found
    assert (tmp_path / "tumours.png").read_bytes().startswith(PNG)
    assert f"{result.accuracy:.1%} of unseen tumours right" in capsys.readouterr().out


def test_gaussian_process_learns_a_landscape(tmp_path, capsys):
    result = load("gaussian_process").main(["--out", str(tmp_path)])
    before, after = result.likelihoods
    assert after > before + 50
    assert result.covered > 0.8
    np.testing.assert_allclose(result.mean[result.seen], result.heights[result.seen], atol=5.0)
    assert np.max(result.deviation[300:330]) > 5 * np.median(result.deviation)  # it knows where it has seen nothing
    assert (tmp_path / "landscape.png").read_bytes().startswith(PNG)
    assert f"{result.covered:.1%} of the unseen" in capsys.readouterr().out


def test_a_differential_equation_is_fitted_to_lynxes_and_hares(tmp_path, capsys):
    example = load("ode_fit")
    fit = example.main(["--out", str(tmp_path)])
    known = {"birth": 0.55, "hunting": 0.028, "death": 0.80, "feeding": 0.024}  # of published fits to the same data
    np.testing.assert_allclose([fit.constants[name] for name in known], list(known.values()), rtol=0.05)
    assert fit.losses[1] < 0.06
    assert fit.losses[0] > 0.2
    assert (tmp_path / "populations.png").read_bytes().startswith(PNG)
    assert f"in {fit.calls} calls" in capsys.readouterr().out


def test_variational_inference_finds_the_posterior(tmp_path, capsys):
    example = load("variational")
    result = example.main(["--out", str(tmp_path)])
    middle, covariance = example.exact()
    np.testing.assert_allclose(result.mean, middle, atol=0.05)
    spread, wanted = np.sqrt(np.diag(result.covariance)), np.sqrt(np.diag(covariance))
    assert np.all(spread < wanted)  # the bound prefers a Gaussian inside the posterior
    assert np.all(spread > 0.7 * wanted)
    assert np.mean(result.bounds[-50:]) > np.mean(result.bounds[:20]) + 1
    assert (tmp_path / "posterior.png").read_bytes().startswith(PNG)
    assert "posterior" in capsys.readouterr().out


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
