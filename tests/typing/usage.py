"""How a user's typed code looks; mypy reads it."""

from typing import Any

import numpy as np

import gategrad as gg


class Multiply(gg.Gate):
    def forward(self, x: Any, y: Any) -> Any:
        self.x, self.y = x, y
        return x * y

    def backward(self, dz: Any) -> Any:
        return [self.y * dz, self.x * dz]


@gg.no_grad
def predict(x: float) -> float:
    return 2 * x


@gg.no_grad()
def predict_again(x: float, *, scale: float = 1.0) -> float:
    return scale * x


x: gg.Variable = gg.variable(2.0, name="x")
z = np.sum(np.sin(x * 2.0 + 1.0) * np.ones(3))
z.backward()
shape: tuple[int, ...] = x.shape
number: float = x.item() + predict(3.0) + predict_again(2.0, scale=3.0)
gradient = gg.grad(lambda v: v * v)(3.0)
value, pullback = gg.vjp(lambda v: v * v, 3.0)
(dx,) = pullback(1.0)
product = Multiply()(x, 2.0)
with gg.no_grad():
    quiet = -(x**2) / 3
