"""Assignment to symbols, y[index] = v: the symbol becomes another value of the program, and its views are told.

The counterpart of `gategrad.assignment`, without gates: a view remembers which function made it of what.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.array_methods import getitem
from gategrad.assignment import takes_over
from gategrad.compiler.trace.symbol import Symbol, hosts
from gategrad.errors import TraceError
from gategrad.gates.indices import is_basic
from gategrad.gates.writing import write

__all__ = ["set_item", "viewed"]

_ALWAYS = {np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.flip, np.broadcast_to, np.diagonal}
_SOMETIMES = {np.reshape, np.ravel}  # where the strides can say it


def viewed(x: Any, z: Any, function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """`z`, which a function made of x, as an object of its own; noted if it is what NumPy calls a view."""
    if type(z) is not Symbol:
        return z
    if z is x:
        z = Symbol(x.value, x.builder)
    is_view = function in _ALWAYS or function in _SOMETIMES or (function is getitem and is_basic(args[0]))
    if is_view and z.shape and type(x) is Symbol:
        z._base, z.made = x, (function, args, options)
        if x._views is None:
            x._views = weakref.WeakValueDictionary()
        x._views[id(z)] = z
    else:
        z._base = z.made = None
    return z


def set_item(y: Symbol, index: Any, v: Any) -> None:
    """y[index] = v, in the program."""
    if not y.shape:
        raise TypeError("a single number takes no item assignment: y = v gives the name to another")
    if y.value.op.name == "input":
        raise TraceError(
            "an argument of a compiled function cannot be written into, since it belongs to the caller: "
            "take x = x.copy() first, and return it if it is wanted"
        )
    if type(v) is not Symbol and hasattr(v, "raw"):
        raise TraceError(
            "y[i] = v, where v is a variable of a derivative and y is not: build a new value with np.where"
        )
    z = write(y, index, v)
    if y._base is None or takes_over(y):
        _become(y, z)
        return
    function, args, _ = y.made
    if function is not getitem:
        raise TraceError(
            "y[i] = v, where y is a view: NumPy would write into what it was made of. Write there instead, or into a "
            "y.copy()"
        )
    set_item(y._base, args[0], z)  # and y, a view of it, is told


def _become(y: Symbol, z: Symbol) -> None:
    views = [view for view in list((y._views or {}).values()) if view._base is y]
    y.value = z.value
    for view in views:
        function, args, options = view.made
        if function in _SOMETIMES:
            raise TraceError(
                "y[i] = v with a reshaped y around, in a compiled function: whether that is a view cannot be known. "
                "Assign first and reshape afterwards"
            )
        _become(view, y[args[0]] if function is getitem else function(y, *args, **options))


hosts["set_item"], hosts["viewed"] = set_item, viewed
