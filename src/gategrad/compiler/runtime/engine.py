"""From IR text to machine code in memory, and back out of memory when nobody needs it.

`compile_object` is a pure function from text to the bytes of an object file, which is what the disk cache keeps;
`load` links them into the process. LLVM is used through llvmlite, which is imported when the first code is compiled.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import sys
from collections import deque
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import numpy as np

from gategrad.compiler.runtime import disk_cache
from gategrad.compiler.runtime.image import Image, Placed, image_of

__all__ = [
    "Engine",
    "assembly",
    "available",
    "compile_object",
    "host",
    "is_x86",
    "kept_or_compiled",
    "linked",
    "load",
    "load_object",
    "machine",
    "optimised",
    "versions",
]

OLDEST_LLVM = (20,)
"""Pointers without types and the pass manager as we use it: llvmlite 0.45."""

HUGE = 20_000
"""Lines of the longest function, of those that are optimised, above which the optimiser keeps to what is linear in its size."""

ROOTS = ("gg_entry", "gg_packed", "gg_slow", "gg_program")
"""The function that is called from outside is the first of these that a module has; all others are its own affair."""

_retired: deque[tuple[Any, int, list[Any]]] = deque()


class _Loaded(Protocol):
    """Code in memory: where its functions and globals are (0: unknown), and how it goes."""

    def address(self, symbol: str) -> int: ...

    def close(self) -> None: ...


class _LoadedByLLVM:
    def __init__(self, object_code: bytes) -> None:
        llvm = _llvm()
        self._native = llvm.create_mcjit_compiler(_parse(""), machine(0), use_lmm=True)  # nothing is left to optimise
        self._native.add_object_file(llvm.ObjectFileRef.from_data(object_code))
        self._native.finalize_object()

    def address(self, symbol: str) -> int:
        return int(self._native.get_global_value_address(symbol) or self._native.get_function_address(symbol))

    def close(self) -> None:
        self._native.close()


class Engine:
    """Loaded machine code. It is freed when the last reference to the engine dies and no call is inside it."""

    def __init__(self, native: _Loaded) -> None:
        _free_retired()
        self._native = native
        self._kept: list[Any] = []
        try:
            self._inflight = self.address("gg_inflight")
        except KeyError:
            self._inflight = 0
        self._owner = _owner(native, self._inflight)

    def address(self, symbol: str) -> int:
        """The address of a function or global; KeyError if the module does not export it."""
        address = self._native.address(symbol)
        if not address:
            raise KeyError(symbol)
        return address

    def keep(self, *things: Any) -> None:
        """Keep what the code refers to alive for as long as a call may be inside the code."""
        self._kept.extend(things)

    def keep_for_ever(self) -> None:
        """Never free this code, not even while the interpreter shuts down."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))

    def __del__(self) -> None:
        is_running: Any = _is_running  # None when the interpreter, about to end, has emptied this module
        if is_running is not None and is_running(self._inflight):
            _retired.append((self._owner, self._inflight, self._kept))


# Code is freed by the destructor of a capsule, which holds no references and is therefore unknown to the garbage
# collector. That matters: the collector runs the finalizers of a whole cycle before it takes the cycle apart, and the
# function in it may still be called by them.

_loaded: dict[int, tuple[Any, int]] = {}  # by the address of the capsule: the code, and where it counts its calls


def _owner(native: Any, inflight: int) -> Any:
    """Make the object that loaded code dies with."""
    capsule = _new_capsule(id(native), None, _destructor)
    _loaded[id(capsule)] = native, inflight
    return capsule


def _destroy(capsule: int) -> None:
    native, inflight = _loaded.pop(capsule)
    # The finalizer of the engine has looked already, but it runs once, and a finalizer can bring a cycle back to life.
    if _is_running(inflight):
        _retired.append((_owner(native, inflight), inflight, []))
    else:
        native.close()


_CALLBACK = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(_destroy)
_destructor = ctypes.cast(_CALLBACK, ctypes.c_void_p).value
_new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", ctypes.pythonapi)
)


@atexit.register
def _leave_to_the_system() -> None:
    """At exit the memory goes with the process: daemon threads may still be inside, and modules are taken apart."""
    global _destructor  # noqa: PLW0603 (the process has one end)
    _destructor = None  # for code that other exit handlers load from now on
    for capsule, (native, _) in list(_loaded.items()):
        ctypes.pythonapi.PyCapsule_SetDestructor(ctypes.c_void_p(capsule), None)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(native))


def _is_running(inflight: int) -> bool:
    """Is a call inside the code that counts its calls at this address?

    A call counts itself in and out while it holds the global lock, which is held here too: when the count is zero,
    nobody is between counting out and returning.
    """
    return inflight != 0 and ctypes.c_int64.from_address(inflight).value != 0


