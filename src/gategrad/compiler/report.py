"""What there is to know about a compiled program: its kernels, what fused, memory, host calls, compile times."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Value
from gategrad.compiler.schedule.views import view_of

if TYPE_CHECKING:  # code that comes from the disk needs nobody who writes
    from gategrad.compiler.codegen.module import Native
    from gategrad.compiler.schedule.kernels import Kernel

__all__ = ["KernelReport", "Report", "report_on"]


@dataclasses.dataclass(frozen=True)
class KernelReport:
    """One walk over memory: what it computes, over which shape, and how many bytes it reads and writes."""

    operations: tuple[str, ...]
    domain: tuple[int, ...] | None
    bytes_read: int
    bytes_written: int
    blocks: int = 0
    """In how many blocks it runs on threads; 0: in the thread that calls."""
    products: int = 0
    """How many products it computes for itself, some rows at a time, which are never in memory as a whole."""

    def __str__(self) -> str:
        names = list(dict.fromkeys(self.operations))
        many = "product" if self.products == 1 else f"{self.products} products"
        before = f"{many} {'written onto' if self.domain is None else 'with epilogue'}: " if self.products else ""
        what = before + ", ".join(f"{name} ×{n}" if (n := self.operations.count(name)) > 1 else name for name in names)
        where = "in registers" if self.domain == () else "alone" if self.domain is None else f"over {self.domain}"
        threads = f", {self.blocks} blocks on threads" if self.blocks else ""
        return f"{what}  ({where}{threads}, reads {_size(self.bytes_read)}, writes {_size(self.bytes_written)})"


@dataclasses.dataclass(frozen=True, repr=False)
class Report:
    """What `compiled.report(*args)` answers; print it."""

    name: str
    operations: int
    kernels: tuple[KernelReport, ...]
    workspace: int
    callbacks: tuple[str, ...]
    seconds: dict[str, float]
    note: str = ""

    @property
    def bytes_moved(self) -> int:
        """What all kernels read and write."""
        return sum(kernel.bytes_read + kernel.bytes_written for kernel in self.kernels)

    def __str__(self) -> str:
        if self.note:
            return f"{self.name}: {self.note}"
        lines = [f"{self.name}: {self.operations} operations in {len(self.kernels)} kernels"]
        lines += [f"  {number}. {kernel}" for number, kernel in enumerate(self.kernels, 1)]
        lines.append(f"  moves {_size(self.bytes_moved)}, workspace {_size(self.workspace)}")
        lines.append(f"  host calls: {', '.join(self.callbacks) or 'none'}")
        times = ", ".join(f"{name} {1000 * seconds:.1f} ms" for name, seconds in self.seconds.items())
        lines.append(f"  compiled in {1000 * sum(self.seconds.values()):.1f} ms ({times})")
        return "\n".join(lines)

    __repr__ = __str__


def report_on(program: Program, native: Native | None, seconds: dict[str, float]) -> Report:
    """The report on a program; without native code there are no kernels, NumPy runs each operation."""
    computed = [value for value in program.values if value.op.name not in ("input", "constant")]
    if native is None:
        note = (
            f"{len(computed)} operations, which NumPy runs one by one: there is no LLVM, or an old one. "
            "pip install 'gategrad[compile]' brings it"
        )
        return Report(program.name, len(computed), (), 0, (), dict(seconds), note)
    readers: dict[Value, set[int]] = {}
    for number, kernel in enumerate(native.kernels):
        for value in kernel.all_values:
            for x in value.inputs:
                readers.setdefault(view_of(x).base, set()).add(number)
    kernels = [
        _kernel(number, kernel, readers, native.blocks.get(number, 0)) for number, kernel in enumerate(native.kernels)
    ]
    callbacks = [_callback(value) for value in native.callbacks]
    return Report(program.name, len(computed), tuple(kernels), native.workspace, tuple(callbacks), dict(seconds))


def _kernel(number: int, kernel: Kernel, readers: dict[Value, set[int]], blocks: int) -> KernelReport:
    read = {view_of(x).base for value in kernel.all_values for x in value.inputs} - set(kernel.all_values)
    written = [value for value in kernel.values if readers.get(value) != {number}]  # others read it, or the caller
    operations = tuple([_name(value) for value in kernel.values])
    return KernelReport(operations, kernel.domain, _bytes(read), _bytes(written), blocks, len(kernel.products))


def _bytes(values: Iterable[Value]) -> int:
    return sum(x.size * x.dtype.itemsize for x in values if x.op.name != "constant")


def _name(value: Value) -> str:
    """What a value is computed by: for what NumPy computes, the function."""
    function = value.options.get("function")
    return value.op.name if function is None else getattr(function, "__name__", type(function).__name__)


def _callback(value: Value) -> str:
    dtype, shape = getattr(value.options.get("function"), "form", (value.dtype, value.shape))
    return f"{_name(value)} ({dtype}{list(shape)})"


def _size(nbytes: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if nbytes >= factor:
            return f"{nbytes / factor:.3g} {unit}"
    return f"{nbytes} B"
