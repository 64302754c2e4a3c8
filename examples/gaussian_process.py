"""A Gaussian process learns how rough a landscape is, by the gradient through a Cholesky decomposition.

The data are heights along a line across the Jacksboro fault in Tennessee, which ship inside matplotlib. The process sees every fourth point, and
nothing of one stretch. How far its heights agree, how much they vary, and how much is noise, is found where the
likelihood of the data is largest; the gradient goes through the covariances, their Cholesky factor and a solve. Draws the heights, what
the process believes, and how sure it is.

Run: python examples/gaussian_process.py --out pictures      (needs SciPy and matplotlib: pip install '.[test]')
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import cbook
from scipy.optimize import minimize

import gategrad as gg

ROW = 172  # the line runs from west to east through the middle of the map
HIDDEN = slice(300, 330)
START = {"length": 5.0, "height": 1.0, "noise": 0.3}


@dataclass
class Result:
    """The heights of the whole line, which of them were seen, and what the process believes of all."""

    constants: dict[str, float]
    heights: np.ndarray
    seen: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    likelihoods: tuple[float, float]

    @property
    def covered(self) -> float:
        """The part of the unseen heights within two standard deviations of what is believed."""
        unseen = np.setdiff1d(np.arange(len(self.heights)), self.seen)
        return float(np.mean(np.abs(self.heights - self.mean)[unseen] < 2 * self.deviation[unseen]))


def line() -> np.ndarray:
    """Heights in metres along one line of the map, a point about every 90 m."""
    with cbook.get_sample_data("jacksboro_fault_dem.npz") as data:
        return np.asarray(data["elevation"][ROW], float)


def covariance(p: dict[str, Any], x: np.ndarray, y: np.ndarray) -> Any:
    """Matérn's with ν = 3/2, height² (1 + r) exp(−r) for r = √3 |x − y| / length: rough, as landscapes are."""
    r = np.sqrt(3.0) * np.abs(x[:, None] - y) / p["length"]
    return p["height"] ** 2 * (1.0 + r) * np.exp(-r)


def factor(p: dict[str, Any], x: np.ndarray) -> Any:
    """The Cholesky factor of the covariance of noisy heights."""
    return np.linalg.cholesky(covariance(p, x, x) + p["noise"] ** 2 * np.eye(len(x)))


def loss(logarithms: dict[str, Any], x: np.ndarray, y: np.ndarray) -> Any:
    """−log likelihood: ½ yᵀ K⁻¹ y + ½ log det K + ½ n log 2π, by the factor L of K."""
    p = {name: np.exp(value) for name, value in logarithms.items()}
    lower = factor(p, x)
    whitened = np.linalg.solve(lower, y)
    return whitened @ whitened / 2 + np.sum(np.log(np.diagonal(lower))) + len(x) * np.log(2 * np.pi) / 2


def fit(x: np.ndarray, y: np.ndarray) -> tuple[dict[str, float], tuple[float, float]]:
    """The constants of the largest likelihood, and the log likelihood before and after."""
    names = list(START)
    value_and_gradient = gg.value_and_grad(loss)

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = value_and_gradient(dict(zip(names, flat.tolist(), strict=True)), x, y)
        return value, np.array([gradient[name] for name in names])

    start = np.log(list(START.values()))
    found = minimize(objective, start, jac=True, method="L-BFGS-B")
    return dict(zip(names, np.exp(found.x).tolist(), strict=True)), (-objective(start)[0], -float(found.fun))


def run() -> Result:
    """Learn from every fourth height outside the hidden stretch, and say what is believed of all."""
    heights = line()
    places = np.arange(len(heights), dtype=float)
    seen = np.setdiff1d(np.arange(0, len(heights), 4), np.arange(len(heights))[HIDDEN])
    middle, spread = heights[seen].mean(), heights[seen].std()
    x, y = places[seen], (heights[seen] - middle) / spread
    constants, likelihoods = fit(x, y)
    lower = factor(constants, x)
    across = np.linalg.solve(lower, covariance(constants, x, places))
    mean = across.T @ np.linalg.solve(lower, y)
    variance = constants["height"] ** 2 + constants["noise"] ** 2 - np.sum(across**2, axis=0)
    return Result(constants, heights, seen, middle + spread * mean, spread * np.sqrt(variance), likelihoods)


def draw(result: Result, path: Path) -> None:
    """The heights, seen and unseen, and the belief with twice its standard deviation."""
    import matplotlib.pyplot as plt

    places = np.arange(len(result.heights))
    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    low, high = result.mean - 2 * result.deviation, result.mean + 2 * result.deviation
    axes.fill_between(places, low, high, color="tab:red", alpha=0.2, label="believed, ±2 σ")
    axes.plot(places, result.mean, color="tab:red", linewidth=1)
    axes.plot(places, result.heights, color="gray", linewidth=0.8, label="the landscape")
    axes.plot(result.seen, result.heights[result.seen], ".", color="tab:blue", markersize=4, label="seen")
    axes.set(
        xlabel="place along the line",
        ylabel="height, m",
        title=f"{result.covered:.0%} of what was not seen is within 2 σ",
    )
    axes.legend()
    figure.savefig(path)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description="Fit a Gaussian process to a landscape.")
    parser.add_argument("--out", type=Path, default=Path("gaussian_process"), help="folder for the picture")
    options: Any = parser.parse_args(arguments)
    mpl.use("agg")  # files, no window
    result = run()
    options.out.mkdir(parents=True, exist_ok=True)
    draw(result, options.out / "landscape.png")
    print(", ".join(f"{name} {value:.3f}" for name, value in result.constants.items()))
    before, after = result.likelihoods
    print(
        f"log likelihood {before:.1f} → {after:.1f}; {result.covered:.1%} of the unseen within 2 σ; picture in {options.out}"
    )
    return result


if __name__ == "__main__":
    main()
