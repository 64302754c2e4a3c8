"""Tapes: whether and where gates are recorded, and the walk backwards through them.

There is no list of operations. Each gate knows its inputs, so the circuit hangs on its output and dies with it.
A *tape* is a number, its level: 0 for the variables that the user makes, a fresh and higher number for each call
of `grad` and the like. A gate is recorded on the highest level among its inputs; values of lower levels are
constants there. That is all it takes for nested derivatives to be right.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from gategrad.constant import Constant
from gategrad.errors import GateError, ReleasedError, UndecidedError
from gategrad.fit import backward_as_numpy, fit, method_of, wrong_count
from gategrad.forward import rescue_from
from gategrad.gate import Gate, derive, on_meeting
from gategrad.masked import Masked
from gategrad.postponed import Asked, Postponed, numbers_first, postpone
from gategrad.values import SEVERAL, Spec, conjugated, set_all

__all__ = [
    "AMBIENT",
    "UNTRACKED",
    "Origin",
    "Output",
    "Parts",
    "Pause",
    "answers",
    "leave",
    "next_level",
    "next_order",
    "paused",
    "paused_level",
    "send",
    "sweep",
    "walk",
]

AMBIENT = 0
"""The level of the variables that the user makes with `gg.variable`."""

UNTRACKED = -1
"""The level of values that remember no circuit: detached, or computed under `no_grad`."""

orders = itertools.count(0, -1)
next_order: Callable[[], int] = orders.__next__
"""Recording order, counted downwards."""

_levels = itertools.count(1)

paused_level: ContextVar[int] = ContextVar("gategrad_paused", default=UNTRACKED)
"""Gates are recorded only on levels above this number (`no_grad` raises it, for the current context alone)."""

paused: Callable[[], int] = paused_level.get


class Pause(int):
    """A level that is paused, with the one that was before: all that a block of `no_grad` or a watch changes.

    One object, so that a block is entered and left by one assignment, and Ctrl-C finds it open or closed.
    """

    outer: int

    def __new__(cls, level: int, outer: int) -> Pause:
        pause = super().__new__(cls, level)
        pause.outer = outer
        return pause


def leave(*_: Any) -> None:
    """Close the innermost block: the `__exit__` of all of them. Ctrl-C that comes meanwhile does not leave it open.

    There is one place where it would: the very entry of this function, where Python looks for signals before any `try`.
    """
    pause: Any = None
    try:
        pause = paused()
        paused_level.set(pause.outer)
    except BaseException:
        if pause is None:
            pause = paused()
        paused_level.set(pause.outer)
        raise


def next_level() -> int:
    """Open a tape: a level above everything that exists."""
    return next(_levels)


Origin = tuple[()] | tuple[Any, Any] | dict[Any, Any]
"""What a walk begins with: a gate and its gradient, or several of them."""


# --- the walk ------------------------------------------------------------------------------------------------

native_steps: Callable[..., None] | None = None
"""The common steps of `sweep` in C, as many as there are; `native.py` joins where they were built."""


def walk(root: Gate, dz: Any, *, retain: bool = False, keep: bool = False) -> dict[Any, Any]:
    """Send `dz` backwards from the output of `root`; return the gradient of every leaf that it reaches."""
    origin = root, dz
    return sweep([origin], {}, {}, retain, keep, origin)


def send(gradients: dict[Any, Any], *, retain: bool = False) -> dict[Any, Any]:
    """Send gradients backwards from where they are, gates or leaves, until they have all arrived at leaves."""
    gates = {source: [dz, -1] for source, dz in gradients.items() if isinstance(source, Gate)}
    leaves = {source: dz for source, dz in gradients.items() if source not in gates}
    return sweep([], gates, leaves, retain, False, gradients)


def sweep(
    ready: list[tuple[Gate, Any]],
    waiting: dict[Any, list[Any]],
    leaves: dict[Any, Any],
    retain: bool,
    keep: bool,
    origin: Origin = (),
) -> dict[Any, Any]:
    """The backward pass, from the gates that are ready to the leaves, whose gradients it gathers.

    A gate is visited once, when all that use its output (`gate.users`) have answered; until then it waits with what
    has arrived (the sum, and how many answers are missing). Users that the walk never comes to, because the output
    does not depend on them, leave gates waiting when nothing is ready: then those that it will come to are counted.
    No recursion anywhere, so the depth of a circuit has no limit.

    `origin` says what the walk began with, for rules that have to ask the circuit behind them.
    """
    kept: list[tuple[Gate, Any]] = []
    hasten = None if keep else native_steps
    while ready or waiting:
        if not ready:
            _recount(ready, waiting)
        if hasten is not None:
            hasten(ready, waiting, leaves, retain)  # until nothing is ready, or the next gate is an uncommon one
            if not ready:
                continue
        gate, dz = ready.pop()
        needs = gate.needs
        if not needs:
            raise _released(gate)
        if keep:
            kept.append((gate, conjugated(_readable(dz, gate.spec), gate.spec)))
        asked = dxs = None
        if type(dz) is Postponed:
            dxs = numbers_first(gate, dz)
            if dxs is None:
                dz = dz.masked()
            else:
                asked, dz = Asked(gate, dz), dz.value
        if dxs is None:
            if type(dz) is not float and (type(dz) is Parts or not gate.is_ours):
                dz = _handed(dz, gate)
            try:
                dxs = (None,) * len(gate.inputs) if dz is None else gate.backward(dz)
            except Exception as error:
                dxs = _recover(error, gate, dz, origin)
        if type(dxs) is not tuple:
            dxs = tuple(dxs) if type(dxs) is list else (dxs,)
        inputs = gate.inputs
        if len(dxs) != len(inputs):
            raise wrong_count(len(dxs), gate)
        index = -1
        for dx in dxs:
            index += 1
            source = inputs[index]
            if not needs[index]:
                if type(source) is Constant:
                    source.verify(type(gate).__name__, index)
                continue
            spec = source.spec
            if not spec:
                if type(dx) is not float and dx is not None:
                    dx = fit(dx, spec, gate, index, dz)
            elif type(dx) is _ARRAY:
                shape, dtype = spec
                if dx.shape != shape or dx.dtype is not dtype:
                    dx = fit(dx, spec, gate, index, dz)
            elif dx is not None:
                dx = fit(dx, spec, gate, index, dz)
            users = source.users
            if asked is not None and users and dx is not None and source.passes_masks:
                dx = Postponed(dx, asked, index)
            elif type(dx) is Masked:
                dx = postpone(dx, spec)
            if users == 1 and source not in waiting:
                ready.append((source, dx))
            elif users == 0:
                before = leaves.get(source)
                if before is None:
                    leaves[source] = dx
                elif dx is not None:
                    leaves[source] = before + dx
            elif source not in waiting:
                waiting[source] = [dx, users - 1]
            else:
                entry = waiting[source]
                entry[0] = _add(entry[0], dx)
                entry[1] -= 1
                if not entry[1]:
                    del waiting[source]
                    ready.append((source, entry[0]))
        if not retain:
            if gate.options:
                gate.release()
            else:  # the same, written out
                gate.needs = ()
                gate.__dict__.clear()
    for x, dx in leaves.items():
        if dx is None:
            leaves[x] = _readable(dx, x.spec)
    if kept:
        set_all([gate for gate, _ in kept], ["grad"] * len(kept), [dz for _, dz in kept])
    return leaves


_ARRAY = np.ndarray


def _recount(ready: list[tuple[Gate, Any]], waiting: dict[Any, list[Any]]) -> None:
    """Nothing is ready: count the answers that the gates from here to the leaves will really get.

    Those that get no more are ready. Of the others, those that have more users than answers wait from now on.
    """
    missing: dict[Any, int] = {}
    ahead = list(waiting)
    met = set(ahead)
    while ahead:
        gate = ahead.pop()
        for source, need in zip(gate.inputs, gate.needs):  # noqa: B905  (no needs: it has been released, and will say so)
            if need and source.users:
                missing[source] = missing.get(source, 0) + 1
                if source not in met:
                    met.add(source)
                    ahead.append(source)
    for gate, count in missing.items():
        if gate in waiting:
            waiting[gate][1] = count
        elif count != gate.users:
            waiting[gate] = [None, count]
    ready += [(gate, waiting.pop(gate)[0]) for gate in list(waiting) if gate not in missing]


def _released(gate: Gate) -> ReleasedError:
    return ReleasedError(
        f"backward() came a second time to {type(gate).__name__}, which has already handed back what it "
        "remembered. Pass retain=True to the first backward(), or run the forward pass again."
    )


def _add(dx: Any, dy: Any) -> Any:
    """Add the gradients of two branches; None, where nothing flows, adds nothing."""
    if dx is None or dy is None:
        return dy if dx is None else dx
    return dy + dx if type(dy) is Postponed else dx + dy


def _readable(dz: Any, spec: Spec) -> Any:
    """A gradient in the form in which people read it: zeros where nothing flowed."""
    if dz is None and spec is not SEVERAL:
        return np.zeros(*spec)[()] if spec else 0.0
    if type(dz) is Postponed:
        return dz.value
    if type(dz) is Masked:
        dz = dz.resolve()
        return float(dz) if not spec and isinstance(dz, (np.ndarray, np.generic)) else dz
    return dz


def _handed(dz: Any, gate: Gate) -> Any:
    """The upstream gradient as the rule gets it: a tuple for several outputs; an array that it cannot write into."""
    if type(dz) is Parts:
        return tuple(dz.parts)
    if type(dz) is np.ndarray and not gate.is_ours:
        dz = dz.view()
        dz.flags.writeable = False  # other gates may have been handed the same array
    elif type(dz) in on_meeting and type(dz) is not Masked:
        dz = np.positive(dz)  # or the same variable, or symbol
    return dz


def _recover(error: Exception, gate: Gate, dz: Any, origin: Origin = ()) -> Any:
    """Answer as NumPy would where Python's numbers raise, ask the circuit where a rule cannot tell; else say what failed."""
    if isinstance(error, UndecidedError) and origin:
        try:
            return derive["undecided"](gate, dz, origin, error)
        except UndecidedError:
            raise
        except Exception as answer:  # all there is to say; that the rule had to ask is of no interest
            raise answer from None
    rescue = rescue_from(error)
    if rescue is not None:
        return rescue.backward(gate, dz)
    if isinstance(error, (ZeroDivisionError, OverflowError)):
        return backward_as_numpy(gate, dz)
    if type(error) is ValueError and "read-only" in str(error):
        raise GateError(
            f"{method_of(gate)} wrote into dz or into a value: other gates have been handed the same array. "
            "Compute a new one (2 * dz rather than dz *= 2)"
        ) from error
    raise error


