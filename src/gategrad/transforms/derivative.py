"""What functions made from functions have in common: name, documentation and signature, pickling, argnums."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any, cast

from gategrad import careful
from gategrad.errors import describe
from gategrad.transforms.limits import settled
from gategrad.transforms.sides import Sample

__all__ = ["Derivative", "Transformed", "at_once"]


class Transformed:
    """A function made from a function, with its name, documentation and signature; pickles if that one does."""

    prefix = "made of"

    def __init__(self, f: Callable[..., Any]) -> None:
        if not callable(f):
            raise TypeError(
                f"{type(self).__name__} takes a function, not {describe(f)}: it returns a function, "
                f"to be called with the numbers, as in gg.{type(self).__name__}(f)(x)"
            )
        functools.update_wrapper(cast(Any, self), f, updated=())
        self._f = f

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(cast(Any, self), instance)

    def __repr__(self) -> str:
        name = getattr(self._f, "__qualname__", repr(self._f))
        try:
            return f"<{self.prefix} {name}{inspect.signature(self._f)}>"
        except (TypeError, ValueError):
            return f"<{self.prefix} {name}>"

    def __reduce__(self) -> Any:
        name = getattr(self, "__qualname__", "")
        if getattr(inspect.getmodule(self._f), name, None) is self:
            return name  # a decorated function: found again by its name
        return type(self), self._options()

    def _options(self) -> tuple[Any, ...]:
        """What the constructor was given."""
        return (self._f,)


at_once: dict[type, Callable[[Derivative], Callable[..., Any]]] = {}
"""Kinds of functions whose derivatives can be had as functions of that kind, and what makes such a one; `compile` joins."""


class Derivative(Transformed):
    """A derivative with respect to the positional arguments in `argnums`."""

    prefix = "derivative of"
    noun = "derivative"

    def __init__(self, f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> None:
        super().__init__(f)
        self._argnums = _checked(argnums, type(self).__name__)
        self._has_aux = has_aux

    def _options(self) -> tuple[Any, ...]:
        return self._f, self._argnums, self._has_aux

    @property
    def asks(self) -> tuple[Callable[..., Any], int | tuple[int, ...], bool]:
        """What is differentiated, with respect to what, and whether it returns something beside: as it was made."""
        return self._f, self._argnums, self._has_aux

    @functools.cached_property
    def _at_once(self) -> Callable[..., Any] | None:
        """A function that computes this derivative without a tape; None unless what is differentiated is of such a kind."""
        make = next((at_once[kind] for kind in type(self._f).__mro__ if kind in at_once), None)
        return None if make is None else make(self)

    def _positions(self, count: int) -> tuple[int, ...]:
        """The positions that `argnums` names in a call with so many positional arguments."""
        chosen = self._argnums
        if type(chosen) is int and 0 <= chosen < count:  # written out: one argument
            return (chosen,)
        argnums = chosen if isinstance(chosen, tuple) else (chosen,)
        for n in argnums:
            if not -count <= n < count:
                name = getattr(self._f, "__name__", "the function")
                raise TypeError(
                    f"the {self.noun} of {name} is wanted for positional argument {n} (argnums), "
                    f"but it was called with {count} positional argument{'s' * (count != 1)}: what is differentiated is "
                    "given by position, not by name"
                )
        positions = [n % count for n in argnums]
        if len(set(positions)) < len(positions):
            raise TypeError(f"argnums names one argument twice: {argnums}")
        return tuple(positions)

    def _settled(
        self, once: Callable[[tuple[Any, ...]], Sample], args: tuple[Any, ...], before: int, found: Any, value: Any
    ) -> Any:
        """What was `found` for these arguments, `once` again if a doubt has been noted since `before` (see `limits.py`)."""
        if not careful.in_doubt(before):
            return found
        positions = self._positions(len(args))

        def beside(moved: tuple[Any, ...]) -> Sample:
            arguments = list(args)
            for n, x in zip(positions, moved, strict=True):
                arguments[n] = x
            return once(tuple(arguments))

        return settled(beside, [args[n] for n in positions], found, before, self._f, value, careful.noted(before))

    def _one_or_all(self, parts: tuple[Any, ...]) -> Any:
        """A tuple of parts for a tuple of argnums, else the one part."""
        return parts if isinstance(self._argnums, tuple) else parts[0]


def _checked(argnums: Any, name: str) -> int | tuple[int, ...]:
    """Positions of arguments, or what else was given in their place."""
    if isinstance(argnums, int):
        return argnums
    if isinstance(argnums, (list, tuple, range)) and all(isinstance(n, int) for n in argnums):
        return tuple(argnums)
    raise TypeError(
        f"argnums of gg.{name} is the position of an argument, or a tuple of positions, not {describe(argnums)}. "
        f"To call the derivative, write gg.{name}(f)(x)"
    )
