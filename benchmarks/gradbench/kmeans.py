"""kmeans: the cost of a clustering, and the step of Newton's method, whose Hessian is diagonal."""

from __future__ import annotations

from typing import Any

import numpy as np

import gategrad as gg
from benchmarks.gradbench.protocol import Function

__all__ = ["FUNCTIONS", "cost", "direction"]


def cost(centroids: Any, points: Any) -> Any:
    """Σᵢ |pᵢ - c|² with the centroid c that is nearest to pᵢ."""
    distances = np.sum(centroids**2, axis=1) - 2 * points @ centroids.T  # less |pᵢ|², which is the same for each
    nearest = np.argmin(distances, axis=1)
    return np.sum((points - centroids[nearest]) ** 2)


def direction(centroids: Any, points: Any) -> Any:
    """The gradient divided by the diagonal of the Hessian, which is the Hessian times ones: the gradient of Σ gradient."""
    gradient = gg.grad(cost)
    slopes = gradient(centroids, points)
    curvatures = gg.grad(lambda c: np.sum(gradient(c, points)))(centroids)
    return slopes / curvatures


def _prepare(given: Any) -> tuple[Any, ...]:
    return np.array(given["centroids"]), np.array(given["points"])


FUNCTIONS = {
    "cost": Function(_prepare, gg.compile(cost)),
    "dir": Function(_prepare, gg.compile(direction)),
}
