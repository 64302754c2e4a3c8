"""jvp: a function and its derivative along a direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gategrad.errors import describe
from gategrad.transforms.linearize import linearize

__all__ = ["jvp"]


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], *, has_aux: bool = False) -> Any:
    """Compute `f(*primals)` and its derivative along the tangents, dz = Σ_i ∂z/∂x_i dx_i: forward mode.

    `primals` and `tangents` are tuples, with one tangent in the containers and shapes of each primal, or None for
    what does not move, a primal or a value in its container. Returns `(z, dz)`, both built like the output. With `has_aux`, `f` returns
    `(z, anything)`, and this `(z, dz, anything)`. For many directions at one point, see `linearize`.

    Raises `DtypeError` if a primal or an output is not made of floats, `ShapeError` if a tangent does not fit.

    >>> import numpy as np, gategrad as gg
    >>> gg.jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 10.0))
    (12.0, 34.0)
    >>> gg.jvp(lambda x: {"sum": np.sum(x), "twice": 2 * x}, (np.array([1.0, 2.0]),), (np.array([0.0, 1.0]),))[1]
    {'sum': 1.0, 'twice': array([0., 2.])}
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise TypeError(f"jvp takes {name} as a tuple, as in gg.jvp(f, (x,), (dx,)), not {describe(given)}")
    z, pushforward, *aux = linearize(f, *primals, has_aux=has_aux)
    return (z, pushforward(*tangents), *aux)
