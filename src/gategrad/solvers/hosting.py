"""Solvers in compiled functions: a host call, whose pullback is one too."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from gategrad.compiler.trace.host import Hosted
from gategrad.compiler.trace.symbol import Symbol
from gategrad.recording import plain
from gategrad.transforms.closure import closure_of
from gategrad.transforms.containers import flatten

__all__ = ["solver"]

F = TypeVar("F", bound=Callable[..., Any])


def solver(answers: Callable[[Any], Any], back: Callable[[Any], Any] = lambda z: z) -> Callable[[F], F]:
    """Decorator: a function that runs on the host where a value of a program is among its arguments or in their closures.

    `answers` takes the numbers out of what it returns, in any container; `back` makes what is returned of those alone.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def anywhere(*args: Any, **options: Any) -> Any:
            values, rebuild = flatten((args, options))
            opened = [closure_of(x) for x in values]
            inside = [x for held, _ in opened for x in held]
            flat, refill = flatten(inside)
            everything = [*values, *flat]
            places = [n for n, x in enumerate(everything) if type(plain(x)) is Symbol]
            if not places:
                return function(*args, **options)

            def on_numbers(*numbers: Any) -> Any:
                filled = list(everything)
                for place, number in zip(places, numbers, strict=True):
                    filled[place] = number
                held = iter(refill(filled[len(values) :]))
                arguments = [
                    fill([next(held) for _ in had]) if had else x
                    for x, (had, fill) in zip(filled[: len(values)], opened, strict=True)
                ]
                positional, named = rebuild(arguments)
                found, shape.rebuild = flatten(answers(function(*positional, **named)))
                return tuple(found)

            shape = _Shape()
            z = Hosted(on_numbers, function.__name__)(*[everything[n] for n in places])
            return back(shape.rebuild(list(z) if isinstance(z, tuple) else [z]))

        return cast(F, anywhere)

    return decorate


class _Shape:
    """What puts the answers back into their containers, known when the function has run once."""

    rebuild: Callable[[list[Any]], Any]
