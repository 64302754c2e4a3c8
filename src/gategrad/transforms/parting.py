"""parting: gradients where values of a decomposition coincide, from how the circuit behind it minds their moving apart.

There the rule comes to 0 / 0 (`gates/linalg/parted.py`): M_ij over w_j − w_i, where M, made of the upstream gradient, vanishes with the
gap for every loss that is a function of the matrix alone. So the circuit between the gate and where the walk began is computed once more, on a
tape of its own, with w + ε t in place of w, where no two values that coincide have the same t. The matrix v (w + ε t) vᴴ has these very
vectors. With Dᵏ = dᵏM_ij/dεᵏ, from M_ij(w − λ t) = 0 for λ = (w_j − w_i) / (t_j − t_i) follows

    M_ij / (w_j − w_i) = [D¹ − λ/2 D² + λ²/6 D³ − …] / (t_j − t_i).

At values that coincide λ is zero, but its derivatives are not; so as many terms are written out as w has tapes around it, and one more.

Whether the loss is a function of the matrix, is seen by asking twice: in another basis, with another t, the answer must be the same.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from gategrad.constant import Constant
from gategrad.errors import GategradError, NoGradientError, StaleError, UndecidedError
from gategrad.gate import Gate, derive
from gategrad.gates.linalg.matrices import known, no_gradient, tapes_around
from gategrad.gates.linalg.parted import Divide, Limits, Noted, Parted, Plain, anywhere, refuse
from gategrad.masked import resolved
from gategrad.recording import leaf, plain
from gategrad.tape import Origin, Output, Parts, next_level, send
from gategrad.transforms.behind import gates_behind, once_more
from gategrad.transforms.push import Circuit
from gategrad.variable import Variable

__all__ = ["decided"]


def decided(gate: Parted, dz: Any, origin: Origin, undecided: UndecidedError) -> Any:
    """What the rule of a gate answers where values coincide; `NoGradientError` if the loss minds their order or basis."""
    dz = resolved(tuple(dz.parts) if type(dz) is Parts else dz)
    values = gate.outputs[gate.at]
    seeds = origin if isinstance(origin, dict) else dict((origin,)) if origin else {}
    if gate in seeds or not all(np.isfinite(known(part)).all() for part in dz if part is not None):
        return gate.rule(dz, Plain())  # somebody asks for this gate alone; or for what is NaN in any case
    behind = Behind(gate, seeds, dz)
    asked = _asked.get()
    if asked:  # within another's circuit, which has been found to be of the matrix alone
        if asked > 1:
            raise _too_deep(gate)
        _, limits = behind.look(gate.together(), min(tapes_around(values), asked) + 1, None, uneven=False)
        return gate.rule(dz, limits)
    try:
        if not gate.uses_vectors(dz):
            seen, _ = behind.look(gate.together(), 1, None, uneven=False)
            return gate.rule(seen, Plain())
        other = gate.elsewhere()
        sizes = behind.sizes(other)
        here, limits = behind.look(gate.together(), tapes_around(values) + 1, sizes, uneven=False)
        with np.errstate(invalid="ignore"):
            agree = _agree(here, dz, gate.at, sizes, known(values))
        if not agree:
            raise undecided
        seen, others = behind.look(other, 1, sizes, uneven=True, bare=True)
    except (NoGradientError, StaleError):
        raise
    except Exception as error:
        if not isinstance(error, GategradError) and behind.is_ours:
            raise
        if tapes_around(values):
            raise undecided from None
        return gate.rule(dz, Plain())  # behind is a rule that has no gradient itself: as far as one can tell without
    with np.errstate(invalid="ignore"):
        answer, another = gate.rule(here, limits), other.rule(seen, others)
        differ = _differ(known(answer), known(another), gate.at, sizes, known(values))
    if differ:
        if all(type(seed) is Output and seed.inputs[0] is gate for seed in seeds):
            raise undecided  # nothing is behind: a program that computes this gate on the host does not see what is
        raise gate.minds()
    return answer


derive["undecided"] = decided

_asked: ContextVar[int] = ContextVar("gategrad_asked", default=0)
"""How many derivatives of a circuit that is being looked at are wanted: more are of no use inside it."""


def _too_deep(gate: Parted) -> NoGradientError:
    why = "values coincide in this decomposition and in one before it, and second derivatives of the two take too long"
    return no_gradient(gate.function, why, "Use gg.spectral for one of them, or perturb the matrix")


class Behind:
    """The circuit between a gate and where a walk began."""

    def __init__(self, gate: Parted, seeds: dict[Any, Any], dz: tuple[Any, ...]) -> None:
        self._gate, self._dz = gate, dz
        self._seeds = {source: dz for source, dz in seeds.items() if isinstance(source, Gate)}
        between = gates_behind(self._seeds, {gate})
        for copied in between:
            for n, source in enumerate(copied.inputs):
                if type(source) is Constant:
                    source.verify(type(copied).__name__, n)
        self._gates = [copied for copied in between if not self._is_output(copied)]

    @property
    def is_ours(self) -> bool:
        """Whether all gates come with the library, so that what they raise is worth seeing."""
        return all(gate.is_ours for gate in self._gates)

    def _is_output(self, source: Any) -> bool:
        return type(source) is Output and source.inputs[0] is self._gate

    def sizes(self, gate: Parted) -> list[Any]:
        """How large what arrives at each output is, before it is added up: what is small beside that is rounding."""
        copies: list[list[Variable]] = [[] for _ in gate.outputs]
        level = next_level()

        def copy(n: int) -> Variable:
            copies[n].append(leaf(gate.outputs[n], level))
            return copies[n][-1]

        with np.errstate(all="ignore"):
            arrived = self._again(copy, level, bare=True)
        sizes = []
        for x, group in zip(gate.outputs, copies, strict=True):
            found = [np.abs(resolved(arrived[x])) for x in group if arrived.get(x) is not None]
            sizes.append(functools.reduce(np.maximum, found, np.zeros(x.shape, np.abs(x).dtype)))
        return sizes

    def look(
        self, gate: Parted, terms: int, sizes: Sequence[Any] | None, *, uneven: bool, bare: bool = False
    ) -> tuple[Any, Divide]:
        """What arrives at the outputs of the gate if they are as this one has them, and the limits; of plain numbers, if `bare`."""
        token = _asked.set(terms)
        try:
            with np.errstate(all="ignore"):
                return self._look(gate, terms, sizes, uneven, bare)
        finally:
            _asked.reset(token)

    def _look(
        self, gate: Parted, terms: int, sizes: Sequence[Any] | None, uneven: bool, bare: bool
    ) -> tuple[Any, Divide]:
        at, outputs = gate.at, list(gate.outputs)
        t = gate.apart(uneven=uneven).astype(known(outputs[at]).dtype)
        moving = []
        for _ in range(terms):
            outputs[at] = leaf(outputs[at], next_level())
            moving.append(outputs[at])
        level = next_level()
        leaves = [leaf(x, level) for x in outputs]
        found = self._again(leaves.__getitem__, level, bare=bare)
        arrived = tuple([_like(resolved(found.get(x)), dz) for x, dz in zip(leaves, self._dz, strict=True)])
        noted = Noted()
        gate.rule(arrived, noted)
        values, limits = gate.outputs[at], []
        for part, gap, _, refusals in noted.parts:
            slopes = _slopes(part, moving, t)
            if sizes is not None:
                size = _most([_largest(x) for n, x in enumerate(sizes) if n != at])[..., None, None]
                whole = np.maximum(size, _scale(slopes[0], values))
                refuse(part, np.abs(known(part)) > _tolerance(t.dtype) * whole, refusals)
            limits.append(_limit(slopes, gap(values), gap(t), anywhere(refusals)))
        return tuple([None if part is None else _still(part, moving) for part in arrived]), Limits(iter(limits))

    def _again(self, output: Callable[[int], Any], level: int, *, bare: bool) -> dict[Any, Any]:
        """Compute the circuit again on the tape `level`, from these outputs of the gate on: what is sent back to its leaves."""

        def given(source: Any) -> Any:
            return output(source.index) if self._is_output(source) else self._constant(source, bare)

        made = once_more(self._gates, given)
        gradients: dict[Any, Any] = {}
        for seed, dz in self._seeds.items():
            z = made[seed] if seed in made else given(seed)
            if type(z) is Variable and z.level == level:
                gradients[z.gate or z] = _bare(dz) if bare else dz
        return send(gradients, retain=True)

    def _constant(self, source: Any, bare: bool) -> Any:
        if type(source) is Constant:
            return source.array
        if type(source) is not Variable:
            return source
        return plain(source) if bare else source.raw if source.level == self._gate.level else source


def _bare(dz: Any) -> Any:
    return plain(resolved(dz))


def _slopes(x: Any, moving: Sequence[Variable], t: Any) -> list[Any]:
    """The derivatives of x along t, from the first to as high a one as there are tapes."""
    found = []
    for order in range(1, len(moving) + 1):
        slope = x
        for place, values in reversed(list(enumerate(moving))):
            slope = _pushed(slope, values, t) if place < order else _outside(slope, values.level)
        found.append(slope)
    return found


def _pushed(x: Any, values: Variable, t: Any) -> Any:
    (dx,) = Circuit([x], values.level).push({values: t})
    return np.zeros(x.shape, x.dtype) if dx is None else resolved(dx)


def _outside(x: Any, level: int) -> Any:
    return x.raw if type(x) is Variable and x.level == level else x


def _still(x: Any, moving: Sequence[Variable]) -> Any:
    for values in reversed(moving):
        x = _outside(x, values.level)
    return x


def _scale(slope: Any, values: Any) -> Any:
    """What a part would be if values were not small: its slope times the largest of them."""
    largest = np.abs(known(values)).max(axis=-1, initial=0.0)
    return np.abs(known(slope)).max(axis=(-2, -1), keepdims=True, initial=0.0) * largest[..., None, None]


def _like(found: Any, before: Any) -> Any:
    """What arrives, where something arrived before."""
    if before is None or found is not None:
        return None if before is None else found
    return np.zeros(before.shape, before.dtype)


def _limit(slopes: list[Any], gap: Any, apart: Any, vanishes: Any) -> Any:
    """The series above, where both vanish."""
    apart = np.where(vanishes & (apart != 0), apart, np.ones((), apart.dtype))
    total = slopes[0]
    if len(slopes) > 1:
        ratio = np.where(vanishes, (gap - plain(gap)) / apart, 0.0)
        power: Any = 1.0
        for order, slope in enumerate(slopes[1:], start=2):
            power = power * -ratio
            total = total + power * slope / math.factorial(order)
    return total / apart


# --- whether two answers are the same ------------------------------------------------------------------------------


def _tolerance(dtype: Any) -> float:
    """Far above what rounding makes of two ways to compute the same, far below what the choice of a basis does."""
    return 10.0 * float(np.sqrt(np.finfo(dtype).eps))


def _agree(xs: Sequence[Any], ys: Sequence[Any], at: int, sizes: Sequence[Any], values: Any) -> bool:
    """Whether the same has arrived at the outputs as before."""
    whole = _whole(at, sizes, values).max(initial=0.0)
    for n, (x, y) in enumerate(zip(xs, ys, strict=True)):
        if x is not None:
            size = max(sizes[n].max(initial=0.0), whole if n == at else whole * np.abs(values).max(initial=0.0))
            if not np.all(np.abs(known(x) - known(y)) <= _tolerance(values.dtype) * size):  # NaN agrees with nothing
                return False
    return True


def _differ(x: Any, y: Any, at: int, sizes: Sequence[Any], values: Any) -> bool:
    """Whether two gradients of a matrix differ by more than rounding of what they are made of."""
    whole = _most([_largest(np.abs(x)), _largest(np.abs(y)), _whole(at, sizes, values)])
    return not np.all(_largest(np.abs(x - y)) <= _tolerance(x.dtype) * whole)


def _whole(at: int, sizes: Sequence[Any], values: Any) -> Any:
    """How large the gradient of a matrix is that is made of such parts: of values as they are, of vectors over the largest value."""
    largest = np.abs(values).max(axis=-1, initial=0.0)
    largest = np.where(largest > 0, largest, np.inf)
    return _most([x.max(axis=-1, initial=0.0) if n == at else _largest(x) / largest for n, x in enumerate(sizes)])


def _largest(x: Any) -> Any:
    return x.max(axis=(-2, -1), initial=0.0)


def _most(parts: Sequence[Any]) -> Any:
    return functools.reduce(np.maximum, parts)
