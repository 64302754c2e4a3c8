"""explain: where a NaN, an infinity or a zero came from, by gate and by line of the user's code."""

from __future__ import annotations

import dataclasses
import html
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.check.fault import Fault, fault_of, is_bad, is_zero, kind_of, numbers
from gategrad.check.patterns import meets_zero, why_bad, why_taken, why_zero
from gategrad.errors import NotTrackedError
from gategrad.gate import Gate
from gategrad.tape import send
from gategrad.transforms.behind import gates_behind
from gategrad.transforms.containers import flatten
from gategrad.transforms.derivative import Derivative
from gategrad.transforms.vjp import run
from gategrad.variable import Variable
from gategrad.watch import Note, Watch, attach, attached, detach

__all__ = ["Explanation", "Finding", "explain"]

_MOST = 3  # gates named for one gradient that is zero


@dataclasses.dataclass(frozen=True)
class Finding:
    """What became of the gradient of one input."""

    name: str
    gradient: Any
    verdict: str  # "fine", "NaN", "Inf" or "zero"
    faults: tuple[Fault, ...] = ()  # the gates at fault, in the order in which it happened
    note: str = ""  # what there is to say if no gate is at fault

    def __str__(self) -> str:
        size = int(np.size(self.gradient))
        if self.verdict == "fine":
            return f"gradient of {self.name}: fine"
        if self.verdict == "zero":
            head = f"gradient of {self.name}: zero{' everywhere' * (size != 1)}"
        else:
            count = int(np.count_nonzero(~np.isfinite(self.gradient)))
            head = f"gradient of {self.name}: {self.verdict}" + (f" in {count} of {size} elements" if size != 1 else "")
        return head + (f": {self.note}" if self.note else "")


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What `explain` found. `str()` of it is for people."""

    function: str
    value: Any
    findings: tuple[Finding, ...]
    forward: tuple[Fault, ...]  # gates that made a value NaN or infinite of finite ones
    taken: tuple[Fault, ...] = ()  # gates at which 0 · inf was taken for 0
    remarks: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether value and gradients are finite, and no gradient is zero everywhere."""
        return all(f.verdict == "fine" for f in self.findings) and not is_bad(self.value)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All gates at fault, those of the gradients first."""
        seen: list[Fault] = []
        for fault in (*(fault for f in self.findings for fault in f.faults), *self.forward):
            if not any(fault is other for other in seen):
                seen.append(fault)
        return tuple(seen)

    @property
    def first(self) -> Fault | None:
        """The first gate at fault; None if there is none."""
        return self.faults[0] if self.faults else None

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        lines = list(self.remarks)
        if is_bad(self.value):
            lines.append(f"value of {self.function}: {kind_of(self.value)}")
        lines += map(str, self.findings)
        told: list[Fault] = []
        for finding in self.findings:
            for fault in finding.faults:
                if not any(fault is other for other in told):
                    told.append(fault)
                    cut = "the gradient is cut" if fault.kind == "zero" else f"the gradient becomes {fault.kind}"
                    lines += ["", f"{cut} in {fault}"]
        origin = self.forward[0] if self.forward and not self.ok else None
        if origin is not None and (origin.gate, origin.place) not in [(fault.gate, fault.place) for fault in told]:
            lines += ["", f"before that, a value becomes {origin.kind} in {origin}"]
        for fault in self.taken:
            lines += ["", f"a choice was made in {fault}"]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


class _Trail(Watch):
    """All that a watch can see, in order: applications, values and gradients that go bad, gradients that are cut."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.forward: list[Fault] = []
        self.bad: list[Fault] = []
        self.cuts: list[tuple[Gate, int, Fault]] = []
        self.taken: list[Fault] = []

    def noted(self, note: Note) -> None:
        self.notes.append(note)
        if note.z is not None and is_bad(note.z) and not any(map(is_bad, note.values)) and not note.inner:
            self.forward.append(fault_of(note, kind_of(note.z), why_bad(note)))

    def answered(self, note: Note, dz: Any, dxs: tuple[Any, ...]) -> None:
        came = numbers(dz)
        if note.gate.is_steep and meets_zero(note, dz):
            index = note.gate.needs.index(True)
            self.taken.append(fault_of(note, "0 · inf", why_taken(note), came, index, numbers(dxs[index])))
        for index, (dx, need) in enumerate(zip(map(numbers, dxs), note.gate.needs, strict=False)):
            if not need:
                continue
            if is_bad(dx) and (not is_bad(came) or (kind_of(dx) == "NaN" != kind_of(came))):
                self.bad.append(fault_of(note, kind_of(dx), why_bad(note, came), came, index, dx))
            elif is_zero(dx) and not is_zero(came):
                self.cuts.append((note.gate, index, fault_of(note, "zero", why_zero(note), came, index, dx)))

    def users_of(self, source: Any) -> set[Any]:
        """The gates through which a leaf reaches the output, by the notes."""
        reached: set[Any] = {source}
        for note in self.notes:
            if any(x in reached for x in note.sources if isinstance(x, (Gate, Variable))):
                reached.add(note.gate)
        return reached - {source}


