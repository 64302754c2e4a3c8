"""The last step of compilation: program and entry become one piece of code in memory, ready to be called."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.compiler.codegen.entry import ALIGNMENT, ENTRY, SLOW, STACK_LIMIT, WORKSPACE, entry
from gategrad.compiler.codegen.signature import Signature
from gategrad.compiler.runtime import engine
from gategrad.compiler.runtime.callable import slow_address
from gategrad.compiler.runtime.table import SYMBOL, Table

__all__ = ["Linked", "link"]


class Linked:
    """A program in memory, with all that its code refers to. Whoever may call `entry` holds a reference to this."""

    def __init__(self, code: engine.Engine, table: Table, workspace: Any, signature: Signature) -> None:
        self.entry = code.address(ENTRY)
        self.signature = signature
        self._keep = code, table, workspace


def link(program: str, signature: Signature, table: Table | None = None, *, level: int = 3) -> Linked:
    """Compile the text of `@gg_program` together with its entry; `table` has the addresses the program needs."""
    table = Table() if table is None else table
    text = "\n".join([program, entry(signature, table), table.definition(), ""])
    workspace = _workspace(signature.workspace) if signature.workspace > STACK_LIMIT else None
    table.bind(SLOW, slow_address)
    if workspace is not None:
        address = workspace.ctypes.data
        table.bind(WORKSPACE, lambda: address)
    code = engine.load(text, level=level)
    table.fill(code.address(SYMBOL))
    return Linked(code, table, workspace, signature)


def _workspace(nbytes: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    block = np.empty(nbytes + ALIGNMENT, np.uint8)
    return block[-block.ctypes.data % ALIGNMENT :]
