"""elementwise_grad: the derivative of a function that works element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.errors import NotScalarError, describe
from gategrad.recording import plain
from gategrad.transforms.grad import Gradient

__all__ = ["elementwise_grad"]


class elementwise_grad(Gradient):
    """The derivative of a function of each element on its own, all at once: dz_i / dx_i in the shape of `x`.

    For `f` that maps arrays element by element, as NumPy's ufuncs do. It is the gradient of the sum of `f(x)`: where
    elements of `z` depend on other elements of `x`, their derivatives are added. `argnums` and `has_aux` as for `grad`.

    Raises `NotScalarError` if `f` returns anything but one real number or array.

    >>> import numpy as np, gategrad as gg
    >>> gg.elementwise_grad(lambda x: x**3)(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """

    prefix = "elementwise derivative of"

    def __call__(self, *args: Any, **options: Any) -> Any:
        _, aux, dx = self._differentiate(args, options, _ones)
        return (dx, aux) if self._has_aux else dx


def _ones(z: Any) -> Any:
    if type(z) is float or type(z) is int:
        return 1.0
    dtype = getattr(z, "dtype", np.dtype(object))
    if dtype.kind not in "fiu":
        raise NotScalarError(
            f"elementwise_grad is of a function that returns one real array; this one returned {describe(plain(z))}"
        )
    return np.ones(z.shape, dtype)[()] if getattr(z, "spec", True) else 1.0
