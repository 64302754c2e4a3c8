"""grad and value_and_grad: the gradient of a function as a function."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any, cast

from gategrad.errors import NotScalarError, describe
from gategrad.transforms.vjp import collect, pull, run, split_aux, strip, strip_all
from gategrad.values import FLOAT64
from gategrad.variable import Variable, plain

__all__ = ["Derivative", "grad", "value_and_grad"]


class Derivative:
    """A function made from a function, with its name, documentation and signature; pickles if that one does."""

    prefix = "derivative of"

    def __init__(self, f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> None:
        if not callable(f):
            raise TypeError(
                f"{type(self).__name__} takes a function, not {describe(f)}: it returns the gradient as a function, "
                "to be called with the numbers, as in gg.grad(f)(x)"
            )
        functools.update_wrapper(cast(Any, self), f, updated=())
        self._f = f
        self._argnums = argnums if isinstance(argnums, int) else tuple(argnums)
        self._has_aux = has_aux

    def _differentiate(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, Any, Any]:
        several = isinstance(self._argnums, tuple)
        wanted = self._argnums if isinstance(self._argnums, tuple) else (self._argnums,)
        argnums = tuple(_positions(wanted, len(args), self._f))
        level, output, leaves, rebuilds = run(self._f, args, options, argnums)
        z, aux = split_aux(output) if self._has_aux else (output, None)
        gradients = pull(z, _seed(z), level)
        dxs = collect(leaves, rebuilds, gradients)
        return strip(z, level), (strip_all(aux, level) if self._has_aux else None), dxs if several else dxs[0]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(cast(Any, self), instance)

    def __repr__(self) -> str:
        name = getattr(self._f, "__qualname__", repr(self._f))
        try:
            return f"<{self.prefix} {name}{inspect.signature(self._f)}>"
        except (TypeError, ValueError):
            return f"<{self.prefix} {name}>"

    def __reduce__(self) -> Any:
        return type(self), (self._f, self._argnums, self._has_aux)


class grad(Derivative):
    """The gradient of a function: `grad(f)(x)` is df/dx, in the container, shape and dtype of `x`.

    `f` returns a single number. `argnums` says with respect to which positional arguments: a number, or a tuple
    for a tuple of gradients. With `has_aux`, `f` returns `(z, anything)` and the call returns `(gradient, anything)`.

    Raises `NotScalarError` if `f` returns an array, `DtypeError` if an argument cannot have a gradient.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: x**3)(2.0)
    12.0
    >>> gg.grad(gg.grad(lambda x: x**3))(2.0)
    12.0
    >>> gg.grad(lambda p: p["a"] * np.sum(p["b"]))({"a": 2.0, "b": np.ones(2)})
    {'a': 2.0, 'b': array([2., 2.])}
    """

    prefix = "gradient of"

    def __call__(self, *args: Any, **options: Any) -> Any:
        _, aux, gradient = self._differentiate(args, options)
        return (gradient, aux) if self._has_aux else gradient


class value_and_grad(Derivative):
    """The value of a function together with its gradient, for the price of one forward and one backward pass.

    Arguments as for `grad`. With `has_aux` the call returns `((z, anything), gradient)`.

    >>> import gategrad as gg
    >>> gg.value_and_grad(lambda x: x**3)(2.0)
    (8.0, 12.0)
    """

    prefix = "value and gradient of"

    def __call__(self, *args: Any, **options: Any) -> Any:
        z, aux, gradient = self._differentiate(args, options)
        return ((z, aux) if self._has_aux else z), gradient


def _positions(argnums: tuple[int, ...], count: int, f: Any) -> list[int]:
    for n in argnums:
        if not -count <= n < count:
            name = getattr(f, "__name__", "the function")
            raise TypeError(
                f"the gradient of {name} is wanted for positional argument {n} (argnums), "
                f"but it was called with {count} positional argument{'s' * (count != 1)}"
            )
    positions = [n % count for n in argnums]
    if len(set(positions)) < len(positions):
        raise TypeError(f"argnums names one argument twice: {argnums}")
    return positions


def _seed(z: Any) -> Any:
    """1, as the gradient of the output: a single real number."""
    if type(z) is Variable:
        shape, dtype = z.shape, z.dtype
        if shape == () and dtype.kind == "f":
            return 1.0 if z.spec is None else dtype.type(1)
    elif isinstance(z, (float, int)) or (
        getattr(z, "shape", None) == () and getattr(z, "dtype", FLOAT64).kind in "fiub"
    ):
        return 1.0
    raise _not_scalar(plain(z))


def _not_scalar(z: Any) -> Exception:
    advice = "Is a `return` missing?" if z is None else "Reduce it (np.sum), or take gg.vjp"
    return NotScalarError(
        f"the gradient is of a function that returns a single real number; this one returned {describe(z)}. {advice}"
    )
