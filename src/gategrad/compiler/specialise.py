"""From a function and its arguments to a specialisation: trace, and have code made of the program or found on the disk."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gategrad.careful import Caution, writing
from gategrad.compiler.arguments import Argument, binder, loosened
from gategrad.compiler.codegen.entry.signature import KINDS, Array, Container, Fixed, Scalar, Signature, Structure
from gategrad.compiler.donation import write_over, write_over_flat
from gategrad.compiler.passes.watch import is_watched, timed
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Value
from gategrad.compiler.runtime import callable as native
from gategrad.compiler.specialisation import Specialisation
from gategrad.compiler.trace.tracing import trace
from gategrad.errors import ComplexTraceError
from gategrad.values import spec_of

if TYPE_CHECKING:
    from gategrad.compiler.program_cache import Kept
    from gategrad.compiler.runtime.table import Table

__all__ = ["specialise"]


def specialise(
    f: Callable[..., Any], arguments: list[Argument], keywords: tuple[str, ...], donated: Sequence[int] = (),
    *, is_careful: bool = False,
) -> Specialisation:  # fmt: skip
    """Trace `f` for such arguments, optimise the program, and compile it if there is an LLVM to do so.

    `donated` are the positions of the arguments that the output may be written over. A careful program does at once
    what others leave until something has come out that is not finite. With something donated it is careful from the
    start: a second program would find its arguments written over.
    """
    from gategrad.compiler.runtime.engine import available

    with _uncollected():
        made = _traced(f, arguments, keywords, donated, is_careful=is_careful or bool(donated))
        if made.traced is not None:
            if available():
                made.code = _code(made, made.traced, keywords, donated)
            else:
                _ = made.program
        return made


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


def _traced(
    f: Callable[..., Any], arguments: list[Argument], keywords: tuple[str, ...], donated: Sequence[int],
    *, is_careful: bool,
) -> Specialisation:  # fmt: skip
    specs = [complex if type(leaf) is complex else spec_of(leaf) for a in arguments for leaf in a.leaves]
    labels = _distinct([name for a in arguments for name in a.names])
    structures = [a.structure for a in arguments]
    seconds: dict[str, float] = {}
    try:
        with timed(seconds, "trace"), writing(is_careful=is_careful) as caution:
            traced = f if donated else functools.partial(_with_doubts if is_careful else _with_alarm, caution, f)
            program, rebuild = trace(
                traced, binder(arguments, keywords), specs, labels, getattr(f, "__name__", "program")
            )
    except ComplexTraceError as reason:
        made = Specialisation(f, None, _nothing_to_rebuild, structures)
        made.note = f"not compiled, NumPy runs the function itself: {reason}"
        return made
    minds = _minds_python(program)
    made = Specialisation(f, program, rebuild, structures if minds else list(map(loosened, structures)))
    made.is_donated = bool(donated)
    made.minds_python = minds
    made.relies_on_rows = program.relies_on_rows
    made.seconds = seconds
    made.counts_doubts = traced is not f and is_careful and bool(caution.doubtful)
    made.has_alarm = traced is not f and not is_careful and caution.alarm is not None
    if made.has_alarm:
        # native code keeps the alarm to itself
        made.rebuild = lambda results, *constant: rebuild([*results, None], *constant)[0]
    if caution.has_spared:
        made.again = lambda: specialise(f, arguments, keywords, donated, is_careful=True)
    return made


def _with_doubts(caution: Caution, f: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """What a function returns, and in how many places it is in doubt, if in any."""
    z = f(*args, **options)
    counts = [np.sum(np.where(mask, 1.0, 0.0)) for mask, _ in caution.doubtful]
    return (z, sum(counts)) if counts else z


def _with_alarm(caution: Caution, f: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """What a function returns, and whether what was left out of its program may matter, if something tells."""
    z = f(*args, **options)
    alarm = caution.alarm
    if alarm is None:
        return z
    alarm.value.name = "alarm"
    return z, alarm


def _minds_python(program: Program) -> bool:
    """Whether it matters which single numbers are Python's: those do not widen what is in single precision."""
    return any(x.dtype in _NARROW for x in (*program.inputs, *program.values))


_NARROW = (np.dtype(np.float32), np.dtype(np.complex64))


def _nothing_to_rebuild(results: list[Any], constant: Callable[[Any], Any] = lambda z: z) -> Any:
    return results


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


# --- code, from the disk or from LLVM


def _code(made: Specialisation, traced: Program, keywords: tuple[str, ...], donated: Sequence[int]) -> native.Code:
    from gategrad.compiler import program_cache
    from gategrad.compiler.runtime.capacity import refuse_beyond_memory
    from gategrad.compiler.runtime.link import linked

    signature = _signature(made, traced, keywords, donated)
    made.over = signature.over
    with timed(made.seconds, "look up"):
        key = None if is_watched() else program_cache.key_of(traced, signature)
        found = None if key is None else program_cache.fetch(key)
    if found is None:
        found, table = _compiled(made, signature, key)
    else:
        refuse_beyond_memory(traced.name, found.workspace)
        table = found.table(signature)
    with timed(made.seconds, "link"):
        return linked(found.code, found.completed(signature), table)


def _compiled(made: Specialisation, signature: Signature, key: str | None) -> tuple[Kept, Table]:
    """Optimise, write and compile the program, and keep what came of it under the key."""
    from gategrad.compiler import program_cache
    from gategrad.compiler.runtime import engine
    from gategrad.compiler.runtime.capacity import refuse_beyond_memory
    from gategrad.compiler.runtime.link import whole

    written, table = made.written.native, made.written.table
    refuse_beyond_memory(cast(Program, made.traced).name, written.workspace)
    new = program_cache.Kept(b"", written.workspace, written.releases_gil, [])
    with timed(made.seconds, "llvm"):
        text = whole(written.text, new.completed(signature), table)
        new = dataclasses.replace(new, slots=table.recipe(program_cache.given_of(signature)))
        if key is None or not program_cache.can_keep(new):
            return dataclasses.replace(new, code=engine.kept_or_compiled(text)), table
        new = dataclasses.replace(new, code=engine.linked(engine.compile_object(text)))
        program_cache.keep(key, new)
        return new, table


# --- what goes in and comes out


def _signature(made: Specialisation, traced: Program, keywords: tuple[str, ...], donated: Sequence[int]) -> Signature:
    order: list[Value] = []
    output = _structure(made.rebuild(list(traced.outputs), Fixed), order)
    if output is None:
        inputs = tuple([_leaf(x) for x in traced.inputs])
        flat = [_leaf(z) for z in traced.outputs[: -1 if made.has_alarm else None]]
        output = write_over_flat(made.structures, donated, flat)
        return Signature(
            inputs,
            output,
            wants_finite=made.again is not None,
            has_alarm=made.has_alarm,
            gives_up=made.gives_up,
        )
    places = {z: n for n, z in enumerate(traced.outputs)}
    made.order = [*[places[z] for z in order], *[len(traced.outputs) - 1] * made.has_alarm]
    output = write_over(made.structures, donated, output)
    return Signature(
        made.structures,
        output,
        keywords,
        wants_finite=made.again is not None,
        has_alarm=made.has_alarm,
        gives_up=made.gives_up,
    )


def _leaf(z: Value) -> Structure:
    if z.shape == () and z.dtype in KINDS:
        return Scalar(KINDS[z.dtype])
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
