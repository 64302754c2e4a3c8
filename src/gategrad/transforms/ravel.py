"""ravel: a nested container of values as one vector, for optimisers and samplers that know nothing else."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.array_methods import astype
from gategrad.errors import ShapeError
from gategrad.transforms.containers import flatten
from gategrad.transforms.vjp import differentiable
from gategrad.values import spec_of

__all__ = ["Unravel", "ravel"]


def ravel(x: Any) -> tuple[Any, Unravel]:
    """All values in a container as one vector of shape (n,), and the function that puts such a vector back.

    The order is that of the container (dicts by sorted key), each array row by row; the dtype is the one that holds all of them.
    `unravel(vector)` returns the container with the shapes and dtypes of `x`. Both are made of gates: gradients go through them.

    Raises `DtypeError` if `x` is not made of floats, `ShapeError` if a vector has another length.

    >>> import numpy as np, gategrad as gg
    >>> vector, unravel = gg.ravel({"w": np.array([[1.0, 2.0]]), "b": 3.0})
    >>> vector
    array([3., 1., 2.])
    >>> unravel(np.array([30.0, 10.0, 20.0]))
    {'w': array([[10., 20.]]), 'b': 30.0}
    """
    values, rebuild = flatten(x)
    values = [differentiable(value, f"value {n} of the container") for n, value in enumerate(values)]
    parts = [np.reshape(value, -1) for value in values]
    vector = np.concatenate(parts) if parts else np.zeros(0)
    return vector, Unravel([spec_of(value) for value in values], rebuild)


class Unravel:
    """What `ravel` returns beside the vector: a function of a vector of the same length."""

    def __init__(self, specs: list[Any], rebuild: Callable[[list[Any]], Any]) -> None:
        self._specs, self._rebuild = specs, rebuild
        shapes = [spec[0] if spec else () for spec in specs]
        self._bounds = list(itertools.accumulate([math.prod(shape) for shape in shapes], initial=0))

    def __call__(self, vector: Any) -> Any:
        count = self._bounds[-1]
        if np.shape(vector) != (count,):
            raise ShapeError(f"the vector has shape {np.shape(vector)}, but the container holds {count} numbers")
        parts = [vector[start:end] for start, end in itertools.pairwise(self._bounds)]
        return self._rebuild([_like(part, spec) for part, spec in zip(parts, self._specs, strict=True)])


def _like(part: Any, spec: Any) -> Any:
    """A piece of the vector in the shape and dtype of the value that it stands for."""
    if not spec:
        number = part[0]
        return float(number) if isinstance(number, np.generic) else number
    shape, dtype = spec
    value = np.reshape(part, shape)[()]
    return value if value.dtype == dtype else astype(value, dtype)
