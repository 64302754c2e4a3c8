"""Inputs of GradBench's sizes and distributions, as its messages hold them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["Given", "gmm", "kmeans", "llsq", "lse", "representative"]

Given = Any
"""The input of a message: a dictionary, or the number itself for hello."""


def representative(rng: np.random.Generator) -> Iterator[tuple[str, str, Given]]:
    """For each problem the smallest, the largest and some sizes between: module, name of the size, input."""
    yield "hello", "one number", 3.0
    for d, k in ((2, 5), (10, 10), (10, 100), (64, 10), (64, 100)):
        yield "gmm", f"d={d}, k={k}", gmm(rng, d, k)
    for n in (2_500, 10_000, 1_280_000):
        yield "lse", f"n={n}", lse(rng, n)
    for n in (16, 1_024, 16_392):
        yield "llsq", f"n={n}", llsq(rng, n)
    for k, n, d in ((10, 1_000, 8), (10, 1_000, 16), (1_000, 1_000, 16), (1_000, 10_000, 16)):
        yield "kmeans", f"k={k}, n={n}, d={d}", kmeans(rng, k, n, d)


def gmm(rng: np.random.Generator, d: int, k: int, n: int = 1_000) -> Given:
    """Points and a mixture of k Gaussians in d dimensions."""
    return {
        "d": d,
        "k": k,
        "n": n,
        "m": 0,
        "gamma": 1.0,
        "x": rng.normal(size=(n, d)),
        "alpha": rng.normal(size=k),
        "mu": rng.uniform(size=(k, d)),
        "q": rng.normal(size=(k, d)),
        "l": rng.normal(size=(k, d * (d - 1) // 2)),
    }


def lse(rng: np.random.Generator, n: int) -> Given:
    """n numbers."""
    return {"x": rng.uniform(size=n)}


def llsq(rng: np.random.Generator, n: int, m: int = 128) -> Given:
    """m coefficients, and the number of points."""
    return {"x": rng.uniform(size=m), "n": n}


def kmeans(rng: np.random.Generator, k: int, n: int, d: int) -> Given:
    """Points, and the last k of them as centroids, so that no cluster is empty."""
    points = rng.uniform(size=(n, d))
    return {"points": points, "centroids": points[-k:]}
