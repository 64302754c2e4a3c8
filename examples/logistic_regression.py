"""Logistic regression on real tumours, fitted by an optimiser from SciPy that is handed the gradient of plain NumPy code.

The data are the 569 breast tumours that ship inside scikit-learn, thirty measurements each, benign or malignant. The parameters are a
dictionary; the loss is written once, in NumPy, and `gg.compile` makes one native function of it and its gradient. Draws which
measurements speak for which answer, and how well the probabilities that are given separate the tumours it has not seen.

Run: python examples/logistic_regression.py --out pictures      (needs scikit-learn, SciPy and matplotlib: pip install '.[test]')
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import gategrad as gg

PENALTY = 0.01
Parameters = dict[str, Any]


@dataclass
class Result:
    """What was fitted, and the probabilities given to tumours that were kept aside."""

    weights: np.ndarray
    names: list[str]
    probability: np.ndarray
    benign: np.ndarray
    calls: int
    slope: float

    @property
    def accuracy(self) -> float:
        """The part of the unseen tumours that was judged rightly."""
        return float(np.mean((self.probability > 0.5) == self.benign))


def logit(p: Parameters, x: np.ndarray) -> Any:
    """(n, 30) → (n,): the logarithm of the odds of being benign."""
    return x @ p["weights"] + p["bias"]


def loss(p: Parameters, x: np.ndarray, benign: np.ndarray) -> Any:
    """The mean of −log(probability given to what is right), and a penalty that keeps the weights small."""
    return np.mean(np.logaddexp(0.0, np.where(benign, -1.0, 1.0) * logit(p, x))) + PENALTY * np.sum(p["weights"] ** 2)


def fit(x: np.ndarray, benign: np.ndarray) -> tuple[Parameters, int, float]:
    """The parameters at the minimum, the number of calls, and the largest slope that is left there."""
    value_and_gradient = gg.compile(gg.value_and_grad(loss))

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = value_and_gradient({"weights": flat[:-1], "bias": float(flat[-1])}, x, benign)
        return value, np.append(slope["weights"], slope["bias"])

    found = minimize(objective, np.zeros(x.shape[1] + 1), jac=True, method="BFGS")
    return {"weights": found.x[:-1], "bias": found.x[-1]}, found.nfev, float(np.max(np.abs(found.jac)))


def run(seed: int = 0) -> Result:
    """Fit to three quarters of the tumours, and judge the rest."""
    data = load_breast_cancer()
    x, unseen, benign, answer = train_test_split(
        data.data, data.target == 1, test_size=0.25, stratify=data.target, random_state=seed
    )
    middle, spread = x.mean(axis=0), x.std(axis=0)
    p, calls, slope = fit((x - middle) / spread, benign)
    probability = gg.sigmoid(logit(p, (unseen - middle) / spread))
    return Result(p["weights"], list(data.feature_names), probability, answer, calls, slope)


def draw(result: Result, path: Path) -> None:
    """The ten heaviest weights, and the probabilities of both kinds of tumour."""
    import matplotlib.pyplot as plt

    heaviest = np.argsort(np.abs(result.weights))[-10:]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    weights = result.weights[heaviest]
    left.barh([result.names[i] for i in heaviest], weights, color=np.where(weights > 0, "tab:blue", "tab:red"))
    left.set(title="what speaks for benign (blue), for malignant (red)", xlabel="weight")
    kinds = [result.probability[result.benign], result.probability[~result.benign]]
    right.hist(kinds, bins=20, range=(0, 1), stacked=True, color=["tab:blue", "tab:red"], label=["benign", "malignant"])
    right.set(title=f"unseen tumours: {result.accuracy:.1%} right", xlabel="probability of being benign", yscale="log")
    right.legend(loc="upper center")
    figure.savefig(path)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description="Fit a logistic regression with SciPy and gategrad.")
    parser.add_argument("--out", type=Path, default=Path("logistic"), help="folder for the picture (default: logistic)")
    options: Any = parser.parse_args(arguments)
    mpl.use("agg")  # files, no window
    result = run()
    options.out.mkdir(parents=True, exist_ok=True)
    draw(result, options.out / "tumours.png")
    print(f"{result.accuracy:.1%} of unseen tumours right; {result.calls} calls, slope {result.slope:.1e} at the end")
    print(f"picture in {options.out}")
    return result


if __name__ == "__main__":
    main()
