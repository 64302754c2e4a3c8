"""What variables refuse, and what they say: ways out that would silently lose the gradient, functions without a rule."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from gategrad.array_methods import functions
from gategrad.assignment import SIGNS, assigners, written_out
from gategrad.errors import EscapeError, NoRuleError
from gategrad.gate import gate_of, on_meeting

__all__ = [
    "ADVICE",
    "NOT_KEPT",
    "WITHOUT_GRADIENT",
    "no_rule",
    "rare_ufunc",
    "unknown_attribute",
]

NOT_KEPT = "the gradient of an interior value is not kept unless you ask: call backward(keep=True)"


def no_rule(name: str, function: str = "") -> str:
    """What to do about a function that no gate stands for; `function` is its bare name."""
    advice = ADVICE.get(function)
    if advice is not None:
        return f"{name} {advice}"
    return (
        f"{name} has no gate, so its gradient is unknown. Compose it from functions that have one, "
        "write a gg.Gate for it, or pass v.value if you want a constant"
    )


def unknown_attribute(attribute: str) -> str:
    """That there is no such attribute, and what stands for it: another way, or a NumPy function of that name."""
    if attribute in _INSTEAD:
        return f"a variable has no attribute {attribute!r}, {_INSTEAD[attribute]}"
    found = next((short for short, module in _MODULES if callable(getattr(sys.modules[module], attribute, None))), None)
    hint = "" if found is None else f"; use {found}.{attribute}(v)"
    return f"a variable has no attribute {attribute!r}{hint}"


_MODULES = (("np", "numpy"), ("gg", "gategrad"))

_INSTEAD = {
    "at": "as arrays of JAX's have: write y[i] = v into a y = v.copy()",
    "numpy": "as PyTorch's tensors have: use v.value for the plain array",
    "zero_grad": "as PyTorch's optimisers have: assign v.grad = None",
    "requires_grad": "for all of them have gradients: gg.stop_gradient(v) is a constant",
    "requires_grad_": "for all of them have gradients: gg.stop_gradient(v) is a constant",
    "grad_fn": "as PyTorch's tensors have: use v.gate",
    "cpu": "as PyTorch's tensors have: it is in the computer's memory, v.value for the plain array",
    "tolist": "which would lose its gradient: use v.value.tolist() for plain numbers",
    "view": "which in NumPy gives another dtype, and in PyTorch another shape: use v.reshape(shape) or v.astype(dtype)",
    "unsqueeze": "as PyTorch's tensors have: use np.expand_dims(v, axis) or v[:, None]",
    "permute": "as PyTorch's tensors have: use v.transpose(axes)",
    "clone": "as PyTorch's tensors have: use v.copy()",
    "numel": "as PyTorch's tensors have: use v.size",
    "dim": "as PyTorch's tensors have: use v.ndim",
    "resize": "which would give it another shape in place: use np.resize(v, shape)",
    "choose": "for its values are no indices: use np.choose(indices, [v, w])",
    **dict.fromkeys(
        ("flags", "setflags", "strides", "ctypes", "data", "base", "device", "to_device"),
        "which tells how an array lies in memory: use v.value for the plain array",
    ),
    **dict.fromkeys(
        ("tobytes", "tofile", "dump", "dumps", "byteswap", "getfield", "setfield"),
        "which would lose its gradient: use v.value for the plain array",
    ),
}


def rare_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any], plain: Any) -> Any:
    """A ufunc without a gate, one of its methods, or one with options. `plain` takes the tapes off a value."""
    name = _name(ufunc)
    out = options.pop("out", None)
    if out is not None:
        if not all(type(y) in on_meeting for y in out):
            sign = SIGNS.get(ufunc)
            in_place = f" (or y {sign}= v of a plain array y)" if sign else ""
            raise EscapeError(
                f"{name} with out={in_place} would write a tracked variable into a plain array: use its result "
                "instead, or make that array with np.zeros_like(v) of a variable v"
            )
        where = options.pop("where", True) if method == "__call__" else True
        return written_out(getattr(ufunc, method), inputs, options, out, where=where, broadcast=method == "__call__")
    if method == "at":
        return assigners["at"](ufunc, *inputs)
    if method == "outer":
        x, y = [x if hasattr(x, "shape") else np.asarray(x) for x in inputs]
        return ufunc(np.reshape(x, x.shape + (1,) * len(y.shape)), y, **options)
    rule = functions.get(ufunc if method == "__call__" else (ufunc, method))
    if rule is not None:
        return rule(*inputs, **options)
    if ufunc in WITHOUT_GRADIENT:
        return getattr(ufunc, method)(*map(plain, inputs), **options)
    if method != "__call__":
        raise NoRuleError(f"{name}.{method} has no gate; compose it from functions that have one")
    if gate_of(ufunc) is None:
        raise NoRuleError(no_rule(name, ufunc.__name__))
    dtype = options.pop("dtype", None)
    if options:
        raise NoRuleError(
            f"{name} of a variable takes no options but dtype=, and got {', '.join(options)}: choose with np.where "
            "afterwards"
        )
    return ufunc(*[np.astype(x if hasattr(x, "dtype") else np.asarray(x), dtype) for x in inputs])


def _name(ufunc: np.ufunc) -> str:
    """A ufunc by the name under which its users know it."""
    bare = ufunc.__name__
    for short, module in (("np", "numpy"), ("scipy.special", "scipy.special")):
        if getattr(sys.modules.get(module), bare, None) is ufunc:
            return f"{short}.{bare}"
    return f"the ufunc {bare}"


WITHOUT_GRADIENT = {
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.isnan, np.isinf, np.isfinite, np.signbit, np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
    np.spacing,
}  # fmt: skip
"""Ufuncs whose answers are truths, or steps: of variables they answer of the plain values."""

_INTEGERS = "is for integers: convert v.value, which carries no gradient"
_INDEX = "is about indices, which carry no gradient: pass v.value"
_FILE = "writes to a file: pass v.value"

ADVICE = {
    **dict.fromkeys(
        (
            "bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift", "bitwise_count", "gcd",
            "lcm", "packbits", "unpackbits",
        ),
        _INTEGERS,
    ),
    **dict.fromkeys(("ix_", "unravel_index", "ravel_multi_index"), _INDEX),
    **dict.fromkeys(("save", "savez", "savez_compressed", "savetxt"), _FILE),
    **dict.fromkeys(
        ("busday_count", "busday_offset", "is_busday", "datetime_as_string", "isnat"), "is for dates: pass v.value"
    ),
    "nextafter": "steps to a neighbouring float, which has no gradient: use v itself, or v.value",
}  # fmt: skip
"""What to say of functions that have no gradient or no gate, where there is more to say; the rooms of `gates/` add to it."""
