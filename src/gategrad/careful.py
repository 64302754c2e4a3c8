"""careful: what is rare and dear is left out of a program at first, and done when NaN or infinities come out of it.

Eagerly a rule looks whether an infinity occurs, and does what that asks for. A program that is being written knows no
values: it would have to do it always. So it does not, and notes that it `spared` itself something, and where that would
matter; the compiler then sends a call in which that occurs, and whose outputs are not finite, to a second program,
written carefully.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "Caution", "Doubt", "doubted", "doubts", "give_up", "given_up", "in_doubt", "is_looking", "lookers", "looking", "noted",
    "spared", "without_doubt", "writing",
]  # fmt: skip

doubts = 0
"""How often a choice was made that numbers alone cannot decide, in all threads; it never falls.

Who differentiates remembers it `before`, and asks `in_doubt(before)` if it has grown, for it may be another's doubt. Who is
in doubt looks again (`transforms/limits.py`).
"""

lookers = 0
"""How many look again at this moment, in all threads: while there is nobody, what is dear to ask is not asked."""

_looking: ContextVar[bool] = ContextVar("gategrad_looking", default=False)
is_looking = _looking.get


class Caution:
    """Whether a program is written carefully, and whether anything was left out of it."""

    def __init__(self, is_careful: bool) -> None:
        self.is_careful = is_careful
        self.left_out: list[Any] = []  # the masks, values of the program, of where it would matter; None: anywhere
        self.doubtful: list[tuple[Any, bool]] = []  # the masks of what was in doubt; whether of ties

    @property
    def has_spared(self) -> bool:
        """Whether anything was left out."""
        return bool(self.left_out)

    @functools.cached_property
    def alarm(self) -> Any:
        """Whether what was left out may matter, a value of the program; None if nothing tells, or too much would have to."""
        masks: dict[tuple[int, ...], Any] = {}
        for mask in self.left_out:
            if mask is None:
                return None
            known = masks.get(mask.shape)
            masks[mask.shape] = mask if known is None else np.logical_or(known, mask)
        if not masks or len(masks) > _MOST_SHAPES:
            return None
        return functools.reduce(np.logical_or, map(np.any, masks.values()))


_MOST_SHAPES = 8
"""Beyond so many reductions of masks, looking at the outputs is cheaper."""

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


def spared(where: Any = None) -> bool:
    """Whether to leave out what is rare and dear, of values that are not known yet; if so, that is noted.

    `where` is a mask, known when the program runs, outside of which what is left out makes no difference.
    """
    caution = _caution.get()
    if caution is None or caution.is_careful:
        return False
    caution.left_out.append(where)
    return True


class _Noted(threading.local):
    """The doubts of a thread that have not been settled: what `doubts` was when each was noted."""

    def __init__(self) -> None:
        self.doubts = [0]  # rising
        self.grave = 0  # the last of those that are serious whatever else there is
        self.products = 0  # the last of those that are no mere ties
        self.ties: list[tuple[int, Callable[[], Any]]] = []  # by number, what is known of ties while somebody keeps it
        self.given_up = 0  # how often a look was too dear


_noted = _Noted()
_counting = threading.Lock()
_MOST = 64


def doubted(mask: Any, *, is_grave: bool = True, is_tie: bool = False, tie: Any = None) -> None:
    """Note that a choice was made where the mask is true, which numbers alone cannot decide.

    At a tie that is between the sides of a kink, all finite; else what 0 · ∞ is. `tie` is what is known of one.
    """
    if isinstance(mask, (bool, np.bool_, np.ndarray)):
        if np.any(mask):
            _note(is_grave, is_tie, tie)
        return
    caution = _caution.get()
    if caution is not None:
        caution.doubtful.append((mask, is_tie))


def _note(is_grave: bool, is_tie: bool, tie: Any) -> None:
    global doubts  # noqa: PLW0603 - one number that all who differentiate compare, for the price of reading it
    with _counting:
        doubts += 1
        number = doubts
    noted = _noted.doubts
    noted.append(number)
    if is_grave:
        _noted.grave = number
    if not is_tie:
        _noted.products = number
    elif len(_noted.ties) < _MOST:
        _noted.ties.append((number, _nothing if tie is None else weakref.ref(tie)))
    else:
        _noted.ties[-1] = number, _nothing
    if len(noted) > _MOST:
        noted[: _MOST // 2] = noted[_MOST // 2 - 1 : _MOST // 2]  # the oldest are one from now on


def in_doubt(before: int, *, gravely: bool = False) -> bool:
    """Whether this thread has noted a doubt since there were `before` that has not been settled."""
    return doubts != before and (_noted.grave if gravely else _noted.doubts[-1]) > before


def _nothing() -> None:
    """What is known of most."""


class Doubt(NamedTuple):
    """What was noted: whether there were ties alone, and what is known of each, if its circuit is there when it is asked."""

    only_ties: bool
    ties: tuple[Callable[[], Any], ...]

    def __or__(self, other: Any) -> Doubt:
        """Both of two."""
        return self if other is None else Doubt(self.only_ties and other.only_ties, self.ties + other.ties)


def noted(before: int) -> Doubt | None:
    """What this thread has noted since there were `before`, if anything."""
    if not in_doubt(before):
        return None
    return Doubt(_noted.products <= before, tuple([tie for number, tie in _noted.ties if number > before]))


def without_doubt(before: int) -> bool:
    """Take back what this thread has noted since there were `before`; whether it was anything."""
    noted = _noted.doubts
    if noted[-1] <= before:
        return False
    while noted[-1] > before and len(noted) > 1:
        noted.pop()
    _noted.ties = [(number, tie) for number, tie in _noted.ties if number <= before]
    noted[0] = min(noted[0], before)  # it may stand for older ones
    _noted.grave, _noted.products = min(_noted.grave, before), min(_noted.products, before)
    return True


def give_up() -> None:
    """Note that a second look was too dear, and the first answer stays as it is."""
    _noted.given_up += 1


def given_up() -> int:
    """How often that was so in this thread."""
    return _noted.given_up


@contextmanager
def looking() -> Iterator[None]:
    """While a derivative in doubt is computed once more, to see whether the doubt is a serious one."""
    global lookers  # noqa: PLW0603 - as above
    with _counting:
        lookers += 1
    token = _looking.set(True)
    try:
        yield
    finally:
        _looking.reset(token)
        with _counting:
            lookers -= 1
