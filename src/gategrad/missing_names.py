"""What is said of `gg.NAME` where there is no such name: what stands for it here, by the names of other libraries."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import numpy as np

__all__ = ["missing_name"]

_VARIABLE = "gg.variable(x) makes a variable of a number or an array"
_NUMPY = "NumPy's own functions take variables"
_GATE = "an operation with a rule of its own is a class of gates, class F(gg.Gate) with forward and backward"
_LOOPS = "write Python's own loops, and np.where for a choice"

_HERE = {
    **dict.fromkeys(("tensor", "Tensor", "Parameter", "Value", "from_numpy", "as_tensor"), _VARIABLE),
    "array": f"{_VARIABLE}, and gategrad.numpy.array joins several",
    **dict.fromkeys(("jit", "njit"), "gg.compile makes a native function"),
    **dict.fromkeys(("jacrev", "jacfwd"), "gg.jacobian chooses the direction by the shapes"),
    **dict.fromkeys(("gradient", "derivative", "autograd"), "gg.grad(f) is the gradient of f"),
    "make_vjp": "it is gg.vjp(f, x)",
    "make_jvp": "it is gg.jvp(f, (x,), (tangent,))",
    "hessian_vector_product": "it is gg.hvp(f, x, v)",
    "detach": "it is v.detach(), or gg.stop_gradient(v)",
    **dict.fromkeys(("custom_vjp", "custom_jvp", "custom_gradient", "Function", "primitive", "defvjp"), _GATE),
    **dict.fromkeys(("scan", "while_loop", "fori_loop", "cond"), _LOOPS),
    "vmap": "NumPy's functions broadcast over leading axes by themselves",
    **dict.fromkeys(("enable_grad", "inference_mode"), "variables are tracked unless gg.no_grad() says otherwise"),
    **dict.fromkeys(("numpy", "scipy"), "it is a package to be imported, as in import gategrad.numpy"),
}


def missing_name(name: str, names: Iterable[str]) -> str:
    """That gategrad has no such name, and what to write instead; `names` are those that it has.

    >>> missing_name("exp", [])
    "module 'gategrad' has no attribute 'exp': NumPy's own functions take variables, np.exp(v)"
    """
    hint = _HERE.get(name, "")
    if not hint and not name.startswith("_"):
        close = difflib.get_close_matches(name, names, 1, 0.75)
        if callable(getattr(np, name, None)):
            hint = f"{_NUMPY}, np.{name}(v)"
        elif close:
            hint = f"did you mean gg.{close[0]}?"
    return f"module 'gategrad' has no attribute {name!r}" + (f": {hint}" if hint else "")
