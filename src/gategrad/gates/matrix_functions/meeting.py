"""How SciPy's functions of matrices meet variables: SciPy's own answer for plain values, and the rule below for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.gate import Gate
from gategrad.gates.axes import as_input, shape_of
from gategrad.gates.scipy_names import Namespace
from gategrad.variable import Variable

__all__ = ["as_in_scipy", "computed", "query", "refused", "square"]

_LINALG = Namespace("scipy.linalg")
as_in_scipy, refused, query = _LINALG.rule, _LINALG.refused, _LINALG.query


def computed(gate: Gate, function: Callable[..., Any], *inputs: Any) -> Any:
    """What a gate's `forward` has from a function of arrays alone.

    Variables of a lower tape are recorded there instead. Symbols are no arrays either: asking for one raises
    `TraceError`, and the gate runs on the host. Some of SciPy's functions misread bytes in the other order.
    """
    if any(type(x) is Variable for x in inputs):
        return gate.fresh()(*inputs)
    arrays = [np.asarray(x) for x in inputs]
    return function(*[x.astype(x.dtype.newbyteorder("="), copy=False) for x in arrays])


def square(name: str, x: Any) -> Any:
    """A nested list as an array; SciPy's complaint about matrices that are not square."""
    x = as_input(x)
    shape = shape_of(x)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(f"{name}: expected a square matrix, got an array of shape {shape}")
    return x
