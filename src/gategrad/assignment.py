"""Assignment: `y[index] = v` on variables, which are never written into.

The object becomes its new value: a gate of the old value and of v, and every gate that used the old value keeps it.
What NumPy would call views of y are told, so that they show what was written, as they do there; writing into a view
of the form `y[i]` writes into y. Whatever cannot be as in NumPy is refused.
"""

from __future__ import annotations

import sys
import weakref
from typing import Any

import numpy as np

from gategrad.errors import EscapeError, ShapeError, TraceError
from gategrad.tape import AMBIENT, UNTRACKED

__all__ = ["assigners", "takes_over", "set_item", "viewed"]

assigners: dict[str, Any] = {}
"""How values are written and read, by the gates that do it. `gates/indexing.py` joins, with "write", which applies the
gate, and "reads", which says of a gate whether it reads "slices", gathers "places", or is no reading at all (None)."""


def viewed(x: Any, z: Any) -> Any:
    """Note that `z` is to `x` what NumPy calls a view, and return it."""
    if type(z) is type(x) and hasattr(x, "_views") and z.shape and z is not x:
        z._base = x
        if x._views is None:
            x._views = weakref.WeakValueDictionary()  # by identity: == of variables is not about them
        x._views[id(z)] = z
    return z


def set_item(y: Any, index: Any, v: Any) -> None:
    """y[index] = v, for a variable y."""
    if not y.shape:
        raise TypeError(
            "a variable that holds a single number takes no item assignment: y = v gives the name to another"
        )
    if y.level == AMBIENT and y.gate is None:
        raise EscapeError(
            "v[i] = … of a variable made by gg.variable would leave its gradient to the old value: "
            "write into y = v.copy() instead, or replace all of it, v.value = …"
        )
    if y._base is not None and not takes_over(y) and _shared(y, y._base):
        if assigners["reads"](y.gate) != "slices":
            raise EscapeError(
                f"this variable, from {type(y.gate).__name__ if y.gate is not None else 'another'}, is a view: NumPy "
                "would write into what it was made of. Write there instead, or into a y.copy()"
            )
        set_item(y._base, y.gate.index, _written(y, index, v))  # and y, a view of it, is told
        return
    _become(y, _written(y, index, v))


def takes_over(y: Any) -> bool:
    """Let y be a view no longer if it alone holds what it is a view of, as in `np.reshape(x * 2, (2, 2))`; say whether."""
    base = y._base
    while base is not None:
        if sys.getrefcount(base) > 3 or len(base._views) > 1:  # held here, by its view, and as the argument
            return False
        base = base._base
    y._base = None
    return True


def _written(y: Any, index: Any, v: Any) -> Any:
    """The value of y after the assignment, as a new variable."""
    z = assigners["write"](y, index, v)
    if z.level == UNTRACKED != y.level:
        raise EscapeError(
            "y[i] = v under no_grad would cut a tracked variable off from its gradient: write into y.copy() instead"
        )
    if z.level > y.level > UNTRACKED:
        raise EscapeError(
            "y[i] = v, where v is a variable of a derivative that is being taken and y belongs to one outside of it: "
            "y would outlive the derivative. Build a new value instead, with np.where or np.concatenate"
        )
    if z.shape != y.shape:
        raise ShapeError(f"an assignment leaves the shape as it is, but {y.shape} became {z.shape}")
    return z


def _become(y: Any, z: Any) -> None:
    """Give the object y the value and the gate of z, and let its views show that."""
    views = [view for view in list((y._views or {}).values()) if view._base is y and _shared(view, y)]
    y.raw, y.gate, y.level = z.raw, z.gate, z.level
    for view in views:
        _become(view, view.gate.fresh()(y))


def _shared(view: Any, y: Any) -> bool:
    """Whether this is a view for NumPy too, which copies where strides cannot say it."""
    if view.gate is None:
        return False
    if assigners["reads"](view.gate) == "places":
        return True  # a diagonal: a view for NumPy, which only we have to gather
    inside, outside = _plain(view), _plain(y)
    if isinstance(inside, np.ndarray) and isinstance(outside, np.ndarray):
        return bool(np.may_share_memory(inside, outside))
    if type(view.gate).__name__ == "Reshape":
        raise TraceError(
            "y[i] = v with a reshaped y around, in a compiled function: whether that is a view cannot be known. "
            "Assign first and reshape afterwards"
        )
    return True


def _plain(x: Any) -> Any:
    while hasattr(x, "raw"):
        x = x.raw
    return x
