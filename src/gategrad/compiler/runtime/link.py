"""The last step of compilation: program and entry become one piece of code in memory, ready to be called."""

from __future__ import annotations

from typing import Any

from gategrad.compiler.codegen.entry.entry import ENTRY, SLOW, STACK_LIMIT, WORKSPACE, entry
from gategrad.compiler.codegen.entry.signature import Array, Signature
from gategrad.compiler.runtime import engine
from gategrad.compiler.runtime.caching_allocator import LARGE, serve
from gategrad.compiler.runtime.callable import MISMATCH, Callable, Code, native_type, point, slow_address
from gategrad.compiler.runtime.image import Image
from gategrad.compiler.runtime.layout import obstacle
from gategrad.compiler.runtime.python_call import PythonCall, aligned, packed
from gategrad.compiler.runtime.table import SYMBOL, Table

__all__ = ["Linked", "is_native", "link", "linked", "whole"]


def link(program: str, signature: Signature, table: Table | None = None, *, level: int = 3) -> Code:
    """Compile the text of `@gg_program` and make it callable; `table` has the addresses that the program needs."""
    table = Table() if table is None else table
    return linked(engine.kept_or_compiled(whole(program, signature, table), level=level), signature, table)


def is_native() -> bool:
    """Whether calls jump into the code; else they go through Python, and the code has another entry."""
    return obstacle() is None


def whole(program: str, signature: Signature, table: Table) -> str:
    """The text of the program with its entry in front and its table behind."""
    caller = entry(signature, table) if is_native() else packed(signature)
    return f"{program}\n{caller}\n{table.definition()}\n"


def linked(machine_code: Image | bytes, signature: Signature, table: Table) -> Code:
    """Load the machine code of such a text, and fill its table."""
    code = engine.load_object(machine_code)
    native = is_native()
    if signature.workspace > STACK_LIMIT and native:
        workspace = aligned(signature.workspace)
        table.bind(WORKSPACE, lambda: workspace.ctypes.data)
    table.bind(SLOW, slow_address)
    table.fill(code.address(SYMBOL))
    code.keep(table)
    if any(isinstance(leaf, Array) and leaf.nbytes >= LARGE for leaf in signature.flat_outputs):
        serve(code)
    return Linked(code, signature) if native else PythonCall(code, signature)


class Linked:
    """A program in memory. Whoever may call `entry` holds a reference to this."""

    def __init__(self, code: engine.Engine, signature: Signature) -> None:
        self.entry = code.address(ENTRY)
        self.signature = signature
        self._engine = code
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
