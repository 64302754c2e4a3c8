"""Activations: what stands between the linear layers of a network. Stable for inputs of any size.

Their `forward` on a variable of an outer tape applies the gate itself there, rather than its parts: the parts of a
stable formula have kinks where the whole is smooth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.errors import DtypeError
from gategrad.kinds import Elementwise
from gategrad.masked import select
from gategrad.values import is_complex
from gategrad.variable import Variable

__all__ = ["Relu", "Sigmoid", "Softplus", "relu", "sigmoid", "softplus"]


def sigmoid(x: Any) -> Any:
    """The logistic function, elementwise: z = 1 / (1 + exp(−x)).

    `x` is a number or an array of any shape; z has its shape and its floating-point dtype. Accurate to a few ulp
    everywhere, overflow nowhere.

    >>> import numpy as np, gategrad as gg
    >>> gg.sigmoid(0.0), gg.grad(gg.sigmoid)(0.0)
    (0.5, 0.25)
    >>> gg.sigmoid(np.array([-800.0, 800.0]))
    array([0., 1.])
    """
    return Sigmoid()(x)


def relu(x: Any) -> Any:
    """The rectifier, elementwise: z = max(x, 0).

    `x` is a number or an array of any shape; z has its shape and dtype. The gradient at the kink x = 0 is 0.

    >>> import numpy as np, gategrad as gg
    >>> gg.relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    >>> gg.grad(gg.relu)(2.0), gg.grad(gg.relu)(0.0)
    (1.0, 0.0)
    """
    return Relu()(x)


def softplus(x: Any) -> Any:
    """The smooth rectifier, elementwise: z = log(1 + exp(x)).

    `x` is a number or an array of any shape; z has its shape and its floating-point dtype. Never overflows.

    >>> import numpy as np, gategrad as gg
    >>> gg.softplus(np.array([-800.0, 800.0]))
    array([  0., 800.])
    >>> gg.grad(gg.softplus)(0.0)
    0.5
    """
    return Softplus()(x)


class Sigmoid(Elementwise):
    """z = 1 / (1 + exp(−x)). A scaler: x receives z · (1 − z) · dz."""

    pattern, symbol = "scaler", "σ"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.z = z = sigmoid(x) if type(x) is Variable else _logistic(x)
        return z

    def backward(self, dz: Any) -> Any:
        z = self.z
        return z * (1.0 - z) * dz


def _logistic(x: Any) -> Any:
    if is_complex(x):
        return 1.0 / (1.0 + np.exp(-x))
    e = np.exp(-np.abs(x))  # at most 1, so that nothing overflows
    if type(x) is float:
        return float((1.0 if x >= 0.0 else e) / (1.0 + e))
    return np.where(np.greater_equal(x, 0), 1.0, e)[()] / (1.0 + e)


class Relu(Elementwise):
    """z = max(x, 0). A router: the gradient passes where x > 0, and nothing flows elsewhere.

    Kink: 0 at x = 0, an element of [0, 1]; it keeps units that are exactly off out of the gradient, as is usual.
    """

    pattern, symbol = "router", "relu"
    kink = "0, an element of [0, 1]"

    def forward(self, x: Any) -> Any:
        self.z = z = relu(x) if type(x) is Variable else _rectify(x)
        return z

    def backward(self, dz: Any) -> Any:
        if is_complex(dz):
            raise DtypeError(
                "relu of complex numbers has no gradient: they have no order. Take it of np.abs, np.real or np.imag"
            )
        return select(self.z != 0, dz)  # rather than z > 0: NaN is not silenced

    def kinks(self, x: Any) -> Any:
        return x == 0


def _rectify(x: Any) -> Any:
    if type(x) is float:
        return max(x, 0.0)  # in this order, which lets NaN through
    return np.maximum(x, 0.0)


class Softplus(Elementwise):
    """z = log(1 + exp(x)). A scaler: x receives sigmoid(x) · dz."""

    pattern, symbol = "scaler", "softplus"

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.logaddexp(x, 0.0)

    def backward(self, dz: Any) -> Any:
        return sigmoid(self.x) * dz
