"""Comparison: the gates that choose between their inputs, and those that only round."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.errors import EscapeError
from gategrad.gates.bends import Kinked, bent
from gategrad.gates.conjugation import refuse_complex
from gategrad.gates.singular import occurs
from gategrad.kinds import Elementwise, Example
from gategrad.masked import select
from gategrad.recording import plain
from gategrad.values import is_complex
from gategrad.variable import Variable

__all__ = [
    "Ceil",
    "Extremum",
    "Floor",
    "Fmax",
    "Fmin",
    "Maximum",
    "Minimum",
    "Rint",
    "Round",
    "Sign",
    "Step",
    "Trunc",
    "Where",
    "clip",
    "round_",
    "where",
]


class Extremum(Kinked, Elementwise):
    """z = x or y, whichever wins. A router: the gradient goes to the winner.

    Kink: half to each where neither wins, the middle of the subdifferential. That includes NaN, which wins nowhere
    and passes its gradient on rather than silence it.
    """

    pattern = "router"
    domain = ((-2.0, 2.0), (-2.0, 2.0))
    kink = "½ to each of two that tie"
    fold = (0.5, -0.5)

    x: Any
    y: Any

    def wins(self, x: Any, y: Any) -> Any:
        """Where x wins over y."""
        raise NotImplementedError

    def kept(self, z: Any) -> Any:
        """The output, remembered if it is recorded itself."""
        self.z = z if type(z) is Variable else None
        return z

    def backward(self, dz: Any) -> Any:
        refuse_complex(dz, self)
        given = dz
        x, y = plain(self.x), plain(self.y)
        x_wins, y_wins = self.wins(x, y), self.wins(y, x)
        undecided = x_wins == y_wins
        if occurs(undecided):
            dz = dz * (1 - 0.5 * undecided)
            x_wins, y_wins = x_wins | undecided, y_wins | undecided
        need_x, need_y = self.needs
        dx, dy = select(x_wins, dz) if need_x else None, select(y_wins, dz) if need_y else None
        return (dx, dy) if self.z is None else self._bent(dx, dy, given)

    def _bent(self, dx: Any, dy: Any, dz: Any) -> Any:
        """With s = x + y and d = x − y, z is (s ± |d|) / 2: a kink of |d|."""
        z, here, d = self.z, self.sits(), lambda: self.x - self.y
        if dx is not None:
            dx = bent(dx, dz, z, z, here, 0.25, offset=d)
        return dx, None if dy is None else bent(dy, dz, z, z, here, -0.25, offset=d)

    def sits(self) -> Any:
        return plain(self.x) == plain(self.y)

    def kinks(self, x: Any, y: Any) -> Any:
        return x == y


class Maximum(Extremum):
    """z = max(x, y). A router: the gradient goes to the larger input, half to each where they are equal."""

    ufunc, symbol = np.maximum, "max"

    def forward(self, x: Any, y: Any) -> Any:
        self.x, self.y = x, y
        return self.kept(np.maximum(x, y))

    def wins(self, x: Any, y: Any) -> Any:
        return x > y


class Minimum(Extremum):
    """z = min(x, y). A router: the gradient goes to the smaller input, half to each where they are equal."""

    ufunc, symbol = np.minimum, "min"
    fold_sign = -1.0

    def forward(self, x: Any, y: Any) -> Any:
        self.x, self.y = x, y
        return self.kept(np.minimum(x, y))

    def wins(self, x: Any, y: Any) -> Any:
        return x < y


class Fmax(Extremum):
    """z = max(x, y), NaN ignored. A router: as `Maximum`, and all goes to the one input that is a number."""

    ufunc, symbol = np.fmax, "fmax"

    def forward(self, x: Any, y: Any) -> Any:
        self.x, self.y = x, y
        return self.kept(np.fmax(x, y))

    def wins(self, x: Any, y: Any) -> Any:
        return (x > y) | np.isnan(y)


class Fmin(Extremum):
    """z = min(x, y), NaN ignored. A router: as `Minimum`, and all goes to the one input that is a number."""

    ufunc, symbol = np.fmin, "fmin"
    fold_sign = -1.0

    def forward(self, x: Any, y: Any) -> Any:
        self.x, self.y = x, y
        return self.kept(np.fmin(x, y))

    def wins(self, x: Any, y: Any) -> Any:
        return (x < y) | np.isnan(y)


@implements(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """z = min(max(a, a_min), a_max): at a bound itself, half of the gradient flows."""
    _refuse(out, "clip")
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    z = a if low is None else np.maximum(a, low)
    return z if high is None else np.minimum(z, high)


class Where(Elementwise):
    """z = x where c, else y. A router: the gradient goes to the input that was taken; nothing flows into the other.

    Whatever the branch that was not taken holds, NaN or infinity, it stays there.
    """

    pattern, symbol = "router", "where"
    takes_complex = True

    def forward(self, c: Any, x: Any, y: Any) -> Any:
        self.c = c
        if type(x) is float and type(y) is float and isinstance(c, (bool, np.bool_)):
            return x if c else y
        z = np.where(c, x, y)
        return z[()] if type(z) is np.ndarray and not z.shape else z

    def backward(self, dz: Any) -> Any:
        _, need_x, need_y = self.needs
        dx = select(self.c, dz, is_hard=True) if need_x else None
        return None, dx, select(np.logical_not(self.c), dz, is_hard=True) if need_y else None

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Numbers, arrays, and all three broadcast against each other."""
        row, column = np.array([True, False, True]), np.array([[False], [True]])
        yield cls(), (True, 0.5, 2.0)
        yield cls(), (column ^ row, rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))
        yield cls(), (row, rng.normal(size=(2, 1)), rng.normal(size=3))
        yield cls(), (column, 0.5, rng.normal(size=3))


