"""Patterns: the ways in which values and gradients go wrong, by gate, and what to do about each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gategrad.gate import Gate
from gategrad.gates.activation import Relu, Sigmoid
from gategrad.gates.arithmetic import Cbrt, Divide, Multiply, Power, Reciprocal, Sqrt
from gategrad.gates.comparison import Extremum, Step, Where
from gategrad.gates.exponential import Exp, Exp2, Expm1, Log, Log1p, Log2, Log10
from gategrad.gates.hidden_slope import HiddenSlope
from gategrad.gates.trigonometry import Arccos, Arccosh, Arcsin, Arctanh, Cosh, Sinh, Tanh
from gategrad.masked import Masked
from gategrad.recording import plain
from gategrad.watch import Note

__all__ = ["Why", "meets_zero", "why_bad", "why_taken", "why_zero"]

Why = tuple[str, str]
"""What happened, and what to do about it."""


class Pattern(NamedTuple):
    """Gates, a condition on their inputs and output, and what it means."""

    gates: tuple[type[Gate], ...]
    holds: Callable[..., Any]  # of the inputs, and the output as z
    what: str
    remedy: str

    def matches(self, note: Note) -> bool:
        """Whether this is what happened at some element."""
        if not isinstance(note.gate, self.gates) or note.z is None:
            return False
        with np.errstate(all="ignore"):
            return bool(np.any(self.holds(*note.values, z=note.z)))


_LOGS, _EXPS = (Log, Log2, Log10), (Exp, Exp2, Expm1, Sinh, Cosh)
_GUARD = "choose with np.where(x > 0, ..., 0), through which nothing flows from the branch that is not taken"

BAD = (
    Pattern(
        (HiddenSlope,), lambda dz, x, y, z: True, "a second derivative on a kink, where what arrives depends on other kinks too",
        "simplify the formula, np.sum(x * x) rather than np.linalg.norm(x) ** 2, or start from another point",
    ),
    Pattern((Sqrt,), lambda x, z: np.less(x, 0), "√ of a negative number is NaN", f"check the sign of x, or {_GUARD}"),
    Pattern(
        (Sqrt, Cbrt), lambda x, z: np.equal(x, 0), "the slope of a root is infinite at 0",
        f"add a small number under the root, np.sqrt(x + 1e-12), or {_GUARD}; for a length use np.linalg.norm or "
        "np.hypot, whose gradient at 0 is 0",
    ),
    Pattern(
        (Power,), lambda x, y, z: np.less(x, 0) & np.isnan(z), "a negative number to a broken power is NaN",
        "use an integer exponent, np.cbrt, or np.abs(x) ** y",
    ),
    Pattern(
        (Power,), lambda x, y, z: np.equal(x, 0) & np.less(y, 1),
        "the slope of x ** y is infinite at x = 0 for y below 1", f"keep x away from 0, or {_GUARD}",
    ),
    Pattern(
        (*_LOGS,), lambda x, z: np.less(x, 0), "log of a negative number is NaN",
        f"check the sign of x, or {_GUARD}",
    ),
    Pattern(
        (*_LOGS,), lambda x, z: np.equal(x, 0), "log of 0: the value is −∞ and the slope ∞",
        f"bound x from below, np.log(np.maximum(x, tiny)), or {_GUARD}; for log of a softmax use gg.log_softmax",
    ),
    Pattern((Log1p,), lambda x, z: np.less_equal(x, -1), "log1p at or below −1", f"bound x from below, or {_GUARD}"),
    Pattern(
        (Divide,), lambda x, y, z: np.equal(x, 0) & np.equal(y, 0), "division 0/0",
        "choose with np.where(y != 0, x / y, limit), through which nothing flows from x / y where y is 0",
    ),
    Pattern(
        (Divide,), lambda x, y, z: np.equal(y, 0), "division by 0",
        "add a small number to the denominator, or choose with np.where(y != 0, x / y, limit)",
    ),
    Pattern(
        (Divide,), lambda x, y, z: np.isinf(x) & np.isinf(y), "division ∞/∞",
        "it overflowed before: for exp(x) / Σ exp(x) use gg.softmax",
    ),
    Pattern((Reciprocal,), lambda x, z: np.equal(x, 0), "division by 0", "choose with np.where(x != 0, 1 / x, limit)"),
    Pattern(
        (*_EXPS,), lambda x, z: np.isinf(z) & np.isfinite(x), "overflow in an exponential",
        "subtract the maximum first, or use what never overflows: gg.logsumexp, gg.softmax, np.logaddexp, gg.sigmoid",
    ),
    Pattern(
        (Arcsin, Arccos, Arctanh), lambda x, z: np.greater_equal(np.abs(x), 1),
        "the slope is infinite at ±1, and there is none beyond", "keep x inside (−1, 1), with np.clip",
    ),
    Pattern((Arccosh,), lambda x, z: np.less_equal(x, 1), "the slope is infinite at 1", "keep x above 1"),
    Pattern(
        (Multiply,),
        lambda x, y, z: (np.isinf(x) & np.equal(y, 0)) | (np.equal(x, 0) & np.isinf(y)), "0 · inf",
        "find where the infinity comes from; to leave elements out use np.where rather than multiply by 0",
    ),
)  # fmt: skip

ZERO = (
    Pattern(
        (Relu,), lambda x, z: np.all(np.equal(z, 0)), "dead relu: every input is negative or 0",
        "shift or rescale the inputs, start from smaller biases, or use gg.softplus, which never dies",
    ),
    Pattern(
        (Sigmoid, Tanh), lambda x, z: np.greater(np.abs(x), 15), "saturated: the curve is flat this far out",
        "rescale the inputs; for a loss work with logits (gg.cross_entropy, gg.softplus) rather than with sigmoid(x)",
    ),
    Pattern(
        (Where,), lambda c, x, y, z: True, "the branch of where that was not taken",
        "the condition chose the other branch at every element: check it",
    ),
    Pattern(
        (Extremum,), lambda x, y, z: True, "the other of the two won everywhere",
        "the value sits beyond a bound (np.clip, np.maximum): move it inside, or use a smooth bound",
    ),
    Pattern(
        (Step,), lambda x, z: True, "the function is constant between its steps: nothing flows through it",
        "use a smooth stand-in (gg.sigmoid, np.tanh) if a gradient is wanted",
    ),
    Pattern(
        (Multiply,), lambda x, y, z: np.all(np.equal(x, 0)) or np.all(np.equal(y, 0)), "multiplied by 0",
        "check the other factor: it is 0 everywhere",
    ),
    Pattern(
        (*_LOGS, Divide, Log1p), lambda *xs, z: any(np.any(np.isinf(x)) for x in xs),
        "an infinite input: its slope is 1/∞ = 0",
        "it overflowed before: use gg.logsumexp, gg.softmax or np.logaddexp, which never do",
    ),
    Pattern((Exp, Exp2), lambda x, z: np.all(np.equal(z, 0)), "underflow: exp of this is 0", "rescale the exponent"),
    Pattern(
        (Exp, Exp2, Expm1, Sinh, Cosh), lambda x, z: np.isinf(z), "overflow in an exponential",
        "use gg.logsumexp, gg.softmax, np.logaddexp or gg.sigmoid, which never overflow",
    ),
    Pattern(
        (Power,), lambda x, y, z: np.all(np.equal(x, 0)) or np.all(np.equal(y, 0)), "x ** y is flat here",
        "check that neither x nor y is 0",
    ),
)  # fmt: skip


def why_bad(note: Note, dz: Any = None) -> Why:
    """What made a value or a gradient of this gate NaN or infinite."""
    for pattern in BAD:
        if pattern.matches(note):
            guarded = dz is not None and np.any(np.equal(_whole(dz), 0)) and "slope" in pattern.what
            return (f"0 · inf: {pattern.what}" if guarded else pattern.what), pattern.remedy
    if any(_has(np.isnan, x) for x in note.values):
        return "NaN came in as an input", "check the data: np.isnan(x).any()"
    if any(_has(np.isinf, x) for x in note.values) or _has(np.isinf, note.z):
        return "0 · inf, inf − inf or inf / inf: an infinity met its opposite", "find where the infinity comes from"
    if dz is None:
        return "finite numbers went in", "check the range of the inputs: it may be an overflow"
    return "local gradient × upstream gradient is not finite", "check the sizes of both: rescale what is huge or tiny"


def why_zero(note: Note) -> Why:
    """What kept a gradient from flowing through this gate."""
    for pattern in ZERO:
        if pattern.matches(note):
            return pattern.what, pattern.remedy
    if note.z is not None and _on_a_kink(note):
        return f"on a kink, where the gradient is {note.gate.kink}", "start from another point"
    return "the local gradient is 0 here", "a stationary point, or a size that vanishes in rounding: check the inputs"


def meets_zero(note: Note, dz: Any) -> bool:
    """Whether a gradient of 0 arrives where the slope is infinite; not one that a mask keeps from flowing at all."""
    if not note.gate.is_steep or dz is None or not _on_a_kink(note):
        return False
    zero = np.equal(plain(dz.value if type(dz) is Masked else dz), 0)
    if type(dz) is Masked:
        zero = zero & plain(dz.mask)
    with np.errstate(all="ignore"):
        return bool(np.any(zero & note.gate.kinks(*note.values)))


def why_taken(note: Note) -> Why:
    """What there is to know of a product of 0 and ∞ that was taken for 0."""
    what = "0 · inf: a gradient of 0 arrived where the slope is infinite; 0 was taken, and gg.grad looks for the limit beside it"
    if note.gate.overflows:
        return what, "right in 1 / (1 + exp(−x)); for log Σ exp(x) use gg.logsumexp, which never overflows"
    return what, "right where the 0 is there for good; simplify a formula such as sqrt(x)**2, whose gradient is 1"


def _on_a_kink(note: Note) -> bool:
    with np.errstate(all="ignore"):
        mask = note.gate.kinks(*note.values)
    return mask is not None and bool(np.any(mask))


def _whole(dz: Any) -> Any:
    return 1.0 if dz is None or type(dz) is tuple else dz


def _has(test: Any, x: Any) -> bool:
    return type(x) is not tuple and x is not None and bool(np.any(test(x)))
