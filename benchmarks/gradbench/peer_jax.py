"""The five problems in JAX, as GradBench's own tool for JAX computes them. Every result is waited for."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

__all__ = ["prepare"]

jax.config.update("jax_enable_x64", True)


def prepare(module: str, function: str, given: Any) -> Callable[[], Any]:
    """The work of a function on an input that is already on JAX's side."""
    compute, arguments = _FUNCTIONS[module, function], _ARGUMENTS[module](given)
    return lambda: _flat(jax.block_until_ready(compute(*arguments)))


def _flat(result: Any) -> Any:
    return tuple(result[name] for name in ("alpha", "mu", "q", "l")) if isinstance(result, dict) else result


def square(x: Any) -> Any:
    return x * x


def logsumexp(x: Any) -> Any:
    highest = jnp.max(x)
    return jnp.log(jnp.sum(jnp.exp(x - highest))) + highest


def misfit(x: Any, n: int) -> Any:
    def squared(i: Any) -> Any:
        t = -1.0 + (i * 2.0) / (n - 1.0)
        powers = jnp.cumprod(jnp.full(x.shape[0], t).at[0].set(1))
        return (jnp.sign(t) + jnp.sum(-x * powers)) ** 2

    return jnp.sum(jax.vmap(squared)(jnp.arange(n))) / 2.0


def cost(centroids: Any, points: Any) -> Any:
    squares = jnp.sum(points**2, 1)[None, :] + jnp.sum(centroids**2, 1)[:, None]
    return jnp.min(squares - 2 * jnp.matmul(points, centroids.T).T, axis=0).sum()


def direction(centroids: Any, points: Any) -> Any:
    slopes, curvatures = jax.jvp(jax.grad(lambda c: cost(c, points)), [centroids], [jnp.ones(centroids.shape)])
    return slopes / curvatures


def log_posterior(parameters: Any, x: Any, m: int, gamma: float) -> Any:
    alpha, mu, q, l = (parameters[name] for name in ("alpha", "mu", "q", "l"))
    (n, d), k = x.shape, alpha.shape[0]
    diagonals, sums = jnp.exp(q), jnp.sum(q, axis=1)
    columns = jnp.repeat(jnp.arange(d - 1), jnp.arange(d - 1, 0, -1), total_repeat_length=d * (d - 1) // 2)
    rows = jnp.concatenate([jnp.arange(c + 1, d) for c in range(d - 1)])
    lower = jnp.zeros((k, d, d)).at[:, rows, columns].set(l)
    centred = x[:, None, :] - mu[None, ...]
    turned = diagonals * centred + jnp.einsum("ijk,mik->mij", lower, centred)
    terms = alpha + sums - 0.5 * jnp.sum(turned**2, axis=2)
    lse = jax.scipy.special.logsumexp
    likelihood = -n * d * 0.5 * math.log(2 * math.pi) + jnp.sum(lse(terms, axis=1)) - n * lse(alpha, axis=0)
    norms = jnp.sum(diagonals**2, axis=1) + jnp.sum(l**2, axis=1)
    degrees = d + m + 1
    constant = degrees * d * jnp.log(gamma / math.sqrt(2)) - jax.scipy.special.multigammaln(0.5 * degrees, d)
    return likelihood - jnp.sum(0.5 * gamma * gamma * norms - m * sums) + k * constant


_fixed = partial(jax.jit, static_argnums=1)

_FUNCTIONS: dict[tuple[str, str], Any] = {
    ("hello", "square"): jax.jit(square),
    ("hello", "double"): jax.jit(jax.grad(square)),
    ("lse", "primal"): jax.jit(logsumexp),
    ("lse", "gradient"): jax.jit(jax.grad(logsumexp)),
    ("llsq", "primal"): _fixed(misfit),
    ("llsq", "gradient"): _fixed(jax.grad(misfit)),
    ("kmeans", "cost"): jax.jit(cost),
    ("kmeans", "dir"): jax.jit(direction),
    ("gmm", "objective"): jax.jit(log_posterior),
    ("gmm", "jacobian"): jax.jit(jax.grad(log_posterior)),
}


def _mixture(given: Any) -> tuple[Any, ...]:
    parameters = {name: jnp.array(given[name]) for name in ("alpha", "mu", "q", "l")}
    return parameters, jnp.array(given["x"]), given["m"], given["gamma"]


_ARGUMENTS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "hello": lambda x: (jnp.array(x),),
    "lse": lambda given: (jnp.array(given["x"]),),
    "llsq": lambda given: (jnp.array(given["x"]), given["n"]),
    "kmeans": lambda given: (jnp.array(given["centroids"]), jnp.array(given["points"])),
    "gmm": _mixture,
}
