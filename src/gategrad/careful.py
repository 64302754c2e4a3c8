"""careful: what is rare and dear is left out of a program at first, and done when NaN or infinities come out of it.

Eagerly a rule looks whether an infinity occurs, and does what that asks for. A program that is being written knows no
values: it would have to do it always. So it does not, and notes that it `spared` itself something; the compiler then
sends a call whose outputs are not finite to a second program, written carefully.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

__all__ = ["Caution", "doubted", "doubts", "is_looking", "lookers", "looking", "spared", "writing"]

doubts = 0
"""How often a choice was made that numbers alone cannot decide; who sees it grow looks again (`transforms/limits.py`)."""

lookers = 0
"""How many look again at this moment, in all threads: while there is nobody, what is dear to ask is not asked."""

_looking: ContextVar[bool] = ContextVar("gategrad_looking", default=False)
is_looking = _looking.get


class Caution:
    """Whether a program is written carefully, and whether anything was left out of it."""

    __slots__ = ("doubtful", "has_spared", "is_careful")

    def __init__(self, is_careful: bool) -> None:
        self.is_careful = is_careful
        self.has_spared = False
        self.doubtful: list[Any] = []  # the masks, values of the program, of what was in doubt


_caution: ContextVar[Caution | None] = ContextVar("gategrad_caution", default=None)


@contextmanager
def writing(*, is_careful: bool | None = None) -> Iterator[Caution]:
    """While a program, or a part of one that is to have notes of its own, is being written; a part as the whole is."""
    whole = _caution.get()
    caution = Caution(is_careful if is_careful is not None else whole is None or whole.is_careful)
    token = _caution.set(caution)
    try:
        yield caution
    finally:
        _caution.reset(token)


def spared() -> bool:
    """Whether to leave out what is rare and dear, of values that are not known yet; if so, that is noted."""
    caution = _caution.get()
    if caution is None or caution.is_careful:
        return False
    caution.has_spared = True
    return True


def doubted(mask: Any) -> None:
    """Note that a choice was made where the mask is true, which numbers alone cannot decide."""
    if isinstance(mask, (bool, np.bool_, np.ndarray)):
        global doubts  # noqa: PLW0603 - one number that all who differentiate compare, for the price of reading it
        doubts += bool(np.any(mask))
        return
    caution = _caution.get()
    if caution is not None:
        caution.doubtful.append(mask)


@contextmanager
def looking() -> Iterator[None]:
    """While a derivative in doubt is computed once more, to see whether the doubt is a serious one."""
    global lookers  # noqa: PLW0603 - as above
    lookers += 1
    token = _looking.set(True)
    try:
        yield
    finally:
        _looking.reset(token)
        lookers -= 1
