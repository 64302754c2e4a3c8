"""A specialisation: the program of a function for arguments of certain shapes and dtypes, and the code that runs it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gategrad import careful
from gategrad.compiler.arguments import Argument, binder, pythons
from gategrad.compiler.codegen.entry.signature import Fixed, Structure
from gategrad.compiler.passes import optimise
from gategrad.compiler.passes.watch import timed
from gategrad.compiler.program.program import Program
from gategrad.compiler.report import Report, report_on
from gategrad.compiler.runtime import callable as native
from gategrad.compiler.runtime.python_call import is_not_finite
from gategrad.compiler.trace.tracing import Rebuild
from gategrad.errors import OtherNumbersError, UndecidedError

if TYPE_CHECKING:
    from gategrad.compiler.codegen.module import Native
    from gategrad.compiler.runtime.table import Table

__all__ = ["Specialisation", "Written"]


@dataclasses.dataclass(frozen=True)
class Written:
    """A program as text, and the table of the addresses that the text refers to."""

    native: Native
    table: Table
    definition: str
    """The table as text, with the slots that the program asked for; those of the entry come later."""


class Specialisation:
    """A program and its code. Without code the program is interpreted; without a program the function itself runs.

    So it does for values that the program was not made for: where complex numbers turn out to be real ones, where eigenvalues
    coincide, and where a careful program is in doubt, for the function itself looks beside the point (`transforms/limits.py`).

    Code that comes from the disk needs nothing but the program as it was traced. The rest (the optimised program, the
    text, the report) is made when it is needed, or when somebody asks.
    """

    def __init__(
        self, function: Callable[..., Any], traced: Program | None, rebuild: Rebuild, structures: Sequence[Structure]
    ) -> None:
        self.function = function
        self.traced = traced
        self.rebuild = rebuild
        self.structures = tuple(structures)  # of the arguments
        self.seconds: dict[str, float] = {}
        self.note = ""  # why there is no program
        self.relies_on_rows = False  # whether it is only for arguments that lie in memory row by row
        self.minds_python = False  # whether it is only for numbers that are Python's where those of its arguments were
        self.order: list[int] | None = None  # of the outputs where native code builds their containers itself
        self.over: dict[int, int] = {}  # which outputs lie over which inputs
        self.code: native.Code | None = None
        self.is_donated = False  # whether an argument may be written over, so that no call can be answered again
        # what makes the program for calls whose outputs are not finite
        self.again: Callable[[], Specialisation] | None = None
        self.has_alarm = False  # whether its last output says if the others have to be looked at for that
        self.counts_doubts = False  # whether it returns beside its answer in how many places that is in doubt
        self.is_dear = (
            False  # whether looking there was too much for the function itself: then the program's answer stays
        )

    @property
    def is_direct(self) -> bool:
        """Whether native code builds the containers of the output itself."""
        return self.order is not None

    @functools.cached_property
    def pythons(self) -> tuple[bool | None, ...]:
        """Which single numbers among the arguments are Python's."""
        return pythons(self.structures)

    @functools.cached_property
    def gives_up(self) -> tuple[type[Exception], ...]:
        """What the program raises where the function itself is to answer.

        There may be values that it was not made for, real ones for complex ones or the other way round; and values of which
        only the circuit can tell what the gradient is, which is too late if an argument has been written over.
        """
        if self.traced is None:
            return ()
        asks_host = not self.traced.operations.isdisjoint(("eig", "callback"))
        checks = [x.options["failure"].kind for x in self.traced.values if x.op.name == "check"]
        may_be_others = asks_host or (not self.is_donated and OtherNumbersError in checks)
        may_be_undecided = not self.is_donated and (asks_host or UndecidedError in checks)
        return (OtherNumbersError,) * may_be_others + (UndecidedError,) * may_be_undecided

    @functools.cached_property
    def program(self) -> Program | None:
        """The optimised program."""
        return None if self.traced is None else optimise(self.traced, self._clock())

    @functools.cached_property
    def careful(self) -> Specialisation:
        """The program for calls whose outputs are not finite here: it leaves nothing out."""
        assert self.again is not None
        return self.again()

    @functools.cached_property
    def written(self) -> Written:
        """The text of the program's native function, and what else came of writing it."""
        from gategrad.compiler.codegen.module import write_native
        from gategrad.compiler.runtime.table import Table

        program, table = cast(Program, self.program), Table()
        with timed(self._clock(), "write"):
            if self.order is not None:
                program = Program(program.inputs, [program.outputs[n] for n in self.order], program.name)
            written = write_native(program, table, self.over)
        return Written(written, table, f"{table.definition()}\n" if len(table) else "")

    @property
    def text(self) -> str:
        """The program's native function as LLVM text; empty where there is none."""
        if self.code is None:
            return ""
        return self.written.native.text + self.written.definition

    @functools.cached_property
    def report(self) -> Report:
        """What there is to know about the program."""
        if self.program is None:
            return Report(getattr(self.function, "__name__", "program"), 0, (), 0, (), {}, note=self.note)
        return report_on(self.program, None if self.code is None else self.written.native, self.seconds)

    def _clock(self) -> dict[str, float] | None:
        """Where times are noted: those of the first call, not of what somebody asks for later."""
        return self.seconds if self.code is None else None

    # --- calls

    def run(self, arguments: list[Argument], keywords: tuple[str, ...]) -> Any:
        """Answer a call by native code, or else by interpreting the program."""
        leaves = [leaf for a in arguments for leaf in a.leaves]
        if self.traced is not None:
            with contextlib.suppress(*self.gives_up):
                answer = self._run(arguments, keywords, leaves)
                if not self.counts_doubts:
                    return answer
                answer, doubts = answer
                if not doubts or self.is_dear:
                    return answer
        positional, named = binder(arguments, keywords)(leaves)
        before = careful.given_up()
        answer = self.function(*positional, **named)
        self.is_dear = self.counts_doubts and careful.given_up() != before
        return answer

    def _run(self, arguments: list[Argument], keywords: tuple[str, ...], leaves: list[Any]) -> Any:
        if self.code is None:
            return self._interpret(leaves, lambda: self.careful.run(arguments, keywords))
        if not self.is_direct:
            found = self.code.answer(tuple(leaves), {})
            if found is native.MISMATCH:
                return self._otherwise(arguments, keywords, leaves)
            return self.rebuild(list(found))
        # A static argument is recognised by identity: hand over the one that the code knows, equal to that given.
        plain = [
            known.value if isinstance(known, Fixed) else a.plain
            for known, a in zip(self.structures, arguments, strict=True)
        ]
        positional = len(plain) - len(keywords)
        answer = self.code.answer(tuple(plain[:positional]), dict(zip(keywords, plain[positional:], strict=True)))
        return self._otherwise(arguments, keywords, leaves) if answer is native.MISMATCH else answer

    def _otherwise(self, arguments: list[Argument], keywords: tuple[str, ...], leaves: list[Any]) -> Any:
        """Answer a call that the code has handed back."""
        return self._interpret(leaves) if self.again is None else self.careful.run(arguments, keywords)

    def _interpret(self, leaves: list[Any], again: Callable[[], Any] | None = None) -> Any:
        assert self.program is not None
        with np.errstate(all="ignore"):  # as machine code, which gives inf and nan without a word
            results = self.program(*leaves)
        if again is not None and self.again is not None and any(map(is_not_finite, results)):
            return again()
        return self.rebuild(results)
