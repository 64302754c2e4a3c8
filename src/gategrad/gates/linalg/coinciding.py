"""Eigenvalues and singular values that coincide, but for rounding, and gradients that treat them differently."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.gates.linalg.matrices import checked, known, no_gradient

__all__ = ["REMEDY", "gaps_of", "is_constant", "is_significant", "refuse_order"]

REMEDY = (
    "Use a function of all of them that does not depend on their order or on the basis, such as a sum, a trace, "
    "np.linalg.det or np.linalg.matrix_power, or perturb the matrix"
)


def gaps_of(w: Any) -> tuple[Any, Any]:
    """w_j − w_i at [i, j], and where that is nothing but rounding: there the gap is 1, so that dividing by it is safe."""
    value = known(w)
    size = np.abs(value).max(axis=-1, initial=0.0)[..., None, None]
    distance = np.abs(value[..., None, :] - value[..., :, None])
    equal = distance <= 4 * value.shape[-1] * np.finfo(value.dtype).eps * size
    return np.where(equal, np.ones((), value.dtype), w[..., None, :] - w[..., :, None]), equal


def is_significant(part: Any, of: Any) -> Any:
    """Which elements are more than rounding of the whole."""
    eps = np.finfo(of.dtype).eps
    return np.abs(part) > 1e3 * of.shape[-1] * eps * np.abs(of).max(axis=(-2, -1), initial=0.0, keepdims=True)


def is_constant(x: Any) -> bool:
    """Whether every vector of the stack is the same number throughout."""
    value = known(x)
    return bool(np.all(value == value[..., :1]))


def refuse_order(name: str, dw: Any, equal: Any, remedy: str = REMEDY) -> Any:
    """dw, if the gradient of eigenvalues that coincide is the same for all of them: else it depends on their order."""
    value = known(dw)
    differs = is_significant(value[..., None, :] - value[..., :, None], value[..., None, :])
    why = "values coincide, and they are treated differently"
    return checked(dw, equal & differs, lambda: no_gradient(name, why, remedy))
