"""`backward`, which is a method of variables: seed the walk with dz, and add what arrives to the `.grad` of the leaves."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad import careful
from gategrad.errors import DtypeError, NotScalarError, NotTrackedError, ShapeError, describe
from gategrad.tape import AMBIENT, UNTRACKED, walk
from gategrad.values import conjugated, is_own, set_all

__all__ = ["backward"]

second_look: Callable[[Any, Any, dict[Any, Any], int], dict[Any, Any]] | None = None
"""What corrects gradients that a doubt was noted of (`careful.doubted`); `transforms/replay.py` joins."""

_deposit_lock = threading.Lock()  # two threads may come back to the same leaf at once, and neither gradient may be lost


def backward(z: Any, dz: Any = None, *, retain: bool = False, keep: bool = False) -> None:
    """Walk back from this value and add to the `.grad` of every variable that it was computed from.

    `dz` is the upstream gradient of this value; 1 if it is a single number, required otherwise.
    Gradients of complex values, `dz` among them, are directions of steepest ascent: dL = Re(Σ conj(dz) · δz).
    `retain=True` lets the gates go on remembering, so that backward can be called again.
    `keep=True` keeps the gradients of interior values too, readable as their `.grad`.

    Raises `NotTrackedError`, `NotScalarError`, `ShapeError` or `ReleasedError`.

    >>> import gategrad as gg
    >>> x = gg.variable(3.0)
    >>> (x * x).backward()
    >>> x.grad
    6.0
    """
    if z.level != AMBIENT:
        raise NotTrackedError(_why_no_backward(z))
    gate = z.gate
    if dz is None:
        spec = z.spec if gate is None else gate.spec
        dz = _seed_of_one(spec) if spec else 1.0
    else:
        dz = _fit_seed(dz, z)
    before = careful.doubts
    gradients = {z: dz} if gate is None else walk(gate, dz, retain=retain, keep=keep)
    if careful.doubts != before and second_look is not None and careful.in_doubt(before):
        gradients = second_look(gate, dz, gradients, before)
    with _deposit_lock:
        _deposit(gradients)


def _seed_of_one(spec: Any) -> Any:
    shape, dtype = spec
    if any(length != 1 for length in shape):
        raise NotScalarError(
            f"backward() on an array of shape {shape} needs the upstream gradient dz, an array of that shape. "
            "For the gradient of a single number, reduce first: np.sum(f).backward()"
        )
    if dtype.kind == "c":
        raise NotScalarError(
            "backward() on a complex number needs the upstream gradient dz, a complex number. The gradient of a real "
            "one, such as np.abs(f) ** 2 or np.real(f), needs none"
        )
    return np.ones(shape, dtype)[()]


def _fit_seed(dz: Any, z: Any) -> Any:
    if hasattr(dz, "spec"):
        raise DtypeError("backward(dz) takes a number or an array; for derivatives of gradients use gg.grad or gg.vjp")
    try:
        dz = np.asarray(dz)
    except ValueError as error:
        raise ShapeError(f"dz was given with rows of different lengths ({error})") from None
    if dz.dtype.kind not in "fciu" or (dz.dtype.kind == "c" != z.dtype.kind):
        raise DtypeError(f"dz is {describe(dz)}: it takes a number or an array of floats")
    if dz.shape != z.shape:
        raise ShapeError(f"dz has shape {dz.shape}, but the value that it is the gradient of has shape {z.shape}")
    return conjugated(dz.astype(z.dtype)[()], z.spec) if z.spec else float(dz)


def _deposit(gradients: dict[Any, Any]) -> None:
    """Add what the walk gathered to the `.grad` of the leaves: all of it, or nothing if Ctrl-C comes before.

    The sums are computed first, and then handed out in one call that runs no Python in between.
    """
    totals = [
        gradient if type(gradient) is float and leaf._gradient is None else _total(leaf, gradient)
        for leaf, gradient in gradients.items()
    ]
    set_all(gradients, itertools.repeat("_gradient"), totals)


def handed_out(gradient: Any) -> Any:
    """A gradient that nobody holds but the walk, as the `.grad` of a leaf."""
    return gradient if is_own(gradient) else gradient.copy()


def _total(leaf: Any, gradient: Any) -> Any:
    """What the `.grad` of a leaf will be. Always a new array: the walk may have handed the same one to several leaves."""
    gradient = conjugated(gradient, leaf.spec)
    if leaf._gradient is not None:
        return leaf._gradient + gradient
    return gradient.copy() if type(gradient) is np.ndarray else gradient


def _why_no_backward(z: Any) -> str:
    if z.level == UNTRACKED:
        return (
            "backward() on a value that remembers no circuit: it was computed under no_grad, was detached, "
            "or depends on no variable. Compute it from gg.variable(...) outside no_grad"
        )
    return (
        "backward() on a value of a function that gg.grad or the like is differentiating, or was when it kept this value: "
        "return the value from there instead"
    )
