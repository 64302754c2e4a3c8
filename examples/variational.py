"""Variational inference: a Gaussian is bent onto a posterior by following the gradient through its own samples.

The posterior is that of a mean and a log standard deviation, given a handful of measurements and wide priors: a funnel, which no Gaussian is.
A sample of the Gaussian is m + L ε with ε fixed, so that its log density can be differentiated with respect to m and L. The lower bound
of the evidence (ELBO) rises; drawn are the posterior, the Gaussian, and the bound.

Run: python examples/variational.py --out pictures      (needs matplotlib: pip install '.[test]')
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

import gategrad as gg

MEASURED = np.array([1.2, -0.4, 2.9, 1.7, 0.6])
STEPS = 600
SAMPLES = 64
RATE = 0.05


@dataclass
class Result:
    """The Gaussian that was found, and the bound in each step."""

    mean: np.ndarray
    factor: np.ndarray
    bounds: list[float]

    @property
    def covariance(self) -> np.ndarray:
        """L Lᵀ."""
        return self.factor @ self.factor.T


def log_posterior(mean: Any, log_scale: Any) -> Any:
    """log p(measured, mean, log_scale), but for a constant; both arguments are arrays of the same shape."""
    prior = -(mean**2) / (2 * 10.0**2) - log_scale**2 / 2
    deviations = (MEASURED - mean[..., None]) * np.exp(-log_scale[..., None])
    return prior - np.sum(deviations**2, axis=-1) / 2 - len(MEASURED) * log_scale


def factor_of(p: dict[str, Any]) -> Any:
    """L, a lower triangle whose diagonal is positive."""
    a, b = np.exp(p["diagonal"])
    return np.stack([np.stack([a, 0.0 * a]), np.stack([p["below"], b])])


def bound(p: dict[str, Any], noise: np.ndarray) -> Any:
    """The lower bound of the evidence: E[log posterior] plus the entropy of the Gaussian, but for a constant."""
    samples = p["mean"] + noise @ factor_of(p).T
    return np.mean(log_posterior(samples[:, 0], samples[:, 1])) + np.sum(p["diagonal"])


def fit(steps: int = STEPS, seed: int = 0) -> Result:
    """Climb the bound; the steps shrink, as the noise must average out."""
    rng = np.random.default_rng(seed)
    p = {"mean": np.zeros(2), "diagonal": np.zeros(2), "below": np.array(0.0)}
    slow = {name: np.zeros_like(x) for name, x in p.items()}
    square = {name: np.zeros_like(x) for name, x in p.items()}
    bounds = []
    value_and_gradient = gg.compile(gg.value_and_grad(bound))
    for step in range(1, steps + 1):
        half = rng.normal(size=(SAMPLES // 2, 2))
        value, gradient = value_and_gradient(p, np.concatenate([half, -half]))  # pairs whose noise cancels
        bounds.append(value)
        for name, g in gradient.items():
            slow[name] = 0.9 * slow[name] + 0.1 * g
            square[name] = 0.99 * square[name] + 0.01 * g**2
            rate = RATE * (1 - step / (steps + 1))
            p[name] = p[name] + rate * slow[name] / (1 - 0.9**step) / np.sqrt(square[name] / (1 - 0.99**step) + 1e-12)
    return Result(p["mean"], factor_of(p), bounds)


def exact() -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the posterior, by summing over a fine grid."""
    mean, log_scale = np.meshgrid(np.linspace(-8, 10, 901), np.linspace(-2, 3, 501), indexing="ij")
    weight = np.exp(log_posterior(mean, log_scale))
    weight /= weight.sum()
    points = np.stack([mean.ravel(), log_scale.ravel()])
    middle = points @ weight.ravel()
    deviations = points - middle[:, None]
    return middle, (deviations * weight.ravel()) @ deviations.T


def draw(result: Result, path: Path) -> None:
    """The posterior in blue, the Gaussian in red, and how the bound rose."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    mean, log_scale = np.meshgrid(np.linspace(-1.5, 4, 200), np.linspace(-0.8, 1.4, 200), indexing="ij")
    left.contourf(mean, log_scale, np.exp(log_posterior(mean, log_scale)), levels=12, cmap="Blues")
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    for radius in (1, 2):
        left.plot(*(result.mean[:, None] + radius * result.factor @ circle), color="tab:red")
    left.set(title="posterior (blue), Gaussian at 1 and 2 σ (red)", xlabel="mean", ylabel="log standard deviation")
    right.plot(result.bounds, linewidth=0.8)
    right.set(title="lower bound of the evidence", xlabel="step")
    figure.savefig(path)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description="Fit a Gaussian to a posterior by its samples.")
    parser.add_argument("--out", type=Path, default=Path("variational"), help="folder for the picture")
    options: Any = parser.parse_args(arguments)
    mpl.use("agg")  # files, no window
    result = fit()
    options.out.mkdir(parents=True, exist_ok=True)
    draw(result, options.out / "posterior.png")
    middle, covariance = exact()
    print(f"mean: Gaussian {result.mean.round(3)}, posterior {middle.round(3)}")
    spreads = np.sqrt(np.diag(result.covariance)).round(3), np.sqrt(np.diag(covariance)).round(3)
    print(f"standard deviations: Gaussian {spreads[0]}, posterior {spreads[1]}; picture in {options.out}")
    return result


if __name__ == "__main__":
    main()
