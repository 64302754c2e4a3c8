"""no_grad: compute without remembering."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

from gategrad.tape import Pause, leave, next_level, paused, paused_level
from gategrad.watch import Watching

__all__ = ["NoGrad", "no_grad"]

F = TypeVar("F", bound=Callable[..., Any])


class NoGrad:
    """What `no_grad()` returns: a block to enter, as often as you like, or a decorator.

    It holds nothing itself: all is in the context of the thread (or task) that enters, so one object may serve many.
    """

    def __enter__(self) -> None:
        before = paused()
        if isinstance(before, Watching):  # the floor rises, and what is recorded above it is seen as before
            pause: Pause = Watching(before, next_level(), before.watches)
        else:
            pause = Pause(next_level(), before)
        try:
            paused_level.set(pause)
        except BaseException:  # Ctrl-C, as soon as it is set: nobody else would close the block
            paused_level.set(pause.outer)
            raise

    __exit__ = leave

    def __call__(self, function: F) -> F:
        decorated: F = _decorate(function)
        return decorated


@overload
def no_grad() -> NoGrad: ...
@overload
def no_grad(function: F) -> F: ...
def no_grad(function: Any = None) -> Any:
    """Compute without remembering: gates keep no cache and no circuit. A context manager and a decorator.

    Remembering is what costs memory in backpropagation, and inference has no use for it. The results are
    untracked variables. Derivatives that are taken inside (`gg.grad` within the block) still work.

    >>> import gategrad as gg
    >>> w = gg.variable(2.0)
    >>> with gg.no_grad():
    ...     z = w * w
    >>> z.item(), z.gate is None
    (4.0, True)
    """
    return NoGrad() if function is None else NoGrad()(function)


def _decorate(function: Any) -> Any:
    if inspect.isgeneratorfunction(function):
        return _paused_generator(function)
    if inspect.iscoroutinefunction(function):
        return _paused_coroutine(function)

    @functools.wraps(function)
    def without_remembering(*args: Any, **options: Any) -> Any:
        with NoGrad():
            return function(*args, **options)

    return without_remembering


def _paused_generator(function: Any) -> Any:
    """A generator runs in the caller's context, so the pause is lifted whenever it yields."""

    @functools.wraps(function)
    def generator(*args: Any, **options: Any) -> Any:
        inner = function(*args, **options)
        resume, sent = inner.send, None
        while True:
            try:
                with NoGrad():
                    item = resume(sent)
            except StopIteration as stop:
                return stop.value
            try:
                resume, sent = inner.send, (yield item)
            except GeneratorExit:
                with NoGrad():
                    inner.close()
                raise
            except BaseException as error:
                resume, sent = inner.throw, error

    return generator


def _paused_coroutine(function: Any) -> Any:
    @functools.wraps(function)
    async def coroutine(*args: Any, **options: Any) -> Any:
        with NoGrad():
            return await function(*args, **options)

    return coroutine
