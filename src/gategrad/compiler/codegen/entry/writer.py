"""A writer for one LLVM function: fresh names, basic blocks, and the idioms of calls into CPython."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gategrad.compiler.runtime.table import Table

__all__ = ["Writer"]


class Writer:
    """Lines of a function body. Blocks are written one after the other; `current` is the one being written."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.globals: list[str] = []
        self.current = ""
        self._lines: list[str] = []
        self._allocas: list[str] = []
        self._count = 0

    def __call__(self, line: str) -> None:
        """Write an instruction."""
        self._lines.append("  " + line)

    def block(self, label: str) -> None:
        """Begin a basic block."""
        self.current = label
        self._lines.append(f"{label}:")

    def label(self, name: str) -> str:
        """Make a label that nobody else has."""
        self._count += 1
        return f"{name}.{self._count}"

    def value(self, instruction: str) -> str:
        """Write an instruction and name its result."""
        self._count += 1
        name = f"%v{self._count}"
        self(f"{name} = {instruction}")
        return name

    def alloca(self, kind: str, align: int = 8) -> str:
        """Reserve memory on the stack; at the top of the function, where LLVM can turn it into registers."""
        self._count += 1
        name = f"%v{self._count}"
        self._allocas.append(f"  {name} = alloca {kind}, align {align}")
        return name

    def load(self, slot: str) -> str:
        """Load an address from the table; it never changes while the code runs."""
        return self.value(f"load ptr, ptr {slot}, !invariant.load !{{}}")

    def field(self, kind: str, base: str, offset: int) -> str:
        """Load the field of an object that lies `offset` bytes from its beginning."""
        return self.value(f"load {kind}, ptr {self.at(base, offset)}")

    def at(self, base: str, offset: int) -> str:
        """Compute the address `offset` bytes after `base`."""
        return self.value(f"getelementptr i8, ptr {base}, i64 {offset}")

    def item(self, base: str, index: str | int, kind: str = "ptr") -> str:
        """Compute the address of an item in an array of `kind`."""
        return self.value(f"getelementptr {kind}, ptr {base}, i64 {index}")

    def call(self, name: str, result: str, *arguments: str, variadic: str = "") -> str:
        """Call a C function of Python or NumPy; return the name of its result."""
        function = self.load(self.table.function(name))
        call = f"call {variadic or result} {function}({', '.join(arguments)})"
        if result == "void":
            self(call)
            return ""
        return self.value(call)

    def branch(self, condition: str, likely: str, unlikely: str) -> None:
        """Branch, with the expected way first."""
        weights = '!prof !{!"branch_weights", i32 2000, i32 1}'
        self(f"br i1 {condition}, label %{likely}, label %{unlikely}, {weights}")

    def expect(self, condition: str, otherwise: str) -> None:
        """Go on if the condition holds, else to the block `otherwise`."""
        on = self.label("on")
        self.branch(condition, on, otherwise)
        self.block(on)

    def expect_object(self, pointer: str, otherwise: str) -> None:
        """Go on if the pointer is not null, else to the block `otherwise`."""
        self.expect(self.value(f"icmp ne ptr {pointer}, null"), otherwise)

    @contextmanager
    def loop(self, count: int) -> Iterator[str]:
        """Write the body of a loop; yields the name of its index, which runs from 0 to `count` - 1."""
        before, head, after = self.current, self.label("loop"), self.label("after")
        self._count += 1
        index, following = f"%i{self._count}", f"%j{self._count}"
        self(f"br label %{head}")
        self.block(head)
        phi = len(self._lines)
        yield index
        self._lines.insert(phi, f"  {index} = phi i64 [ 0, %{before} ], [ {following}, %{self.current} ]")
        self(f"{following} = add i64 {index}, 1")
        more = self.value(f"icmp ult i64 {following}, {count}")
        self(f"br i1 {more}, label %{head}, label %{after}")
        self.block(after)

    def text(self) -> str:
        """Write the body, from its first block on."""
        first, *rest = self._lines
        return "\n".join([first, *self._allocas, *rest])
