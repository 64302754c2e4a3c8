"""hessian: all second derivatives; hvp: their product with a vector, for the price of two gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gategrad import careful
from gategrad.transforms.derivative import Derivative
from gategrad.transforms.grad import grad
from gategrad.transforms.jacobian import sample_of, table
from gategrad.transforms.jvp import jvp

__all__ = ["hessian", "hvp"]


class hessian(Derivative):
    """The Hessian of a function: `hessian(f)(x)` is d²z/dx², of shape `z.shape + x.shape + x.shape`.

    Forward over reverse: the gradient is computed once, and each of its columns is one pass forward. Of containers the
    answer is the container of `x`, and in each of its places that container again. `argnums` and `has_aux` as for
    `jacobian`; `f` may return arrays and containers too.

    Raises `DtypeError` if an argument or an output is not made of floats.

    >>> import numpy as np, gategrad as gg
    >>> gg.hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    """

    prefix = "Hessian of"
    noun = "Hessian"

    def __call__(self, *args: Any, **options: Any) -> Any:
        before = careful.doubts
        parts, aux, z, _circuit = self._once(args, options)
        parts = self._settled(lambda moved: sample_of(*self._once(moved, options)), args, before, parts, z)
        return (parts, aux) if self._has_aux else parts

    def _once(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
        positions = self._positions(len(args))

        def rows(*inner: Any) -> tuple[Any, Any]:
            return table(self._f, inner, options, positions, self._one_or_all, self._has_aux, by_columns=False)[:2]

        return table(rows, args, {}, positions, self._one_or_all, True, by_columns=True)


def hvp(f: Callable[..., Any], x: Any, v: Any, *, has_aux: bool = False) -> Any:
    """The product of the Hessian of `f` at `x` with `v`, without the Hessian: Σ_j ∂²f/∂x_i ∂x_j v_j.

    Forward over reverse, for about the price of two gradients whatever the size of `x`. `f` takes `x` and returns a
    single number (with `has_aux`, beside anything else, and this returns the two); `v` has the containers and shapes
    of `x`, and so has the product.

    Raises `NotScalarError` if `f` returns an array, `ShapeError` if `v` does not fit `x`.

    >>> import numpy as np, gategrad as gg
    >>> gg.hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    _, *product = jvp(grad(f, has_aux=has_aux), (x,), (v,), has_aux=has_aux)
    return tuple(product) if has_aux else product[0]
