"""gmm: the log posterior of a mixture of Gaussians with a Wishart prior, and its gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import gategrad as gg
from benchmarks.gradbench.protocol import Function

__all__ = ["FUNCTIONS", "log_posterior"]

Parameters = dict[str, Any]
"""For k components in d dimensions: `alpha` (k,), the weights' logarithms; `mu` (k, d), the centres; and the factors Q of
the inverse covariances Qᵀ Q: `q` (k, d), the logarithms of the diagonals, and `l` (k, d(d-1)/2), what is below them."""


def log_posterior(parameters: Parameters, x: Any, m: int, gamma: float) -> Any:
    """Σᵢ log Σₖ exp(αₖ + Σ qₖ - ½ |Qₖ(xᵢ - μₖ)|²) - n log Σₖ exp αₖ, the constants, and the prior."""
    alpha, mu, q, l = (parameters[name] for name in ("alpha", "mu", "q", "l"))
    (n, d), k = x.shape, alpha.shape[0]
    Q = triangular(np.exp(q), l)
    # Q(x - μ) = Qx - Qμ: one product of matrices for all components and points
    centred = (np.reshape(Q, (k * d, d)) @ x.T).reshape(k, d, n) - Q @ mu[:, :, None]
    terms = (alpha + np.sum(q, axis=1))[:, None] - 0.5 * np.sum(centred**2, axis=1)
    likelihood = np.sum(logsumexp(terms)) - n * logsumexp(alpha) - n * d / 2 * math.log(2 * math.pi)
    return likelihood + log_wishart(q, l, m, gamma)


def triangular(diagonal: Any, l: Any) -> Any:
    """Lower triangular matrices (k, d, d) from their diagonals and what is below, column by column."""
    k, d = diagonal.shape
    columns, rows = np.triu_indices(d, 1)
    places = np.full((d, d), d + len(rows))  # where each element comes from; the last one is the zero
    places[np.arange(d), np.arange(d)] = np.arange(d)
    places[rows, columns] = d + np.arange(len(rows))
    return np.concatenate([diagonal, l, np.zeros((k, 1))], axis=1)[:, places]


def logsumexp(x: Any) -> Any:
    """log Σ exp x over the first axis."""
    highest = np.max(x, axis=0)
    return highest + np.log(np.sum(np.exp(x - highest), axis=0))


def log_wishart(q: Any, l: Any, m: int, gamma: float) -> Any:
    """The logarithm of the Wishart density of all Qᵀ Q together, with scale 1/γ² and d + m + 1 degrees of freedom."""
    k, d = q.shape
    degrees = d + m + 1
    norms = np.sum(np.exp(2 * q)) + np.sum(l**2)
    gammas = d * (d - 1) / 4 * math.log(math.pi) + sum(math.lgamma((degrees - j) / 2) for j in range(d))
    constant = degrees * d * math.log(gamma / math.sqrt(2)) - gammas
    return k * constant - 0.5 * gamma**2 * norms + m * np.sum(q)


def _prepare(given: Any) -> tuple[Any, ...]:
    k, d = given["k"], given["d"]
    shapes = {"alpha": (k,), "mu": (k, d), "q": (k, d), "l": (k, d * (d - 1) // 2)}
    parameters = {name: np.array(given[name], dtype=float).reshape(shape) for name, shape in shapes.items()}
    return parameters, np.array(given["x"]), given["m"], given["gamma"]


FUNCTIONS = {
    "objective": Function(_prepare, gg.compile(log_posterior, static=("m", "gamma"))),
    "jacobian": Function(_prepare, gg.compile(gg.grad(log_posterior), static=("m", "gamma"))),
}
