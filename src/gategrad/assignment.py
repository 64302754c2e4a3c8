"""Assignment: `y[index] = v` and `y += v` on variables, which are never written into.

The object becomes its new value: a gate of the old value and of v, and every gate that used the old value keeps it.
What NumPy would call views of y are told, so that they show what was written, as they do there; writing into a view
of the form `y[i]` writes into y. Whatever cannot be as in NumPy is refused.
"""

from __future__ import annotations

import sys
import weakref
from typing import Any

import numpy as np

from gategrad.errors import DtypeError, EscapeError, ShapeError, TraceError
from gategrad.tape import AMBIENT, UNTRACKED
from gategrad.watch import floor

__all__ = ["assigners", "in_place", "note_view", "result_for", "set_item", "takes_over", "viewed", "views_of"]

assigners: dict[str, Any] = {}
"""How values are written and read, by the gates that do it. `gates/indexing.py` joins, with "write", which applies the
gate, and "reads", which says of a gate whether it reads "slices", gathers "places", or is no reading at all (None)."""


# --- views --------------------------------------------------------------------------------------------------------


def viewed(x: Any, z: Any) -> Any:
    """Note that `z` is to `x` what NumPy calls a view, if they are variables of which that matters; return it."""
    kind = type(z)
    if kind is type(x) and hasattr(kind, "raw") and z is not x:
        gate = z.gate
        spec = z.spec if gate is None else gate.spec  # written out: this happens at every slice
        if spec is not None and spec[0]:
            note_view(x, z)
    return z


def note_view(x: Any, z: Any) -> None:
    """Let z know what it is a view of, and x, weakly, that z is one of it.

    By identity, so that == is not asked; a view that is gone leaves its entry to the next one at the same address.
    """
    z._base = x
    views = x._views
    if views is None:
        views = x._views = {}
    views[id(z)] = weakref.ref(z)


def views_of(y: Any) -> list[Any]:
    """The views of y that somebody still holds."""
    views = [ref() for ref in list((y._views or {}).values())]
    return [view for view in views if view is not None and view._base is y]


def takes_over(y: Any) -> bool:
    """Let y be a view no longer if it alone holds what it is a view of, as in `np.reshape(x * 2, (2, 2))`; say whether."""
    base = y._base
    while base is not None:
        if sys.getrefcount(base) > 3 or len(views_of(base)) > 1:  # held here, by its view, and as the argument
            return False
        base = base._base
    y._base = None
    return True


# --- writing ------------------------------------------------------------------------------------------------------


def set_item(y: Any, index: Any, v: Any) -> None:
    """y[index] = v, for a variable y."""
    if not y.shape:
        raise TypeError(
            "a variable that holds a single number takes no item assignment: y = v gives the name to another"
        )
    is_view = _writes_through(y, "v[i] = …", "write into y = v.copy() instead")
    if getattr(v, "_base", None) is y and v.gate is not None and _reads_slice(v.gate, index):
        return  # y[1:] += v has written into y already, through the view y[1:], which is then assigned
    _put(y, assigners["write"](y, index, v), is_view, "y[i] = v")


def in_place(ufunc: np.ufunc, y: Any, v: Any) -> Any:
    """y += v and its like, for a variable y: an array stays the same object, a single number makes way for another."""
    if not y.shape:
        return ufunc(y, v)
    sign = _SIGNS[ufunc]
    is_view = _writes_through(y, f"v {sign}= …", f"write y = v {sign} … for a new value, update it under gg.no_grad()")
    _put(y, result_for(y, ufunc(y, v), sign), is_view, f"y {sign}= v")
    return y


_SIGNS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.power: "**", np.matmul: "@",
    np.remainder: "%", np.floor_divide: "//",
}  # fmt: skip


def result_for(y: Any, z: Any, sign: str) -> Any:
    """What y {sign} v came to, in the shape and dtype of y, which NumPy keeps."""
    if z.shape != y.shape:
        raise ShapeError(
            f"y {sign}= v leaves the shape as it is, but y is {y.shape} and the result {z.shape}: write y = y {sign} v"
        )
    if z.dtype == y.dtype:
        return z
    if z.dtype.kind == "c":
        raise DtypeError(f"y {sign}= v would write {z.dtype} into {y.dtype}: write y = y {sign} v, which is complex")
    return z.astype(y.dtype)


def _writes_through(y: Any, what: str, instead: str) -> bool:
    """Refuse what cannot be as in NumPy; else say whether y is a view, through which something else is written."""
    if _is_leaf(y):
        if floor() < AMBIENT:
            raise EscapeError(
                f"{what} of a variable made by gg.variable would leave its gradient to the old value: {instead}, or "
                "replace all of it, v.value = …"
            )
        if any(_shared(view, y) for view in views_of(y)):
            raise EscapeError(f"{what} under no_grad, while a view of v is in use, would not show there: drop it first")
        return False
    if y._base is None or takes_over(y) or not _shared(y, y._base):
        return False
    if assigners["reads"](y.gate) != "slices":
        raise EscapeError(
            f"this variable, from {type(y.gate).__name__ if y.gate is not None else 'another'}, is a view: NumPy "
            "would write into what it was made of. Write there instead, or into a y.copy()"
        )
    return True


def _is_leaf(y: Any) -> bool:
    return y.gate is None and y.level == AMBIENT


def _reads_slice(gate: Any, index: Any) -> bool:
    return assigners["reads"](gate) == "slices" and type(index) is type(gate.index) and index == gate.index


def _put(y: Any, z: Any, is_view: bool, what: str) -> None:
    """Let y be z from now on, and what it is a view of, if that can be."""
    if z.level == UNTRACKED != y.level:
        if not _is_leaf(y):
            raise EscapeError(
                f"{what} under no_grad would cut a tracked variable off from its gradient: write into y.copy() instead"
            )
        y.value = z.raw  # an update of a parameter, which stays the leaf that it is
        return
    if z.level > y.level > UNTRACKED:
        raise EscapeError(
            f"{what}, where v is a variable of a derivative that is being taken and y belongs to one outside of it: "
            "y would outlive the derivative. Build a new value instead, with np.where or np.concatenate"
        )
    if z.shape != y.shape:
        raise ShapeError(f"an assignment leaves the shape as it is, but {y.shape} became {z.shape}")
    if is_view:
        set_item(y._base, y.gate.index, z)  # and y, a view of it, is told
    else:
        _become(y, z)


def _become(y: Any, z: Any) -> None:
    """Give the object y the value and the gate of z, and let its views show that."""
    views = [view for view in views_of(y) if _shared(view, y)]
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
