"""Arithmetic: + − × ÷ power, and what is made of them. The first file to read about what a gate is.

Numbers in rules are floats (2.0 · x): NumPy takes twice as long to combine an array with an int.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.careful import doubted
from gategrad.gates.bends import Kinked, bent, slope_of
from gategrad.gates.conjugation import conj
from gategrad.gates.singular import fading, left_out, occurs, over, times
from gategrad.gates.squares import evenly, is_sum_of_squares
from gategrad.kinds import Elementwise
from gategrad.masked import CERTAIN, Masked, counting, numbers, resolved, select, singular
from gategrad.recording import plain
from gategrad.values import is_complex
from gategrad.variable import Variable

__all__ = [
    "Absolute",
    "Add",
    "Cbrt",
    "Divide",
    "Multiply",
    "Negative",
    "Positive",
    "Power",
    "Reciprocal",
    "Sqrt",
    "Square",
    "Subtract",
]


class Add(Elementwise):
    """z = x + y. A distributor: each input receives the gradient as it is."""

    ufunc, pattern, symbol = np.add, "distributor", "+"
    remembers_inputs = False
    domain = ((-2.0, 2.0), (-2.0, 2.0))
    takes_complex = True

    def forward(self, x: Any, y: Any) -> Any:
        return x + y

    def backward(self, dz: Any) -> Any:
        return dz, dz


class Subtract(Elementwise):
    """z = x − y. A distributor: x receives the gradient as it is, y its negative."""

    ufunc, pattern, symbol = np.subtract, "distributor", "−"
    remembers_inputs = False
    domain = ((-2.0, 2.0), (-2.0, 2.0))
    takes_complex = True

    def forward(self, x: Any, y: Any) -> Any:
        return x - y

    def backward(self, dz: Any) -> Any:
        return dz, -dz if self.needs[1] else None


class Multiply(Elementwise):
    """z = x · y. A switcher: each input receives the gradient scaled by the other input."""

    ufunc, pattern, symbol = np.multiply, "switcher", "×"
    domain = ((-2.0, 2.0), (-2.0, 2.0))
    takes_complex = True

    def forward(self, x: Any, y: Any) -> Any:
        need_x, need_y = self.needs
        self.x = x if need_y else None  # must keep these around: backward needs them
        self.y = y if need_x else None
        return x * y

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        return self.y * dz if need_x else None, self.x * dz if need_y else None


class Divide(Elementwise):
    """z = x / y. A scaler: x receives dz / y, and y receives −z · dz / y."""

    ufunc, pattern, symbol = np.divide, "scaler", "÷"
    domain = ((-2.0, 2.0), (0.5, 2.0))
    takes_complex = True

    def forward(self, x: Any, y: Any) -> Any:
        z = x / y
        self.y = y
        self.z: Any = z if self.needs[1] else None
        return z

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        dx = dz / self.y
        return dx if need_x else None, -self.z * dx if need_y else None  # not −x/y²: y² overflows long before y


class Power(Kinked, Elementwise):
    """z = x ** y. A scaler: x receives y · x ** (y − 1) · dz, and y receives z · log(x) · dz.

    Kinks: at x = 0 nothing flows into y (its one-sided derivatives there are 0 or infinite), and where y = 0 nothing
    flows into x even if x = 0. x = 0 with y > 1 blocks an infinite gradient, so that `(x**2) ** 0.5` has gradient 0 at 0.
    """

    ufunc, pattern, symbol = np.power, "scaler", "**"
    domain = ((0.5, 2.0), (-2.0, 2.0))
    takes_complex = True
    kink = "∞, the one-sided slope; but a gradient of 0 stays 0"
    is_steep = True

    def forward(self, x: Any, y: Any) -> Any:
        z = x**y
        self.x = x
        self.y = y
        self.z: Any = z if self.needs[1] or type(x) is Variable else None
        return z

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        return self._into_base(dz) if need_x else None, self._into_exponent(dz) if need_y else None

    def kinks(self, x: Any, y: Any) -> Any:
        return (x == 0) & (np.less(y, 1)) & (np.not_equal(y, 0))

    def sits(self) -> Any:
        y = plain(self.y)
        return self.kinks(plain(self.x), y) if type(y) not in (int, float) or y < 1 else False

    def _into_base(self, dz: Any) -> Any:
        x, y = self.x, self.y
        if type(y) is int or type(y) is float:
            if y == 2:
                return 2.0 * x * evenly(dz, self.inputs[0])
            if y == 0:
                return None
            if y >= 1:
                return y * x ** (y - 1) * (evenly(dz, self.inputs[0]) if y % 2 == 0 else dz)
            if y > 0:
                dz = fading(dz, x)
            with np.errstate(divide="ignore"):
                local = y * x ** (y - 1)
            certain = 0 < y < 1 and type(x) is not Variable
            dx = _sloped(local, dz, self.inputs[0] if certain else None)
            return _of_root(dx, dz, self.z, x) if y == 0.5 and type(x) is Variable else dx
        flat = (x == 0) & (y == 0)
        if occurs(flat):
            return select(np.logical_not(flat), y * x ** np.where(flat, 1.0, y - 1) * dz)
        return _sloped(y * x ** (y - 1), dz)

    def _into_exponent(self, dz: Any) -> Any:
        x = self.x
        if is_complex(self.z) and not is_complex(x):
            x = x + 0j  # its logarithm is complex if it is negative
        if type(x) is int or type(x) is float:  # a NumPy scalar would turn float32 into float64
            return self.z * float(np.log(x)) * dz if x else None
        zero = x == 0
        if occurs(zero):
            return select(np.logical_not(zero), self.z * np.log(np.where(zero, 1.0, x)) * dz)
        return self.z * np.log(x) * dz


def _sloped(slope: Any, dz: Any, source: Any = None) -> Any:
    """slope · dz, as `times`; where the slope is infinite the product is marked as singular; `source` as of `over`."""
    infinite = np.isinf(plain(slope))
    if not occurs(infinite) or left_out(infinite):
        return slope * dz
    if source is not None and is_sum_of_squares(source):
        with np.errstate(invalid="ignore"):
            return singular(select(np.logical_not(infinite & _is_zero(dz)), slope * dz), CERTAIN)
    doubted(counting(infinite & _is_zero(dz), dz))
    return singular(times(slope, dz))


def _is_zero(dz: Any) -> Any:
    return numbers(dz.value if type(dz) is Masked else dz) == 0


def _of_root(dx: Any, dz: Any, z: Any, x: Any) -> Any:
    """The gradient of a root that is recorded itself: where dz is 0 at 0 it is ≈ κ · z near by, and dx is κ / 2."""
    flat, slope = slope_of(dz, z, x, plain(x) == 0)
    if flat is None:
        return dx
    if type(slope) is float and np.isnan(slope):
        slope = slope * x  # NaN, and so is its own slope
    return np.where(flat, 0.5 * slope, 0.0 if dx is None else resolved(dx))


class Negative(Elementwise):
    """z = −x. A scaler: x receives −dz."""

    ufunc, pattern, symbol = np.negative, "scaler", "−"
    remembers_inputs = False
    takes_complex = True

    def forward(self, x: Any) -> Any:
        return -x

    def backward(self, dz: Any) -> Any:
        return -dz


class Positive(Elementwise):
    """z = +x. A distributor: x receives the gradient as it is."""

    ufunc, pattern, symbol = np.positive, "distributor", "+"
    remembers_inputs = False
    takes_complex = True

    def forward(self, x: Any) -> Any:
        return np.positive(x)

    def backward(self, dz: Any) -> Any:
        return dz


class Absolute(Kinked, Elementwise):
    """z = |x|. A scaler: x receives sign(x) · dz; a complex x the conjugate of its sign x / |x|.

    Kink: 0 at x = 0, the middle of [−1, 1], as is the sign of 0.
    """

    ufunc, pattern, symbol = np.absolute, "scaler", "|x|"
    takes_complex = True
    kink = "0, the middle of [−1, 1]"
    fold = (1.0,)

    def forward(self, x: Any) -> Any:
        self.x = x
        z = abs(x)
        self.z = z if type(x) is Variable else None
        return z

    def backward(self, dz: Any) -> Any:
        x = self.x
        dx = conj(np.sign(x)) * evenly(dz, self.inputs[0])
        return dx if self.z is None else bent(dx, dz, self.z, x, self.sits())

    def sits(self) -> Any:
        return plain(self.x) == 0

    def kinks(self, x: Any) -> Any:
        return x == 0


class Square(Elementwise):
    """z = x². A scaler: x receives 2 · x · dz."""

    ufunc, pattern, symbol = np.square, "scaler", "x²"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.x = x
        return x * x

    def backward(self, dz: Any) -> Any:
        return 2.0 * self.x * evenly(dz, self.inputs[0])


class Sqrt(Kinked, Elementwise):
    """z = √x. A scaler: x receives dz / (2 · z).

    Singular: infinite at x = 0, where no finite subgradient exists; but a zero gradient stays zero there.
    """

    ufunc, pattern, symbol = np.sqrt, "scaler", "√"
    domain = ((0.5, 2.0),)
    takes_complex = True
    kink = "∞, the slope there; but a gradient of 0 stays 0"
    is_steep = True

    def forward(self, x: Any) -> Any:
        self.x = x if type(x) is Variable else None
        self.z = z = np.sqrt(x)
        return z

    def backward(self, dz: Any) -> Any:
        dx = over(fading(dz, self.z), 2.0 * self.z, self.inputs[0] if self.x is None else None)
        return dx if self.x is None else _of_root(dx, dz, self.z, self.x)

    def sits(self) -> Any:
        return plain(self.z) == 0

    def kinks(self, x: Any) -> Any:
        return x == 0


class Cbrt(Elementwise):
    """z = ∛x. A scaler: x receives dz / (3 · z²).

    Singular: infinite at x = 0, where no finite subgradient exists; but a zero gradient stays zero there.
    """

    ufunc, pattern, symbol = np.cbrt, "scaler", "∛"
    domain = ((0.5, 2.0),)
    kink = "∞, the slope there; but a gradient of 0 stays 0"
    is_steep = True

    def forward(self, x: Any) -> Any:
        self.z = z = np.cbrt(x)
        return z

    def backward(self, dz: Any) -> Any:
        z = self.z
        return over(fading(dz, z), 3 * z * z)

    def sits(self) -> Any:
        """Where its slope is infinite."""
        return plain(self.z) == 0

    def kinks(self, x: Any) -> Any:
        return x == 0


class Reciprocal(Elementwise):
    """z = 1 / x. A scaler: x receives −z² · dz."""

    ufunc, pattern, symbol = np.reciprocal, "scaler", "1/x"
    domain = ((0.5, 2.0),)
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.z = z = 1 / x
        return z

    def backward(self, dz: Any) -> Any:
        z = self.z
        return -z * z * dz
