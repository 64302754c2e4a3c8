"""BlackBox: a gate that only knows how to run, and is differentiated by central differences."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from gategrad.errors import DtypeError, NotTraceableError, describe
from gategrad.gate import Gate
from gategrad.masked import Masked
from gategrad.slopes import moved, step_at
from gategrad.variable import Variable

__all__ = ["BlackBox"]


class BlackBox(Gate):
    """A gate with `forward` alone, which sees plain floats and arrays, and whose gradient is central differences.

    To ask for that is to subclass this kind: no other gate is ever differentiated numerically. For the gradient
    `forward` runs twice for each element of each input that needs one, for a tangent twice in all. Gradients are right
    to about ten digits of float64 (five of a second derivative, and none of a third), to five of float32. `forward`
    must answer the same for the same inputs. Pictures draw such gates dashed; compiled functions call them on the host.

    `step` is the step relative to the larger of |x| and 1: by default the third root of the dtype's precision.

    >>> import math, gategrad as gg
    >>> class Gamma(gg.BlackBox):
    ...     def forward(self, x):
    ...         return math.gamma(x)
    >>> round(gg.grad(lambda x: Gamma()(x))(2.0), 6)
    0.422784
    """

    pattern = "black box"

    step: ClassVar[float | None] = None
    """The step of the differences, relative to the larger of |x| and 1."""

    _at: tuple[Any, ...]  # the inputs

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "forward" in cls.__dict__:
            cls.forward = _on_plain_values(cls.forward)  # type: ignore[method-assign]

    def backward(self, dz: Any) -> Any:
        parts = dz if type(dz) is tuple else (dz,)
        given = [n for n, part in enumerate(parts) if part is not None]
        needed = [n for n, need in enumerate(self.needs) if need]
        slopes = _Slopes(self.fresh(), len(self._at), needed, given)
        answered = slopes(*self._at, *[_resolved(parts[n]) for n in given])
        found = iter(answered if type(answered) is tuple else (answered,))
        return tuple([next(found) if need else None for need in self.needs])

    def jvp(self, *tangents: Any) -> Any:
        moving = [n for n, dx in enumerate(tangents) if dx is not None]
        return _Along(self.fresh(), len(self._at), moving)(*self._at, *[tangents[n] for n in moving])


def _on_plain_values(forward: Callable[..., Any]) -> Callable[..., Any]:
    """`forward`, but for variables of a lower tape, where the gate is recorded, and for symbols, which the host calls."""

    @functools.wraps(forward)
    def run(self: BlackBox, *inputs: Any) -> Any:
        if any(self.needs):
            self._at = inputs
        if any(type(x) is Variable for x in inputs):
            return self.fresh()(*inputs)
        for x in inputs:
            if not isinstance(x, (float, int, np.ndarray, np.generic)):
                raise NotTraceableError(f"{type(self).__name__} is a black box: it runs on the host")
            if getattr(x, "dtype", np.dtype(float)).kind == "c":
                raise DtypeError(
                    f"{type(self).__name__} is a black box, but an input is {describe(x)}: split it in two"
                )
        return forward(self, *inputs)

    return run


class _Slopes(BlackBox):
    """dx_i = Σ dz · (f(x + h e_i) − f(x − h e_i)) / 2h, of several inputs. A black box itself."""

    def __init__(self, gate: Any, count: int, needed: Sequence[int], given: Sequence[int]) -> None:
        self.gate, self.count, self.needed, self.given = gate, count, needed, given

    def forward(self, *inputs: Any) -> Any:
        xs, dzs = inputs[: self.count], inputs[self.count :]
        found = tuple([self._of_input(xs, n, dzs) for n in self.needed])
        return found if len(found) > 1 else found[0]

    def _of_input(self, xs: tuple[Any, ...], n: int, dzs: tuple[Any, ...]) -> Any:
        x = np.array(xs[n])
        dx = np.zeros(x.shape, x.dtype)
        for index in np.ndindex(x.shape):
            h = step_at(x[index], x.dtype, self.gate.step)
            sides = [np.asarray(moved(x, index, sign * h)) for sign in (1, -1)]
            ends = [_run(self.gate, (*xs[:n], _like(side, xs[n]), *xs[n + 1 :])) for side in sides]
            change = sum(np.sum((ends[0][m] - ends[1][m]) * dz) for m, dz in zip(self.given, dzs, strict=True))
            dx[index] = change / (sides[0][index] - sides[1][index])  # the step that was taken, after rounding
        return _like(dx, xs[n])


class _Along(BlackBox):
    """dz = (f(x + h dx) − f(x − h dx)) / 2h, all inputs at once. A black box itself."""

    def __init__(self, gate: Any, count: int, moving: Sequence[int]) -> None:
        self.gate, self.count, self.moving = gate, count, moving

    def forward(self, *inputs: Any) -> Any:
        xs, dxs = inputs[: self.count], dict(zip(self.moving, inputs[self.count :], strict=True))
        longest = max([float(np.max(np.abs(dx), initial=0.0)) for dx in dxs.values()])
        largest = max([1.0, *[float(np.max(np.abs(xs[n]), initial=0.0)) for n in dxs]])
        dtype = np.result_type(*[np.asarray(xs[n]).dtype for n in dxs])
        h = step_at(largest, dtype, self.gate.step) / longest if longest else 1.0
        ends = []
        for sign in (1, -1):
            side = [_like(np.asarray(x + sign * h * dxs[n]), x) if n in dxs else x for n, x in enumerate(xs)]
            ends.append(_run(self.gate, side))
        slopes = tuple([(above - below) / (2 * h) for above, below in zip(*ends, strict=True)])
        return slopes if len(slopes) > 1 else slopes[0]


def _run(gate: BlackBox, xs: Sequence[Any]) -> tuple[Any, ...]:
    z = gate.fresh()(*xs)
    return z if type(z) is tuple else (z,)


def _like(x: Any, other: Any) -> Any:
    """An array as a float if the other is one."""
    return float(x) if type(other) is float else x[()]


def _resolved(dz: Any) -> Any:
    return dz.resolve() if type(dz) is Masked else dz
