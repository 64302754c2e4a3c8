"""Parts of a program as functions of their own; parts that are equal up to the memory they work on are one function.

A part is written with local names of its own, counted from one. The names from outside that it uses (addresses, numbers)
become its parameters, in the order of their first use. So parts that do the same have the same text, wherever their
buffers lie: it is written once, and called with other arguments. Steps of a loop that Python has unrolled (a recurrent
network, a solver, layers of one size) are such parts, hundreds of which LLVM then compiles once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from gategrad.compiler.codegen.elementwise import Needs
from gategrad.compiler.codegen.text import Body

__all__ = ["block_function", "call_part", "leave_unless_zero"]

_SELF = "@gg_self"  # the name of a function in its own text, until it has one


def call_part(body: Body, needs: Needs, write: Callable[[Body], None], *, apart: bool = False) -> None:
    """Call a function that does what `write` writes; nothing in it is kept in the registers of the caller.

    `apart` says that no two of the pointers that it uses lead to the same memory.
    """
    inner = body.inside()
    write(inner)
    leaves = any(line.startswith("  ret ") for line in inner.lines)
    result, end = ("i32", "ret i32 0") if leaves else ("void", "ret void")
    text, captured = _with_parameters([*inner.entry, *inner.lines, f"  {end}"], inner)
    kinds = [body.kinds.get(name, "ptr") for name in captured]
    given = ", ".join(f"{kind} {body.constants.get(name, name)}" for kind, name in zip(kinds, captured, strict=True))
    head = f"define internal {result} {_SELF}({', '.join(_parameters(kinds, apart=apart))}) noinline nounwind {{"
    symbol = _named(needs, f"{head}\nentry:\n{text}\n}}", "part")
    if leaves:
        leave_unless_zero(body, body.make(f"call i32 {symbol}({given})"))
    else:
        body.write(f"call void {symbol}({given})")


def block_function(body: Body, needs: Needs, write: Callable[[Body, str], None]) -> tuple[str, list[str]]:
    """A function for the threads of the pool, which does what `write` writes given the number of a block.

    Returns its name, and the names from outside that it finds in the words of its context. The pool calls one function,
    which calls another: as a parameter, a pointer is known to be unlike others.
    """
    inner = body.inside()
    block = inner.name("block")
    inner.kinds[block] = "i64"
    write(inner, block)
    inner.write("ret i32 0")
    text, captured = _with_parameters([*inner.entry, *inner.lines], inner)
    loads, arguments, kinds = [], [], [body.kinds.get(name, "ptr") for name in captured]
    for n, kind in enumerate(kinds):
        loads += [f"  %at{n} = getelementptr i64, ptr %context, i64 {n}", f"  %x{n} = load {kind}, ptr %at{n}"]
        arguments.append(f"{kind} %x{n}")
    whole = "\n".join([
        f"define internal i32 {_SELF}(ptr %context, i64 %block) nounwind {{", *loads,
        f"  %status = call i32 {_SELF}.body({', '.join([*arguments, 'i64 %block'])})", "  ret i32 %status", "}",
        f"define internal i32 {_SELF}.body({', '.join([*_parameters(kinds, apart=True), f'i64 {block}'])}) nounwind {{",
        "entry:", text, "}",
    ])  # fmt: skip
    return _named(needs, whole, "block"), captured


def leave_unless_zero(body: Body, status: str) -> None:
    """End the function with this status if it is not zero."""
    body.leave_if(body.make(f"icmp ne i32 {status}, 0"), status)


def _with_parameters(lines: Sequence[str], inner: Body) -> tuple[str, list[str]]:
    """The text of these lines, names from outside replaced by those of parameters; and the former in their order."""
    parameters: dict[str, str] = {}

    def parameter(found: re.Match[str]) -> str:
        return parameters.setdefault(found[0], f"%a{len(parameters)}")

    return inner.foreign.sub(parameter, "\n".join(lines)), list(parameters)


def _parameters(kinds: Sequence[str], *, apart: bool) -> list[str]:
    return [f"{kind}{' noalias' * (apart and kind == 'ptr')} %a{n}" for n, kind in enumerate(kinds)]


def _named(needs: dict[str, Any], text: str, hint: str) -> str:
    """The name of the function with this text, which is defined unless another part has had the same."""
    symbol = needs["functions"].get(text)
    if symbol is None:
        symbol = needs["functions"][text] = f"@gg_{hint}.{len(needs['functions'])}"
        needs["definitions"][symbol] = text.replace(_SELF, symbol)
    return str(symbol)
