"""Functions of numbers made functions of arrays, for numbers that have gradients: each element is a call."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.errors import NoRuleError
from gategrad.gate import on_meeting

__all__ = ["frompyfunc", "vectorize"]


class vectorize(np.vectorize):
    """`np.vectorize`, also for variables: the function is called with each element, and the results are stacked.

    Without a variable among the arguments it is NumPy's own. With one, `signature=` and `excluded=` are refused by
    `NoRuleError`: loop by hand, or use `np.apply_along_axis`.

    >>> import gategrad as gg
    >>> relu = vectorize(lambda x: x if x > 0 else 0.0 * x)
    >>> gg.grad(lambda x: np.sum(relu(x)))(np.array([-1.0, 2.0]))
    array([0., 1.])
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not any(type(x) in on_meeting for x in (*args, *kwargs.values())):
            return super().__call__(*args, **kwargs)
        if self.signature is not None or self.excluded or kwargs:
            raise NoRuleError(
                "np.vectorize with signature=, excluded= or named arguments takes no variables: loop over the elements and "
                "join them with np.stack, or use np.apply_along_axis"
            )
        return _each(self.pyfunc, args)


def frompyfunc(func: Callable[..., Any], /, nin: int, nout: int, **options: Any) -> Callable[..., Any]:
    """`np.frompyfunc`, also for variables: the function is called with each element, and the results are stacked."""
    numpys = np.frompyfunc(func, nin, nout, **options)

    @functools.wraps(func)
    def apply(*args: Any, **settings: Any) -> Any:
        return _each(func, args) if any(type(x) in on_meeting for x in args) else numpys(*args, **settings)

    return apply


def _each(f: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    arrays = np.broadcast_arrays(*args)
    shape = arrays[0].shape
    results = [f(*[x[index] for x in arrays]) for index in np.ndindex(shape)]
    if not results:
        raise ValueError("cannot call `vectorize` on size 0 inputs")
    if isinstance(results[0], tuple):
        return tuple([_joined(parts, shape) for parts in zip(*results, strict=True)])
    return _joined(results, shape)


def _joined(parts: Any, shape: tuple[int, ...]) -> Any:
    return np.reshape(np.stack([x if hasattr(x, "shape") else np.asarray(x) for x in parts]), shape)
