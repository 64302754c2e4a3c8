"""linearize: run a function and keep its pushforward, dx -> dz. The forward counterpart of vjp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad import careful
from gategrad.errors import DtypeError, ShapeError, describe
from gategrad.masked import Masked
from gategrad.transforms.containers import flatten, flatten_like
from gategrad.transforms.limits import settled
from gategrad.transforms.push import Circuit
from gategrad.transforms.sides import Sample
from gategrad.transforms.vjp import outputs_of, run, split_aux, strip_all
from gategrad.values import FLOAT64, SINGLE, lock, spec_of
from gategrad.variable import Variable

__all__ = ["Pushforward", "check_output", "linearize", "result_of"]


def linearize(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Compute `f(*primals)`, and the function that sends tangents of the inputs forward to the output.

    `pushforward(*tangents)` returns dz_j = Σ_i ∂z_j/∂x_i dx_i, in the containers, shapes and dtypes of the output; each
    tangent has those of its primal, or None for what does not move, a primal or a value in its container. It may be called many times: `f` runs
    once, and is remembered as for the way back. With `has_aux`, `f` returns `(z, anything)`, and this
    `(z, pushforward, anything)`.

    Raises `DtypeError` if a primal or an output is not made of floats, `ShapeError` if a tangent does not fit.

    >>> import numpy as np, gategrad as gg
    >>> z, pushforward = gg.linearize(lambda x: x * x, np.array([1.0, 2.0]))
    >>> z, pushforward(np.array([1.0, 10.0]))
    (array([1., 4.]), array([ 2., 40.]))
    """
    before = careful.doubts
    level, z, leaves, rebuilds = run(f, primals, {}, tuple(range(len(primals))))
    z, aux = split_aux(z) if has_aux else (z, None)
    outputs, values, rebuild = outputs_of(z, level)
    pushforward = Pushforward(level, outputs, values, leaves, rebuilds, rebuild)
    pushforward.made = f, primals, has_aux, careful.noted(before)
    return (rebuild(values), pushforward, strip_all(aux, level)) if has_aux else (rebuild(values), pushforward)


class Pushforward:
    """The second half of `linearize`: itself a function of the tangents."""

    made: tuple[Callable[..., Any], tuple[Any, ...], bool, careful.Doubt | None]
    """What `linearize` was given, and the doubt there was when it ran `f`."""

    def __init__(self, level: int, outputs: Any, values: Any, leaves: Any, rebuilds: Any, rebuild: Any) -> None:
        self._values, self._leaves, self._rebuilds, self._rebuild = values, leaves, rebuilds, rebuild
        self._circuit = Circuit(outputs, level)
        for z in values:
            check_output(z)

    def __call__(self, *tangents: Any) -> Any:
        before = careful.doubts
        dz = self._send(*tangents)
        f, primals, has_aux, earlier = self.made
        doubt = careful.noted(before) or earlier
        if doubt is None:
            return dz

        def beside(moved: tuple[Any, ...]) -> Sample:
            z, pushforward, *_ = linearize(f, *moved, has_aux=has_aux)
            return Sample(z, pushforward._send(*tangents), lambda direction: pushforward._send(*direction))

        return settled(beside, primals, dz, before, f, self._rebuild(self._values), doubt | earlier)

    def _send(self, *tangents: Any) -> Any:
        if len(tangents) != len(self._leaves):
            raise ShapeError(f"{len(tangents)} tangents for {len(self._leaves)} primals: one for each, or None")
        moving: dict[Any, Any] = {}
        for position, (dx, group, rebuild) in enumerate(zip(tangents, self._leaves, self._rebuilds, strict=True)):
            if dx is not None:
                moving.update(zip(group, _flat_tangent(dx, group, rebuild, position), strict=True))
        dzs = self._circuit.push({x: dx for x, dx in moving.items() if dx is not None})
        return self._rebuild([result_of(dz, z) for dz, z in zip(dzs, self._values, strict=True)])


def check_output(z: Any) -> None:
    """Raise `DtypeError` if an output is no number or array of numbers."""
    if not (isinstance(z, (float, int)) or getattr(z, "dtype", np.dtype(object)).kind in "fciub"):
        raise DtypeError(
            f"the function returned {describe(z)}, which has no derivative: return it beside the value, with has_aux"
        )


def _flat_tangent(dx: Any, group: list[Variable], rebuild: Any, position: int) -> list[Any]:
    values = flatten_like(rebuild, dx)
    if values is None or len(values) != len(group):
        raise ShapeError(
            f"the tangent of argument {position} is built unlike the argument: it has {len(flatten(dx)[0])} values, the "
            f"argument {len(group)}, each in containers of its own"
        )
    return [
        None if dx is None else fit_tangent(dx, x, f"argument {position}") for dx, x in zip(values, group, strict=True)
    ]


def fit_tangent(dx: Any, x: Variable, where: str) -> Any:
    """A tangent in the dtype of the leaf that it belongs to; None for zeros, which move nothing."""
    spec = x.spec
    shape, dtype = spec or SINGLE
    if isinstance(dx, (bool, np.bool_)) or not (isinstance(dx, (float, int, complex)) or hasattr(dx, "dtype")):
        raise DtypeError(f"the tangent of {where} is {describe(dx)}: it takes numbers and arrays of floats")
    have = spec_of(dx) if hasattr(dx, "spec") else (np.shape(dx), np.asarray(dx).dtype)
    have_shape, have_dtype = have or SINGLE
    if have_shape != shape:
        raise ShapeError(f"the tangent of {where} has shape {have_shape}, but its value has shape {shape}")
    if have_dtype.kind not in "fciu" or (have_dtype.kind == "c" and dtype.kind != "c"):
        raise DtypeError(f"the tangent of {where} is {describe(dx)}, but its value is made of {dtype}")
    if hasattr(dx, "spec"):  # a variable, or a symbol of the program that is being traced
        return dx if have_dtype == dtype else dx.astype(dtype)
    if not spec:
        return float(dx) or None
    dx = lock(np.array(dx, dtype))
    return dx[()] if dx.any() else None


def result_of(dz: Any, z: Any) -> Any:
    """A tangent as it is handed out: zeros if the output does not move, and nobody else's array."""
    if dz is None:
        spec = spec_of(z)
        shape, dtype = spec or SINGLE
        return np.zeros(shape, dtype if dtype.kind in "fc" else FLOAT64)[()] if spec else 0.0
    if type(dz) is Masked:
        dz = dz.resolve()
        if not spec_of(z) and isinstance(dz, (np.ndarray, np.generic)):
            return float(dz)
    return dz.copy() if type(dz) is np.ndarray else dz
