"""The problems in PyTorch, as GradBench's own tool for PyTorch computes them; it has no llsq, so neither does this."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.autograd.functional import vhp, vjp

__all__ = ["prepare"]

torch.set_num_threads(1)


def prepare(module: str, function: str, given: Any) -> Callable[[], Any]:
    """The work of a function on an input that is already made of tensors."""
    compute, arguments = _FUNCTIONS[module, function], _ARGUMENTS[module](given)
    return lambda: compute(*arguments)


def square(x: Any) -> Any:
    return x * x


def double(x: Any) -> Any:
    x.grad = None
    square(x).backward()
    return x.grad


def logsumexp(x: Any) -> Any:
    highest = torch.max(x)
    return highest + torch.log(torch.sum(torch.exp(x - highest)))


def softmax(x: Any) -> Any:
    return vjp(logsumexp, x, v=torch.tensor(1.0, dtype=torch.float64))[1]


def cost(centroids: Any, points: Any) -> Any:
    squares = (points**2).sum(1)[None, :] + (centroids**2).sum(1)[:, None]
    return torch.min(squares - 2 * torch.matmul(centroids, points.T), dim=0)[0].sum()


def direction(centroids: Any, points: Any) -> Any:
    _, slopes = vjp(lambda c: cost(c, points), centroids, v=torch.tensor(1.0, dtype=torch.float64))
    _, curvatures = vhp(lambda c: cost(c, points), centroids, v=torch.ones_like(centroids))
    return slopes / curvatures


def log_posterior(parameters: Any, x: Any, m: int, gamma: float) -> Any:
    alpha, mu, q, l = parameters
    (n, d), k = x.shape, alpha.shape[0]
    diagonals, sums = torch.exp(q), torch.sum(q, 1)
    columns = torch.repeat_interleave(torch.arange(d - 1), torch.arange(d - 1, 0, -1))
    rows = torch.cat([torch.arange(c + 1, d) for c in range(d - 1)])
    lower = torch.zeros((k, d, d), dtype=l.dtype)
    lower[:, rows, columns] = l
    centred = x[:, None, :] - mu[None, ...]
    turned = diagonals * centred + torch.einsum("ijk,mik->mij", lower, centred)
    terms = alpha + sums - 0.5 * torch.sum(turned**2, 2)
    likelihood = torch.sum(torch.logsumexp(terms, 1)) - n * torch.logsumexp(alpha, 0)
    norms = torch.sum(diagonals**2, dim=1) + torch.sum(l**2, dim=1)
    degrees = d + m + 1
    constant = degrees * d * math.log(gamma / math.sqrt(2))
    constant = constant - torch.special.multigammaln(torch.tensor(0.5 * degrees, dtype=torch.float64), d)
    prior = k * constant - torch.sum(0.5 * gamma * gamma * norms - m * sums)
    return likelihood - n * d * 0.5 * math.log(2 * math.pi) + prior


def slopes_of_posterior(parameters: Any, x: Any, m: int, gamma: float) -> Any:
    for parameter in parameters:
        parameter.grad = None
    log_posterior(parameters, x, m, gamma).backward()
    return tuple(parameter.grad for parameter in parameters)


_FUNCTIONS: dict[tuple[str, str], Any] = {
    ("hello", "square"): square,
    ("hello", "double"): double,
    ("lse", "primal"): logsumexp,
    ("lse", "gradient"): softmax,
    ("kmeans", "cost"): cost,
    ("kmeans", "dir"): direction,
    ("gmm", "objective"): log_posterior,
    ("gmm", "jacobian"): slopes_of_posterior,
}


def _tensor(x: Any, requires_grad: bool = False) -> Any:
    return torch.tensor(x, dtype=torch.float64, requires_grad=requires_grad)


def _mixture(given: Any) -> tuple[Any, ...]:
    parameters = [_tensor(given[name], requires_grad=True) for name in ("alpha", "mu", "q", "l")]
    return parameters, _tensor(given["x"]), given["m"], given["gamma"]


_ARGUMENTS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "hello": lambda x: (_tensor(x, requires_grad=True),),
    "lse": lambda given: (_tensor(given["x"]),),
    "kmeans": lambda given: (_tensor(given["centroids"]), _tensor(given["points"])),
    "gmm": _mixture,
}
