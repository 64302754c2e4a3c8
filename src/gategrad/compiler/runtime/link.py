"""The last step of compilation: program and entry become one piece of code in memory, ready to be called."""

from __future__ import annotations

from typing import Any

from gategrad.compiler.codegen.entry import ENTRY, SLOW, STACK_LIMIT, WORKSPACE, entry
from gategrad.compiler.codegen.signature import Signature
from gategrad.compiler.runtime import engine
from gategrad.compiler.runtime.callable import MISMATCH, Callable, Code, native_type, point, slow_address
from gategrad.compiler.runtime.layout import obstacle
from gategrad.compiler.runtime.python_call import PythonCall, aligned, packed
from gategrad.compiler.runtime.table import SYMBOL, Table

__all__ = ["Linked", "link"]


def link(program: str, signature: Signature, table: Table | None = None, *, level: int = 3) -> Code:
    """Compile the text of `@gg_program` and make it callable; `table` has the addresses that the program needs."""
    table = Table() if table is None else table
    if obstacle() is not None:
        code = engine.load("\n".join([program, packed(signature), table.definition(), ""]), level=level)
        table.fill(code.address(SYMBOL))
        return PythonCall(code, table, signature)
    text = "\n".join([program, entry(signature, table), table.definition(), ""])
    workspace = aligned(signature.workspace) if signature.workspace > STACK_LIMIT else None
    table.bind(SLOW, slow_address)
    table.bind(WORKSPACE, lambda: workspace.ctypes.data)  # type: ignore[union-attr]
    code = engine.load(text, level=level)
    table.fill(code.address(SYMBOL))
    return Linked(code, (table, workspace), signature)


class Linked:
    """A program in memory, with all that its code refers to. Whoever may call `entry` holds a reference to this."""

    def __init__(self, code: engine.Engine, keep: Any, signature: Signature) -> None:
        self.entry = code.address(ENTRY)
        self.signature = signature
        self._keep = code, keep
        self._direct = _direct_type()()
        point(self._direct, self.entry)

    def answer(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the program if the arguments match its signature, else return MISMATCH."""
        return self._direct(*args, **kwargs)


class _Direct(Callable):
    """A function object for one piece of code, which answers MISMATCH instead of going anywhere else."""

    def slow(self, /, *args: Any, **kwargs: Any) -> Any:
        return MISMATCH


_direct: list[type[Callable]] = []


def _direct_type() -> type[Callable]:
    if not _direct:
        _direct.append(native_type(_Direct))
    return _direct[0]
