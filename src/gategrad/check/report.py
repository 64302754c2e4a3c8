"""What check_gradients found: numbers beside each other, the gate at fault, and all of it in words."""

from __future__ import annotations

import dataclasses

import numpy as np

from gategrad.check.kinks import Kink
from gategrad.errors import GategradError
from gategrad.watch import Place

__all__ = ["Comparison", "GateAtFault", "GradientMismatchError", "GradientReport", "Modes", "distance"]

_MOST = 8  # lines of a kind


class GradientMismatchError(GategradError, AssertionError):
    """A gradient differs from its central differences, or forward mode from reverse; `report` holds every number."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(str(report))
        self.report = report


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One element of one input: what backward says beside what central differences say."""

    input: str
    index: tuple[int, ...]
    order: int
    backward: float
    differences: float
    verdict: str  # "agrees", "kink" or "differs"
    kinks: tuple[Kink, ...] = ()  # the gates that a step of this element takes off their kink, or onto it

    def __str__(self) -> str:
        element = f"{self.input}[{', '.join(map(str, self.index))}]" if self.index else self.input
        line = (
            f"{_gradient(self.order)} at {element}: "
            f"backward says {self.backward:.9g}, central differences say {self.differences:.9g}"
        )
        return line + "".join(f"\n    on a kink of {kink}" for kink in self.kinks)


@dataclasses.dataclass(frozen=True)
class Modes:
    """Forward mode beside reverse: for dz = J dx both are ⟨seed, J dx⟩, once from the left and once from the right."""

    order: int
    forward: float
    backward: float
    verdict: str  # "agrees", "differs" or "unknown"
    reason: str = ""  # why there is no forward mode

    def __str__(self) -> str:
        what = "the function" if self.order == 1 else f"its {_gradient(self.order - 1)}"
        if self.verdict == "unknown":
            return f"forward mode of {what} is not available: {self.reason}"
        return f"derivative of {what} along a direction: backward says {self.backward:.9g}, jvp says {self.forward:.9g}"


@dataclasses.dataclass(frozen=True)
class GateAtFault:
    """The first gate whose rules are wrong by themselves, at the inputs that it had."""

    gate: str  # the name of its class
    place: Place | None  # the line of the user's code
    comparison: Comparison | Modes  # the first number of its own that differs

    def __str__(self) -> str:
        where = f" at {self.place}" if self.place is not None else ""
        lines = [f"the first gate that is wrong by itself is {self.gate}{where}"]
        if self.place is not None and self.place.code:
            lines.append(f"    {self.place.code}")
        return "\n".join([*lines, f"  {self.comparison}"])


@dataclasses.dataclass(frozen=True, repr=False)
class GradientReport:
    """What `check_gradients` found: all comparisons, and as text what a person wants to know."""

    function: str
    comparisons: tuple[Comparison, ...]
    modes: tuple[Modes, ...] = ()
    met: tuple[Kink, ...] = ()  # the kinks that the function sits on here, whether or not differences tell
    at_fault: GateAtFault | None = None
    remark: str = ""  # what there is to say of a mismatch if no gate is at fault

    @property
    def mismatches(self) -> tuple[Comparison, ...]:
        """The elements where backward and central differences differ."""
        return tuple(c for c in self.comparisons if c.verdict == "differs")

    @property
    def kinks(self) -> tuple[Comparison, ...]:
        """The elements that sit on a kink, where backward gives one of the right answers, and differences none."""
        return tuple(c for c in self.comparisons if c.verdict == "kink")

    @property
    def disagreements(self) -> tuple[Modes, ...]:
        """The orders at which forward mode and reverse mode differ."""
        return tuple(m for m in self.modes if m.verdict == "differs")

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.mismatches and not self.disagreements

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return "\n".join(self._what_agrees() if self.ok else self._what_differs())

    __repr__ = __str__

    def _what_agrees(self) -> list[str]:
        smooth = [c for c in self.comparisons if c.verdict == "agrees"]
        worst = max((distance(c.backward, c.differences) for c in smooth), default=0.0)
        line = f"{self.function}: all {len(smooth)} gradients agree with central differences (worst: {worst:.1e})"
        if any(m.verdict == "agrees" for m in self.modes):
            line += ", and forward mode with reverse"
        if self.kinks:
            line += f"; {len(self.kinks)} on a kink {'was' if len(self.kinks) == 1 else 'were'} skipped"
        told = {(kink.gate, kink.place) for c in self.kinks[:_MOST] for kink in c.kinks}
        lines = [line, *_listed(self.kinks)]
        lines += [f"  here {kink}" for kink in self.met if (kink.gate, kink.place) not in told]
        return lines + [f"  {m}" for m in self.modes if m.verdict == "unknown"]

    def _what_differs(self) -> list[str]:
        wrong, apart = self.mismatches, self.disagreements
        lines = []
        if wrong:
            lines.append(
                f"{self.function}: {len(wrong)} of {len(self.comparisons)} gradients differ from central differences"
            )
            lines += _listed(wrong)
        if apart:
            lines.append(f"{self.function}: forward mode and reverse mode differ")
            lines += _listed(apart)
        return [
            *lines,
            *([str(self.at_fault)] if self.at_fault is not None else []),
            *([self.remark] * bool(self.remark)),
        ]


def distance(a: float, b: float) -> float:
    """|a − b|, relative to the larger of the two and 1; infinite if just one of them is not finite."""
    if a == b or (np.isnan(a) and np.isnan(b)):
        return 0.0
    apart = abs(a - b) / max(1.0, abs(a), abs(b))
    return apart if np.isfinite(apart) else float("inf")


def _gradient(order: int) -> str:
    return {1: "gradient", 2: "second-order gradient", 3: "third-order gradient"}.get(order, f"order-{order} gradient")


def _listed(found: tuple[Comparison, ...] | tuple[Modes, ...]) -> list[str]:
    lines = [f"  {c}" for c in found[:_MOST]]
    return [*lines, f"  … and {len(found) - _MOST} more"] if len(found) > _MOST else lines
