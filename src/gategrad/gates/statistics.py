"""Statistics and norms: variance, standard deviation, average, logsumexp, and the length of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.gates.axes import (
    add_reduce,
    as_input,
    axes_of,
    count,
    everywhere,
    maximum_reduce,
    minimum_reduce,
    refuse,
    reshape,
    shape_of,
    spread,
)
from gategrad.gates.conjugation import conj
from gategrad.kinds import Reduction
from gategrad.masked import select
from gategrad.values import is_complex
from gategrad.variable import implements, plain

__all__ = ["LogSumExp", "Norm", "Std", "Var", "logsumexp"]


class Var(Reduction):
    """z = Σ |x - mean x|² / (n - ddof). A scaler: each element receives the gradient times twice its deviation."""

    pattern, symbol = "scaler", "var"
    takes_complex = True

    def __init__(self, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> None:
        super().__init__(axis, keepdims)
        self.ddof = ddof

    def forward(self, x: Any) -> Any:
        self.deviation = d = _deviation(x, self.axis)
        self.n = _degrees(x, self.axis, self.ddof)
        return add_reduce(_squares(d), axis=self.axis, keepdims=self.keepdims) / self.n

    def backward(self, dz: Any) -> Any:
        d = self.deviation
        return spread(dz * 2.0 / self.n, self.axis, self.keepdims, d.shape) * conj(d)


class Std(Reduction):
    """z = √(Σ |x - mean x|² / (n - ddof)). A scaler: the gradient times deviation / ((n - ddof) z).

    Kink: where all elements are equal the gradient is 0, an element of the subdifferential.
    """

    pattern, symbol = "scaler", "std"
    takes_complex = True
    kink = "0, the minimum of a convex function"

    def __init__(self, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> None:
        super().__init__(axis, keepdims)
        self.ddof = ddof

    def forward(self, x: Any) -> Any:
        d = _deviation(x, self.axis)
        self.n = _degrees(x, self.axis, self.ddof)
        z = _root(add_reduce(_squares(d), axis=self.axis, keepdims=self.keepdims) / self.n)
        self.x, self.deviation, self.z = x, d, z
        return z

    def backward(self, dz: Any) -> Any:
        # z is no test for a constant: the mean of three times 0.1 is rounded, and z then 1e-17
        x, shape = plain(self.x), self.deviation.shape
        low = minimum_reduce(x, axis=self.axis, keepdims=self.keepdims)
        varies = low != maximum_reduce(x, axis=self.axis, keepdims=self.keepdims)
        share = spread(dz / (_or_one(self.z, varies) * self.n), self.axis, self.keepdims, shape)
        return _times(
            share, conj(self.deviation), everywhere(varies) or spread(varies, self.axis, self.keepdims, shape)
        )

    def kinks(self, x: Any) -> Any:
        return np.min(x, axis=self.axis) == np.max(x, axis=self.axis)


class LogSumExp(Reduction):
    """z = log Σ exp x. A router: the gradient is shared out in the proportions of exp x, the softmax.

    Where all elements are -inf nothing flows.
    """

    pattern, symbol = "router", "logsumexp"
    takes_complex = True
    kink = "0 where all are −∞"

    def forward(self, x: Any) -> Any:
        axis = self.axis
        top = maximum_reduce(plain(x), axis=axis, keepdims=True)  # Σ exp(x - top) is between 1 and n
        finite = np.isfinite(top)
        if not everywhere(finite):
            top = np.where(finite, top, np.zeros_like(top))
        self.exp = e = np.exp(x - top)
        self.total = total = add_reduce(e, axis=axis, keepdims=True)
        if everywhere(finite):
            z = np.log(total) + top
        else:
            some = plain(total) != 0
            self.total = _or_one(total, some)
            z = np.where(some, np.log(self.total) + top, np.full_like(top, -np.inf))
        return z if self.keepdims else reshape(z, _folded(shape_of(x), axis))

    def backward(self, dz: Any) -> Any:
        return spread(dz, self.axis, self.keepdims, shape_of(self.exp)) * (self.exp / self.total)

    def kinks(self, x: Any) -> Any:
        return np.all(x == -np.inf, axis=self.axis)


class Norm(Reduction):
    """z = √(Σ |x|²), the length of a vector. A scaler: the gradient times x / z, the direction of the vector.

    Kink: at 0 the gradient is 0, an element of the subdifferential (the unit ball), and so is its own gradient.
    For a square of the length, `np.sum(x * x)` is exact at any order.
    """

    pattern, symbol = "scaler", "‖ ‖"
    takes_complex = True
    kink = "0, the middle of the unit ball"

    def forward(self, x: Any) -> Any:
        self.x = x
        self.z = z = _root(add_reduce(_squares(x), axis=self.axis, keepdims=self.keepdims))
        return z

    def backward(self, dz: Any) -> Any:
        some = plain(self.z) != 0
        shape = shape_of(self.x)
        share = spread(dz / _or_one(self.z, some), self.axis, self.keepdims, shape)
        return _times(share, conj(self.x), everywhere(some) or spread(some, self.axis, self.keepdims, shape))

    def kinks(self, x: Any) -> Any:
        return np.all(x == 0, axis=self.axis)


def _squares(x: Any) -> Any:
    """|x|², element by element."""
    return np.real(x * np.conjugate(x)) if is_complex(x) else x * x


def _deviation(x: Any, axis: Any) -> Any:
    shape = shape_of(x)
    return x - add_reduce(x, axis=axis, keepdims=True) / count(shape, axis)


def _degrees(x: Any, axis: Any, ddof: float) -> float:
    """The degrees of freedom: how many elements, less `ddof`."""
    return max(count(shape_of(x), axis) - ddof, 0)


def _or_one(x: Any, mask: Any) -> Any:
    """`x`, and 1 where the mask is false, so that dividing by it is safe."""
    if everywhere(mask):
        return x
    ones = np.ones_like(plain(x))
    return ones[()] if isinstance(mask, (bool, np.bool_)) else np.where(mask, x, ones)


def _times(dz: Any, x: Any, mask: Any) -> Any:
    """dz · x where the mask is true; elsewhere nothing flows, whatever `dz` is there."""
    if everywhere(mask):
        return dz * x
    flowing = select(mask, dz)
    return None if flowing is None else flowing * x


def _root(x: Any) -> Any:
    """√x, through which nothing flows where x is 0: not even 0 · inf, if it is differentiated itself."""
    some = plain(x) != 0
    if everywhere(some):
        return np.sqrt(x)
    zeros = np.zeros_like(plain(x))
    return zeros[()] if isinstance(some, (bool, np.bool_)) else np.where(some, np.sqrt(_or_one(x, some)), zeros)


def _folded(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """The shape that a reduction leaves if it does not keep its axes."""
    folded = axes_of(axis, len(shape))
    return tuple([n for a, n in enumerate(shape) if a not in folded])


# --- functions ------------------------------------------------------------------------------------------------


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The logarithm of a sum of exponentials, without overflow: log Σ exp x, along an axis, several or all.

    Any shape and floating-point dtype; `axis` and `keepdims` as in `np.sum`. The gradient is the softmax. Where all
    elements are -inf so is the result, and nothing flows back.

    >>> import numpy as np, gategrad as gg
    >>> from gategrad.gates.statistics import logsumexp
    >>> bool(logsumexp(np.array([1000.0, 1000.0])) == 1000.0 + np.log(2.0))
    True
    >>> gg.grad(logsumexp)(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    return LogSumExp(axis, keepdims)(as_input(x))


@implements(np.var)
def _var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    refuse("np.var", dtype=dtype, out=out, where=where, mean=mean)
    return Var(axis, ddof if correction is None else correction, keepdims)(a)


@implements(np.std)
def _std(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    refuse("np.std", dtype=dtype, out=out, where=where, mean=mean)
    return Std(axis, ddof if correction is None else correction, keepdims)(a)


@implements(np.average)
def _average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    refuse("np.average", returned=returned or None)
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    a, weights = as_input(a), as_input(weights)
    if weights.shape != a.shape:
        folded = axes_of(axis, len(a.shape))
        lengths = [n if i in folded else 1 for i, n in enumerate(a.shape)]
        weights = np.reshape(weights, tuple(lengths))
    total = np.sum(np.broadcast_to(weights, a.shape), axis=axis, keepdims=keepdims)
    return np.sum(a * weights, axis=axis, keepdims=keepdims) / total
