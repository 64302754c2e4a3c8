"""A specialisation: the program of a function for arguments of certain shapes and dtypes, and the code that runs it."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np

from gategrad.compiler.arguments import Argument
from gategrad.compiler.codegen.signature import Array, Container, Fixed, Scalar, Signature, Structure
from gategrad.compiler.donation import write_over, write_over_flat
from gategrad.compiler.passes import optimise
from gategrad.compiler.program.value import Program, Value
from gategrad.compiler.report import Report, report_on
from gategrad.compiler.runtime import callable as native
from gategrad.compiler.trace.tracing import Rebuild, trace
from gategrad.errors import ComplexTraceError
from gategrad.values import spec_of

__all__ = ["Specialisation", "specialise"]


@dataclasses.dataclass
class Specialisation:
    """A program and its code. Without code the program is interpreted; without a program the function itself runs."""

    program: Program | None
    rebuild: Rebuild
    report: Report
    structures: list[Structure]  # of the arguments
    is_direct: bool = False  # native code builds the containers of the output itself
    code: native.Code | None = None
    text: str = ""
    function: Callable[..., Any] | None = None

    def run(self, arguments: list[Argument], keywords: tuple[str, ...]) -> Any:
        """Answer a call by native code, or else by interpreting the program."""
        leaves = [leaf for a in arguments for leaf in a.leaves]
        if self.function is not None:
            positional, named = _binder(arguments, keywords)(leaves)
            return self.function(*positional, **named)
        if self.code is None:
            return self._interpret(leaves)
        if not self.is_direct:
            return self.rebuild(list(self.code.answer(tuple(leaves), {})))
        # A static argument is recognised by identity: hand over the one that the code knows, equal to that given.
        plain = [
            known.value if isinstance(known, Fixed) else a.plain
            for known, a in zip(self.structures, arguments, strict=True)
        ]
        positional = len(plain) - len(keywords)
        answer = self.code.answer(tuple(plain[:positional]), dict(zip(keywords, plain[positional:], strict=True)))
        return self._interpret(leaves) if answer is native.MISMATCH else answer

    def _interpret(self, leaves: list[Any]) -> Any:
        assert self.program is not None
        with np.errstate(all="ignore"):  # as machine code, which gives inf and nan without a word
            return self.rebuild(self.program(*leaves))


def specialise(
    f: Callable[..., Any], arguments: list[Argument], keywords: tuple[str, ...], donated: Sequence[int] = ()
) -> Specialisation:
    """Trace `f` for such arguments, optimise the program, and compile it if there is an LLVM to do so.

    `donated` are the positions of the arguments that the output may be written over.
    """
    with _uncollected():
        return _specialise(f, arguments, keywords, donated)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cyclic garbage: it looks through all that is made here again and again, and finds nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _specialise(
    f: Callable[..., Any], arguments: list[Argument], keywords: tuple[str, ...], donated: Sequence[int]
) -> Specialisation:
    from gategrad.compiler.runtime.engine import available

    seconds: dict[str, float] = {}
    start = time.perf_counter()
    leaves = [leaf for a in arguments for leaf in a.leaves]
    labels = _distinct([name for a in arguments for name in a.names])
    name = getattr(f, "__name__", "program")
    structures = [a.structure for a in arguments]
    try:
        traced, rebuild = trace(f, _binder(arguments, keywords), [spec_of(x) for x in leaves], labels, name)
    except ComplexTraceError as reason:
        report = Report(name, 0, (), 0, (), {}, note=f"not compiled, NumPy runs the function itself: {reason}")
        return Specialisation(None, _nothing_to_rebuild, report, structures, function=f)
    seconds["trace"] = time.perf_counter() - start
    program = optimise(traced, seconds)
    if not available():
        return Specialisation(program, rebuild, report_on(program, None, seconds), structures)
    return _link(program, rebuild, arguments, keywords, donated, seconds)


def _nothing_to_rebuild(results: list[Any], constant: Callable[[Any], Any] = lambda z: z) -> Any:
    return results


def _binder(arguments: list[Argument], keywords: tuple[str, ...]) -> Callable[[list[Any]], Any]:
    def bind(values: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        rest = iter(values)
        built = [a.build(rest) for a in arguments]
        positional = len(built) - len(keywords)
        return built[:positional], dict(zip(keywords, built[positional:], strict=True))

    return bind


def _distinct(names: list[str]) -> list[str]:
    """The names, with a number behind those that come again."""
    taken: set[str] = set()
    distinct = []
    for name in names:
        number, candidate = 1, name
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate)
        distinct.append(candidate)
    return distinct


def _link(
    program: Program,
    rebuild: Rebuild,
    arguments: list[Argument],
    keywords: tuple[str, ...],
    donated: Sequence[int],
    seconds: dict[str, float],
) -> Specialisation:
    from gategrad.compiler.codegen.module import write_native
    from gategrad.compiler.runtime.capacity import refuse_beyond_memory
    from gategrad.compiler.runtime.link import link
    from gategrad.compiler.runtime.table import Table

    start = time.perf_counter()
    structures = [a.structure for a in arguments]
    order: list[Value] = []
    output = _structure(rebuild(list(program.outputs), Fixed), order)
    native_program = program if output is None else Program(program.inputs, order, program.name)
    if output is not None:
        signature = Signature(tuple(structures), write_over(structures, donated, output), keywords)
    else:
        inputs = tuple([_leaf(x) for x in program.inputs])
        signature = Signature(inputs, write_over_flat(structures, donated, [_leaf(z) for z in program.outputs]))
    table = Table()
    written = write_native(native_program, table, signature.over)
    text = f"{written.text}{table.definition()}\n" if len(table) else written.text
    signature = dataclasses.replace(signature, workspace=written.workspace, releases_gil=written.releases_gil)
    seconds["write"] = time.perf_counter() - start
    refuse_beyond_memory(program.name, written.workspace)
    start = time.perf_counter()
    code = link(written.text, signature, table)
    seconds["llvm"] = time.perf_counter() - start
    report = report_on(program, written, seconds)
    return Specialisation(program, rebuild, report, structures, output is not None, code, text)


def _leaf(z: Value) -> Structure:
    if z.shape == () and z.dtype.kind == "f":
        return Scalar("f64" if z.dtype.itemsize == 8 else "f32")
    return Array(z.dtype, z.shape)


def _structure(x: Any, order: list[Value]) -> Structure | None:
    """The containers around the outputs as native code builds them, None if it cannot; their values go into `order`.

    Native code fills dictionaries in the order of their items, while flat outputs come in the order of sorted keys.
    """
    if isinstance(x, Value):
        order.append(x)
        return _leaf(x)
    if isinstance(x, Fixed):
        return x
    if x is None:
        return Fixed(None)
    kind = type(x)
    if kind not in (tuple, list, dict):
        return None
    items = [_structure(item, order) for item in (x.values() if kind is dict else x)]
    if any(item is None for item in items):
        return None
    return Container(kind, tuple(cast("list[Structure]", items)), tuple(x) if kind is dict else ())
