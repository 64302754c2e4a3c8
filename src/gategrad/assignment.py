"""Assignment: `y[index] = v` and `y += v` on variables, which are never written into.

The object becomes its new value: a gate of the old value and of v, and every gate that used the old value keeps it.
What NumPy would call views of y are told, so that they show what was written, as they do there; writing into a view
(a slice, a transpose, a reshape, a real part) writes into y. Whatever cannot be as in NumPy is refused.
"""

from __future__ import annotations

import sys
import weakref
from typing import Any

import numpy as np

from gategrad import recording
from gategrad.errors import DtypeError, EscapeError, ShapeError, TraceError
from gategrad.gate import Gate
from gategrad.recording import plain
from gategrad.tape import AMBIENT, UNTRACKED
from gategrad.values import set_all
from gategrad.watch import floor

__all__ = [
    "SIGNS",
    "assigners",
    "in_place",
    "note_view",
    "result_for",
    "set_item",
    "takes_over",
    "viewed",
    "views_of",
    "written_out",
]

assigners: dict[str, Any] = {}
"""How values are written and read, by the gates that do it. `gates/writing.py` joins, with

- "write": what y is after y[index] = v;
- "through": of a gate that made a view, the function (base, view) -> what the base is after that view was written
  into; None where NumPy's view is read-only;
- "slice": the index of a gate that reads a slice, else None;
- "gathers": whether a gate copies, or may copy, what for NumPy is a view always (a diagonal, a broadcast);
- "reshape": of what a reshape made of a value of a program, and that value: whether it is a view; None if nobody knows
  (the compiler joins);
- "at": ufunc.at; "into": what writes the result of a NumPy function into its `out=` (both in `gates/filling.py`)."""


# --- views --------------------------------------------------------------------------------------------------------


def viewed(x: Any, gate: Gate) -> Any:
    """What the gate makes of `x`, noted as what NumPy calls a view of it if they are variables of which that matters."""
    z = gate(x)
    if type(z) is type(x) is recording.Variable and z is not x:
        recorded = z.gate
        if recorded is None:
            z._made = recorded = gate
        spec = z.spec if recorded is gate else recorded.spec  # written out: this happens at every slice
        if spec and spec[0]:
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
    _check_chain(y, "v[i] = …", "write into y = v.copy() instead")
    if getattr(v, "_base", None) is y and v.gate is not None and _reads_slice(v.gate, index):
        return  # y[1:] += v has written into y already, through the view y[1:], which is then assigned
    _put(y, assigners["write"](y, index, v), "y[i] = v")


def in_place(ufunc: np.ufunc, y: Any, v: Any) -> Any:
    """y += v and its like, for a variable y: an array stays the same object, a single number makes way for another."""
    if not y.shape:
        return ufunc(y, v)
    sign = SIGNS[ufunc]
    _check_chain(y, f"v {sign}= …", f"write y = v {sign} … for a new value, update it under gg.no_grad()")
    _put(y, result_for(y, ufunc(y, v), sign), f"y {sign}= v")
    return y


SIGNS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.power: "**", np.matmul: "@",
    np.remainder: "%", np.floor_divide: "//",
}  # fmt: skip
"""The ufuncs of the operators that may stand before =."""


def written_out(function: Any, inputs: Any, options: dict[str, Any], out: tuple[Any, ...], **how: Any) -> Any:
    """function(*inputs, out=…), where variables are to take the results: they become those, and are returned."""
    z = function(*inputs, **options)
    for y, part in zip(out, z if type(z) is tuple else (z,), strict=True):
        assigners["into"](y, part, **how)
    return out[0] if len(out) == 1 else out


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


def _check_chain(y: Any, what: str, instead: str) -> None:
    """Refuse what cannot be as in NumPy: of y, and of everything that would be written into through it."""
    while not _is_leaf(y):
        if not _is_view(y):
            return
        if assigners["through"](_maker(y)) is None:
            raise EscapeError(
                f"this variable, from {type(_maker(y)).__name__}, is a view that shows a diagonal, or an element in "
                "several places: NumPy does not write into such either. Write into what it was made of, or into a y.copy()"
            )
        if y.level == UNTRACKED != y._base.level:
            raise EscapeError(
                f"{what}, where v is a view made under no_grad of a variable that is tracked, would cut that off from its "
                "gradient: write into v.copy()"
            )
        y = y._base
    if floor() < AMBIENT:
        raise EscapeError(
            f"{what} of a variable made by gg.variable would leave its gradient to the old value: {instead}, or "
            "replace all of it, v.value = …"
        )
    if any(_shared(view, y) for view in views_of(y)):
        raise EscapeError(f"{what} under no_grad, while a view of v is in use, would not show there: drop it first")


def _is_leaf(y: Any) -> bool:
    return y.gate is None and y.level == AMBIENT


def _is_view(y: Any) -> bool:
    """Whether something else is written into through y."""
    if y._base is None or takes_over(y):
        return False
    if not _shared(y, y._base):
        y._base = None  # a copy, in NumPy: what is written into it is not made of the other any more
        return False
    return True


def _maker(view: Any) -> Any:
    """The gate that made a view, whether it was recorded or not."""
    return view._made if view.gate is None else view.gate


def _reads_slice(gate: Any, index: Any) -> bool:
    own = assigners["slice"](gate)
    return own is not None and type(index) is type(own) and bool(index == own)


def _put(y: Any, z: Any, what: str) -> None:
    """Let y be z from now on, and whatever it is a view of what that makes of it."""
    while True:
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
        if not _is_view(y):
            break
        z = assigners["through"](_maker(y))(y._base, z)
        y = y._base  # and the view, as one of it, is told
    _become(y, z)


def _become(y: Any, z: Any) -> None:
    """Give the object y the value and the gate of z, and let its views show that.

    Everything is computed before anything is changed, and the change is one call that runs no Python of ours: Ctrl-C
    finds all of it or nothing.
    """
    changes = [(y, z)]
    states = [(z.raw, z.gate, z.level)]
    for old, new in changes:  # which grows
        for view in views_of(old):
            if not _shared(view, old):
                continue
            if view.level == UNTRACKED != old.level:  # made under no_grad: a constant that shows the new value
                shown = _maker(view).fresh()(plain(new))
                states.append((shown, None, UNTRACKED))
            else:
                shown = _maker(view).fresh()(new)
                states.append((shown.raw, shown.gate, shown.level))
            changes.append((view, shown))
    slots = ("raw", "gate", "level")
    set_all([old for old, _ in changes for _ in slots], slots * len(changes), [x for state in states for x in state])


def _shared(view: Any, y: Any) -> bool:
    """Whether this is a view for NumPy too, which copies where strides cannot say it."""
    gate = _maker(view)
    if gate is None:
        return False
    if assigners["gathers"](gate):
        return True
    inside, outside = plain(view), plain(y)
    if isinstance(inside, np.ndarray) and isinstance(outside, np.ndarray):
        return bool(np.may_share_memory(inside, outside))
    if type(gate).__name__ == "Reshape":
        shows: bool | None = assigners["reshape"](inside, outside) if "reshape" in assigners else None
        if shows is not None:
            return shows
        raise TraceError(
            "y[i] = v with a reshaped y around, in a compiled function: whether that is a view cannot be known. "
            "Assign first and reshape afterwards"
        )
    return True
