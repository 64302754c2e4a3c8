"""Distributions of vectors and matrices: multivariate normal, Dirichlet, multinomial, Wishart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from gategrad.errors import ShapeError
from gategrad.gates.axes import as_input
from gategrad.gates.comparison import where
from gategrad.gates.special.gamma import multigammaln
from gategrad.recording import plain

__all__ = ["dirichlet", "multinomial", "multivariate_normal", "wishart"]


class MultivariateNormal:
    """log density = −(x − μ)ᵀ Σ⁻¹ (x − μ)/2 − log det(Σ)/2 − n/2 · log 2π, over the last axis of x."""

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1.0) -> Any:
        """The logarithm of the density of the vectors in the last axis of x; `cov` a matrix, a diagonal or a number."""
        x, cov = as_input(x), as_input(cov)
        mean = 0.0 if mean is None else as_input(mean)
        n = max(np.size(plain(mean)), *np.shape(plain(cov))[-1:], 1)
        shape = np.shape(plain(x))
        vectors = n > 1 or len(shape) > 1
        if vectors and shape[-1:] != (n,):
            raise ShapeError(f"multivariate_normal: x is {shape}; its last axis must have length {n}")
        if np.ndim(plain(cov)) < 2:
            cov = np.eye(n) * cov  # a number or the diagonal
        deviation = np.reshape(x - mean, (-1, n))
        _, log_det = np.linalg.slogdet(cov)
        solved = np.transpose(np.linalg.solve(cov, np.transpose(deviation)))
        distance = np.sum(deviation * solved, axis=1)
        z = -0.5 * (distance + log_det + n * math.log(2.0 * math.pi))
        outer = shape[:-1] if vectors else shape
        return np.reshape(z, outer) if outer else z[0]

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1.0) -> Any:
        """The density of the vectors in the last axis of x."""
        return np.exp(self.logpdf(x, mean, cov))


class Dirichlet:
    """log density = Σ (α − 1) log x − Σ log Γ(α) + log Γ(Σ α), over the first axis of x, which sums to 1."""

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """The logarithm of the density; x has shape (K,) or (K, N), and may leave out its last row, as in SciPy."""
        x, alpha = as_input(x), as_input(alpha)
        if np.shape(plain(x))[0] == np.shape(plain(alpha))[0] - 1:
            x = np.concatenate([x, 1.0 - np.sum(x, axis=0, keepdims=True)])
        if np.shape(plain(x))[0] != np.shape(plain(alpha))[0]:
            raise ShapeError(
                f"dirichlet: x is {np.shape(plain(x))}, alpha is {np.shape(plain(alpha))}: their first axes must agree"
            )
        constant = special.gammaln(np.sum(alpha)) - np.sum(special.gammaln(alpha))
        power = alpha - 1.0
        if np.ndim(plain(x)) > 1:
            power = np.reshape(power, (-1, 1))
        return constant + np.sum(special.xlogy(power, x), axis=0)

    def pdf(self, x: Any, alpha: Any) -> Any:
        """The density."""
        return np.exp(self.logpdf(x, alpha))


class Multinomial:
    """log mass = log n! − Σ log x! + Σ x log p, over the last axis; counts x and n take no gradient."""

    def logpmf(self, x: Any, n: Any, p: Any) -> Any:
        """The logarithm of the probability of the counts x of n things of the kinds p; −inf if they are not n."""
        counts, p = np.asarray(plain(as_input(x)), float), as_input(p)
        n = plain(n)
        fits = (np.sum(counts, axis=-1) == n) & np.all((counts >= 0) & (np.floor(counts) == counts), axis=-1)
        safe = np.where(np.expand_dims(fits, -1), counts, 0.0)
        z = special.gammaln(n + 1.0) + np.sum(special.xlogy(safe, p) - special.gammaln(safe + 1.0), axis=-1)
        return where(fits, z, -np.inf)

    def pmf(self, x: Any, n: Any, p: Any) -> Any:
        """The probability of the counts."""
        return np.exp(self.logpmf(x, n, p))


class Wishart:
    """log density = ((df − p − 1) log det X − tr V⁻¹X − df p log 2 − df log det V)/2 − log Γ_p(df/2), for one matrix X."""

    def logpdf(self, x: Any, df: Any, scale: Any) -> Any:
        """The logarithm of the density of the positive definite matrix x."""
        x, scale = as_input(x), as_input(scale)
        p = np.shape(plain(scale))[0]
        _, log_det_x = np.linalg.slogdet(x)
        _, log_det_scale = np.linalg.slogdet(scale)
        trace = np.trace(np.linalg.solve(scale, x))
        exponent = (df - p - 1.0) * log_det_x - trace - df * (p * math.log(2.0)) - df * log_det_scale
        return 0.5 * exponent - multigammaln(0.5 * df, p)

    def pdf(self, x: Any, df: Any, scale: Any) -> Any:
        """The density."""
        return np.exp(self.logpdf(x, df, scale))


multivariate_normal = MultivariateNormal()
dirichlet = Dirichlet()
multinomial = Multinomial()
wishart = Wishart()