def answers(gate: Gate, dz: Any) -> tuple[Any, ...]:
    """What the rule of one gate answers to `dz`, each gradient in the look of its input; nothing moves on."""
    if not gate.needs:
        raise _released(gate)
    try:
        dxs = gate.backward(_handed(dz, gate))
    except Exception as error:
        dxs = _recover(error, gate, dz)
    dxs = tuple(dxs) if isinstance(dxs, (tuple, list)) else (dxs,)
    if len(dxs) != len(gate.inputs):
        raise wrong_count(len(dxs), gate)
    return tuple(
        [
            fit(dx, gate.inputs[n].spec, gate, n, dz) if need and dx is not None else None
            for n, (dx, need) in enumerate(zip(dxs, gate.needs, strict=True))
        ]
    )


derive["answers"] = answers


class Parts:
    """The gradient of a gate with several outputs while it is being gathered: one entry per output, None if unused."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts

    def __add__(self, other: Parts) -> Parts:
        return Parts(
            [b if a is None else a if b is None else a + b for a, b in zip(self.parts, other.parts, strict=True)]
        )


class Output(Gate):
    """One of the several outputs of a gate whose `forward` returns a tuple; its `backward` gets a tuple too."""

    pattern = "router"
    remembers_inputs = False

    def __init__(self, index: int, count: int) -> None:
        self.index = index
        self.count = count

    def forward(self, outputs: tuple[Any, ...]) -> Any:
        return outputs[self.index]

    def backward(self, dz: Any) -> Parts:
        parts = [None] * self.count
        parts[self.index] = dz
        return Parts(parts)

    def jvp(self, *tangents: Any) -> Any:
        (outputs,) = tangents
        return outputs[self.index]
