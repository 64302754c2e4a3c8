"""Folds: ties of which it is certain that the gradient jumps there, so that there is no second derivative to be found.

At a tie z = max(x, y) is smooth but for ½ |d|, d = x − y, and what it is multiplied by is dz: the gradient jumps by
dz · ∇d across the surface d = 0. Kinks cancel where surfaces are the same: max · min is x · y. So all elements that tie
are sorted by their surfaces, that is by how d moves along two directions in general position, and if on none of these
the jumps cancel, f is folded along each of them. The conventions are then all that there is to be said, for no number
has an exact value that they miss: where f is smooth across some of the kinks, it depends on each of the slopes alone, and
the middle of those is the middle of what it tends to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gategrad.gates.bends import Kinked, Tie
from gategrad.transforms.push import Circuit
from gategrad.values import spec_of
from gategrad.variable import Variable

__all__ = ["are_folds"]


def are_folds(ties: Sequence[Callable[[], Tie | None]]) -> bool:
    """Whether the gradient jumps at all of some ties."""
    found: dict[Any, Any] = {}
    for known in ties:
        tie = known()
        gate: Any = tie.gate() if tie is not None else None
        if tie is None or not isinstance(gate, Kinked) or not gate.fold:
            return False
        if gate in found and not np.array_equal(found[gate][1], tie.dz):
            return False
        found[gate] = tie.where, tie.dz
    moves = _moves(list(found))
    if moves is None:
        return False
    parts = []
    for (gate, (where, dz)), d in zip(found.items(), moves, strict=True):
        where = np.broadcast_to(where, np.shape(d[0]))
        parts.append([x[where] for x in (*d, gate.fold_sign * np.broadcast_to(dz, where.shape) * np.abs(d[0]))])
    one, other, jumps = (np.concatenate([np.ravel(x) for x in column]) for column in zip(*parts, strict=True))
    return bool(one.all()) and _never_cancel(other / one, jumps)


def _never_cancel(surfaces: Any, jumps: Any) -> bool:
    """Whether the sum of the jumps on each surface is none that is left of larger ones."""
    order = np.argsort(surfaces)
    surfaces, jumps = surfaces[order], jumps[order]
    begins = np.flatnonzero(np.diff(surfaces, prepend=-np.inf) > _SAME * (1.0 + np.abs(surfaces)))
    total, size = np.add.reduceat(jumps, begins), np.add.reduceat(np.abs(jumps), begins)
    return bool((np.abs(total) > _CANCELLED * size).all())


_SAME, _CANCELLED = 1e-6, 1e-4
_SEED = 468


def _moves(gates: list[Any]) -> list[tuple[Any, Any]] | None:
    """How the d of each gate moves along two directions in general position; None if the circuit behind is gone."""
    if not gates or not all(gate.needs and gate.level == gates[0].level for gate in gates):
        return None
    sources = [x for gate in gates for x, need in zip(gate.inputs, gate.needs, strict=True) if need]
    if any(x.spec and x.spec[1].kind != "f" for x in sources):
        return None  # the size of complex numbers is no fold but a cone
    circuit = Circuit.behind(*sources)
    leaves = circuit.leaves
    if not all(
        isinstance(x.raw, (float, np.ndarray, np.generic)) and np.asarray(x.raw).dtype.kind == "f" for x in leaves
    ):
        return None
    rng = np.random.default_rng(_SEED)
    pushed = [iter(circuit.push({x: _general(x, rng) for x in leaves})) for _ in range(2)]
    return [(_fold(gate, pushed[0]), _fold(gate, pushed[1])) for gate in gates]


def _general(x: Variable, rng: Any) -> Any:
    spec = spec_of(x.raw)
    return float(rng.normal()) if not spec else rng.normal(size=spec[0]).astype(spec[1])[()]


def _fold(gate: Any, tangents: Any) -> Any:
    d = np.zeros(gate.spec[0] if gate.spec else ())
    for factor, need in zip(gate.fold, gate.needs, strict=True):
        dx = next(tangents) if need else None
        if dx is not None:
            d = d + factor * np.asarray(dx, np.float64)
    return d
