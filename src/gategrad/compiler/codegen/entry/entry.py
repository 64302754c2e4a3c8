r"""The entry: the native function that Python calls, in front of the program.

It has the signature of CPython's vectorcall. It compares the arguments with the structure for which the program was
compiled, field by field and without building anything, and reads numbers and data pointers on the way. Whatever does
not match (another type, another shape, a strided array) goes, untouched, to the `slow` method of the function object.
Then it makes the output, runs the program, and fills in the single numbers. Where numbers alone come in, the program is
inlined into it, so they never leave their registers.

    checks -> outputs -> workspace -> program -> (finite?) -> numbers -> return
       \_ slow                           \_ status    \_ slow
                                             \_ exception
"""

from __future__ import annotations

from gategrad.compiler.codegen.entry.finite import ask_whether_finite
from gategrad.compiler.codegen.entry.inputs import Inputs, check_inputs, llvm_type
from gategrad.compiler.codegen.entry.outputs import Outputs
from gategrad.compiler.codegen.entry.signature import Array, Signature
from gategrad.compiler.codegen.entry.writer import Writer
from gategrad.compiler.runtime.layout import TUPLE_ITEMS
from gategrad.compiler.runtime.table import Table

__all__ = [
    "ALIGNMENT",
    "ENTRY",
    "FAILED",
    "FAULT_BYTES",
    "INDEX_ERROR",
    "INFLIGHT",
    "INTERRUPTED",
    "MEMORY_ERROR",
    "OK",
    "PROGRAM",
    "RAISED",
    "SLOW",
    "STACK_LIMIT",
    "WORKSPACE",
    "entry",
]

ENTRY = "gg_entry"
PROGRAM = "gg_program"

INFLIGHT = "gg_inflight"
"""How many calls are inside this code right now: it must not be freed before they are out."""

SLOW = "slow"
"""The table slot for the address of the way into Python."""

WORKSPACE = "workspace"
"""The table slot for the address of the memory that the function owns, if it needs more than the stack gives."""

STACK_LIMIT = 16 * 1024
ALIGNMENT = 64
FAULT_BYTES = 32  # where a program that fails leaves index, axis and size, or its failure, and when to look for signals
OK, INDEX_ERROR, MEMORY_ERROR, INTERRUPTED, RAISED, FAILED = range(6)
"""Statuses; a program that has FAILED leaves the address of the exception to be raised, a type and a text in a tuple."""


def entry(signature: Signature, table: Table) -> str:
    """Write the entry for a program with this signature; what it needs from the process goes into the table."""
    write = Writer(table)
    write.block("enter")
    _count_call(write, 1)
    inputs = check_inputs(write, signature)
    inputs.hold()
    outputs = Outputs(write, signature, inputs)
    outputs.allocate()
    workspace = _Workspace(write, max(signature.workspace, FAULT_BYTES))
    workspace.acquire(fail="no_memory")
    status = _run(write, signature, inputs, outputs, workspace.pointer)
    _raise_unless_ok(write, status, workspace)
    workspace.release()
    if signature.wants_finite:
        ask_whether_finite(write, signature.flat_outputs, outputs.pointers, outputs.alarm, "unanswered")
    outputs.fill()
    inputs.release()
    _count_call(write, -1)
    write(f"ret ptr {outputs.root}")
    _failures(write, inputs, outputs, signature.gives_up)
    if signature.wants_finite or signature.gives_up:
        _give_back(write, inputs, outputs)
    _slow(write, inputs)
    body = write.text()
    # To optimise the entry, the program inside it once more, takes LLVM as long as the program alone. Calls with arrays
    # hardly notice if it does not (2 % of 330 ns), while those with numbers alone do (14 % for forty): measured.
    plain = any(isinstance(leaf, Array) for leaf in signature.flat_inputs)
    how = "noinline optnone nounwind" if plain else "nounwind"
    head = f"define ptr @{ENTRY}(ptr %self, ptr %args, i64 %nargsf, ptr %kwnames) {how} {{"
    return "\n".join([f"@{INFLIGHT} = dso_local global i64 0", *write.globals, head, body, "}"])


