"""Case: one call of one function, with everything that the tests and the coverage page ask of it.

A table is a file in `tables/`: a docstring, whose first line is the heading on the page, and a list `CASES`. It is found by
itself, so a new subject is a new file and nothing else.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import gategrad as gg
from gategrad.compiler.codegen.module import write_native
from gategrad.compiler.passes import optimise
from gategrad.compiler.program.program import Program
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.trace.tracing import trace
from gategrad.errors import TraceError
from gategrad.values import spec_of

__all__ = ["Case", "Subject", "case", "is_differentiable", "subjects", "weights"]


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """A call of the function `name`; the inputs that are floats or arrays of floats are those that have gradients."""

    name: str
    inputs: tuple[Any, ...]
    call: Callable[..., Any]
    note: str
    order: int
    compiles: bool
    elsewhere: bool

    @property
    def floats(self) -> tuple[Any, ...]:
        """The inputs that have gradients."""
        return tuple(x for x in self.inputs if is_differentiable(x))

    def __call__(self, *floats: Any) -> Any:
        """The function of those inputs alone; the others are what the case says."""
        rest = iter(floats)
        return self.call(*[next(rest) if is_differentiable(x) else x for x in self.inputs])

    def value_and_gradient(self, *floats: Any) -> Any:
        """The value, and the gradient of the sum of all outputs, each weighted by its place."""
        z, pullback = gg.vjp(self, *floats)
        return z, pullback(weights(z))

    @functools.cached_property
    def traced(self) -> tuple[Program, Callable[..., Any]]:
        """The program of value and gradient, and what puts its outputs back into their containers."""
        names = [f"x{n}" for n in range(len(self.floats))]
        program, rebuild = trace(
            self.value_and_gradient, lambda xs: (xs, {}), list(map(spec_of, self.floats)), names, "f"
        )
        return optimise(program, {}), rebuild

    @functools.cached_property
    def how_compiled(self) -> str:
        """`native`, `host calls`, or `no` for what no program can hold."""
        try:
            program, _ = self.traced
        except TraceError:
            return "no"
        return "host calls" if write_native(program, Table()).callbacks else "native"


def case(
    name: str,
    *inputs: Any,
    call: Callable[..., Any] | None = None,
    note: str = "",
    order: int = 2,
    compiles: bool = True,
    elsewhere: bool = False,
    **options: Any,
) -> Case:
    """The function of this name on these inputs, with these options; `call` where it wants them another way.

    `order` is the highest order of derivative that is compared with differences. `compiles=False` is for functions whose
    shapes or dtypes depend on values; the test then asks for the refusal. `elsewhere=True` is for those
    that have tests of their own for all but what the compiler makes of them.
    """
    whole = call or functools.partial(_find(name), **options)
    return Case(name, inputs, whole, note, order, compiles, elsewhere)


def is_differentiable(x: Any) -> bool:
    """Whether an input has a gradient."""
    return isinstance(x, float) or (isinstance(x, np.ndarray) and x.dtype.kind in "fc")


@dataclasses.dataclass(frozen=True)
class Subject:
    """The cases of one subject, under the heading that they have on the page."""

    heading: str
    cases: list[Case]


@functools.cache
def subjects() -> tuple[Subject, ...]:
    """Every subject there is, in the order of the names of their files."""
    return tuple(_subjects())


def _subjects() -> Iterator[Subject]:
    package = importlib.import_module(f"{__package__}.tables")
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        yield Subject((module.__doc__ or "").partition("\n")[0].rstrip("."), module.CASES)


def _find(name: str) -> Any:
    """The function of a dotted name: `np.sum`, `scipy.special.erf`."""
    root, *path = name.split(".")
    found = importlib.import_module({"np": "numpy", "gg": "gategrad"}.get(root, root))
    for part in path:
        found = getattr(found, part, None) or importlib.import_module(f"{found.__name__}.{part}")
    return found


def weights(z: Any) -> Any:
    """An upstream gradient for each output, different at each place."""
    if isinstance(z, (tuple, list)):
        return type(z)([weights(part) for part in z])
    shape = np.shape(z)
    if not shape:
        return 0.75
    return np.cos(np.arange(np.prod(shape, dtype=int)) + 0.5).reshape(shape).astype(z.dtype)
