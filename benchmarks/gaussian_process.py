"""The marginal likelihood of a Gaussian process and its gradient: a factor of Cholesky's, two solves, a logarithm of a determinant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import gategrad as gg
from benchmarks.harness import Benchmark, Variant
from benchmarks.peers import compared, torch_module

__all__ = ["BENCHMARK"]


def formula(xp: Any) -> Callable[..., Any]:
    """−log p(y) of heights y at places, whose squared distances are given; θ: length, height and noise, as logarithms."""

    def loss(theta: Any, squares: Any, y: Any) -> Any:
        n = y.shape[0]
        k = xp.exp(2 * theta[1] - 0.5 * squares * xp.exp(-2 * theta[0])) + xp.exp(2 * theta[2]) * xp.eye(n)
        factor = xp.linalg.cholesky(k)
        weights = xp.linalg.solve(factor.T, xp.linalg.solve(factor, y))
        return 0.5 * y @ weights + xp.sum(xp.log(xp.diag(factor))) + 0.5 * n * np.log(2 * np.pi)

    return loss


def torch_loss(theta: Any, squares: Any, y: Any) -> Any:
    """As PyTorch's users write it, with its triangular solver."""
    torch = torch_module()
    n = y.shape[0]
    k = torch.exp(2 * theta[1] - 0.5 * squares * torch.exp(-2 * theta[0]))
    k = k + torch.exp(2 * theta[2]) * torch.eye(n, dtype=y.dtype)
    factor = torch.linalg.cholesky(k)
    weights = torch.cholesky_solve(y[:, None], factor)[:, 0]
    return 0.5 * y @ weights + torch.sum(torch.log(torch.diagonal(factor))) + 0.5 * n * np.log(2 * np.pi)


def jax_triangular(theta: Any, squares: Any, y: Any) -> Any:
    """As JAX's users write it who know that the factor is a triangle."""
    import jax
    import jax.numpy as jnp
    from jax.scipy.linalg import solve_triangular

    n = y.shape[0]
    k = jnp.exp(2 * theta[1] - 0.5 * squares * jnp.exp(-2 * theta[0])) + jnp.exp(2 * theta[2]) * jnp.eye(n)
    factor = jax.numpy.linalg.cholesky(k)
    inner = solve_triangular(factor, y, lower=True)
    return 0.5 * inner @ inner + jnp.sum(jnp.log(jnp.diagonal(factor))) + 0.5 * n * np.log(2 * np.pi)


def variants() -> Iterator[Variant]:
    """A hundred places and five hundred."""
    rng = np.random.default_rng(20261124)
    for n in (100, 500):
        places = np.sort(rng.uniform(0.0, 10.0, n))
        inputs = [
            np.array([0.1, 0.2, -1.0]),
            (places[:, None] - places) ** 2,
            np.sin(places) + 0.3 * rng.normal(size=n),
        ]
        yield compared(f"{n} places", formula, inputs, (0,), torch=torch_loss, extra=_extra(inputs), rtol=1e-6)


def _extra(inputs: list[Any]) -> dict[str, Callable[[], Callable[[], Any]]]:
    """JAX with triangular solves, and our own eager engine."""

    def jax_run() -> Callable[[], Any]:
        import jax

        from benchmarks import peers

        jax.config.update("jax_enable_x64", True)
        return peers.jax_run(jax.value_and_grad(jax_triangular, argnums=(0,)), inputs)

    def eager() -> Callable[[], Any]:
        function = gg.value_and_grad(formula(np), argnums=(0,))
        return lambda: function(*inputs)

    return {"jax_triangular": jax_run, "gategrad_eager": eager}


BENCHMARK = Benchmark(
    name="gaussian_process",
    work="marginal likelihood of a Gaussian process, value and gradient of its three parameters",
    variants=variants,
    goal={"torch": 1, "jax": 1, "jax_triangular": 1},
)
