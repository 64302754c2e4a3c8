"""What variables refuse, and what they say: ways out that would silently lose the gradient, functions without a rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.errors import EscapeError, NoRuleError
from gategrad.gate import gate_of

__all__ = ["NOT_KEPT", "advice", "escape", "no_rule", "rare_ufunc", "unknown_attribute"]

NOT_KEPT = "the gradient of an interior value is not kept unless you ask: call backward(keep=True)"


advice: dict[Any, str] = {}
"""What to say of a ufunc without a gate for which something better is known; the rooms of `gates/` add to it."""


def escape(what: str, becomes: str) -> str:
    """Why something may not turn a variable into a constant, and what to do instead."""
    return (
        f"{what} would turn a tracked variable into {becomes} and silently lose its gradient. "
        "Use NumPy's functions (np.sin(v) rather than math.sin(v)), or v.value if you want a constant"
    )


def no_rule(name: str) -> str:
    """What to do about a function that no gate stands for."""
    return (
        f"{name} has no gate, so its gradient is unknown. Compose it from functions that have one, "
        "write a gg.Gate for it, or pass v.value if you want a constant"
    )


def unknown_attribute(attribute: str) -> str:
    """That there is no such attribute, and perhaps a NumPy function of that name."""
    hint = f"; use np.{attribute}(v)" if callable(getattr(np, attribute, None)) else ""
    return f"a variable has no attribute {attribute!r}{hint}"


def rare_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any], plain: Any) -> Any:
    """A ufunc without a gate, one of its methods, or one with options. `plain` takes the tapes off a value."""
    name = f"np.{ufunc.__name__}" if getattr(np, ufunc.__name__, None) is ufunc else f"the ufunc {ufunc.__name__}"
    if options.get("out") is not None:
        raise EscapeError(f"{name} with out= would write a tracked variable into a plain array: use its result instead")
    if method == "__call__":
        if ufunc in _WITHOUT_GRADIENT:
            return ufunc(*map(plain, inputs), **options)
        if gate_of(ufunc) is None:
            raise NoRuleError(advice.get(ufunc) or no_rule(name))
        raise NoRuleError(f"{name} of a variable takes no options, but got {', '.join(options)}")
    if method == "reduce" and ufunc in _REDUCTIONS:
        options.setdefault("axis", 0)
        return _REDUCTIONS[ufunc](*inputs, **options)
    if method == "at":
        raise EscapeError(f"{name}.at writes into its first argument, which a variable cannot be")
    raise NoRuleError(f"{name}.{method} has no gate; compose it from functions that have one")


_REDUCTIONS: dict[Any, Any] = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}
_WITHOUT_GRADIENT = {
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.isnan, np.isinf, np.isfinite, np.signbit, np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
}  # fmt: skip