_TRUTHS = np.dtype(bool)


@implements(np.where)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """z = x where the condition holds, else y; with the condition alone, the indices of where it holds."""
    c = plain(condition)
    if x is None and y is None:
        return np.where(c)
    if not isinstance(c, (bool, np.bool_)) and getattr(c, "dtype", None) is not _TRUTHS:
        c = np.not_equal(c, 0)
    return Where()(c, x, y)


class Step(Elementwise):
    """z is constant between steps. A blocker: nothing flows.

    Kink: 0 at the steps too, where there is no subgradient at all.
    """

    pattern = "blocker"
    remembers_inputs = False
    domain = ((0.1, 0.4),)
    kink = "0, where the function jumps"

    def backward(self, dz: Any) -> Any:
        return None


class Sign(Step):
    """z = sign(x). A blocker: nothing flows; but of a complex x, z = x / |x|, which receives i · Im(z · dz) · conj(z) / |x|.

    Kink: 0 at x = 0.
    """

    ufunc, symbol = np.sign, "sign"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        z = np.sign(x)
        if is_complex(z):
            self.z, self.size = z, np.abs(x)
        return z

    def backward(self, dz: Any) -> Any:
        if not is_complex(dz):
            return None
        z, size = self.z, self.size
        zero = plain(size) == 0
        if occurs(zero):  # z is 0 there too: any size will do
            size = np.where(zero, 1.0, size)
        return np.conjugate(z) * (1j * (np.imag(z * dz) / size))

    def jvp(self, *tangents: Any) -> Any:
        """What `backward` makes of the conjugate, conjugated: z itself turns with x."""
        dz = self.backward(np.conjugate(tangents[0]))
        return None if dz is None else np.conjugate(dz)

    def kinks(self, x: Any) -> Any:
        return x == 0


class Floor(Step):
    """z = ⌊x⌋. A blocker: nothing flows."""

    ufunc, symbol = np.floor, "floor"

    def forward(self, x: Any) -> Any:
        return np.floor(x)

    def kinks(self, x: Any) -> Any:
        return x == np.floor(x)


class Ceil(Step):
    """z = ⌈x⌉. A blocker: nothing flows."""

    ufunc, symbol = np.ceil, "ceil"

    def forward(self, x: Any) -> Any:
        return np.ceil(x)

    def kinks(self, x: Any) -> Any:
        return x == np.floor(x)


class Trunc(Step):
    """z = x without its fraction. A blocker: nothing flows."""

    ufunc, symbol = np.trunc, "trunc"

    def forward(self, x: Any) -> Any:
        return np.trunc(x)

    def kinks(self, x: Any) -> Any:
        return (x == np.floor(x)) & (x != 0)


class Rint(Step):
    """z = the integer nearest to x. A blocker: nothing flows."""

    ufunc, symbol = np.rint, "rint"

    def forward(self, x: Any) -> Any:
        return np.rint(x)

    def kinks(self, x: Any) -> Any:
        return x - np.floor(x) == 0.5


class Round(Step):
    """z = x rounded to `decimals` decimals. A blocker: nothing flows."""

    symbol = "round"

    def __init__(self, decimals: int = 0) -> None:
        self.decimals = decimals

    def kinks(self, x: Any) -> Any:
        scaled = x * 10.0**self.decimals
        return scaled - np.floor(scaled) == 0.5

    def forward(self, x: Any) -> Any:
        return np.round(x, self.decimals)


@implements(np.round, np.around)
def round_(a: Any, decimals: int = 0, out: Any = None) -> Any:
    """z = a rounded to `decimals` decimals."""
    _refuse(out, "round")
    return Round(decimals=decimals)(a)


def _refuse(out: Any, name: str) -> None:
    if out is not None:
        raise EscapeError(
            f"np.{name} with out= would write a tracked variable into a plain array: use its result instead"
        )
