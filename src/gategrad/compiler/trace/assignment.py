"""Assignment to symbols, y[index] = v and y += v: the symbol becomes another value of the program, and its views are told.

The counterpart of `gategrad.assignment`, without gates: a view remembers which function made it of what.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.array_methods import getitem
from gategrad.assignment import note_view, result_for, takes_over, views_of
from gategrad.compiler.trace.symbol import ARGUMENT, Symbol, hosts
from gategrad.errors import TraceError
from gategrad.gates.indices import is_basic
from gategrad.gates.writing import write

__all__ = ["in_place", "set_item", "viewed"]

_ORDERS = {np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.matrix_transpose, np.linalg.matrix_transpose}
_LENGTHS = {np.expand_dims, np.squeeze}
_READ_ONLY = {np.broadcast_to, np.diagonal, np.lib.stride_tricks.sliding_window_view}
_ALWAYS = {*_ORDERS, *_LENGTHS, *_READ_ONLY, np.flip, np.real}
_SOMETIMES = {np.reshape, np.ravel}  # where the strides can say it
_AS_NOTED = {np.einsum, np.astype, np.real_if_close}  # made of the others where NumPy's is a view, or x itself


def viewed(
    x: Any, z: Any, function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any], composed: bool
) -> Any:
    """`z`, which a function made of x, as an object of its own; noted if it is what NumPy calls a view.

    What is `composed` of other functions has been noted by those, as among variables: it may be x itself.
    """
    if type(z) is not Symbol or (composed and function not in _READ_ONLY) or function in _AS_NOTED:
        return z
    if z is x or z.made is ARGUMENT:
        z = Symbol(z.value, z.builder, is_python=function is np.real and z.is_python)
    is_view = (
        function in _ALWAYS
        or (function is np.imag and x.dtype.kind == "c")
        or function in _SOMETIMES
        or (function is getitem and is_basic(args[0]))
    )
    if is_view and not options.get("copy") and z.shape and type(x) is Symbol:
        z.made = (function, args, options)
        note_view(x, z)
    else:
        z._base = z.made = None
    return z


def set_item(y: Symbol, index: Any, v: Any) -> None:
    """y[index] = v, in the program."""
    if not y.shape:
        raise TypeError("a single number takes no item assignment: y = v gives the name to another")
    _refuse(y, v, "y[i] = v", "build a new value with np.where")
    if type(v) is Symbol and v._base is y and v.made[0] is getitem and _same(v.made[1][0], index):
        return  # y[1:] += v has written into y already, through the view y[1:], which is then assigned
    _put(y, write(y, index, v), "y[i] = v")


def in_place(y: Symbol, v: Any, apply: Callable[[Symbol, Any], Any], sign: str) -> Any:
    """y += v and its like: an array stays the same object, a single number makes way for another."""
    if not y.shape:
        return apply(y, v)
    _refuse(y, v, f"y {sign}= v", f"write y = y {sign} v")
    z = apply(y, v)
    if z is not NotImplemented:
        _put(y, result_for(y, z, sign), f"y {sign}= v")
        return y
    return z


def _refuse(y: Symbol, v: Any, what: str, instead: str) -> None:
    if y.made is ARGUMENT:
        raise TraceError(
            "an argument of a compiled function cannot be written into, since it belongs to the caller: "
            "take x = x.copy() first, and return it if it is wanted"
        )
    if type(v) is not Symbol and hasattr(v, "raw"):
        raise TraceError(f"{what}, where v is a variable of a derivative and y is not: {instead}")


def _same(index: Any, other: Any) -> bool:
    return is_basic(index) and type(index) is type(other) and index == other


def _put(y: Symbol, z: Any, what: str) -> None:
    """Let y be z from now on, and what it is a view of."""
    while y._base is not None and not takes_over(y):
        if y._base.made is ARGUMENT:
            _refuse(y._base, z, what, "")
        z = _through(y, z, what)
        y = y._base  # and the view, as one of it, is told
    _become(y, z)


def _through(y: Symbol, z: Any, what: str) -> Any:
    """What y is a view of, after z was written into that view."""
    base = y._base
    function, args, options = y.made
    if function is getitem:
        return write(base, args[0], z)
    if function is np.flip:
        return np.flip(z, *args, **options)
    if function is np.real:
        return z + 1j * np.imag(base) if base.dtype.kind == "c" else z
    if function is np.imag:
        return np.real(base) + 1j * z
    if function in _LENGTHS:
        return np.reshape(z, base.shape)
    if function in _ORDERS:
        numbered = np.lib.stride_tricks.as_strided(np.zeros(()), tuple(range(len(base.shape))), (0,) * len(base.shape))
        return np.transpose(z, np.argsort(function(numbered, *args, **options).shape).tolist())
    reason = (
        "that NumPy does not write into either"
        if function in _READ_ONLY
        else "or a copy, which only NumPy's strides tell"
    )
    raise TraceError(f"{what}, where y is a view {reason}: write into what it was made of, or into a y.copy()")


def _become(y: Symbol, z: Symbol) -> None:
    changed = [(y, z)]
    for old, new in changed:  # which grows
        for view in views_of(old):
            function, args, options = view.made
            if function in _SOMETIMES:
                raise TraceError(
                    "y[i] = v with a reshaped y around, in a compiled function: whether that is a view cannot be known. "
                    "Assign first and reshape afterwards"
                )
            changed.append((view, new[args[0]] if function is getitem else function(new, *args, **options)))
    for old, new in changed:
        old.value = new.value


hosts["set_item"], hosts["in_place"], hosts["viewed"] = set_item, in_place, viewed