def _count_call(write: Writer, step: int) -> None:
    # Not atomic: it changes only under the global lock.
    before = write.value(f"load i64, ptr @{INFLIGHT}")
    after = write.value(f"add i64 {before}, {step}")
    write(f"store i64 {after}, ptr @{INFLIGHT}")


def _run(write: Writer, signature: Signature, inputs: Inputs, outputs: Outputs, workspace: str) -> str:
    inputs.settle()
    values = [f"{llvm_type(leaf)} {value}" for leaf, value in zip(signature.flat_inputs, inputs.values, strict=True)]
    pointers = [f"ptr {pointer}" for pointer in outputs.pointers]
    arguments = ", ".join([*values, *pointers, f"ptr {workspace}"])
    if not signature.releases_gil:
        return write.value(f"call i32 @{PROGRAM}({arguments})")
    thread = write.call("PyEval_SaveThread", "ptr")
    status = write.value(f"call i32 @{PROGRAM}({arguments})")
    write.call("PyEval_RestoreThread", "void", f"ptr {thread}")
    error = write.call("PyErr_Occurred", "ptr")  # set by a C function that took the lock for it
    none = write.value(f"icmp eq ptr {error}, null")
    return write.value(f"select i1 {none}, i32 {status}, i32 {RAISED}")


class _Workspace:
    """Scratch memory of the program: on the stack if small, else owned by the function.

    One call at a time can use what the function owns. A second one, which comes in from another thread while the
    lock is released or from within a callback, allocates its own.
    """

    def __init__(self, write: Writer, nbytes: int) -> None:
        self.write = write
        self.nbytes = nbytes
        self.on_stack = nbytes <= STACK_LIMIT
        self.pointer = ""
        self.block = ""

    def acquire(self, fail: str) -> None:
        write = self.write
        if self.on_stack:
            self.pointer = write.alloca(f"[{self.nbytes} x i8]", ALIGNMENT)
            return
        write.globals.append("@gg_busy = internal global i8 0")
        own, other, ready = write.label("own"), write.label("other"), write.label("ready")
        busy = write.value("atomicrmw xchg ptr @gg_busy, i8 1 acquire")
        free = write.value(f"icmp eq i8 {busy}, 0")
        write(f"br i1 {free}, label %{own}, label %{other}")
        write.block(own)
        owned = write.load(write.table.address(WORKSPACE))
        write(f"br label %{ready}")
        write.block(other)
        block = write.call("PyMem_RawMalloc", "ptr", f"i64 {self.nbytes + ALIGNMENT}")
        write.expect_object(block, fail)
        number = write.value(f"ptrtoint ptr {block} to i64")
        above = write.value(f"add i64 {number}, {ALIGNMENT}")
        aligned = write.value(f"and i64 {above}, -{ALIGNMENT}")
        pointer = write.value(f"inttoptr i64 {aligned} to ptr")
        last = write.current
        write(f"br label %{ready}")
        write.block(ready)
        self.pointer = write.value(f"phi ptr [ {owned}, %{own} ], [ {pointer}, %{last} ]")
        self.block = write.value(f"phi ptr [ null, %{own} ], [ {block}, %{last} ]")

    def release(self) -> None:
        if self.on_stack:
            return
        write = self.write
        own, other, done = write.label("own"), write.label("other"), write.label("done")
        mine = write.value(f"icmp eq ptr {self.block}, null")
        write(f"br i1 {mine}, label %{own}, label %{other}")
        write.block(own)
        write("store atomic i8 0, ptr @gg_busy release, align 1")
        write(f"br label %{done}")
        write.block(other)
        write.call("PyMem_RawFree", "void", f"ptr {self.block}")
        write(f"br label %{done}")
        write.block(done)


