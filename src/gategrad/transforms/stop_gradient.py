"""stop_gradient: a value through which nothing flows."""

from __future__ import annotations

from typing import Any

from gategrad.transforms.containers import flatten
from gategrad.variable import Variable, detach

__all__ = ["stop_gradient"]


def stop_gradient(x: Any) -> Any:
    """The same value as a constant: no derivative, of any order or in any direction, flows through it.

    `x` is a value or a container of values; what is no variable is handed back as it is.

    >>> import gategrad as gg
    >>> gg.grad(lambda x: gg.stop_gradient(x) * x)(3.0)
    3.0
    """
    values, rebuild = flatten(x)
    if not any(type(value) is Variable for value in values):
        return x
    return rebuild([detach(value) if type(value) is Variable else value for value in values])
