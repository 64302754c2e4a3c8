"""Assignment to symbols, y[index] = v and y += v: the symbol becomes another value of the program, and its views are told.

The counterpart of `gategrad.assignment`, without gates: a view remembers which function made it of what.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.array_methods import getitem
from gategrad.assignment import assigners, note_view, result_for, takes_over, views_of
from gategrad.call_site import call_site
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
_UNKNOWN = "unknown"  # the order of what is no reshape for NumPy
_AS_NOTED = {np.einsum, np.astype, np.real_if_close}  # made of the others where NumPy's is a view, or x itself


def viewed(
    x: Any, z: Any, function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any], composed: bool
) -> Any:
    """`z`, which a function made of x, as an object of its own; noted if it is what NumPy calls a view.

    What is `composed` of other functions has been noted by those, as among variables: it may be x itself. Where that
    is a reshape, it may be a copy for NumPy.
    """
    if composed and type(z) is Symbol and z.made is not ARGUMENT and z.made and z.made[0] in _SOMETIMES:
        z.made = (np.reshape, (z.shape, _UNKNOWN), {})
    if type(z) is not Symbol or (composed and function not in _READ_ONLY) or function in _AS_NOTED:
        return z
    if z is x or z.made is ARGUMENT:
        z = Symbol(z.value, z.builder, is_python=function is np.real and z.is_python, in_rows=z.in_rows)
    is_view = (
        function in _ALWAYS
        or (function is np.imag and x.dtype.kind == "c")
        or function in _SOMETIMES
        or (function is getitem and is_basic(args[0]))
    )
    if is_view and not options.get("copy") and z.shape and type(x) is Symbol:
        z.made = (function, args, options)
        z.in_rows = x.in_rows and function not in _ORDERS and function not in _READ_ONLY
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
            f"an argument of a compiled function cannot be written into{call_site() or '. '}"
            "It belongs to the caller: take x = x.copy() first, and return it if it is wanted"
        )
    if type(v) is not Symbol and hasattr(v, "raw"):
        raise TraceError(f"{what}, where v is a variable of a derivative and y is not: {instead}")


def _same(index: Any, other: Any) -> bool:
    return is_basic(index) and type(index) is type(other) and index == other


def _put(y: Symbol, z: Any, what: str) -> None:
    """Let y be z from now on, and what it is a view of."""
    while y._base is not None and not takes_over(y):
        if not _shows(y, what):
            y._base = None  # a copy, in NumPy
            break
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
    if function in _SOMETIMES:
        return np.reshape(z, base.shape, order=_order(y))
    if function in _ORDERS:
        numbered = np.lib.stride_tricks.as_strided(np.zeros(()), tuple(range(len(base.shape))), (0,) * len(base.shape))
        return np.transpose(z, np.argsort(function(numbered, *args, **options).shape).tolist())
    raise TraceError(
        f"{what}, where y is a view that NumPy does not write into either: write into what it was made of, or into a "
        "y.copy()"
    )


# --- reshapes, which are views where strides can say it --------------------------------------------------------------


def _shows(view: Symbol, what: str) -> bool:
    """Whether a view is one for NumPy too, where everybody who is asked knows that."""
    if view.made[0] not in _SOMETIMES:
        return True
    shows = _reshape_shows(view)
    if shows is None:
        raise TraceError(
            f"{what}, where a reshape of y, or y itself, is a view or a copy, which only NumPy's strides tell: assign first "
            "and reshape afterwards, or write into a y.copy()"
        )
    return shows


def _reshape_shows(view: Symbol) -> bool | None:
    """Whether NumPy's reshape, or ravel, was a view; None if that is not known here."""
    base, order = _laid_out(view._base), _order(view)
    if base is None or order not in "CF":
        return None
    view.builder.relies_on_rows = True
    return bool(np.may_share_memory(base, np.reshape(base, view.shape, order=order)))


def _laid_out(x: Symbol) -> Any:
    """An array of bytes that lies in memory as NumPy's x would; None if that is not known here."""
    if x._base is None or x.made is ARGUMENT:
        return np.empty(x.shape, np.int8) if x.in_rows else None
    base, (function, args, options) = _laid_out(x._base), x.made
    if base is None or function in (np.real, np.imag):
        return None
    if function in _SOMETIMES:
        return np.reshape(base, x.shape, order=_order(x)) if _order(x) in "CF" else None
    return function(base, *args, **options)


def _order(view: Symbol) -> Any:
    """In which order a reshape, or a ravel, goes through the elements."""
    function, args, options = view.made
    place = 1 if function is np.reshape else 0
    return args[place] if len(args) > place else options.get("order", "C")


def _raw_shows(view: Any, base: Any) -> bool | None:
    """The same of what is inside two variables."""
    return _reshape_shows(view) if type(view) is Symbol and view._base is base else None


assigners["reshape"] = _raw_shows


def _become(y: Symbol, z: Symbol) -> None:
    changed = [(y, z)]
    for old, new in changed:  # which grows
        for view in views_of(old):
            function, args, options = view.made
            if not _shows(view, "y[i] = v"):
                continue
            changed.append((view, new[args[0]] if function is getitem else function(new, *args, **options)))
    for old, new in changed:
        old.value = new.value


hosts["set_item"], hosts["in_place"], hosts["viewed"] = set_item, in_place, viewed