def _raise_unless_ok(write: Writer, status: str, workspace: _Workspace) -> None:
    succeeded, failed = write.label("succeeded"), write.label("failed")
    good = write.value(f"icmp eq i32 {status}, {OK}")
    write.branch(good, succeeded, failed)
    write.block(failed)
    words = []
    for word in range(3):
        place = write.value(f"getelementptr i64, ptr {workspace.pointer}, i64 {word}")
        words.append(write.value(f"load i64, ptr {place}"))
    workspace.release()
    write(
        f"switch i32 {status}, label %fail [ i32 {INDEX_ERROR}, label %index_error "
        f"i32 {MEMORY_ERROR}, label %no_memory i32 {INTERRUPTED}, label %interrupted i32 {FAILED}, label %broken ]"
    )
    write.block("index_error")
    index, axis, size = words
    kind = write.load(write.table.object(IndexError))
    write.call(
        "PyErr_Format", "ptr", f"ptr {kind}", "ptr @gg_index_text", f"i64 {index}", f"i64 {axis}", f"i64 {size}",
        variadic="ptr (ptr, ptr, ...)",
    )  # fmt: skip
    write("br label %fail")
    text = "index %zd is out of bounds for axis %zd with size %zd"
    write.globals.append(f'@gg_index_text = private constant [{len(text) + 1} x i8] c"{text}\\00"')
    write.block("broken")
    failure = write.value(f"inttoptr i64 {index} to ptr")
    kind, text = (write.field("ptr", failure, TUPLE_ITEMS + 8 * n) for n in range(2))
    write.call("PyErr_SetObject", "void", f"ptr {kind}", f"ptr {text}")
    write("br label %fail")
    write.block("interrupted")
    # The handler of the signal raises KeyboardInterrupt, or what the user has put in its place.
    write.call("PyErr_CheckSignals", "i32")
    raised = write.call("PyErr_Occurred", "ptr")
    nothing = write.value(f"icmp eq ptr {raised}, null")
    write(f"br i1 {nothing}, label %interrupt, label %fail")
    write.block("interrupt")
    write.call("PyErr_SetNone", "void", f"ptr {write.load(write.table.object(KeyboardInterrupt))}")
    write("br label %fail")
    write.block(succeeded)


def _failures(write: Writer, inputs: Inputs, outputs: Outputs, gives_up: tuple[type[Exception], ...]) -> None:
    """Leave with an exception set: everything that this call owns is given back. To give up is to go to `slow`."""
    write.block("no_memory")
    write.call("PyErr_NoMemory", "ptr")
    write("br label %fail")
    write.block("fail")
    for error in gives_up:
        kind = write.load(write.table.object(error))
        matches = write.call("PyErr_ExceptionMatches", "i32", f"ptr {kind}")
        other = write.label("other")
        write(f"switch i32 {matches}, label %give_up [ i32 0, label %{other} ]")
        write.block(other)
    outputs.discard()
    write("br label %fail_early")
    write.block("fail_early")
    inputs.release()
    _count_call(write, -1)
    write("ret ptr null")
    if gives_up:
        write.block("give_up")
        write.call("PyErr_Clear", "void")
        write("br label %unanswered")


def _give_back(write: Writer, inputs: Inputs, outputs: Outputs) -> None:
    """Leave for `slow`, as if nothing had been computed."""
    write.block("unanswered")
    outputs.discard()
    inputs.release()
    write("br label %slow")


def _slow(write: Writer, inputs: Inputs) -> None:
    if inputs.looks_up:
        write.block("no_item")
        write.call("PyErr_Clear", "void")  # a key that cannot be compared is a key that differs
        write("br label %slow")
    write.block("slow")
    _count_call(write, -1)
    slow = write.load(write.table.address(SLOW))
    write(f"%answer = musttail call ptr {slow}(ptr %self, ptr %args, i64 %nargsf, ptr %kwnames)")
    write("ret ptr %answer")
