"""Statistics and norms: variance, standard deviation, average, logsumexp, and the length of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.gates.axes import (
    add_reduce,
    as_input,
    axes_of,
    count,
    everywhere,
    how_many,
    maximum_reduce,
    minimum_reduce,
    only,
    refuse,
    reshape,
    shape_of,
    spread,
)
from gategrad.gates.bends import Kinked, bent
from gategrad.gates.conjugation import conj
from gategrad.gates.singular import or_one, root
from gategrad.gates.squares import squares
from gategrad.kinds import Reduction
from gategrad.masked import select
from gategrad.recording import plain
from gategrad.values import is_complex
from gategrad.variable import Variable

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


squares.add(Var)


class Std(Kinked, Reduction):
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
        self.x, self.n = x, _degrees(x, self.axis, self.ddof)
        self.deviation = d = _deviation(x, self.axis)
        if type(x) is Variable:
            self.z = z = Std(self.axis, self.ddof, self.keepdims)(x)  # on the tape below it is as much of a kink
        else:
            self.z = z = root(add_reduce(_squares(d), axis=self.axis, keepdims=self.keepdims) / self.n)
        return z

    def backward(self, dz: Any) -> Any:
        # z is no test for a constant: the mean of three times 0.1 is rounded, and z then 1e-17
        x, shape = plain(self.x), self.deviation.shape
        low = minimum_reduce(x, axis=self.axis, keepdims=self.keepdims)
        varies = low != maximum_reduce(x, axis=self.axis, keepdims=self.keepdims)
        share = spread(dz / (or_one(self.z, varies) * self.n), self.axis, self.keepdims, shape)
        dx = _times(share, conj(self.deviation), everywhere(varies) or spread(varies, self.axis, self.keepdims, shape))
        if type(self.x) is not Variable:
            return dx
        back = lambda v: spread(v, self.axis, self.keepdims, shape)
        return bent(dx, dz, self.z, self.deviation, np.logical_not(varies), 1.0 / self.n if self.n else 0.0, back)

    def sits(self) -> Any:
        return self.kinks(plain(self.x))

    def kinks(self, x: Any) -> Any:
        low = np.min(x, axis=self.axis, keepdims=self.keepdims)
        return low == np.max(x, axis=self.axis, keepdims=self.keepdims)


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
            self.total = or_one(total, some)
            z = np.where(some, np.log(self.total) + top, np.full_like(top, -np.inf))
        return z if self.keepdims else reshape(z, _folded(shape_of(x), axis))

    def backward(self, dz: Any) -> Any:
        return spread(dz, self.axis, self.keepdims, shape_of(self.exp)) * (self.exp / self.total)

    def kinks(self, x: Any) -> Any:
        return np.all(x == -np.inf, axis=self.axis)


class Norm(Kinked, Reduction):
    """z = √(Σ |x|²), the length of a vector. A scaler: the gradient times x / z, the direction of the vector.

    Kink: at 0 the gradient is 0, an element of the subdifferential (the unit ball), and so is its own gradient, unless
    the dz that arrives is 0 as well, as in ‖x‖² (see `hidden_slope.py`).
    """

    pattern, symbol = "scaler", "‖ ‖"
    takes_complex = True
    kink = "0, the middle of the unit ball"

    def forward(self, x: Any) -> Any:
        self.x = x
        if type(x) is Variable:
            self.z = z = Norm(self.axis, self.keepdims)(x)  # on the tape below it is as much of a kink
        else:
            self.z = z = root(add_reduce(_squares(x), axis=self.axis, keepdims=self.keepdims))
        return z

    def backward(self, dz: Any) -> Any:
        some = np.not_equal(plain(self.z), 0)
        shape = shape_of(self.x)
        share = spread(dz / or_one(self.z, some), self.axis, self.keepdims, shape)
        dx = _times(share, conj(self.x), everywhere(some) or spread(some, self.axis, self.keepdims, shape))
        if type(self.x) is not Variable:
            return dx
        return bent(dx, dz, self.z, self.x, self.sits(), 1.0, lambda v: spread(v, self.axis, self.keepdims, shape))

    def jvp(self, *tangents: Any) -> Any:
        x, dx = self.x, tangents[0]
        along = np.real(conj(x) * dx) if is_complex(x) else x * dx
        length = or_one(self.z, np.not_equal(plain(self.z), 0))
        return add_reduce(along, axis=self.axis, keepdims=self.keepdims) / length

    def sits(self) -> Any:
        return plain(self.z) == 0

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


def _times(dz: Any, x: Any, mask: Any) -> Any:
    """dz · x where the mask is true; elsewhere nothing flows, whatever `dz` is there."""
    if everywhere(mask):
        return dz * x
    flowing = select(mask, dz)
    return None if flowing is None else flowing * x


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
    refuse("np.var", out=out)
    ddof = ddof if correction is None else correction
    if where is True and mean is None:
        return Var(axis, ddof, keepdims)(only(a, where, 0.0, dtype))
    return _var_of_some(only(a, True, 0.0, dtype), axis, ddof, keepdims, where, mean)


def _var_of_some(x: Any, axis: Any, ddof: float, keepdims: Any, where: Any, mean: Any) -> Any:
    """The variance of the elements that `where` chooses, about a mean that may be given."""
    if mean is None:
        mean = np.mean(x, axis=axis, keepdims=True, where=where)
    d = only(x - mean, where, 0.0)
    return np.sum(d * d, axis=axis, keepdims=keepdims) / (how_many(where, x, axis, keepdims) - ddof)


@implements(np.std)
def _std(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    refuse("np.std", out=out)
    ddof = ddof if correction is None else correction
    if where is True and mean is None:
        return Std(axis, ddof, keepdims)(only(a, where, 0.0, dtype))
    return root(_var_of_some(only(a, True, 0.0, dtype), axis, ddof, keepdims, where, mean))


@implements(np.average)
def _average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    a, weights = as_input(a), as_input(weights)
    if weights is None:
        z = np.mean(a, axis=axis, keepdims=keepdims)
        return (z, np.broadcast_to(float(count(shape_of(a), axis)), shape_of(z))[()]) if returned else z
    if weights.shape != a.shape:
        if axis is None:
            raise TypeError("Axis must be specified when shapes of a and weights differ.")
        folded = axes_of(axis, len(a.shape))
        if weights.shape != tuple([a.shape[i] for i in folded]):
            raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
        lengths = [n if i in folded else 1 for i, n in enumerate(a.shape)]
        weights = np.reshape(weights, tuple(lengths))
    total = np.sum(np.broadcast_to(weights, a.shape), axis=axis, keepdims=keepdims)
    z = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (z, np.copy(np.broadcast_to(total, shape_of(z)))) if returned else z
