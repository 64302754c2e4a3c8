"""The call through Python, for interpreters whose objects the native entry cannot read.

It does what the entry does, in the same order, and serves as its description: check the arguments without rebuilding
them, make the outputs, run the program, turn its status into an exception. It is some hundred times slower.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np

from gategrad.compiler.codegen.entry.entry import (
    ALIGNMENT,
    FAILED,
    FAULT_BYTES,
    INDEX_ERROR,
    INTERRUPTED,
    MEMORY_ERROR,
    OK,
    PROGRAM,
)
from gategrad.compiler.codegen.entry.inputs import llvm_type
from gategrad.compiler.codegen.entry.signature import Array, Container, Fixed, Same, Scalar, Signature, Structure
from gategrad.compiler.runtime.callable import MISMATCH
from gategrad.compiler.runtime.engine import Engine

__all__ = ["PACKED", "PythonCall", "aligned", "is_not_finite", "packed"]

PACKED = "gg_packed"

_FORMATS = {"f64": "d", "f32": "f4x", "c128": "Q", "c64": "Q"}


class PythonCall:
    """A program in memory, called through ctypes."""

    entry = 0

    def __init__(self, code: Engine, signature: Signature) -> None:
        self.signature = signature
        self._engine = code
        leaves = signature.flat_inputs
        self._inputs = struct.Struct("=" + "".join(_FORMATS[x.kind] if isinstance(x, Scalar) else "Q" for x in leaves))
        self._outputs = struct.Struct(f"={len(signature.flat_outputs)}Q")
        # PYFUNCTYPE keeps the global lock, and looks for an exception when the program returns.
        pack = ctypes.PYFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
        self._program = pack(code.address(PACKED))

    def answer(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the program if the arguments match its signature, else return MISMATCH."""
        signature = self.signature
        if len(args) + len(kwargs) != len(signature.inputs) or tuple(kwargs) != signature.keywords:
            return MISMATCH
        objects: list[Any] = []
        for structure, value in zip(signature.inputs, (*args, *kwargs.values()), strict=True):
            if not _matches(structure, value, objects):
                return MISMATCH
        buffers = [_buffer(leaf, objects) for leaf in signature.flat_outputs]
        workspace = aligned(max(signature.workspace, FAULT_BYTES))
        numbers, kept = [], []
        for leaf, value in zip(signature.flat_inputs, objects, strict=True):
            kept.append(np.asarray(value) if isinstance(leaf, Scalar) and leaf.is_complex else value)  # for its address
            numbers.append(_argument(leaf, kept[-1]))
        outputs = self._outputs.pack(*map(_address, buffers))
        try:
            status = self._program(self._inputs.pack(*numbers), outputs, _address(workspace))
            if status != OK:
                raise _error(status, workspace)
        except signature.gives_up:
            return MISMATCH
        is_alarmed = buffers[-1] if signature.has_alarm else True
        if signature.wants_finite and is_alarmed and any(map(is_not_finite, buffers)):
            return MISMATCH
        return _build(signature.output, iter(buffers), objects)


def packed(signature: Signature) -> str:
    """Write a function that calls the program with what it finds in memory: ctypes has a limit of 1024 arguments."""
    body, arguments = [], []
    for name, leaves in (("inputs", signature.flat_inputs), ("outputs", signature.flat_outputs)):
        for k, leaf in enumerate(leaves):
            kind = llvm_type(leaf) if name == "inputs" else "ptr"
            body.append(f"  %{name}.at{k} = getelementptr i64, ptr %{name}, i64 {k}")
            body.append(f"  %{name}.{k} = load {kind}, ptr %{name}.at{k}")
            arguments.append(f"{kind} %{name}.{k}")
    call = f"  %status = call i32 @{PROGRAM}({', '.join([*arguments, 'ptr %workspace'])})"
    head = f"define i32 @{PACKED}(ptr %inputs, ptr %outputs, ptr %workspace) {{"
    return "\n".join([head, *body, call, "  ret i32 %status", "}"])


def _matches(structure: Structure, value: Any, objects: list[Any]) -> bool:
    """Compare a value with its structure, collecting the flat inputs."""
    if isinstance(structure, Container):
        items = _items(structure, value) if type(value) is structure.kind else None
        return items is not None and all(map(_matches, structure.items, items, repeat(objects)))
    if isinstance(structure, Fixed):
        return value is structure.value
    objects.append(value)
    if isinstance(structure, Array):
        return _is_array(structure, value)
    return isinstance(structure, Scalar) and type(value) in structure.types


def _items(container: Container, value: Any) -> list[Any] | None:
    if len(value) != len(container.items):
        return None
    if container.kind is not dict:
        return list(value)
    return [value[key] for key in container.keys] if all(key in value for key in container.keys) else None


def _is_array(array: Array, value: Any) -> bool:
    return (
        type(value) is np.ndarray
        and value.dtype == array.dtype
        and value.shape == array.shape
        and value.flags.c_contiguous
        and value.flags.aligned
    )


def _buffer(leaf: Scalar | Array, objects: list[Any]) -> Any:
    if isinstance(leaf, Scalar):
        return np.empty((), leaf.dtype)
    if leaf.over is not None and _may_overwrite(leaf.over, objects):
        return objects[leaf.over]
    return np.empty(leaf.shape, leaf.dtype) if leaf.over is None else objects[leaf.over].copy()


def is_not_finite(array: Any) -> bool:
    """Whether some of these are floating-point numbers that are NaN or infinite."""
    return np.asarray(array).dtype.kind in "fc" and not np.isfinite(array).all()


def _may_overwrite(index: int, objects: list[Any]) -> bool:
    given = objects[index]
    others = (value for place, value in enumerate(objects) if place != index and isinstance(value, np.ndarray))
    return bool(given.flags.writeable) and not any(np.may_share_memory(given, other) for other in others)


def _argument(leaf: Scalar | Array, value: Any) -> Any:
    return value if isinstance(leaf, Scalar) and not leaf.is_complex else _address(value)


def _address(array: np.ndarray[Any, Any]) -> int:
    return int(array.__array_interface__["data"][0])


def _build(structure: Structure, buffers: Iterator[np.ndarray[Any, Any]], objects: list[Any]) -> Any:
    if isinstance(structure, Scalar):
        number = next(buffers)
        return float(number) if structure.kind == "f64" else number[()]
    if isinstance(structure, Array):
        return next(buffers)
    if isinstance(structure, Same):
        return objects[structure.index]
    if isinstance(structure, Fixed):
        return structure.value
    items = [_build(item, buffers, objects) for item in structure.items]
    return dict(zip(structure.keys, items, strict=True)) if structure.kind is dict else structure.kind(items)


def _error(status: int, workspace: np.ndarray[Any, Any]) -> BaseException:
    if status == INDEX_ERROR:
        index, axis, size = workspace[:24].view(np.int64)
        return IndexError(f"index {index} is out of bounds for axis {axis} with size {size}")
    if status == FAILED:
        kind, text = ctypes.cast(int(workspace[:8].view(np.int64)[0]), ctypes.py_object).value
        raised: BaseException = kind(text)
        return raised
    if status == MEMORY_ERROR:
        return MemoryError()
    if status == INTERRUPTED:
        return KeyboardInterrupt()
    return SystemError(f"a compiled program returned the unknown status {status}")


def aligned(nbytes: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Bytes that begin where the vectors of any processor like them to begin."""
    block = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -_address(block) % ALIGNMENT
    return block[start : start + nbytes]