def explain(f: Any, *args: Any, argnums: int | tuple[int, ...] | None = None, **options: Any) -> Explanation:
    """Say where a gradient that is NaN, infinite or zero everywhere came from: gate, line, values, remedy.

    `f` is a function of `args`, or what `gg.grad`, `gg.value_and_grad` or `gg.compile` made of one: it is run once,
    eagerly, with every gate watched. An output that is no single number counts as its sum. `argnums` are the
    arguments in question, all that can have a gradient if not given. `f` may also be a variable that was computed by
    gates: then its circuit is walked, and lines are known of what was computed under `gg.detect_anomaly()`.

    Returns an `Explanation`: print it, or read `ok`, `first`, `faults`, `findings`.

    >>> import numpy as np, gategrad as gg
    >>> report = gg.explain(lambda x: np.sqrt(x) * 2.0, 0.0)
    >>> report.ok, report.first.gate, report.first.pattern
    (False, 'Sqrt', 'the slope of a root is infinite at 0')
    """
    if isinstance(f, Variable):
        return _of_variable(f)
    f, wanted, remarks = _unwrapped(f)
    argnums = wanted if argnums is None else argnums
    if argnums is None:
        argnums = tuple(n for n, x in enumerate(args) if _is_real(x))
    chosen = argnums if isinstance(argnums, tuple) else (argnums,)
    trail = _Trail()
    with trail, np.errstate(all="ignore"):
        level, output, leaves, _ = run(f, args, options, chosen)
        outputs = [z for z in flatten(output)[0] if type(z) is Variable]
        sent = send(_seeds([z for z in outputs if z.level == level]))
    names = _names(f, args, chosen, leaves)
    findings = tuple(
        _finding(name, leaf, numbers(sent.get(leaf)), trail)
        for group, labels in zip(leaves, names, strict=True)
        for leaf, name in zip(group, labels, strict=True)
    )
    values = tuple(numbers(z) for z in outputs) if len(outputs) != 1 else numbers(outputs[0])
    name = getattr(f, "__name__", repr(f))
    return Explanation(name, values, findings, tuple(trail.forward), tuple(trail.taken), remarks)