def _free_retired() -> None:
    """Let go of the code whose last call has returned since its engine died, and of what it refers to."""
    for _ in range(len(_retired)):
        try:
            retired = _retired.popleft()
        except IndexError:  # another thread was faster
            return
        if _is_running(retired[1]):
            _retired.append(retired)


def available() -> bool:
    """Is there an LLVM that understands the text we write?"""
    try:
        from llvmlite import binding as llvm
    except ImportError:
        return False
    return bool(llvm.llvm_version_info >= OLDEST_LLVM)


def load(ir_text: str, *, level: int = 3) -> Engine:
    """Compile the text, or take its object code from the disk, and link it into this process."""
    return load_object(kept_or_compiled(ir_text, level=level))


def linked(object_code: bytes) -> Image | bytes:
    """Object code as an image, which takes less time to load; as it is where there is none."""
    return image_of(object_code) or object_code


def load_object(code: Image | bytes) -> Engine:
    """Bring object code, linked or not, into this process."""
    code = linked(code) if isinstance(code, bytes) else code
    return Engine(_LoadedByLLVM(code) if isinstance(code, bytes) else Placed(code))


def kept_or_compiled(ir_text: str, *, level: int = 3) -> bytes:
    """The object code of a text, from the disk if it is there."""
    level = _level(ir_text, level)
    key = disk_cache.key_of(ir_text, str(level), *host(), *versions())
    object_code = disk_cache.read(key)
    if object_code is None:
        object_code = compile_object(ir_text, level=level)
        disk_cache.write(key, object_code)
    return object_code


def compile_object(ir_text: str, *, level: int = 3) -> bytes:
    """Compile the text into the bytes of an object file, which hold no address of this process."""
    with _optimised(ir_text, level) as (module, target):
        return bytes(target.emit_object(module))


def optimised(ir_text: str, *, level: int = 3) -> str:
    """The text after LLVM's optimiser, to be read by people."""
    with _optimised(ir_text, level) as (module, _):
        return str(module)


def assembly(ir_text: str, *, level: int = 3) -> str:
    """The machine code in the notation of the processor's maker, to be read by people."""
    with _optimised(ir_text, level) as (module, target):
        return str(target.emit_assembly(module))


@contextlib.contextmanager
def _optimised(ir_text: str, level: int) -> Iterator[tuple[Any, Any]]:
    """The module of a text after the optimiser, and the machine that it was optimised for; both are freed behind."""
    level = _level(ir_text, level)
    target = machine(level)
    try:
        with _parse(ir_text) as module:
            _optimise(module, target, level)
            yield module, target
    finally:
        target.close()


@cache
def host() -> tuple[str, str, str]:
    """Triple, name and features of the processor that the code is compiled for."""
    llvm = _llvm()
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def is_x86() -> bool:
    """Whether LLVM's intrinsics for this family of processors can be used."""
    return host()[0].startswith(("x86_64", "i686"))


@cache
def versions() -> tuple[str, ...]:
    """All that decides, beside the text and the processor, what the machine code will be and who may run it."""
    llvm = ".".join(map(str, _llvm().llvm_version_info))
    return version("llvmlite"), llvm, _own_version(), sys.version, np.__version__


def _own_version() -> str:
    try:
        return version("gategrad")
    except PackageNotFoundError:  # run from its source, without an installation
        return ""


def machine(level: int = 3) -> Any:
    """A new target machine for this host."""
    triple, cpu, features = host()
    target = _llvm().Target.from_triple(triple)
    # All sections of a module lie close together (see `load`), so constants are reached relative to the code.
    return target.create_target_machine(cpu=cpu, features=features, opt=level, reloc="pic", codemodel="small", jit=True)


@cache
def _llvm() -> Any:
    from llvmlite import binding as llvm

    with contextlib.suppress(RuntimeError):  # newer versions do it on import, and say so with an error
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def _level(ir_text: str, level: int) -> int:
    functions = ir_text.split("\ndefine ")
    longest = max(f.count("\n") for f in functions if " optnone " not in f.partition("\n")[0])
    return min(level, 1) if longest > HUGE else level


def _parse(ir_text: str) -> Any:
    module = _llvm().parse_assembly(ir_text)
    module.triple = host()[0]
    module.verify()
    return module


def _optimise(module: Any, target: Any, level: int) -> None:
    llvm = _llvm()
    defined = {function.name: function for function in module.functions if not function.is_declaration}
    root = next((name for name in ROOTS if name in defined), None)
    for name, function in defined.items():
        if root is not None and name != root:
            function.linkage = "internal"
    options = llvm.create_pipeline_tuning_options(
        speed_level=min(level, 2)
    )  # 3 takes up to a fifth longer, to the same effect (measured)
    options.loop_vectorization = level > 1
    options.slp_vectorization = level > 1
    # To unroll loops, which are in vectors by then, took almost half of all time and was not faster anywhere (measured).
    options.loop_unrolling = False
    with llvm.create_pass_builder(target, options) as builder:
        passes = builder.getModulePassManager()
        passes.run(module, builder)
        passes.close()
