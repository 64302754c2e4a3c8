"""The call through Python, for interpreters whose objects the native entry cannot read.

It does what the entry does, in the same order, and serves as its description: check the arguments without rebuilding
them, make the outputs, run the program, turn its status into an exception. It is a hundred times slower.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.compiler.codegen.entry import (
    ALIGNMENT,
    FAULT_BYTES,
    INDEX_ERROR,
    INTERRUPTED,
    MEMORY_ERROR,
    OK,
    PROGRAM,
)
from gategrad.compiler.codegen.signature import Array, Container, Fixed, Same, Scalar, Signature, Structure
from gategrad.compiler.runtime.callable import MISMATCH
from gategrad.compiler.runtime.engine import Engine

__all__ = ["PythonCall", "aligned"]

_CTYPES: dict[str, Any] = {"f64": ctypes.c_double, "f32": ctypes.c_float}
_SCALARS: dict[str, tuple[type, ...]] = {"f64": (float, np.float64), "f32": (np.float32,)}


class PythonCall:
    """A program in memory, called through ctypes."""

    entry = 0

    def __init__(self, code: Engine, keep: Any, signature: Signature) -> None:
        self.signature = signature
        self._keep = code, keep
        flat = [*signature.flat_inputs, *signature.flat_outputs]
        inputs = [_CTYPES[leaf.kind] if isinstance(leaf, Scalar) else ctypes.c_void_p for leaf in flat]
        inputs[len(signature.flat_inputs) :] = [ctypes.c_void_p] * len(signature.flat_outputs)
        # PYFUNCTYPE keeps the global lock, and looks for an exception when the program returns.
        self._program = ctypes.PYFUNCTYPE(ctypes.c_int32, *inputs, ctypes.c_void_p)(code.address(PROGRAM))

    def answer(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the program if the arguments match its signature, else return MISMATCH."""
        signature = self.signature
        if len(args) + len(kwargs) != len(signature.inputs) or tuple(kwargs) != signature.keywords:
            return MISMATCH
        objects: list[Any] = []
        for structure, value in zip(signature.inputs, (*args, *kwargs.values()), strict=True):
            if not _matches(structure, value, objects):
                return MISMATCH
        buffers = [_buffer(leaf, objects, signature) for leaf in signature.flat_outputs]
        workspace = aligned(max(signature.workspace, FAULT_BYTES))
        numbers = [_argument(leaf, value) for leaf, value in zip(signature.flat_inputs, objects, strict=True)]
        status = self._program(*numbers, *map(_address, buffers), _address(workspace))
        if status != OK:
            raise _error(status, workspace)
        return _build(signature.output, iter(buffers), objects)


def _matches(structure: Structure, value: Any, objects: list[Any]) -> bool:
    """Compare a value with its structure, collecting the flat inputs."""
    if isinstance(structure, Container):
        if type(value) is not structure.kind or len(value) != len(structure.items):
            return False
        if structure.kind is dict:
            if any(key not in value for key in structure.keys):
                return False
            value = [value[key] for key in structure.keys]
        return all(_matches(child, item, objects) for child, item in zip(structure.items, value, strict=True))
    if isinstance(structure, Fixed):
        return value is structure.value
    objects.append(value)
    return _is_array(structure, value) if isinstance(structure, Array) else type(value) in _SCALARS[structure.kind]


def _is_array(array: Array, value: Any) -> bool:
    return (
        type(value) is np.ndarray
        and value.dtype == array.dtype
        and value.shape == array.shape
        and value.flags.c_contiguous
        and value.flags.aligned
    )


def _buffer(leaf: Scalar | Array, objects: list[Any], signature: Signature) -> np.ndarray[Any, Any]:
    if isinstance(leaf, Scalar):
        return np.empty((), np.float64 if leaf.kind == "f64" else np.float32)
    if leaf.over is not None and _may_overwrite(leaf.over, objects):
        return objects[leaf.over]
    return np.empty(leaf.shape, leaf.dtype)


def _may_overwrite(index: int, objects: list[Any]) -> bool:
    given = objects[index]
    others = (value for place, value in enumerate(objects) if place != index and isinstance(value, np.ndarray))
    return bool(given.flags.writeable) and not any(np.may_share_memory(given, other) for other in others)


def _argument(leaf: Scalar | Array, value: Any) -> Any:
    return value if isinstance(leaf, Scalar) else _address(value)


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