def _of_variable(z: Variable) -> Explanation:
    if z.gate is None or not z.gate.needs:
        raise NotTrackedError(
            "gg.explain of a variable walks its circuit, and this one has none (any more): explain it before "
            "backward(), or call backward(retain=True)"
        )
    trail = _Trail()
    gates = gates_behind([z.gate])
    before = {gate: attached(gate) for gate in gates}
    try:
        for gate, known in before.items():
            note = known if known is not None else Note(gate, None, ())
            attach(note, (trail,))
            trail.noted(note)
        with np.errstate(all="ignore"):
            sent = send(_seeds([z]), retain=True)
    finally:
        for gate, known in before.items():
            detach(gate) if known is None else attach(known, known.watches)
    leaves = [x for gate in reversed(gates) for x in gate.inputs if type(x) is Variable]
    findings = []
    for n, leaf in enumerate(dict.fromkeys(leaves)):
        findings.append(_finding(leaf.name or f"leaf {n}", leaf, numbers(sent.get(leaf)), trail))
    remarks = () if any(note.place for note in trail.notes) else (_NO_LINES,)
    return Explanation(
        z.name or "the variable", numbers(z), tuple(findings), tuple(trail.forward), tuple(trail.taken), remarks
    )


_NO_LINES = "the circuit was not computed under gg.detect_anomaly(), so its lines and values are not known"


def _seeds(outputs: list[Variable]) -> dict[Any, Any]:
    seeds: dict[Any, Any] = {}
    for z in outputs:
        source = z.gate or z
        one = np.ones(z.shape, z.dtype)[()] if z.spec else 1.0
        seeds[source] = seeds[source] + one if source in seeds else one
    return seeds


def _finding(name: str, leaf: Any, gradient: Any, trail: _Trail) -> Finding:
    if gradient is not None and is_bad(gradient):
        kind = kind_of(gradient)
        users = trail.users_of(leaf)
        faults = tuple(trail.bad[:1]) + tuple(f for f in trail.bad[1:] if f.kind == "NaN" != trail.bad[0].kind)[:1]
        note = "" if faults or not users else "it came in with the upstream gradient"
        return Finding(name, gradient, kind, faults, note)
    if not is_zero(gradient):
        return Finding(name, gradient, "fine")
    zeros = np.zeros(leaf.shape) if gradient is None else gradient
    users = trail.users_of(leaf)
    if not users:
        return Finding(name, zeros, "zero", (), _UNUSED)
    cuts = [
        fault
        for gate, index, fault in trail.cuts
        if gate in users and (gate.inputs[index] is leaf or gate.inputs[index] in users)
    ]
    return Finding(name, zeros, "zero", tuple(cuts[:_MOST]), "" if cuts else _NOT_REACHED)


_UNUSED = (
    "no gate was computed from it. Comparisons, conversions to integers, .value and .detach() cut the circuit; "
    "or it is not used at all"
)
_NOT_REACHED = "gates were computed from it, but the output does not depend on them, or what arrives is zero already"


def _unwrapped(f: Any) -> tuple[Callable[..., Any], int | tuple[int, ...] | None, tuple[str, ...]]:
    """The function behind gradients and compiled functions, the arguments that were differentiated, and what was done."""
    argnums: int | tuple[int, ...] | None = None
    remarks: tuple[str, ...] = ()
    derived = False
    while hasattr(f, "__wrapped__"):
        if isinstance(f, Derivative):
            if derived:
                break
            f, argnums, has_aux = f.asks
            f, derived = _without_aux(f) if has_aux else f, True
            continue
        if hasattr(f, "llvm"):
            remarks = ("compiled code runs without gates: it was run again eagerly",)
        else:
            break
        f = f.__wrapped__
    return f, argnums, remarks


def _without_aux(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **options: f(*args, **options)[0]


def _is_real(x: Any) -> bool:
    values = flatten(x)[0]
    return bool(values) and all(
        isinstance(v, float) or (type(v) is int) or getattr(v, "dtype", np.dtype(bool)).kind in "fc" for v in values
    )


def _names(f: Any, args: Any, chosen: tuple[int, ...], leaves: list[list[Any]]) -> list[list[str]]:
    try:
        names = list(inspect.signature(f).bind(*args).arguments)
    except (TypeError, ValueError):
        names = []
    found = []
    for n, group in zip(chosen, leaves, strict=True):
        name = names[n] if 0 <= n < len(names) else f"argument {n}"
        found.append([name] if len(group) == 1 else [f"{name} (value {i})" for i in range(len(group))])
    return found
