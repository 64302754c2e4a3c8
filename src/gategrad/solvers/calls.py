"""What SciPy calls: the user's functions on plain numbers, with containers as vectors and lists joined."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.errors import NoRuleError
from gategrad.gate import on_meeting
from gategrad.numpy import array
from gategrad.recording import plain
from gategrad.transforms.containers import flatten, is_value
from gategrad.transforms.ravel import ravel
from gategrad.variable import Variable

__all__ = ["Unknowns", "as_args", "joined", "Plainly", "plain_all", "refuse_variables"]


def plain_all(x: Any) -> Any:
    """A container with the plain values of what is in it."""
    if type(x) is Variable:
        return plain(x)
    values, rebuild = flatten(x)
    return rebuild([plain(v) for v in values]) if any(type(v) is Variable for v in values) else x


def as_args(args: Any) -> tuple[Any, ...]:
    """SciPy's `args`: a tuple, or a single argument."""
    return args if isinstance(args, tuple) else (args,)


def joined(z: Any) -> Any:
    """What a function returned, a list of numbers or variables too, as an array."""
    return z if hasattr(z, "dtype") else array(z)


class Plainly:
    """A function as SciPy calls it, under `no_grad`: what it returns, untracked variables if it computes with some, is plain.

    `met` says whether it ever computed with one.
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        functools.update_wrapper(self, f)
        self._f = f
        self.met = False

    def __call__(self, *args: Any, **options: Any) -> Any:
        z = self._f(*args, **options)
        if type(z) is np.ndarray or type(z) is float:
            return z
        values, rebuild = flatten(z)
        if not any(type(x) is Variable for x in values):
            return z
        self.met = True
        return rebuild([plain(x) for x in values])


def refuse_variables(function: str, **options: Any) -> None:
    """Raise `NoRuleError` if an option through which no gradient flows holds a variable."""
    for name, option in options.items():
        if any(type(x) in on_meeting for x in flatten(option)[0]):
            raise NoRuleError(f"{function} has no gradient in {name}=: pass its .value")


class Unknowns:
    """The x of an equation or a minimum as users write it, a vector or any container, and as SciPy wants it, a vector."""

    def __init__(self, x0: Any) -> None:
        x0 = plain_all(x0)
        if isinstance(x0, list) and all(isinstance(x, (int, float)) for x in x0):
            x0 = np.array(x0, dtype=float)
        self.is_vector = is_value(x0) and np.ndim(x0) < 2
        if self.is_vector:
            x0 = np.atleast_1d(x0)
            self.start = x0 if x0.dtype.kind in "fc" else x0.astype(float)
            self.back: Any = lambda vector: vector
        else:
            self.start, self.back = ravel(x0)

    def function(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """A function of x as one of the vector: f itself, if x is one."""
        if self.is_vector:
            return f
        return lambda vector, *args: f(self.back(vector), *args)

    def equations(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """The same, of a function that returns as many numbers as x has, in any container."""

        def of_vector(vector: Any, *args: Any) -> Any:
            z = f(self.back(vector), *args)
            if not self.is_vector and not hasattr(z, "dtype"):
                return ravel(z)[0]
            return np.reshape(joined(z), -1)

        return of_vector
